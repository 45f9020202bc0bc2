"""The command line: `flask serve`, `worker`, `sync`, `upgrade`, `demo`, `import`, `user` and more.

A command or group is made by a function `(settings) -> click.Command` that is named in COMMANDS. It
translates, calls a service and commits; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import click
from flask import Flask

from cli import company, importing, regulation, serving, workbooks
from config import Settings

COMMANDS: tuple[Callable[[Settings], click.Command], ...] = (
    serving.serve,
    serving.worker,
    company.upgrade,
    company.demo,
    importing.import_,
    company.show_settings,
    workbooks.sync,
    company.user,
    regulation.policy_group,
)


def init_app(app: Flask, settings: Settings) -> None:
    """Add every command to `flask`."""
    for make in COMMANDS:
        app.cli.add_command(make(settings))
