"""The commands that try a regulation, on a case file or on past cases. They write nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

import database
import wording
from cli.terminal import engine_of, plain_refusals
from config import Settings
from models import PolicyVersion
from policy.pack import loading
from policy.pack.schema import Pack
from policy.proof import casefile
from policy.proof.casefile import PlayBasis
from policy.proof.play import Packs
from policy.proof.whatif import Totals
from policy.vocabulary.errors import NotFound
from services.calendar import working_calendar
from services.regulation import policies
from services.reports import whatif
from wording import play_text, whatif_text

_TO_READ = click.Path(path_type=Path)


def play(settings: Settings) -> click.Command:
    """Return `flask policy play`, which plays the cases of a file and shows each step's effects."""

    @click.command("play", help="Play a case file and say what each step brings.")
    @click.argument("file", type=_TO_READ)
    @click.option("--pack", help="A shipped regulation such as skoda-dealer, or a TOML file.")
    @click.option("--policy", help="The key of a regulation in force in this company.")
    @click.option("--version", type=int, help="A version of the record by its id, also a draft.")
    @click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
    def command(
        file: Path, pack: str | None, policy: str | None, *, version: int | None, as_json: bool
    ) -> None:
        if sum(one is not None for one in (pack, policy, version)) > 1:
            raise click.UsageError("Name one of --pack, --policy and --version.")
        with plain_refusals(settings):
            data, shared = casefile.read_case_file(file)
            if policy is None and version is None:
                ground = _basis_of_file(_pack_path(pack, data, file=file.name))
            else:
                ground = _basis_of_record(settings, policy, version)
            stories = _play_cases(data, shared, ground, file=file.name)
            mismatches = sum(story["mismatches"] for story in stories)
            if as_json:
                told = {
                    "file": file.name,
                    "regulation": ground.title,
                    "cases": stories,
                    "mismatches": mismatches,
                }
                click.echo(json.dumps(told, ensure_ascii=False, indent=1))
            else:
                _print_stories(stories, ground, mismatches)
        if mismatches:
            raise SystemExit(1)

    return command


def _print_stories(stories: list[play_text.Said], ground: PlayBasis, mismatches: int) -> None:
    click.echo(ground.title)
    for story in stories:
        click.echo("\n" + "\n".join(play_text.story_lines(story)))
    if mismatches:
        click.echo("\n" + wording.counted_mismatches(mismatches), err=True)


def _play_cases(
    data: Mapping[str, Any], shared: Mapping[str, Any], ground: PlayBasis, *, file: str
) -> list[play_text.Said]:
    """Play every case of a file on the regulation with the case's own parameters."""
    return [
        play_text.play_story(one, ground.pack(one.parameters), ground.calendar)
        for one in casefile.checked_cases(data, shared, ground, file=file)
    ]


def _pack_path(pack: str | None, data: Mapping[str, Any], *, file: str) -> Path:
    """Return the file of the regulation to play on: one's own, or the shipped one of a key."""
    if pack is not None and pack.endswith(".toml"):
        own = Path(pack)
        if not own.is_file():
            raise NotFound(what="file", key=pack)
        return own
    key = casefile.shipped_key(pack) if pack else casefile.regulation_of(data, file)
    path = loading.shipped_path(key)
    if not path.exists():
        raise NotFound(what="policy", key=key)
    return path


def _basis_of_file(path: Path) -> PlayBasis:
    data = loading.read_toml(path)
    head = data.get("policy")
    title = str(head.get("title") or path.stem) if isinstance(head, Mapping) else path.stem
    packs = Packs(data, file=path.name)
    return PlayBasis(packs, working_calendar.official_calendar(), title)


def _basis_of_record(settings: Settings, key: str | None, version_id: int | None) -> PlayBasis:
    engine = engine_of(settings)
    with database.reading(engine) as session:
        version = _version(session, key, version_id, settings=settings)
        data, chosen = policies.stored_data(session, version)
        title = f"{version.policy.name} · {version.number}"
        calendar = working_calendar.work_calendar(session)
    engine.dispose()
    return PlayBasis(Packs(data, chosen, file=title), calendar, title)


def _version(
    session: Session, key: str | None, version_id: int | None, *, settings: Settings
) -> PolicyVersion:
    """Return the version of an id, or the version of a regulation in force today."""
    if key is not None:
        today = dt.datetime.now(dt.UTC).astimezone(settings.zone).date()
        return policies.in_force(session, key, on=today)
    found = session.get(PolicyVersion, version_id)
    if found is None:
        raise NotFound(what="policy_version", key=str(version_id))
    return found


# ---------------------------------------------------------------- on past cases


def what_if(settings: Settings) -> click.Command:
    """Return `flask policy what-if`, which judges past cases under a version, also a draft."""
    day = click.DateTime(["%Y-%m-%d"])

    @click.command("what-if", help="Say what a version would have made of a period's cases.")
    @click.option("--version", "version_id", type=int, required=True, help="Its id; also a draft.")
    @click.option("--from", "begin", type=day, required=True, help="Received from this day on.")
    @click.option("--until", "end", type=day, required=True, help="The last such day.")
    @click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
    def command(version_id: int, begin: dt.datetime, end: dt.datetime, *, as_json: bool) -> None:
        with plain_refusals(settings):
            whatif.check_period(begin.date(), end.date())
            trial = WhatIfRun(settings, version_id, begin.date(), until_on=end.date())
            found = list(_iterate_with_bar(trial))
            if as_json:
                click.echo(json.dumps(trial.told(found), ensure_ascii=False, indent=1))
            else:
                for line in (*whatif_text.total_lines(trial.totals), "", *_case_lines(found)):
                    click.echo(line)

    return command


def _case_lines(found: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    for number, told in found:
        yield number
        yield from (f"  {line}" for line in whatif_text.difference_lines(told))


class WhatIfRun:
    """A version tried on a period, batch by batch; `totals` grow while it is iterated."""

    def __init__(
        self, settings: Settings, version_id: int, from_on: dt.date, *, until_on: dt.date
    ) -> None:
        self.engine = engine_of(settings)
        self.settings, self.version_id = settings, version_id
        self.from_on, self.until_on = from_on, until_on
        self.totals = Totals()

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the number of each case that would differ or cannot be judged, with its
        difference.
        """
        now, after_id = dt.datetime.now(dt.UTC), 0
        pack: Pack | None = None
        while True:
            with database.reading(self.engine) as session:
                version = _version(session, None, self.version_id, settings=self.settings)
                pack = pack or policies.pack(session, version)
                found = whatif.judge_batch(
                    session,
                    version,
                    pack,
                    from_on=self.from_on,
                    until_on=self.until_on,
                    after_id=after_id,
                    now=now,
                )
            for case, told in whatif.add_to_totals(found, self.totals):
                yield case.number, told
            if found.last_id is None:
                return
            after_id = found.last_id

    def told(self, found: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        """Return the whole result as JSON data."""
        return {
            "version": self.version_id,
            "from": self.from_on.isoformat(),
            "until": self.until_on.isoformat(),
            "totals": self.totals.dump(),
            "cases": [
                {"number": number, **whatif_text.difference_data(told)} for number, told in found
            ],
        }


def _iterate_with_bar(trial: WhatIfRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the cases of a run, with a progress bar where a person can see it move."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for one in trial:
            progress.update(task, completed=trial.totals.cases)
            yield one
