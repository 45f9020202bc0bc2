"""Photos and files that come with a form: taken one by one before the deed, kept if refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, request
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

import wording
from admin.kit.display import now
from config import Settings
from policy.vocabulary.errors import DomainError, PapersTooMany
from services.cases import attachments, journal

MOST_FILES = 20
"""How many photos and files a form takes at once."""


@dataclass(frozen=True)
class UploadResult:
    """What became of the files of a request: the checksums of the good ones, whether all were."""

    checksums: tuple[str, ...] = ()
    whole: bool = True

    def put(self, form: Any) -> None:
        """Let the form point to the last file that came with it."""
        if self.checksums and "paper" in form:
            form.paper.data = self.checksums[-1]


def sent() -> list[FileStorage]:
    """The files of this request; an input that was left empty sends one without a name."""
    return [one for one in request.files.getlist("papers") if one.filename]


def take(session: Session, number: str) -> UploadResult:
    """Add what was sent to a case, each file by itself, and say what became of it."""
    files = sent()
    if not files:
        return UploadResult()
    if len(files) > MOST_FILES:
        refused = PapersTooMany(field="papers", count=len(files), most=MOST_FILES)
        flash(wording.error(refused), "error")
        return UploadResult(whole=False)
    # The bytes are written while nobody waits for the lock of the database.
    session.rollback()
    outcomes = [_taken(session, number, one) for one in files]
    for refusal in outcomes:
        if isinstance(refusal, DomainError):
            flash(wording.error(refusal), "error")
    good = tuple(one for one in outcomes if isinstance(one, str))
    if good:
        flash(gettext("Photos and files added: %(count)s.", count=len(good)), "success")
    return UploadResult(good, len(good) == len(files))


def _taken(session: Session, number: str, one: FileStorage) -> DomainError | str:
    """The checksum of a file that was added and committed, or why it was not."""
    found: Settings = current_app.config["REDRESS"]
    try:
        kept = attachments.store_file(
            one.stream,  # type: ignore[arg-type]  # a spooled file, read in blocks
            name=one.filename or "",
            folder=found.uploads,
            limit=found.upload_limit_mb * attachments.MEGABYTE,
        )
        complaint = journal.lock_case(session, number)
        attachments.attach_file(session, complaint, kept, user=current_user.user, now=now())
        session.commit()
    except DomainError as refusal:
        session.rollback()
        return refusal
    return kept.checksum
