"""Attachments of a case: photos and files, stored under their checksum, typed by their content.

The bytes lie in a folder, the row says which case they belong to. The name of a file and the type
its sender states decide nothing: only the six formats of FORMATS are accepted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Attachment, Complaint, User
from policy.vocabulary.errors import (
    DomainError,
    HistoryForbids,
    NotFound,
    PaperEmpty,
    PaperRefused,
    PaperTooLarge,
    StatusForbids,
)
from policy.vocabulary.status import Status

DEED = "attached"
LONGEST_NAME = 255
MEGABYTE = 1024 * 1024
_BLOCK = 256 * 1024
_HEAD = 64

FORMATS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "video/mp4": (".mp4", ".m4v", ".mov"),
}
"""The media types accepted, with the endings of their names; the first is added where none fits."""

SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})
"""The media types every browser shows as a picture; nothing in them can run."""

_SEALED = frozenset({Status.withdrawn, Status.archived})
_PICTURES = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_FILMS = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"}
    | {b"3gp4", b"3gp5", b"3gp6", b"qt  "}
)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that lie in the folder and belong to no case yet."""

    name: str
    media_type: str
    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """An attachment as a page shows it; `by` is the name of the user who added it, None for a
    machine.
    """

    id: int
    name: str
    media_type: str
    size: int
    added_at: dt.datetime
    by: str | None
    checksum: str

    @property
    def is_shown(self) -> bool:
        """Whether every browser shows it as a picture."""
        return self.media_type in SHOWN


# ---------------------------------------------------------------- adding


def add(
    session: Session,
    complaint: Complaint,
    *,
    name: str,
    content: BinaryIO,
    folder: Path,
    user: User | None,
    now: dt.datetime,
    limit: int,
) -> Attachment:
    """Add a file to a case: its bytes on the disk, its row flushed. `limit` is in bytes.

    The same content twice is one row. Lock the case first (`journal.lock_case`). Raises the errors
    of `refusal_to_add` and `store_file`.
    """
    refused = refusal_to_add(complaint)
    if refused is not None:
        raise refused
    kept = store_file(content, name=name, folder=folder, limit=limit)
    return attach_file(session, complaint, kept, user=user, now=now)


def refusal_to_add(complaint: Complaint) -> DomainError | None:
    """Return why nothing can be added to the case (history, withdrawn or archived), or None."""
    if complaint.history:
        return HistoryForbids(deed=DEED)
    if complaint.status in _SEALED:
        return StatusForbids(deed=DEED, status=complaint.status.value)
    return None


