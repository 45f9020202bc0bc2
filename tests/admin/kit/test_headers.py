"""What reaches the server from outside: hosts that are none, errors that are not kept, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from admin.kit.headers import is_host
from config import Settings, close_file
from database import make_engine, writing
from enums import Role


@pytest.mark.parametrize(
    "host",
    ["x" * 300, "x" * 64 + ".example", "a..b", ".", "a b", "a/b", "a@b", "ä" * 80, "a:b", "[::1"],
)
@pytest.mark.parametrize("path", ["/", "/login", "/admin/", "/nothing", "/healthz"])
def test_a_host_that_is_none_is_refused_with_a_word(
    client: FlaskClient, host: str, path: str
) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.post(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "redress.example.com:8443",
        "127.0.0.1:5000",
        "[::1]:5000",
        "投诉.example",
        "h_1",
    ],
)
def test_a_host_that_is_one_is_served(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize("path", ["/nothing", "/admin/complaint/nothing/", "/admin/user/"])
def test_no_cache_keeps_an_error(client: FlaskClient, log_in: Any, path: str) -> None:
    log_in(Role.care)
    answer = client.get(path)
    assert answer.status_code >= 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/admin/").headers["Cache-Control"] == "private, no-cache"


def test_the_files_of_the_database_are_closed_to_others(settings: Settings, engine: Engine) -> None:
    path = Path(str(settings.url.database))
    with writing(engine) as session:
        session.connection().exec_driver_sql("CREATE TABLE t (x)")
        for one in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            assert one.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    make_engine(settings).dispose()
    assert path.stat().st_mode & 0o777 == 0o600


def test_reading_that_a_group_was_given_is_left(tmp_path: Path) -> None:
    file = tmp_path / "queue.db"
    close_file(file)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    close_file(file)
    assert file.stat().st_mode & 0o777 == 0o640
