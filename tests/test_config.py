"""The settings: read from the environment, checked all at once, each documented."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import (
    ROOT,
    Settings,
    SettingsError,
    environment,
    environment_name,
    make_home,
    read_settings,
    secret_key,
)


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})
    assert settings.home == ROOT / "var"
    assert settings.database_url == f"sqlite:///{ROOT / 'var' / 'redress.db'}"
    assert settings.zone == ZoneInfo("Asia/Shanghai")
    assert settings.language == "zh_Hans_CN"
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.demo
    assert settings.admin_password is None


def test_the_database_follows_the_home_folder(tmp_path: Path) -> None:
    settings = read_settings({"REDRESS_HOME": str(tmp_path)})
    assert settings.url.database == str(tmp_path / "redress.db")
    assert settings.queue_url == f"sqlite:///{tmp_path / 'queue.db'}"


def test_host_and_port_are_understood_without_the_prefix() -> None:
    settings = read_settings({"HOST": "0.0.0.0", "PORT": "8080"})
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)


def test_the_prefixed_name_wins_over_the_plain_one() -> None:
    assert read_settings({"PORT": "8080", "REDRESS_PORT": "9090"}).port == 9090


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({"REDRESS_PORT": "", "REDRESS_ZONE": "  "}).port == 5000


def test_demo_is_switched_off_by_zero() -> None:
    assert not read_settings({"REDRESS_DEMO": "0"}).demo


def test_every_problem_is_reported_at_once() -> None:
    wrong = {
        "REDRESS_PORT": "seventy",
        "REDRESS_ZONE": "Mars/Olympus",
        "REDRESS_DEMO": "maybe",
        "REDRESS_LANGUAGE": "fr",
        "REDRESS_DATABASE_URL": "mysql://host/db",
        "REDRESS_QUEUE_URL": "amqp://host",
        "REDRESS_TEXT_LIMIT": "1",
    }
    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)
    assert len(caught.value.problems) == len(wrong)
    for name in wrong:
        assert any(problem.startswith(name) for problem in caught.value.problems), name


def test_a_misspelt_setting_is_refused_and_the_right_name_offered() -> None:
    with pytest.raises(SettingsError, match="did you mean REDRESS_DATABASE_URL"):
        read_settings({"REDRESS_DATABASE_ULR": "sqlite:////srv/x.db"})


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(SettingsError, match="forgets everything"):
        read_settings({"REDRESS_DATABASE_URL": "sqlite:///:memory:"})


def test_no_password_is_printed_in_a_problem() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"REDRESS_DATABASE_URL": "mysql://redress:s3cret@host/db"})
    assert "s3cret" not in str(caught.value)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = Settings(home=tmp_path / "file" / "var")
    with pytest.raises(SettingsError, match="REDRESS_HOME"):
        secret_key(settings)


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "var")
    first = secret_key(settings)
    assert len(first) == 64
    assert secret_key(settings) == first
    assert stat.S_IMODE((settings.home / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.glob(".secret_key*")] == []


def test_processes_that_start_together_agree_on_one_secret_key(tmp_path: Path) -> None:
    code = "import sys, config; print(config.secret_key(config.Settings(home=sys.argv[1])))"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "var")], stdout=subprocess.PIPE, cwd=ROOT
        )
        for _ in range(4)
    ]
    keys = {child.communicate(timeout=60)[0] for child in children}
    assert len(keys) == 1


def test_the_workbooks_stand_in_the_home_folder_unless_said_otherwise(tmp_path: Path) -> None:
    settings = read_settings({"REDRESS_HOME": str(tmp_path / "var")})
    make_home(settings)
    assert settings.sheets == tmp_path / "var" / "sheets"
    assert stat.S_IMODE(settings.sheets.stat().st_mode) == 0o700


def test_a_shared_folder_that_is_missing_is_not_created(tmp_path: Path) -> None:
    shared = tmp_path / "not mounted"
    settings = read_settings(
        {"REDRESS_HOME": str(tmp_path / "var"), "REDRESS_SHEET_FOLDER": str(shared)}
    )
    make_home(settings)
    assert settings.sheets == shared
    assert not shared.exists()
    assert read_settings(environment(settings)).sheets == shared


def test_a_shared_folder_is_understood_from_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/office")
    assert read_settings({"REDRESS_SHEET_FOLDER": "~/sheets"}).sheets == Path("/home/office/sheets")


@pytest.mark.parametrize("field", Settings.model_fields)
def test_each_setting_has_help_and_a_line_in_the_documents(field: str) -> None:
    name = environment_name(field)
    description = Settings.model_fields[field].description
    assert description
    assert description.endswith(".")
    rows = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row.startswith(f"| `{name}` |") and description in row], (
        f"docs/settings.md lacks {name}; run make settings"
    )
    assert name in (ROOT / ".env.example").read_text(encoding="utf-8")


def test_a_link_begins_with_the_address_people_use(tmp_path: Path) -> None:
    assert read_settings({}).link_base == "http://127.0.0.1:5000"
    assert read_settings({"HOST": "::1", "PORT": "80"}).link_base == "http://[::1]:80"
    said = read_settings({"REDRESS_ADDRESS": "https://redress.example.com/"})
    assert said.link_base == "https://redress.example.com"
    everywhere = read_settings({"HOST": "0.0.0.0"}).link_base
    assert "0.0.0.0" not in everywhere, "nobody can open a link to every address"


@pytest.mark.parametrize(
    "address", ["redress.example.com", "ftp://redress", "https://", "https://a:b@redress"]
)
def test_an_address_nobody_can_open_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="REDRESS_ADDRESS"):
        read_settings({"REDRESS_ADDRESS": address})


def test_the_address_of_the_mail_server_is_a_secret() -> None:
    settings = read_settings({"REDRESS_MAIL": "mailtos://redress:s3cret@smtp.example.com"})
    assert "s3cret" not in repr(settings)
    assert environment(settings)["REDRESS_MAIL"] == "mailtos://redress:s3cret@smtp.example.com"
    with pytest.raises(SettingsError) as caught:
        read_settings({"REDRESS_MAIL": "smtp://s3cret"})
    assert "REDRESS_MAIL" in str(caught.value)
    assert "s3cret" not in str(caught.value)
