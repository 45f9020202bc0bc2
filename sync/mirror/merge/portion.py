"""The portion of a look: so many deeds that nobody waits long for the lock of the record.

What does not fit stays what it is, an input that waits, and is taken by the next look.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MOST_DEEDS = 50
"""The deeds of one transaction."""
LONGEST_S = 0.5
"""The seconds of one transaction after which no further deed begins."""
LEAST_DEEDS = 5
"""The deeds that are done however slow they are, so that a look always gets on."""
MOST_ROWS = 200
"""The rows that one transaction adds to a workbook."""


@dataclass
class Portion:
    """What one transaction of a look has done; `left_over` once something had to wait."""

    began_s: float = field(default_factory=time.monotonic)
    deeds: int = 0
    rows: int = 0
    left_over: bool = False

    def takes_deed(self) -> bool:
        """Whether one deed more fits, which then counts."""
        fits = self.deeds < LEAST_DEEDS or (self.deeds < MOST_DEEDS and not self._is_late())
        self.deeds += fits
        self.left_over = self.left_over or not fits
        return fits

    def takes_row(self) -> bool:
        """Whether one row more that the workbook lacks fits, which then counts."""
        fits = self.rows < LEAST_DEEDS or (self.rows < MOST_ROWS and not self._is_late())
        self.rows += fits
        self.left_over = self.left_over or not fits
        return fits

    def _is_late(self) -> bool:
        return time.monotonic() - self.began_s > LONGEST_S
