"""What every page of the back office shares: its place in the menu, its session, its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import flash
from flask_admin import BaseView
from flask_babel import gettext
from sqlalchemy.orm import Session

import wording
from admin.kit.rights import visitor_may_open
from policy.vocabulary.errors import ChangedMeanwhile, DomainError


class MenuPlace:
    """Where a page stands in the menu: `group` is a key of admin.kit.menu, `icon` a symbol.

    A page that is not in the menu may say with `within` on which page's line it belongs.
    """

    group: ClassVar[str] = ""
    icon: ClassVar[str] = "dot"
    within: ClassVar[str] = ""

    # private: no public way; Flask-Admin runs a view again with other arguments when it raises
    # TypeError, which hides the error and does the deed twice.
    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)


class RedressPage(MenuPlace, BaseView):
    """A page of its own, not a list: home, policy, calendar."""

    _default_view: str  # Flask-Admin finds it when the class is made

    def __init__(self, db: Any, **options: Any) -> None:
        self._db = db
        super().__init__(**options)

    @property
    def session(self) -> Session:
        """The database session of this request."""
        found: Session = self._db.session()
        return found

    def is_accessible(self) -> bool:
        """Whether the visitor opens the page; its other routes are guarded by themselves."""
        return visitor_may_open(f"{self.endpoint}.{self._default_view}")


# ---------------------------------------------------------------- trying, committing, refusing


@dataclass
class Attempt:
    """How a block under `attempt` ended: the refusal, or None when it was committed."""

    refusal: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether everything was committed."""
        return self.refusal is None


@contextmanager
def attempt(
    session: Session,
    form: Any = None,
    *,
    refusals: tuple[type[Exception], ...] = (DomainError,),
    say: Callable[[Any, Any], None] | None = None,
) -> Iterator[Attempt]:
    """Commit what the block does; a refusal ends it, rolls back and is said at the form."""
    tried = Attempt()
    try:
        yield tried
        session.commit()
    except refusals as refusal:
        session.rollback()
        tried.refusal = refusal
        saying: Callable[[Any, Any], None] = say or tell
        saying(refusal, form)


def did(
    session: Session,
    deed: str,
    form: Any,
    *,
    act: Callable[[int], object],
    version: Callable[[], int],
) -> bool:
    """Do a deed on the version its form was made from, and commit.

    Refused, the form says why and keeps what was typed; out of date, it takes over the
    version that stands now, so that sending it again means it.
    """
    with attempt(session, form) as tried:
        act(seen_version(form))
    if isinstance(tried.refusal, ChangedMeanwhile):
        form.seen.data = str(version())
    if tried.done:
        flash(gettext("Done: %(deed)s.", deed=wording.deed(deed)), "success")
    return tried.done


def tell(refusal: DomainError, form: Any = None) -> None:
    """Say why something was refused: at the field it is about, else above the page."""
    sentence = wording.error(refusal)
    named = refusal.facts.get("field")
    if form is not None and named in form:
        form[named].errors = [*form[named].errors, sentence]
        sentence = gettext("Nothing was saved yet. Please look at what is marked.")
    flash(sentence, "error")


def seen_version(form: Any) -> int:
    """The version of its case a form was made from."""
    return version_of(form.seen.data)


def version_of(text: str | None) -> int:
    """The version a page says it was made from; what is no number fits no row."""
    text = str(text or "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1
