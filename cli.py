"""The command line: `flask serve`, `worker`, `sync`, `upgrade`, `demo`, `import`, `user` and more.

A command or group is made by a function `(settings) -> click.Command` that is named in COMMANDS.
It translates, calls a service and commits; it decides nothing.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask
from rich.console import Console
from rich.progress import Progress

import config
import database
import trial
import wording
from config import ROOT, Settings
from demo import company, story
from files.tables_in import Table, read_table
from importing import mapping, past
from models import User
from policy import coverage, loading
from policy.errors import DomainError, NotFound
from policy.lifecycle import Role
from services import accounts, actors, calendars, people, policies
from services.actors import Actor
from terminal import engine_of, plain_refusals

READY_WITHIN_S = 60
STOP_WITHIN_S = 20
SHORTEST_PASSWORD = 8


def init_app(app: Flask, settings: Settings) -> None:
    """Add every command to `flask`."""
    for make in COMMANDS:
        app.cli.add_command(make(settings))


# ---------------------------------------------------------------- serve and worker


def serve(settings: Settings) -> click.Command:
    """`flask serve`: pages and worker together, until INT or TERM."""

    @click.command("serve", help="Serve the pages and run the worker.")
    def command() -> None:
        _refuse_taken_port(settings)
        Serving(settings).run()

    return command


def worker(settings: Settings) -> click.Command:
    """`flask worker`: the worker alone."""

    @click.command("worker", help="Run the worker alone; serve runs it together with the pages.")
    def command() -> None:
        # Imported here because the pages need neither the worker nor its queue.
        from worker import make_worker

        make_worker(settings).run()

    return command


class Serving:
    """gunicorn and the worker as two children, each in a process group of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopped_by: int | None = None

    def run(self) -> None:
        """Start both, say ready, watch, and stop both; raises ClickException when one dies."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note_signal)
        try:
            self._start("web", _gunicorn(self.settings))
            self._start("worker", [sys.executable, "-m", "flask", "--app", "app", "worker"])
            if self._becomes_ready():
                _announce(self.settings)
            self._watch()
        finally:
            self._stop()

    def _note_signal(self, number: int, _frame: object) -> None:
        self.stopped_by = number

    def _start(self, name: str, arguments: list[str]) -> None:
        self.children[name] = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, **config.environment(self.settings)},
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.stopped_by:
            self._check_children()
            if _answers(self.settings):
                return True
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"Redress was not ready within {READY_WITHIN_S} seconds."
                )
            time.sleep(0.2)
        return False

    def _watch(self) -> None:
        while not self.stopped_by:
            self._check_children()
            time.sleep(0.2)

    def _check_children(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None and not self.stopped_by:
                raise click.ClickException(
                    f"The {name} process ended by itself (exit code {child.returncode}); "
                    "the lines above say why. Redress stops."
                )

    def _stop(self) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
            # Whatever a child may have left behind is in its group.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _gunicorn(settings: Settings) -> list[str]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    options = {
        "--bind": f"{host}:{settings.port}",
        "--workers": str(settings.web_processes),
        "--threads": str(settings.web_threads),
        "--worker-class": "gthread",
        "--timeout": "120",
        "--graceful-timeout": "10",
        "--log-level": "warning",
    }
    flat = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "gunicorn", "--no-control-socket", *flat, "app:create_app()"]


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, what stops a child when `flask serve` is killed and cannot stop it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal.SIGTERM)


def _refuse_taken_port(settings: Settings) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"Redress cannot listen on {settings.host} port {settings.port} ({error.strerror}). "
            "Choose another with HOST and PORT."
        ) from error


def _answers(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    # A proxy of the environment knows nothing of this machine's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{settings.port}/healthz", timeout=5) as answer:
            health: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return False
    return health.get("status") == "ok" and health.get("worker") == "running"


def _announce(settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Redress is ready: http://{host}:{settings.port}")
    logins = first_logins(settings)
    if settings.admin_password is not None:
        logins = {company.ADMIN: "(the one in REDRESS_ADMIN_PASSWORD)"} | logins
    if logins:
        click.echo("First logins (change the passwords before real work):")
    for username, password in logins.items():
        click.echo(f"  {username:<16} {password}")


# ---------------------------------------------------------------- first logins


def first_logins(settings: Settings) -> dict[str, str]:
    """User names and the passwords Redress made up for them and that were not changed since."""
    path = settings.home / "first_logins.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep_first_logins(settings: Settings, logins: dict[str, str]) -> None:
    """Keep the made-up passwords of `logins`, readable by the owner of the home folder only."""
    config.make_home(settings)
    path = settings.home / "first_logins.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=1)


# ---------------------------------------------------------------- database and settings


def upgrade(settings: Settings) -> click.Command:
    """`flask upgrade`: the newest schema."""

    @click.command("upgrade", help="Create the database, or bring it to the newest schema.")
    def command() -> None:
        database.upgrade(settings)

    return command


def show_settings(_settings: Settings) -> click.Command:
    """`flask settings`: every setting with its default and help."""

    @click.command("settings", help="Print the page about all settings.")
    def command() -> None:
        click.echo(config.reference(), nl=False)

    return command


# ---------------------------------------------------------------- users


def user(settings: Settings) -> click.Group:
    """`flask user`: who can log in."""
    group = click.Group("user", help="Who can log in.")
    password = click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)

    @group.command("add", help="Add a user who can log in.")
    @click.argument("username")
    @click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
    @click.option("--name", default="", help="The name shown to others.")
    @password
    def add(username: str, role: str, name: str, password: str) -> None:
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
    _refuse_short(password)
    try:
        with database.writing(database.make_engine(settings)) as session:
            accounts.add_user(session, username, password=password, display_name=name, role=role)
    except DomainError as error:
        with wording.speaking("en", settings.zone):
            raise click.ClickException(wording.error(error)) from error
    click.echo(f"{username} can log in as {role.value}.")


def _change_password(settings: Settings, username: str, *, password: str) -> None:
    _refuse_short(password)
    with database.writing(database.make_engine(settings)) as session:
        found = accounts.find_user(session, username)
        if found is None:
            raise click.ClickException(f"There is no user {username}.")
        accounts.set_password(session, found, password=password)
    logins = first_logins(settings)
    if logins.pop(username, None) is not None:
        keep_first_logins(settings, logins)
    click.echo(f"{username} has a new password.")


def _list_users(settings: Settings) -> None:
    with database.reading(database.make_engine(settings)) as session:
        for one in session.scalars(sa.select(User).order_by(User.username)):
            state = "" if one.active else "  (may not log in)"
            click.echo(f"{one.username:<20} {one.role.value:<16} {one.display_name}{state}")


def _refuse_short(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise click.ClickException(
            f"The password must have at least {SHORTEST_PASSWORD} characters."
        )


# ---------------------------------------------------------------- spreadsheets


def sync(settings: Settings) -> click.Command:
    """`flask sync`: look at every file once, as the worker does every few seconds."""

    @click.command("sync", help="Look at every department's file once and say how it went.")
    def command() -> None:
        from mirrors import Mirrors

        holder = f"{socket.gethostname()}:{os.getpid()}"
        with plain_refusals(settings):
            mirrors = Mirrors(engine_of(settings), settings, holder)
            for name, outcome in mirrors.look().items():
                click.echo(f"{outcome.value:<8} {mirrors.path(name)}")

    return command


# ---------------------------------------------------------------- the first day


def demo(settings: Settings) -> click.Command:
    """`flask demo`: what an empty database begins with."""

    @click.command("demo", help="Fill an empty database; with REDRESS_DEMO=0 without a company.")
    def command() -> None:
        engine = engine_of(settings)
        now = dt.datetime.now(dt.UTC)
        with plain_refusals(settings), _quiet("services.journal"):
            with database.writing(engine) as session:
                empty = company.is_empty(session)
                if empty:
                    # Committed at once, so that the calendar is kept for all that follows.
                    calendars.seed_official(session)
            if empty:
                _begin(settings, engine, now=now)
        click.echo("The database is ready." if empty else "The database is in use; nothing to do.")

    return command


def _begin(settings: Settings, engine: sa.Engine, *, now: dt.datetime) -> None:
    """The regulation, the logins and, if wanted, the invented company: all of it or nothing."""
    logins: dict[str, str] = {}
    with database.writing(engine) as session:
        password = _first_password(settings, logins)
        version = company.begin(session, now=now, password=password)
        if settings.demo:
            days = company.Days(calendars.work_calendar(session), now)
            company.hire(session, days)
            shared = secrets.token_urlsafe(9)
            logins |= dict.fromkeys(company.give_logins(session, password=shared), shared)
            story.tell(session, version, days)
        keep_first_logins(settings, logins)


def _first_password(settings: Settings, logins: dict[str, str]) -> str:
    """The administrator's password: the company's own, or one made up and shown once."""
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value()
    logins[company.ADMIN] = secrets.token_urlsafe(12)
    return logins[company.ADMIN]


# ---------------------------------------------------------------- the past


def import_(settings: Settings) -> click.Command:
    """`flask import`: an old register becomes history."""

    @click.command("import", help="Let the rows of an old register in as history (CSV, XLSX).")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--policy", required=True, help="The key of the regulation.")
    @click.option("--map", "map_file", type=_TO_READ, required=True, help="What each column means.")
    @click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
    @click.option("--report", type=_TO_WRITE, help="Write the refused rows into this CSV.")
    @click.option("--take-over-open", is_flag=True, help="Work on the open ones from now on.")
    @click.option("--by", "number", help="The employee number of who does it.")
    def command(
        file: Path,
        policy: str,
        map_file: Path,
        dry_run: bool,
        report: Path | None,
        take_over_open: bool,
        number: str | None,
    ) -> None:
        if take_over_open and number is None:
            raise click.ClickException("--take-over-open needs --by: whoever takes them over.")
        with plain_refusals(settings), _quiet("services.journal"):
            plan = mapping.load(map_file)
            table = read_table(file, sheet=plan.sheet, header_row=plan.header_row)
            engine = engine_of(settings)
            job = past.Import(
                engine,
                plan,
                policy,
                zone=settings.zone,
                now=dt.datetime.now(dt.UTC),
                actor=_who(engine, number),
                finish=past.TRY if dry_run else past.KEEP,
            )
            job.check(table.header, file=map_file.name)
            if take_over_open:
                job.check_take_over()
            outcome = _shown(job, table)
            if take_over_open:
                job.take_over_open(outcome)
            if report is not None:
                past.write_report(report, outcome.refusals)
        _tell(_TRIED if dry_run else _DONE, outcome)

    return command


_TO_READ = click.Path(path_type=Path)
_TO_WRITE = click.Path(path_type=Path, dir_okay=False, writable=True)
_DONE = "{new} new, {known} known, {refused} refused; {taken_over} taken over."
_TRIED = "Nothing was changed. It would be: " + _DONE
_SHOWN_REFUSALS = 10


def _who(engine: sa.Engine, number: str | None) -> Actor:
    """The employee in whose name it is done, or the system. Raises NotFound."""
    if number is None:
        return actors.SYSTEM
    with database.reading(engine) as session:
        found = people.find_employee(session, number)
        if found is None:
            raise NotFound(what="employee", key=number)
        return actors.of_employee(found)


def _shown(job: past.Import, table: Table) -> past.Outcome:
    """The import with a bar that moves, where somebody can see it move."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(table.file, total=table.count)
        return replace(job, advance=lambda: progress.advance(task)).run(table)


