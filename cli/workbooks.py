"""The command `sync`: one look at every department's workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import wording
from cli.terminal import engine_of, plain_refusals
from config import Settings
from sync.port import WorkbookError

if TYPE_CHECKING:
    from worker.workbooks import Mirrors


def sync(settings: Settings) -> click.Command:
    """`flask sync`: look at every file once, as the worker does every few seconds."""

    @click.command("sync", help="Look at every department's file once and say how it went.")
    @click.option(
        "--take-folder",
        is_flag=True,
        help="Take REDRESS_SHEET_FOLDER for this installation's, whatever its marker says, and "
        "make files anew that are gone from it.",
    )
    def command(*, take_folder: bool) -> None:
        from worker import holders
        from worker.workbooks import Mirrors

        with plain_refusals(settings):
            mirrors = Mirrors(engine_of(settings), settings, holders.own())
            if take_folder:
                _take_folder(mirrors)
            for name, outcome in mirrors.look().items():
                click.echo(f"{outcome.value:<8} {mirrors.path(name)}")

            if mirrors.refusal is not None:
                raise click.ClickException(_sentence(mirrors.refusal))

    return command


def _take_folder(mirrors: Mirrors) -> None:
    try:
        mirrors.take_folder()
    except WorkbookError as refusal:
        raise click.ClickException(_sentence(refusal)) from refusal


def _sentence(refusal: WorkbookError) -> str:
    return wording.workbook_problem(refusal.code, refusal.facts)
