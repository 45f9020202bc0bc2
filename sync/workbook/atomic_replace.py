"""Reads and replaces a file in a shared folder so that no program ever sees half of it.

The replacement is written beside the file. Then the two change places in one step, and the file
that came out is looked at: if it is not the one that was read, a person saved in between, and the
two change back. A file that a killed process left behind has its meaning in its name, and the
next process puts things right.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import re
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sync.port import WorkbookError, WorkbookRefused, WorkbookUnavailable

LARGEST_FILE = 256 * 1024 * 1024
PATIENCE = 10.0  # seconds one process waits for another that writes in the same folder
LEFT = ".redress-tmp"
EXCHANGE, NO_REPLACE = 2, 1  # of renameat2
HERE = -100  # AT_FDCWD: paths are taken from the working folder
UNKNOWN_TO_SYSTEM = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
OCTAL = re.compile(r"\\([0-7]{3})")  # how the system writes blanks in the list of mounts

_libc = ctypes.CDLL(None, use_errno=True)


# ---------------------------------------------------------------- looking


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it stood at one moment; `saved` is in seconds since 1970."""

    content: bytes
    fingerprint: str
    saved: float


def fingerprint_of(status: os.stat_result) -> str:
    """A mark that changes whenever a file is saved."""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"


def fingerprint_at(path: Path) -> str | None:
    """The fingerprint of a file; None where there is none."""
    try:
        return fingerprint_of(path.stat())
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise WorkbookRefused("no_folder", folder=str(path.parent)) from None
        return None
    except OSError as error:
        raise reading_error(error, path) from error


