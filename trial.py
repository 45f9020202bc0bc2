"""The commands that try a regulation: play a case file; nothing is written anywhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

import database
import playwords
import wording
from config import Settings
from models import PolicyVersion
from policy import casefile, loading
from policy.errors import NotFound
from policy.pack import Pack
from policy.worktime import WorkCalendar
from services import calendars, policies
from terminal import engine_of, plain_refusals

_TO_READ = click.Path(path_type=Path)


@dataclass(frozen=True)
class Ground:
    """What a case is played on: a regulation, with the company's own choices, and a calendar."""

    title: str
    calendar: WorkCalendar
    pack: Callable[[Mapping[str, Any]], Pack]


def play(settings: Settings) -> click.Command:
    """`flask policy play`: what a case of a file would bring, step by step."""

    @click.command("play", help="Play a case file and say what each step brings.")
    @click.argument("file", type=_TO_READ)
    @click.option("--pack", help="The key of a shipped regulation, such as skoda-dealer.")
    @click.option("--policy", help="The key of a regulation in force in this company.")
    @click.option("--version", type=int, help="A version of the record by its id, also a draft.")
    @click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
    def command(
        file: Path, pack: str | None, policy: str | None, version: int | None, as_json: bool
    ) -> None:
        if sum(one is not None for one in (pack, policy, version)) > 1:
            raise click.UsageError("Name one of --pack, --policy and --version.")
        with plain_refusals(settings):
            data, shared = casefile.read(file)
            if policy is None and version is None:
                ground = _shipped(pack or casefile.regulation_of(data, file.name))
            else:
                ground = _of_record(settings, policy, version)
            stories = _played(data, shared, ground, file=file.name)
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
                _tell(stories, ground, mismatches)
        if mismatches:
            raise SystemExit(1)

    return command


def _tell(stories: list[playwords.Said], ground: Ground, mismatches: int) -> None:
    click.echo(ground.title)
    for story in stories:
        click.echo("\n" + "\n".join(playwords.lines(story)))
    if mismatches:
        click.echo("\n" + wording.counted_mismatches(mismatches), err=True)


def _played(
    data: Mapping[str, Any], shared: Mapping[str, Any], ground: Ground, *, file: str
) -> list[playwords.Said]:
    """Every case of a file, played on the regulation as the case's own parameters make it."""
    cases = casefile.checked(data, shared, ground.pack({}), ground.calendar, file=file)
    return [playwords.story(one, ground.pack(one.parameters), ground.calendar) for one in cases]


def _shipped(key: str) -> Ground:
    path = loading.shipped(key)
    if not path.exists():
        raise NotFound(what="policy", key=key)
    data = loading.read(path)

    def pack(parameters: Mapping[str, Any]) -> Pack:
        return loading.build(data, parameters, file=path.name)

    return Ground(pack({}).policy.title, calendars.official_calendar(), pack)


def _of_record(settings: Settings, key: str | None, version_id: int | None) -> Ground:
    engine = engine_of(settings)
    with database.reading(engine) as session:
        version = _version(session, key, version_id, settings)
        data, chosen = policies.data(session, version)
        title = f"{version.policy.name} · {version.number}"
        calendar = calendars.work_calendar(session)
    engine.dispose()
    return Ground(title, calendar, lambda own: loading.build(data, {**chosen, **own}, file=title))


def _version(
    session: Session, key: str | None, version_id: int | None, settings: Settings
) -> PolicyVersion:
    """The version asked for by its id, or the one of a regulation that is in force today."""
    if key is not None:
        today = dt.datetime.now(dt.UTC).astimezone(settings.zone).date()
        return policies.in_force(session, key, on=today)
    found = session.get(PolicyVersion, version_id)
    if found is None:
        raise NotFound(what="policy_version", key=str(version_id))
    return found
