"""Every case file of the regulations, played by the command as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from config import ROOT, Settings

CASES = ROOT / "tests" / "policy"
FILES = [
    path
    for path in sorted(CASES.glob("*/*.toml"))
    if path.name not in ("cast.toml", "clauses.toml")
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_case_file_of_a_regulation_is_played_by_the_command(
    path: Path, settings: Settings
) -> None:
    group = cli.regulation.policy_group(settings)
    said = CliRunner().invoke(group, ["play", str(path), "--pack", path.parent.name])
    assert said.exit_code == 0, said.output[-2000:]