def store_file(content: BinaryIO, *, name: str, folder: Path, limit: int) -> StoredFile:
    """Write bytes into the folder, whole or not at all; needs no database and holds no lock.

    Bytes that no row names afterwards do no harm: the same photo, sent again, takes their place.
    Raises PaperEmpty, PaperRefused for any other format, PaperTooLarge above `limit` bytes.
    """
    head = content.read(_HEAD)
    if not head:
        raise PaperEmpty(file=_cleaned(name))
    media_type = media_type_of(head)
    if media_type is None:
        raise PaperRefused(file=_cleaned(name))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".draft-{secrets.token_hex(16)}"
    try:
        checksum, size = _written(draft, head, content, limit=limit)
        if size > limit:
            raise PaperTooLarge(file=_cleaned(name), limit=max(limit // MEGABYTE, 1))
        _rename_into_place(draft, stored_path(folder, checksum))
    finally:
        draft.unlink(missing_ok=True)
    return StoredFile(_safe_name(name, media_type), media_type, size, checksum)


def attach_file(
    session: Session, complaint: Complaint, kept: StoredFile, *, user: User | None, now: dt.datetime
) -> Attachment:
    """Return the row that makes a stored file an attachment of the case; an equal one is returned.

    Raises the error of `refusal_to_add`.
    """
    refused = refusal_to_add(complaint)
    if refused is not None:
        raise refused
    same = sa.select(Attachment).where(
        Attachment.complaint_id == complaint.id, Attachment.checksum == kept.checksum
    )
    row = session.scalars(same).first()
    if row is None:
        row = Attachment(complaint_id=complaint.id, added_at=now)
        row.name, row.media_type = kept.name, kept.media_type
        row.size, row.checksum = kept.size, kept.checksum
        row.added_by_id = user.id if user else None
        session.add(row)
        session.flush()
    return row


def _written(draft: Path, head: bytes, content: BinaryIO, *, limit: int) -> tuple[str, int]:
    """Write the file and return its checksum and size; stops at the first block beyond the
    limit.
    """
    digest, size, block = hashlib.sha256(), 0, head
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block and size <= limit:
            digest.update(block)
            file.write(block)
            size += len(block)
            block = content.read(_BLOCK)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _rename_into_place(draft: Path, place: Path) -> None:
    """Rename a written file to its final name; after a power cut the whole file is there,
    or none.
    """
    place.parent.mkdir(mode=0o700, exist_ok=True)
    os.replace(draft, place)
    if hasattr(os, "O_DIRECTORY"):  # other systems cannot open a folder
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# ---------------------------------------------------------------- what it is, how it is called


def media_type_of(head: bytes) -> str | None:
    """Return the media type the first bytes of a file show, or None for one that is not
    accepted.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp":
        return _container_type(head)
    return None


def _container_type(head: bytes) -> str | None:
    """Return the type of an ISO media file, whose first box lists its own and its compatible
    brands.
    """
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    if brands[0] in _PICTURES:
        return "image/heic"
    if brands[0] in _FILMS or _FILMS.intersection(brands[1:]):
        return "video/mp4"
    return None


def _safe_name(name: str, media_type: str) -> str:
    """Return a name without folders and unprintable characters, with an ending that fits
    the type.
    """
    endings = FORMATS[media_type]
    plain = _cleaned(name)
    stem, dot, ending = plain.rpartition(".")
    if not dot or f".{ending}".lower() not in endings:
        stem, ending = plain or "photo", endings[0][1:]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


def _cleaned(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    # Category C holds controls and the marks that turn the direction of a text around.
    signs = (one if unicodedata.category(one)[0] not in "CZ" else " " for one in last)
    return " ".join("".join(signs).split()).lstrip(". ")[:LONGEST_NAME]


# ---------------------------------------------------------------- looking


def stored_path(folder: Path, checksum: str) -> Path:
    """Where the bytes of a checksum lie."""
    return folder / checksum[:2] / checksum


def of_case(session: Session, complaint: Complaint) -> list[AttachmentView]:
    """Return the attachments of a case, oldest first."""
    rows = session.execute(
        sa.select(Attachment, User.display_name)
        .join(User, User.id == Attachment.added_by_id, isouter=True)
        .where(Attachment.complaint_id == complaint.id)
        .order_by(Attachment.id)
    )
    return [
        AttachmentView(one.id, one.name, one.media_type, one.size, one.added_at, by, one.checksum)
        for one, by in rows
    ]


def find(session: Session, complaint: Complaint, paper_id: int) -> Attachment:
    """Return an attachment of that case. Raises NotFound for one of another case."""
    for row in session.scalars(
        sa.select(Attachment).where(Attachment.complaint_id == complaint.id)
    ):
        if row.id == paper_id:
            return row
    raise NotFound(what="paper", key=str(paper_id))


def counts(session: Session, complaint_ids: Collection[int]) -> dict[int, int]:
    """Return how many attachments each of these cases has; a case without any is left out."""
    rows = session.execute(
        sa.select(Attachment.complaint_id, sa.func.count())
        .where(Attachment.complaint_id.in_(complaint_ids))
        .group_by(Attachment.complaint_id)
    )
    return {row[0]: row[1] for row in rows}
