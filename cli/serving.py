"""The commands `serve` and `worker`: the pages and the worker, together or apart."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

import config
from config import ROOT, Settings
from demo import company
from files.first_logins import first_logins

READY_WITHIN_S = 60
STOP_WITHIN_S = 20


def serve(settings: Settings) -> click.Command:
    """Return `flask serve`, which runs pages and worker together, until INT or TERM."""

    @click.command("serve", help="Serve the pages and run the worker.")
    def command() -> None:
        _refuse_taken_port(settings)
        Serving(settings).run()

    return command


def worker(settings: Settings) -> click.Command:
    """Return `flask worker`, which runs the worker alone."""

    @click.command("worker", help="Run the worker alone; serve runs it together with the pages.")
    def command() -> None:
        # Imported here because the pages need neither the worker nor its queue.
        from worker.chores import make_worker

        make_worker(settings).run()

    return command


class Serving:
    """Gunicorn and the worker as two children, each in a process group of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopped_by: int | None = None

    def run(self) -> None:
        """Start both, announce that they are ready, watch, and stop both.

        Raises ClickException when one of them ends by itself.
        """
        self._heed_signals()
        try:
            self._start("web", _gunicorn(self.settings))
            self._start("worker", [sys.executable, "-m", "flask", "--app", "app", "worker"])
            if self._becomes_ready():
                _announce(self.settings)
            self._watch()
        finally:
            self._stop()

    def _heed_signals(self) -> None:
        # A shell has what it starts with `&` ignore INT, which says nothing of what its user wants.
        signal.signal(signal.SIGINT, self._note_signal)
        signal.signal(signal.SIGTERM, self._note_signal)
        # An ignored HUP is the wish to outlive the terminal: nohup asks for it in this way.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note_signal)

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
    logins = first_logins(settings.home)
    if settings.admin_password is not None:
        logins = {company.ADMIN: "(the one in REDRESS_ADMIN_PASSWORD)"} | logins
    if logins:
        click.echo("First logins (change the passwords before real work):")
    for username, password in logins.items():
        click.echo(f"  {username:<16} {password}")
