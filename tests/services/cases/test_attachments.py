"""Photos and files of a case: what is taken, where the bytes lie, what is refused."""

from __future__ import annotations

import hashlib
import stat
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
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
from services.cases import attachments, correcting, intake
from services.cases.attachments import MEGABYTE
from tests.company import Office, at

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"photo" * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 60
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 40
FILM = b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + b"\x00" * 40
NOW = at(9, 28, 11)

TAKEN = {
    "image/jpeg": JPEG,
    "image/png": PNG,
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\x00" * 40,
    "image/heic": HEIC,
    "application/pdf": b"%PDF-1.7\n" + b"\x00" * 40,
    "video/mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + b"\x00" * 40,
}
NOT_TAKEN = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "zip": b"PK\x03\x04" + b"\x00" * 60,
    "gif": b"GIF89a" + b"\x00" * 60,
    "program": b"MZ" + b"\x00" * 60,
    "sound": b"\x00\x00\x00\x14ftypM4A \x00\x00\x00\x00M4A " + b"\x00" * 40,
    "text": "发动机异响".encode(),
    "half a head": b"\xff\xd8",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the bytes go; it need not be there yet."""
    return tmp_path / "home" / "papers"


@pytest.fixture
def add(session: Session, folder: Path) -> Any:
    """`add(complaint, content=…, name=…)`: the administrator adds a file, at most one megabyte."""
    user = session.scalars(sa.select(User)).one()

    def add(complaint: Complaint, content: bytes = JPEG, name: str = "IMG_1.jpg") -> Attachment:
        return attachments.add(
            session,
            complaint,
            name=name,
            content=BytesIO(content),
            folder=folder,
            user=user,
            now=NOW,
            limit=MEGABYTE,
        )

    return add


def files(folder: Path) -> list[Path]:
    """Every file below the folder, drafts included."""
    return [one for one in folder.rglob("*") if one.is_file()] if folder.exists() else []


# ---------------------------------------------------------------- taken


def test_the_bytes_lie_under_their_checksum_and_the_row_says_whose_they_are(
    office: Office, add: Any, folder: Path, session: Session
) -> None:
    complaint = office.dispatched()
    row = add(complaint)
    checksum = hashlib.sha256(JPEG).hexdigest()
    place = folder / checksum[:2] / checksum
    assert place.read_bytes() == JPEG
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert (row.complaint_id, row.checksum, row.size) == (complaint.id, checksum, len(JPEG))
    (paper,) = attachments.of_case(session, complaint)
    assert (paper.name, paper.media_type, paper.by) == ("IMG_1.jpg", "image/jpeg", "administrator")
    assert (paper.added_at, paper.is_shown) == (NOW, True)
    assert attachments.counts(session, [complaint.id, 999]) == {complaint.id: 1}


@pytest.mark.parametrize("media_type", TAKEN)
def test_each_format_is_known_by_its_content(media_type: str, office: Office, add: Any) -> None:
    row = add(office.dispatched(), TAKEN[media_type], "whatever.html")
    assert row.media_type == media_type
    assert row.name == "whatever.html" + attachments.FORMATS[media_type][0]


def test_a_film_of_an_iphone_is_taken(office: Office, add: Any) -> None:
    row = add(office.dispatched(), FILM, "IMG_7.MOV")
    assert (row.media_type, row.name) == ("video/mp4", "IMG_7.MOV")


def test_the_same_photo_twice_is_one_file_of_the_case(
    office: Office, add: Any, session: Session, folder: Path
) -> None:
    complaint = office.dispatched()
    first = add(complaint)
    assert add(complaint, name="again.jpg") is first
    assert len(attachments.of_case(session, complaint)) == len(files(folder)) == 1


def test_two_cases_with_the_same_photo_have_a_row_each(
    office: Office, add: Any, session: Session, folder: Path
) -> None:
    one, other = office.dispatched(), office.dispatched()
    mine = add(one)
    assert add(other).id != mine.id
    assert len(files(folder)) == 1
    with pytest.raises(NotFound):
        attachments.find(session, other, mine.id)
    assert attachments.find(session, one, mine.id) is mine


def test_a_file_as_large_as_the_limit_is_taken(office: Office, add: Any) -> None:
    row = add(office.dispatched(), JPEG.ljust(MEGABYTE, b"\0"))
    assert row.size == MEGABYTE


def test_a_photo_is_no_event_and_no_step_of_the_case(office: Office, add: Any) -> None:
    complaint = office.dispatched()
    before = complaint.version
    add(complaint)
    assert complaint.version == before


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\photos\\现场 照片.JPG", "现场 照片.JPG"),
        ("a\u202egpj.exe", "a gpj.exe.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "a Set-Cookie: x.jpg"),
        (".jpg", "jpg.jpg"),
        ("", "photo.jpg"),
        ("长" * 400 + ".jpeg", "长" * 251 + ".jpg"),
    ],
)
def test_a_name_is_cleaned_and_tells_the_truth(
    name: str, called: str, office: Office, add: Any
) -> None:
    row = add(office.dispatched(), name=name)
    assert row.name == called
    assert len(row.name) <= attachments.LONGEST_NAME


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("kind", NOT_TAKEN)
def test_another_format_is_refused_whatever_its_name(
    kind: str, office: Office, add: Any, folder: Path, refuses: Any
) -> None:
    complaint = office.dispatched()
    with refuses(PaperRefused, file="photo.jpg"):
        add(complaint, NOT_TAKEN[kind], "photo.jpg")
    assert files(folder) == []


def test_an_empty_file_is_refused(office: Office, add: Any, refuses: Any) -> None:
    complaint = office.dispatched()
    with refuses(PaperEmpty, file="IMG_1.jpg"):
        add(complaint, b"")


def test_one_byte_beyond_the_limit_is_refused_and_nothing_stays(
    office: Office, add: Any, folder: Path, refuses: Any
) -> None:
    complaint = office.dispatched()
    with refuses(PaperTooLarge, file="IMG_1.jpg", limit=1):
        add(complaint, JPEG.ljust(MEGABYTE + 1, b"\0"))
    assert files(folder) == []


def test_a_sender_that_breaks_off_leaves_nothing(folder: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionError("the phone went into a lift")
            return super().read(size)

    with pytest.raises(ConnectionError):
        attachments.store_file(Broken(JPEG), name="IMG_1.jpg", folder=folder, limit=MEGABYTE)
    assert files(folder) == []


def test_a_case_from_before_go_live_takes_nothing(
    office: Office, add: Any, refuses: Any, folder: Path
) -> None:
    complaint = intake.import_past(
        office.session,
        office.version,
        source="old-ledger",
        source_id="1",
        kind="complaint",
        status=Status.closed,
        subject="旧案",
        received_at=at(3, 2, 9),
        actor=office.administrator,
        now=NOW,
    )
    assert complaint is not None
    with refuses(HistoryForbids, deed="attached"):
        add(complaint)
    assert files(folder) == []


def test_a_withdrawn_case_takes_nothing(
    office: Office, add: Any, refuses: Any, folder: Path
) -> None:
    complaint = office.registered()
    correcting.withdraw(
        office.session, complaint, target=1, reason="试录", actor=office.administrator, now=NOW
    )
    with refuses(StatusForbids, deed="attached", status="withdrawn"):
        add(complaint)
    assert files(folder) == []


def test_a_case_withdrawn_while_the_photo_was_sent_takes_nothing(
    office: Office, folder: Path, session: Session
) -> None:
    complaint = office.registered()
    kept = attachments.store_file(BytesIO(PNG), name="a.png", folder=folder, limit=MEGABYTE)
    correcting.withdraw(
        session, complaint, target=1, reason="试录", actor=office.administrator, now=NOW
    )
    with pytest.raises(DomainError):
        attachments.attach_file(session, complaint, kept, user=None, now=NOW)
    assert attachments.of_case(session, complaint) == []
