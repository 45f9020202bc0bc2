"""The command `import`: imports an old register as history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress

import database
from cli.terminal import engine_of, plain_refusals, quiet
from config import Settings
from files.tables_in import InputTable, read_table
from importing import mapping, past
from importing.portions import DRY_RUN
from policy.vocabulary.errors import NotFound
from services.company import actors, people
from services.company.actors import Actor


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
    def command(file: Path, **options: Any) -> None:
        if options["take_over_open"] and options["number"] is None:
            raise click.ClickException("--take-over-open needs --by: whoever takes them over.")
        _import(settings, file, **options)

    return command


def _import(
    settings: Settings,
    file: Path,
    *,
    policy: str,
    map_file: Path,
    dry_run: bool,
    report: Path | None,
    take_over_open: bool,
    number: str | None,
) -> None:
    with plain_refusals(settings), quiet("services.cases.journal"):
        plan = mapping.load(map_file)
        table = read_table(file, sheet=plan.sheet, header_row=plan.header_row)
        engine = engine_of(settings)
        job = past.Import(
            engine,
            plan,
            policy,
            zone=settings.zone,
            now=dt.datetime.now(dt.UTC),
            actor=_actor_of(engine, number),
            reading=database.reading,
        )
        job.check(table.header, file=map_file.name)
        if take_over_open:
            job.check_take_over()
        with _tried_on_a_copy(job) if dry_run else nullcontext(job) as job:
            outcome = _run_with_bar(job, table)
            if take_over_open:
                job.take_over_open(outcome)
        if report is not None:
            past.write_report(report, outcome.refusals)
    _print_outcome(_TRIED if dry_run else _DONE, outcome)


@contextmanager
def _tried_on_a_copy(job: past.Import) -> Iterator[past.Import]:
    """Yield the import on a copy of the record; where there is none, one that undoes itself."""
    with database.scratch_copy(job.engine) as copy:
        yield replace(job, engine=copy) if copy else replace(job, finish=DRY_RUN)


_TO_READ = click.Path(path_type=Path)
_TO_WRITE = click.Path(path_type=Path, dir_okay=False, writable=True)
_DONE = "{new} new, {known} known, {refused} refused; {taken_over} taken over."
_TRIED = "Nothing was changed. It would be: " + _DONE
_SHOWN_REFUSALS = 10


def _actor_of(engine: sa.Engine, number: str | None) -> Actor:
    """Return the employee in whose name the import is done, or the system. Raises NotFound."""
    if number is None:
        return actors.SYSTEM
    with database.reading(engine) as session:
        found = people.find_employee(session, number)
        if found is None:
            raise NotFound(what="employee", key=number)
        return actors.of_employee(found)


def _run_with_bar(job: past.Import, table: InputTable) -> past.ImportOutcome:
    """Run the import with a progress bar, where a person can see it move."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(table.file, total=table.count)
        return replace(job, advance=lambda: progress.advance(task)).run(table)


def _print_outcome(sentence: str, outcome: past.ImportOutcome) -> None:
    for one in outcome.refusals[:_SHOWN_REFUSALS]:
        place = f"row {one.row}" + (f", column {one.column}" if one.column else "")
        cell = f" ({one.value})" if one.value else ""
        click.echo(f"{place}{cell}: {one.reason}", err=True)
    if len(outcome.refusals) > _SHOWN_REFUSALS:
        click.echo("... and more; --report FILE lists them all.", err=True)
    counts = {"new": outcome.new, "known": outcome.known, "taken_over": outcome.taken_over}
    click.echo(sentence.format(refused=len(outcome.refusals), **counts))
