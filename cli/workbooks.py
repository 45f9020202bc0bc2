"""The command `sync`: one look at every department's workbook."""

from __future__ import annotations

import os
import socket

import click

from cli.terminal import engine_of, plain_refusals
from config import Settings


def sync(settings: Settings) -> click.Command:
    """`flask sync`: look at every file once, as the worker does every few seconds."""

    @click.command("sync", help="Look at every department's file once and say how it went.")
    def command() -> None:
        from worker.workbooks import Mirrors

        holder = f"{socket.gethostname()}:{os.getpid()}"
        with plain_refusals(settings):
            mirrors = Mirrors(engine_of(settings), settings, holder)
            for name, outcome in mirrors.look().items():
                click.echo(f"{outcome.value:<8} {mirrors.path(name)}")

    return command