def _tell(sentence: str, outcome: past.Outcome) -> None:
    for one in outcome.refusals[:_SHOWN_REFUSALS]:
        place = f"row {one.row}" + (f", column {one.column}" if one.column else "")
        cell = f" ({one.value})" if one.value else ""
        click.echo(f"{place}{cell}: {one.reason}", err=True)
    if len(outcome.refusals) > _SHOWN_REFUSALS:
        click.echo("... and more; --report FILE lists them all.", err=True)
    counts = {"new": outcome.new, "known": outcome.known, "taken_over": outcome.taken_over}
    click.echo(sentence.format(refused=len(outcome.refusals), **counts))


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Thousands of cases at once are not a line of the log each."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


# ---------------------------------------------------------------- policy


def policy_group(settings: Settings) -> click.Group:
    """`flask policy`: put a regulation in force; ask what its cases prove."""

    @click.group("policy", help="Regulations: publish one, ask what its cases prove.")
    def group() -> None:
        """A group has nothing to do by itself."""

    @group.command("coverage", help="List which cases prove which clause.")
    @click.argument("regulation", required=False)
    @click.option("--mutate", is_flag=True, help="List changes to the pack that no case notices.")
    def show(regulation: str | None, mutate: bool) -> None:
        place = ROOT / "tests" / "policy"
        found = sorted(path.parent for path in place.glob(f"*/{coverage.CLAUSES}"))
        folders = [path for path in found if regulation in (None, path.name)]
        if not folders:
            raise click.ClickException(f"There are no cases for {regulation or 'anything'}.")
        if not (_unnoticed(folders) if mutate else _proven(folders)):
            raise SystemExit(1)

    for make in (_publish, trial.play, trial.what_if):
        group.add_command(make(settings))
    return group


