"""Keeps the libraries quiet: their log lines contain addresses, messages and keys."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_APPRISE = logging.getLogger("apprise")
_TELLING = ("Socket Exception", "Failed to", "SMTP")


def silence() -> None:
    """Keep the log lines of Apprise and urllib3 out of our log, whatever its level is.

    urllib3 writes the path of each request at DEBUG, and a robot's path contains its key.
    """
    _APPRISE.propagate = False
    _APPRISE.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class _LineCollector(logging.Handler):
    """Keeps the lines of this thread that say why a delivery failed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.thread = threading.get_ident()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.thread == self.thread and line.startswith(_TELLING):
            self.lines.append(line)


@contextmanager
def collected_lines() -> Iterator[list[str]]:
    """Yield the lines in which Apprise says why it failed meanwhile; it logs the reasons at
    DEBUG.
    """
    ear = _LineCollector()
    _APPRISE.addHandler(ear)
    _APPRISE.setLevel(logging.DEBUG)
    try:
        yield ear.lines
    finally:
        _APPRISE.removeHandler(ear)
