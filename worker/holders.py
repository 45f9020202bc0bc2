"""Names of processes that hold leases, and whether such a process is known to be dead.

A name has the host, the number of the process, when that process began, and the space in which
process numbers are counted: a container counts its own. Of another host or space nothing is known.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

UNKNOWN = "0"


def own() -> str:
    """Return the name of this process as a holder."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_began(pid) or UNKNOWN}:{_space()}"[-120:]


def is_dead(holder: str) -> bool:
    """Whether the process of that name has ended for certain, so that its turn is over."""
    parts = holder.rsplit(":", 3)
    if len(parts) != 4 or not parts[1].isdigit():
        return False
    host, pid, began, space = parts
    if host != socket.gethostname() or space != _space() or UNKNOWN in (began, space):
        return False
    return _began(int(pid)) != began


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the system started; None where it has ended."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = said.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return UNKNOWN
