"""Lets a deed run in a process of its own and stops it before every step it takes in the files.

A step is a system call, usually one in the files. At each one the test may look, do what another
program would do at that moment, or kill the process. Nothing of the deed is changed for it: the
kernel's own ptrace stops it, and a seccomp filter plays a file system that does not know how to
exchange two names.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.port import WorkbookError

TRACE_ME, SYSCALL, SET_OPTIONS, SYSCALL_INFO = 0, 24, 0x4200, 0x420E
GOOD_STOPS, KILL_WITH_TRACER = 0x1, 0x100000
STOPPED_BY_CALL = signal.SIGTRAP | 0x80
ENTRY = 1
FILES = {
    "x86_64": {
        "names": {1, 3, 4, 5, 6, 21, 72, 73, 74, 77, 82, 86, 87, 90, 91, 92, 93}
        | {188, 191, 194, 217, 257, 260, 262, 263, 264, 265, 268, 269, 316, 332, 439},
        "renameat2": 316,
        "arch": 0xC000003E,
    },
    "aarch64": {
        "names": {5, 8, 11, 25, 32, 35, 37, 38, 46, 48, 52, 53, 54, 55, 56, 57, 61, 64}
        | {79, 80, 82, 276, 291, 439},
        "renameat2": 276,
        "arch": 0xC00000B7,
    },
}
HERE: dict[str, Any] = FILES[platform.machine()]

Counted = Callable[[int], bool]
"""Whether a system call of some number is a step."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Ended:
    """How a deed ended: what it said, whether it was killed, and how many steps it took."""

    said: str
    killed: bool
    steps: int


def in_files(call: int) -> bool:
    """Whether a call does something in the files."""
    return bool(call in HERE["names"])


def run(
    deed: Callable[[], object],
    at: Callable[[int], bool] = lambda step: False,
    *,
    before: Callable[[], None] = lambda: None,
    counted: Counted = in_files,
) -> Ended:
    """Do a deed in a process of its own; `at` is called before each step and True kills it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(deed, before, writing)
    os.close(writing)
    ended = _watch(child, at, counted)
    with os.fdopen(reading) as pipe:
        return Ended(pipe.read(), *ended)


def _be_child(deed: Callable[[], object], before: Callable[[], None], writing: int) -> None:
    try:
        before()
        _ptrace(TRACE_ME, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            deed()
            said = "done"
        except WorkbookError as error:
            said = f"{type(error).__name__} {error.code}"
        os.write(writing, said.encode())
    except BaseException as error:
        os.write(writing, repr(error).encode())
    finally:
        os._exit(0)


def _ptrace(request: int, pid: int, data: int, addr: int = 0) -> None:
    if _libc.ptrace(request, pid, addr, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _watch(child: int, at: Callable[[int], bool], counted: Counted) -> tuple[bool, int]:
    os.waitpid(child, 0)
    _ptrace(SET_OPTIONS, child, GOOD_STOPS | KILL_WITH_TRACER)
    steps = passing = 0
    while True:
        _ptrace(SYSCALL, child, passing)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            return os.WIFSIGNALED(status), steps
        stopped = os.WSTOPSIG(status)
        passing = 0 if stopped == STOPPED_BY_CALL else stopped
        if passing == 0 and (call := _entered(child)) is not None and counted(call):
            steps += 1
            if at(steps):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return True, steps


def _entered(child: int) -> int | None:
    """The number of the call that the child enters; None where it leaves one."""
    info = ctypes.create_string_buffer(88)
    if _libc.ptrace(SYSCALL_INFO, child, len(info), ctypes.addressof(info)) == -1:
        raise OSError(ctypes.get_errno(), "no system call")
    (number,) = struct.unpack_from("<Q", info, 24)
    return int(number) if info[0] == bytes([ENTRY]) else None


def without_exchange() -> None:
    """Make renameat2 unknown to this process, as it is on many network file systems."""
    filter_ = b"".join(
        struct.pack("<HBBI", *line)
        for line in (
            (0x20, 0, 0, 0),  # load the number of the call
            (0x15, 0, 1, HERE["renameat2"]),  # is it this one?
            (0x06, 0, 0, 0x00050000 | errno.EINVAL),  # then answer EINVAL
            (0x06, 0, 0, 0x7FFF0000),  # else allow
        )
    )
    lines = ctypes.create_string_buffer(filter_, len(filter_))
    program = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(lines)))
    no_new_privileges, seccomp, with_filter = 38, 22, 2
    if _libc.prctl(no_new_privileges, 1, 0, 0, 0) or _libc.prctl(
        seccomp, with_filter, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "no filter")
