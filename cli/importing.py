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
from wording import _


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
        table = read_table(
            file, sheet=plan.sheet, header_row=plan.header_row, header_rows=plan.header_rows
        )
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
        if table.hidden:
            click.echo(_hidden_rows(table.hidden), err=True)
        if take_over_open:
            job.check_take_over()
        with _tried_on_a_copy(job) if dry_run else nullcontext(job) as job:
            outcome = _run_with_bar(job, table)
            if take_over_open:
                job.take_over_open(outcome)
        if report is not None:
            past.write_report(report, outcome.refusals)
        _print_outcome(outcome, tried=dry_run)


@contextmanager
def _tried_on_a_copy(job: past.Import) -> Iterator[past.Import]:
    """Yield the import on a copy of the record; where there is none, one that undoes itself."""
    with database.scratch_copy(job.engine) as copy:
        yield replace(job, engine=copy) if copy else replace(job, finish=DRY_RUN)


_TO_READ = click.Path(path_type=Path)
_TO_WRITE = click.Path(path_type=Path, dir_okay=False, writable=True)
_SHOWN_REFUSALS = 10
_SHOWN_VALUES = 12


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


def _print_outcome(outcome: past.ImportOutcome, *, tried: bool) -> None:
    """Say the counts, and the refusals by their kind, in one language."""
    kinds = past.grouped(outcome.refusals)
    for one in kinds[:_SHOWN_REFUSALS]:
        click.echo(_refusal_line(one), err=True)
    if len(kinds) > _SHOWN_REFUSALS:
        click.echo(_("... and more; --report FILE lists them all."), err=True)
    if tried:
        click.echo(_("Nothing was changed. It would be:"), nl=False)
        click.echo(" ", nl=False)
    click.echo(
        _(
            "%(new)s new, %(known)s known, %(refused)s refused; %(taken_over)s taken over.",
            new=outcome.new,
            known=outcome.known,
            refused=len(outcome.refusals),
            taken_over=outcome.taken_over,
        )
    )


def _hidden_rows(count: int) -> str:
    return _(
        "%(count)s rows are hidden in the file, by a filter or by hand. They come in like the "
        "others.",
        count=count,
    )


def _refusal_line(kind: past.RefusalKind) -> str:
    """Return the rows refused for one reason: where, with which cells, and why."""
    first = kind.refusals[0]
    place = _("row %(row)s", row=first.row)
    if len(kind.refusals) > 1:
        place = _("%(count)s rows from row %(row)s on", count=len(kind.refusals), row=first.row)
    if first.column:
        place = _("%(place)s, column %(column)s", place=place, column=first.column)
    return f"{place}{_cells(kind)}: {first.reason}"


def _cells(kind: past.RefusalKind) -> str:
    """Return the cells of refused rows, each with how often it stands there."""
    if not kind.values:
        return ""
    said = [
        value if count == 1 else f"{value} × {count}"
        for value, count in kind.values.most_common(_SHOWN_VALUES)
    ]
    more = ", …" if len(kind.values) > _SHOWN_VALUES else ""
    return f" ({', '.join(said)}{more})"
