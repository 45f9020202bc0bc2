"""The lock files beside a workbook, and the copies that people and sync folders made of it."""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path

from sync.port import Copy, Holder
from sync.workbook.atomic_replace import fingerprint_of, reading_error

STALE_AFTER = 7 * 24 * 3600  # seconds; no workbook stays open for a week
WIDE_NAME = 55  # where Excel's owner file has the name again, in UTF-16
LONGEST_OWNER = 1024
BLANKS = "\0 \t\r\n"

BEHIND = re.compile(
    r".*(?:冲突|副本|拷贝|复件|conflict|copy|saved meanwhile).*"  # with any words around it
    r"|\s*[(（]\d+[)）]"  # as browsers and mail programs name a second download
    r"|\s*[-_－—]\s*\S.*",  # OneDrive adds the computer's name, people add their own
    re.IGNORECASE,
)
BEFORE = re.compile(
    r"(?:Copy (?:\(\d+\) )?of|副本|复件|拷贝)\s*(?:[(（]\d+[)）])?\s*", re.IGNORECASE
)
CONFLICT = re.compile(r"\.?.+\.xlsx~[0-9a-f]+", re.IGNORECASE)  # as ownCloud leaves one
READABLE = frozenset({".xlsx", ".xlsm"})
OTHER_TYPES = frozenset({".xls", ".xlsb", ".et", ".ett", ".ods", ".csv", ".numbers"})


# ---------------------------------------------------------------- who has it open


def remove_locks(path: Path, until: dt.datetime) -> None:
    """Remove the locks beside a workbook that are not newer than an instant."""
    for lock in _locks(path):
        with suppress(OSError):  # it is gone, or its program lives and keeps it
            if lock.stat().st_mtime <= until.timestamp() + 1:
                lock.unlink()


def _locks(path: Path) -> list[Path]:
    """The places of the locks of Excel, WPS and LibreOffice."""
    names = (f"~${path.name}", f".~{path.name}", f".~lock.{path.name}#")
    return [path.with_name(name) for name in names]


def holder(path: Path) -> Holder | None:
    """The person who has a workbook open, as the locks of Excel, WPS and LibreOffice say.

    None where there is no lock. The name is empty where the lock does not tell it. A lock older
    than a week is a leftover.
    """
    for place in _locks(path):
        try:
            since = place.stat().st_mtime
        except OSError:
            continue
        if time.time() - since < STALE_AFTER:
            content = _content(place)
            name = _calc_owner(content) if place.name.endswith("#") else _office_owner(content)
            return Holder(name, dt.datetime.fromtimestamp(since, dt.UTC))
    return None


def _content(lock: Path) -> bytes:
    """The start of a lock file; nothing where its program has shut it against readers."""
    try:
        with lock.open("rb") as file:
            return file.read(LONGEST_OWNER)
    except OSError:
        return b""


def _office_owner(content: bytes) -> str:
    """The name in an owner file of Excel or WPS: in UTF-16 behind, in the system's code before."""
    if len(content) >= WIDE_NAME + 2:
        (length,) = struct.unpack_from("<H", content, WIDE_NAME)
        raw = content[WIDE_NAME + 2 : WIDE_NAME + 2 + 2 * length]
        name = raw[: len(raw) // 2 * 2].decode("utf-16-le", "replace").strip(BLANKS + "\ufffd")
        if name:
            return name
    length = content[0] if content else 0
    raw = content[1 : min(1 + length, WIDE_NAME)]
    return _decoded(raw).strip(BLANKS + "\ufffd")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def _calc_owner(content: bytes) -> str:
    """The name in a lock of LibreOffice: the person's own, or else that of the login."""
    fields = re.split(r"(?<!\\),", content.decode("utf-8", "replace"))
    names = (re.sub(r"\\(.)", r"\1", field).strip(BLANKS + ";") for field in fields[:2])
    return next((name for name in names if name), "")


# ---------------------------------------------------------------- copies


def copies(path: Path) -> list[Copy]:
    """Files beside a workbook that may be copies of it, in the order of the names.

    Any workbook may be one, whatever its name; whether it is one is known once its mark is read.
    Files of other types count where their names say that they are the workbook or a copy of it.
    """
    try:
        with os.scandir(path.parent) as entries:
            beside = sorted(entry.name for entry in entries)
    except OSError as error:
        raise reading_error(error, path) from error
    found = (_copy(path, name) for name in beside if name != path.name)
    return [copy for copy in found if copy is not None]


def is_copy(path: Path, name: str) -> bool:
    """Whether the name of a file marks it as a copy of a workbook."""
    if CONFLICT.fullmatch(name) and path.stem in name:
        return True
    stem, suffix = os.path.splitext(name)
    if suffix.casefold() not in READABLE or name.startswith((".", "~$")):
        return False
    return _is_like(stem, path.stem)


def _is_like(stem: str, own: str) -> bool:
    """Whether a name without its ending is that of a copy of the workbook `own`."""
    if stem == own:
        return False
    if stem.startswith(own):
        return BEHIND.fullmatch(stem[len(own) :]) is not None
    return stem.endswith(own) and BEFORE.fullmatch(stem[: -len(own)]) is not None


def _copy(path: Path, name: str) -> Copy | None:
    """The file of a name as a copy; None where it cannot be one, is gone or is a folder."""
    stem, suffix = os.path.splitext(name)
    named = is_copy(path, name)
    readable = named or suffix.casefold() in READABLE
    if name.startswith((".", "~$")) and not named:
        return None
    other = suffix.casefold() in OTHER_TYPES and (stem == path.stem or _is_like(stem, path.stem))
    if not readable and not other:
        return None
    place = path.with_name(name)
    try:
        status = place.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    saved = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)
    return Copy(name, fingerprint_of(status), saved, named, readable)