def look(path: Path) -> Snapshot:
    """Read the whole file as it is at one moment. Raises `busy` while a program writes into it."""
    mend(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise WorkbookRefused("not_readable")  # a folder, or a pipe that never ends
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(LARGEST_FILE + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise reading_error(error, path) from error
    if fingerprint_of(before) != fingerprint_of(after) or fingerprint_at(path) != fingerprint_of(
        after
    ):
        raise WorkbookUnavailable("busy")
    if len(content) > LARGEST_FILE:
        raise WorkbookRefused("not_readable", bytes=after.st_size)
    return Snapshot(content, fingerprint_of(after), after.st_mtime_ns / 1e9)


def expect_single(path: Path) -> None:
    """Refuse a file with two names.

    Replacing one name of a file cuts it off from the other, and what is typed there is never read.
    """
    mend(path)
    try:
        names = path.stat().st_nlink
    except OSError as error:
        raise reading_error(error, path) from error
    if names > 1:
        raise WorkbookRefused("hard_linked")


def target_of(path: Path) -> Path:
    """The file itself where its name is a link, so that the file is replaced and not the link."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError) as error:  # links that lead in a circle
        raise WorkbookRefused("not_readable") from error


def _is_mounted(path: Path) -> bool:
    """Whether a file is mounted by itself, so that no other can take its place."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    mounted = (line.split()[4] for line in lines)
    return str(path.absolute()) in {OCTAL.sub(lambda m: chr(int(m[1], 8)), it) for it in mounted}


def reading_error(error: OSError, path: Path) -> WorkbookError:
    """The error of the port for a failure to read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if not path.parent.is_dir():
            return WorkbookRefused("no_folder", folder=str(path.parent))
        return WorkbookUnavailable("missing")
    if error.errno in FORBIDDEN or isinstance(error, IsADirectoryError):
        return WorkbookRefused("not_readable")
    return WorkbookUnavailable("busy")


# ---------------------------------------------------------------- putting in place


def put_new(path: Path, content: bytes, check: Callable[[Path], None]) -> str:
    """Put a new file where there is none; its fingerprint. Raises `changed` where there is one."""
    with _writing(path), _sole(path):
        _mend(path)
        with _built(path, content) as built:
            check(built)
            ours = fingerprint_of(built.stat())
            try:
                _place(built, path)
            except FileExistsError:
                raise WorkbookUnavailable("changed") from None
            _flush(path.parent)
    return ours


def replace(path: Path, content: bytes, seen: str, *, check: Callable[[Path], None]) -> str:
    """Put new content in the place of the file whose fingerprint is `seen`; the new fingerprint.

    `check` looks at the finished file before it is put in place. Raises `changed` when the file
    is no longer that of `seen`; whatever was saved meanwhile stays.
    """
    with _writing(path), _sole(path):
        _mend(path)
        _expect(path, seen)
        with _built(path, content) as built:
            _dress(built, path)
            check(built)
            _expect(path, seen)
            return _swap(path, built, seen)


def put_file(path: Path, content: bytes) -> None:
    """Put a file of our own into a folder of our own, over an older one of its name."""
    with _writing(path), _built(path, content) as built:
        os.rename(built, path)
        _flush(path.parent)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an error of the port."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise WorkbookRefused("disk_full") from error
        if error.errno in FORBIDDEN:
            raise WorkbookRefused("not_writable") from error
        if error.errno in (errno.EBUSY, errno.EXDEV) and _is_mounted(path):
            raise WorkbookRefused("mounted_alone") from error
        raise reading_error(error, path) from error


@contextmanager
def _sole(path: Path) -> Iterator[None]:
    """Keep other processes of ours from replacing anything in the folder meanwhile.

    Where the file system knows no locks the swap alone protects what people saved.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + PATIENCE
        while not _lock(folder):
            if time.monotonic() > until:
                raise WorkbookUnavailable("busy")
            time.sleep(0.02)
        yield
    finally:
        os.close(folder)


def _lock(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system has no locks to wait for
    return True


def _expect(path: Path, seen: str) -> None:
    """Refuse early a file that cannot or must not be replaced."""
    status = path.stat()
    if fingerprint_of(status) != seen:
        raise WorkbookUnavailable("changed")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise WorkbookRefused("not_writable")


@contextmanager
def _built(path: Path, content: bytes) -> Iterator[Path]:
    """A finished file beside the workbook; it is removed in the end, whatever happened."""
    built = path.parent / f".{_token(path)}.new.{os.getpid():x}-{time.monotonic_ns():x}{LEFT}"
    handle = os.open(built, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield built
    finally:
        built.unlink(missing_ok=True)


def _token(path: Path) -> str:
    """A short token of the workbook for the names of files beside it, however long its own is."""
    return hashlib.sha256(path.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _dress(built: Path, path: Path) -> None:
    """Give the new file the mode, the owner and the extended attributes of the old one."""
    status = path.stat()
    with suppress(PermissionError):
        os.chown(built, status.st_uid, status.st_gid)
    os.chmod(built, stat.S_IMODE(status.st_mode))
    with suppress(OSError):  # only some file systems have attributes
        for name in os.listxattr(path):
            with suppress(OSError):
                os.setxattr(built, name, os.getxattr(path, name))


def _flush(folder: Path) -> None:
    """Make the names of a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(handle)
    finally:
        os.close(handle)


# ---------------------------------------------------------------- the swap


def _swap(path: Path, built: Path, seen: str) -> str:
    """Let the new file and the old one change places, unless a person saved in between."""
    status = built.stat()
    ours = fingerprint_of(status)
    waiting = _left(path, "swap", seen, inode=status.st_ino)
    os.rename(built, waiting)
    try:
        exchanged = _exchange(waiting, path)
    except FileNotFoundError:
        waiting.unlink()
        raise WorkbookUnavailable("changed") from None
    except OSError:
        waiting.unlink()
        raise
    if not exchanged:
        return _step_by_step(path, waiting, seen, ours=ours)
    if not _untouched(waiting, seen):
        _give_back(path, waiting, ours)
        raise WorkbookUnavailable("changed")
    waiting.unlink()
    _flush(path.parent)
    return ours


def _left(path: Path, role: str, seen: str, *, inode: int) -> Path:
    """The name of a file beside the workbook; it tells its role, should this process be killed."""
    return path.parent / f".{_token(path)}.{role}.{seen}.{inode:x}{LEFT}"


def _untouched(old: Path, seen: str) -> bool:
    """Whether the file that came out is the one that was read, and no program writes into it."""
    with old.open("rb") as file:
        try:
            # Opening a leased file raises a signal; this one is ignored by default.
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError:
            return False
        except OSError:
            pass  # this file system has no leases, or the file has another owner
        return fingerprint_of(os.fstat(file.fileno())) == seen


def _give_back(path: Path, waiting: Path, ours: str) -> None:
    """Put the file that a person saved back into its place; keep both where there are two."""
    try:
        _exchange(waiting, path)
    except FileNotFoundError:  # they are replacing the file at this moment
        _return(waiting, path)
        return
    if fingerprint_of(waiting.stat()) == ours:
        waiting.unlink()
    else:  # the newer of two saves came out: it belongs there, the older goes beside it
        with suppress(FileNotFoundError):
            _exchange(waiting, path)
        _return(waiting, path)
    _flush(path.parent)


def _step_by_step(path: Path, waiting: Path, seen: str, *, ours: str) -> str:
    """Swap where the file system cannot exchange two names: the old file moves away first."""
    away = _left(path, "away", seen, inode=waiting.stat().st_ino)
    try:
        os.rename(path, away)
    except FileNotFoundError:
        waiting.unlink()
        raise WorkbookUnavailable("changed") from None
    except OSError:
        waiting.unlink()
        raise
    if not _untouched(away, seen):
        _return(away, path)
        waiting.unlink()
        raise WorkbookUnavailable("changed")
    try:
        _place(waiting, path)
    except FileExistsError:  # a person saved a newer one; the file that is away was read by us
        waiting.unlink()
        away.unlink()
        raise WorkbookUnavailable("changed") from None
    except OSError:
        _return(away, path)
        waiting.unlink(missing_ok=True)
        raise
    away.unlink()
    _flush(path.parent)
    return ours


def _return(left: Path, path: Path) -> None:
    """Put a file back under the workbook's name, or beside it where there is one by now."""
    try:
        _place(left, path)
    except FileExistsError:
        _set_aside(left, path)


def _set_aside(left: Path, path: Path) -> None:
    """Leave a file that a person saved as a copy beside the workbook."""
    saved = time.strftime("%Y-%m-%d %H-%M-%S", time.localtime(left.stat().st_mtime))
    for count in range(1, 1000):
        again = f" {count}" if count > 1 else ""
        try:
            _place(
                left, path.with_name(f"{path.stem} (saved meanwhile {saved}{again}){path.suffix}")
            )
        except FileExistsError:
            continue
        return


# ---------------------------------------------------------------- names


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False where the file system cannot."""
    return _rename_at(one, other, EXCHANGE)


def _place(source: Path, target: Path) -> None:
    """Give a file another name. Raises FileExistsError instead of replacing what is there."""
    if _rename_at(source, target, NO_REPLACE):
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in UNKNOWN_TO_SYSTEM:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        os.rename(source, target)
    else:
        os.unlink(source)


def _rename_at(source: Path, target: Path, how: int) -> bool:
    """Call renameat2, which Python has no name for; False where it is not known."""
    call = getattr(_libc, "renameat2", None)
    if call is None:
        return False
    if call(HERE, os.fsencode(source), HERE, os.fsencode(target), ctypes.c_uint(how)) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNKNOWN_TO_SYSTEM:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


# ---------------------------------------------------------------- after a killed process


def mend(path: Path) -> None:
    """Put right the leftovers of a killed process beside the file; leave a living one alone."""
    try:
        if not _leftovers(path):
            return
        with suppress(WorkbookUnavailable), _writing(path), _sole(path):
            _mend(path)
    except FileNotFoundError:
        return


def _leftovers(path: Path) -> list[Path]:
    start = f".{_token(path)}."
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(start)]
    return sorted(path.parent / name for name in names if name.endswith(LEFT))


def _mend(path: Path) -> None:
    for left in _leftovers(path):
        role, seen, inode = _role_of(left)
        if role == "swap":
            _mend_swap(path, left, seen, inode=inode)
        elif role == "away":
            _mend_away(path, left, seen)
        else:
            left.unlink(missing_ok=True)


def _role_of(left: Path) -> tuple[str, str, int]:
    """The role of a leftover, the fingerprint read and the new file's inode, as its name tells."""
    match = re.search(
        r"\.(swap|away)\.([0-9a-f-]+)\.([0-9a-f]+)" + re.escape(LEFT) + "$", left.name
    )
    return (match[1], match[2], int(match[3], 16)) if match else ("new", "", 0)


def _mend_swap(path: Path, left: Path, seen: str, *, inode: int) -> None:
    status = left.stat()
    if status.st_ino == inode or (fingerprint_of(status) == seen and path.exists()):
        left.unlink()  # the new file before the exchange, or the old one after it
        return
    try:
        replaced = path.stat().st_ino == inode
    except FileNotFoundError:
        replaced = False
    if replaced and _exchange(left, path):
        left.unlink()  # the file that a person saved is back in its place, ours is gone
    else:
        _return(left, path)


def _mend_away(path: Path, left: Path, seen: str) -> None:
    if path.exists() and fingerprint_of(left.stat()) == seen:
        left.unlink()
    else:
        _return(left, path)
