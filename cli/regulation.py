"""The command group `policy`: publish a regulation, and show what its case files prove."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import click

import database
from cli.play_and_whatif import play, what_if
from cli.terminal import engine_of, plain_refusals
from config import ROOT, Settings
from policy.pack import loading
from policy.proof import coverage
from policy.proof.sentences import SentenceCount, count_sentences
from services.calendar import working_calendar
from services.regulation import policies

_TO_READ = click.Path(path_type=Path)


def policy_group(settings: Settings) -> click.Group:
    """Return `flask policy`: publish, play, what-if and coverage."""

    @click.group("policy", help="Regulations: publish one, ask what its cases prove.")
    def group() -> None:
        """Only a group: its commands do the work."""

    @group.command("coverage", help="List which cases prove which clause.")
    @click.argument("regulation", required=False)
    @click.option("--mutate", is_flag=True, help="List changes to the pack that no case notices.")
    def show(regulation: str | None, *, mutate: bool) -> None:
        place = ROOT / "tests" / "policy"
        found = sorted(path.parent for path in place.glob(f"*/{coverage.CLAUSES}"))
        folders = [path for path in found if regulation in (None, path.name)]
        if not folders:
            raise click.ClickException(f"There are no cases for {regulation or 'anything'}.")
        if not (_print_unnoticed(folders) if mutate else _print_proofs(folders)):
            raise SystemExit(1)

    for make in (_publish, play, what_if):
        group.add_command(make(settings))
    return group


def _print_proofs(folders: Sequence[Path]) -> bool:
    """Print what proves each clause and carries each sentence, and the totals as last lines."""
    calendar = working_calendar.official_calendar()
    total, said = coverage.NOTHING, SentenceCount()
    for folder in folders:
        lines, tally = coverage.clause_report(folder, calendar)
        count = count_sentences(coverage.sentence_table(folder, calendar))
        total, said = total + tally, said + count
        click.echo("\n".join([*lines, f"{folder.name}: {count}"]))
    click.echo(f"{said}\n{total}")
    return not (total.silent or said.unexplained)


def _print_unnoticed(folders: Sequence[Path]) -> bool:
    """Print the changes of each pack that none of its cases notices."""
    complete = True
    for folder in folders:
        lines, none = coverage.mutation_report(folder, working_calendar.official_calendar())
        complete = complete and none
        click.echo("\n".join([*lines[:-1], f"{folder.name}: {lines[-1]}"]))
    return complete


def _publish(settings: Settings) -> click.Command:
    @click.command("publish", help="Put a regulation's file in force as a new version.")
    @click.argument("file", type=_TO_READ)
    @click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
    @click.option("--check", is_flag=True, help="Only say what is wrong with the file.")
    def command(file: Path, day: dt.datetime | None, *, check: bool) -> None:
        with plain_refusals(settings):
            data = loading.read_toml(file)
            title = loading.build_pack(data, file=file.name).policy.title
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
