"""The commands `upgrade`, `settings`, `user` and `demo`: the database, its users, its first
content.
"""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa

import config
import database
import wording
from cli.terminal import engine_of, plain_refusals, quiet
from config import Settings
from demo import company, story
from enums import Role
from files.first_logins import forget_first_login, keep_first_logins
from models import Complaint, User
from policy.vocabulary.errors import DomainError
from services.calendar import working_calendar
from services.cases import journal
from services.company import accounts


def upgrade(settings: Settings) -> click.Command:
    """Return `flask upgrade`, which brings the database to the newest schema."""

    @click.command("upgrade", help="Create the database, or bring it to the newest schema.")
    @click.option("--fill-in", is_flag=True, help="Read every journal again, and fill in.")
    def command(*, fill_in: bool) -> None:
        if database.upgrade(settings) & WRITES_DOWN_MORE or fill_in:
            _fill_in(settings)

    return command


WRITES_DOWN_MORE = frozenset({"what_is_written_down"})
"""The revisions since which the rows of a case hold more of what its journal tells."""
PORTION_S, PAUSE_S = 0.3, 0.05


def _fill_in(settings: Settings) -> None:
    """Fill into every case what an older version did not write down, in portions, and say so."""
    engine = database.make_engine(settings)
    with database.reading(engine) as session:
        numbers = list(session.scalars(sa.select(Complaint.number).order_by(Complaint.id)))
    rest, differ = iter(numbers), []
    for first in rest:
        with database.writing(engine) as session:
            until = time.monotonic() + PORTION_S
            for number in itertools.chain([first], rest):
                if not journal.fill_in(session, journal.lock_case(session, number)):
                    differ.append(number)
                if time.monotonic() > until:
                    break
        time.sleep(PAUSE_S)
    click.echo(f"Cases whose journal was read again after the upgrade: {len(numbers)}.")
    if differ:
        click.echo(
            "Their rows say otherwise than their journal, look at them: " + ", ".join(differ)
        )


def show_settings(_settings: Settings) -> click.Command:
    """Return `flask settings`, which prints every setting with its default and help."""

    @click.command("settings", help="Print the page about all settings.")
    def command() -> None:
        click.echo(config.settings_page(), nl=False)

    return command


def user(settings: Settings) -> click.Group:
    """Return `flask user`, which adds and lists users and sets passwords."""
    group = click.Group("user", help="Who can log in.")
    password = click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)

    @group.command("add", help="Add a user who can log in.")
    @click.argument("username")
    @click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
    @click.option("--name", default="", help="The name shown to others.")
    @password
    def add(username: str, role: str, name: str, *, password: str) -> None:
        _add_user(settings, username, role=Role(role), name=name, password=password)

    @group.command("password", help="Give a user a new password; his sessions end.")
    @click.argument("username")
    @password
    def change(username: str, password: str) -> None:
        _change_password(settings, username, password=password)

    @group.command("list", help="List the users.")
    def show() -> None:
        _list_users(settings)

    return group


def _add_user(settings: Settings, username: str, *, role: Role, name: str, password: str) -> None:
    with _plain_english(settings), database.writing(database.make_engine(settings)) as session:
        added = accounts.add_user(
            session, username, password=password, display_name=name, role=role
        )
        accounts.ask_for_own_password(added)
    click.echo(f"{username} can log in as {role.value}, and then chooses another password.")


def _change_password(settings: Settings, username: str, *, password: str) -> None:
    with _plain_english(settings), database.writing(database.make_engine(settings)) as session:
        found = accounts.find_user(session, username)
        if found is None:
            raise click.ClickException(f"There is no user {username}.")
        accounts.set_password(session, found, password=password)
        accounts.ask_for_own_password(found)
    forget_first_login(settings.home, username)
    click.echo(f"{username} has a new password, to be changed at the next login.")


def _list_users(settings: Settings) -> None:
    with database.reading(database.make_engine(settings)) as session:
        for one in session.scalars(sa.select(User).order_by(User.username)):
            state = "" if one.active else "  (may not log in)"
            click.echo(f"{one.username:<20} {one.role.value:<16} {one.display_name}{state}")


@contextmanager
def _plain_english(settings: Settings) -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        with wording.speaking("en", settings.zone):
            raise click.ClickException(wording.error(error)) from error


def demo(settings: Settings) -> click.Command:
    """Return `flask demo`, which fills an empty database."""

    @click.command("demo", help="Fill an empty database; with REDRESS_DEMO=0 without a company.")
    def command() -> None:
        engine = engine_of(settings)
        now = dt.datetime.now(dt.UTC)
        with plain_refusals(settings), quiet("services.cases.journal"):
            with database.writing(engine) as session:
                empty = company.is_empty(session)
                if empty:
                    # Committed at once, so that the calendar is kept for all that follows.
                    working_calendar.seed_official(session)
            if empty:
                _fill_database(settings, engine, now=now)
        click.echo("The database is ready." if empty else "The database is in use; nothing to do.")

    return command


def _fill_database(settings: Settings, engine: sa.Engine, *, now: dt.datetime) -> None:
    """Add the regulation, the logins and, if wanted, the invented company: all of it or nothing."""
    logins: dict[str, str] = {}
    with database.writing(engine) as session:
        password = _first_password(settings, logins)
        version = company.publish_regulation(session, now=now, password=password)
        if settings.demo:
            days = company.Days(working_calendar.work_calendar(session), now)
            company.add_people(session, days)
            shared = secrets.token_urlsafe(9)
            logins |= dict.fromkeys(company.give_logins(session, password=shared), shared)
            story.enact(session, version, days)
        elif company.ADMIN in logins:
            # A password that was printed is known to more than one; in an invented company it does
            # no harm, and a newcomer shall look around at once.
            accounts.ask_for_own_password(company.administrator(session))
        keep_first_logins(settings.home, logins)


def _first_password(settings: Settings, logins: dict[str, str]) -> str:
    """Return the administrator's password: the one of the settings, or one made up and
    shown once.
    """
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value()
    logins[company.ADMIN] = secrets.token_urlsafe(12)
    return logins[company.ADMIN]
