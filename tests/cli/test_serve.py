"""`flask serve`: ready when both work, stopped without an orphan, plain about what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine

import cli
import config
import database
from config import ROOT, Settings
from database import reading
from enums import Role
from files.first_logins import first_logins, keep_first_logins
from services.company import accounts

FLASK = [sys.executable, "-m", "flask", "--app", "app"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A private home and a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(home=tmp_path / "home", demo=False, port=port, web_processes=1)


@pytest.fixture
def start(settings: Settings, engine: Engine) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start(command, ignoring=...)`: run it in a process group of its own with these settings.

    It ignores the signals that are named and no other, however the tests were started.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        command: list[str] | None = None, *, ignoring: tuple[signal.Signals, ...] = ()
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command or [*FLASK, "serve"],
            cwd=ROOT,
            env={**os.environ, **config.environment(settings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: _ignore_only(ignoring),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)
    for orphan in _processes(settings):
        os.kill(orphan, signal.SIGKILL)


def _ignore_only(numbers: tuple[signal.Signals, ...]) -> None:
    """Ignore these of the signals that stop `flask serve`, and let the others end the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number in numbers else signal.SIG_DFL)


def _processes(settings: Settings) -> list[int]:
    """The processes that run with the home folder of the test, by their environment."""
    mark = f"REDRESS_HOME={settings.home}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _gone(settings: Settings, *, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while _processes(settings):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _wait_until_ready(process: subprocess.Popen[str], settings: Settings) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("Redress is ready"):
            assert line.strip() == f"Redress is ready: http://127.0.0.1:{settings.port}"
            return lines
    raise AssertionError("not ready:\n" + "\n".join(lines))


def _health(settings: Settings) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/healthz", timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_pages_and_worker_and_stops_both(
    start: Any, settings: Settings, number: signal.Signals
) -> None:
    process = start()
    _wait_until_ready(process, settings)
    health = _health(settings)
    assert (health["status"], health["worker"]) == ("ok", "running")
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert _gone(settings)


def test_an_interrupt_stops_it_although_it_was_started_in_the_background(
    start: Any, settings: Settings
) -> None:
    process = start(ignoring=(signal.SIGINT,))  # as a shell does with `flask serve &`
    _wait_until_ready(process, settings)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert _gone(settings)


def test_it_outlives_its_terminal_where_nohup_started_it(start: Any, settings: Settings) -> None:
    process = start(ignoring=(signal.SIGHUP,))
    _wait_until_ready(process, settings)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    assert _health(settings)["worker"] == "running"
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert _gone(settings)


def test_a_signal_to_the_whole_group_leaves_no_orphan(start: Any, settings: Settings) -> None:
    process = start()
    _wait_until_ready(process, settings)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert _gone(settings)


def test_a_terminated_make_leaves_no_orphan(start: Any, settings: Settings, tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {' '.join(FLASK)} serve\n", encoding="utf-8")
    process = start(["make", "-f", str(makefile), "run"])
    _wait_until_ready(process, settings)
    process.terminate()
    process.wait(timeout=30)
    assert _gone(settings)


def test_a_killed_serve_takes_its_children_along(start: Any, settings: Settings) -> None:
    process = start()
    _wait_until_ready(process, settings)
    process.kill()
    assert _gone(settings)


def test_when_a_child_dies_it_says_so_and_stops_the_other(start: Any, settings: Settings) -> None:
    process = start()
    _wait_until_ready(process, settings)
    for number in _processes(settings):
        if b"worker" in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0"):
            os.kill(number, signal.SIGKILL)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The worker process ended by itself" in output
    assert _gone(settings)


def test_a_taken_port_is_named_and_nothing_starts(start: Any, settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()
        output, _ = (process := start()).communicate(timeout=30)
    assert process.returncode != 0
    assert f"port {settings.port}" in output
    assert "HOST and PORT" in output
    assert "Traceback" not in output
    assert _gone(settings)


def test_wrong_settings_are_listed_without_a_trace(tmp_path: Path) -> None:
    wrong = {"REDRESS_HOME": str(tmp_path), "REDRESS_PORT": "x", "REDRESS_ZONE": "Mars"}
    done = subprocess.run(
        [*FLASK, "serve"],
        cwd=ROOT,
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "REDRESS_PORT = x" in done.stderr
    assert "REDRESS_ZONE = Mars" in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- the other commands


def _run(app: Flask, *words: str, answer: str = "") -> Any:
    runner = app.test_cli_runner()
    return runner.invoke(args=list(words), input=answer)


def test_a_user_added_on_the_command_line_can_log_in(app: Flask, engine: Engine) -> None:
    twice = "long enough\nlong enough\n"
    done = _run(app, "user", "add", "wang.hr", "--role", "hr", "--name", "王", answer=twice)
    assert done.exit_code == 0, done.output
    with reading(engine) as session:
        user = accounts.find_user(session, "wang.hr")
        assert user is not None
        assert (user.role, user.display_name) == (Role.hr, "王")
        assert accounts.password_matches(user.password_hash, "long enough")
    assert "wang.hr" in _run(app, "user", "list").output


def test_a_user_is_not_added_twice(app: Flask) -> None:
    words = ("user", "add", "wang.hr", "--role", "hr", "--password", "long enough")
    assert _run(app, *words).exit_code == 0
    again = _run(app, *words)
    assert again.exit_code == 1
    assert "wang.hr" in again.output
    assert "Traceback" not in again.output


def test_a_short_password_is_refused(app: Flask) -> None:
    done = _run(app, "user", "add", "wang.hr", "--role", "hr", "--password", "short")
    assert done.exit_code == 1
    assert "8 characters" in done.output


def test_a_changed_password_is_no_longer_shown_among_the_first_logins(
    app: Flask, settings: Settings, make_user: Any
) -> None:
    make_user(Role.care, username="li.care")
    keep_first_logins(settings.home, {"li.care": "made up", "admin": "made up too"})
    done = _run(app, "user", "password", "li.care", "--password", "my own words")
    assert done.exit_code == 0, done.output
    assert first_logins(settings.home) == {"admin": "made up too"}
    assert _run(app, "user", "password", "nobody", "--password", "my own words").exit_code == 1


def test_the_first_logins_are_readable_by_their_owner_only(settings: Settings) -> None:
    keep_first_logins(settings.home, {"admin": "made up"})
    assert (settings.home / "first_logins.json").stat().st_mode & 0o777 == 0o600


def test_every_command_has_help(app: Flask, settings: Settings) -> None:
    for make in cli.COMMANDS:
        command = make(settings)
        assert command.help, command.name
        below = getattr(command, "commands", {})
        assert all(one.help for one in below.values()), command.name


def test_the_settings_page_is_printed(app: Flask) -> None:
    assert _run(app, "settings").output == config.settings_page()


def test_an_upgrade_fills_in_what_an_older_version_did_not_write(settings: Settings) -> None:
    """From a revision before, and by wish; an upgrade that brings nothing new reads no case."""
    command = cli.company.upgrade(settings)

    def said(*options: str) -> str:
        return CliRunner().invoke(command, options, catch_exceptions=False).output

    database.upgrade(settings, "calendar_versions")
    assert "was read again after the upgrade: 0" in said()
    assert "was read again" not in said()
    assert "was read again after the upgrade: 0" in said("--fill-in")