def _proven(folders: Sequence[Path]) -> bool:
    """Print what proves each clause, a sum for each regulation, and one of all as the last line."""
    total = coverage.NOTHING
    for folder in folders:
        lines, tally = coverage.clause_report(folder, calendars.official_calendar())
        total += tally
        click.echo("\n".join(lines))
    click.echo(str(total))
    return not total.silent


def _unnoticed(folders: Sequence[Path]) -> bool:
    """Print the changes of each pack that none of its cases notices."""
    complete = True
    for folder in folders:
        lines, none = coverage.mutation_report(folder, calendars.official_calendar())
        complete = complete and none
        click.echo("\n".join([*lines[:-1], f"{folder.name}: {lines[-1]}"]))
    return complete


def _publish(settings: Settings) -> click.Command:
    @click.command("publish", help="Put a regulation's file in force as a new version.")
    @click.argument("file", type=_TO_READ)
    @click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
    @click.option("--check", is_flag=True, help="Only say what is wrong with the file.")
    def command(file: Path, day: dt.datetime | None, check: bool) -> None:
        with plain_refusals(settings):
            data = loading.read(file)
            title = loading.build(data, file=file.name).policy.title
            if check:
                click.echo(f"{file.name}: {title}: nothing is wrong with it.")
                return
            if day is None:
                raise click.ClickException(
                    "--from is needed: the day the version comes into force."
                )
            with database.writing(engine_of(settings)) as session:
                now = dt.datetime.now(dt.UTC)
                version = policies.publish(
                    session, data, effective_from=day.date(), now=now, file=file.name
                )
                number = version.number
        click.echo(f"{title}: version {number} is in force from {day:%Y-%m-%d} on.")

    return command


COMMANDS: tuple[Callable[[Settings], click.Command], ...] = (
    serve,
    worker,
    upgrade,
    demo,
    import_,
    show_settings,
    sync,
    user,
    policy_group,
)
