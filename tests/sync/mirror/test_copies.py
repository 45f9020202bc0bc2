"""Copies beside a file, by whatever name: the mark in the workbook decides."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from enums import ProblemKind
from models import WorkbookProblem
from sync.mirror.look import Mirror
from sync.workbook.adapter import WorkbookFile
from tests.sync.folder import AFTER_SALES, Files


@dataclass
class MarkedFiles(Files):
    """Files that name their installation and workbook, as those of a worker do."""

    def mirror(self, name: str = AFTER_SALES) -> Mirror:
        mirror = super().mirror(name)
        mirror.port = WorkbookFile(self.path(name), f"c0ffee.{self.ids[name]}")
        mirror.strangers = STRANGERS.setdefault(name, set())
        return mirror


STRANGERS: dict[str, set[str]] = {}
OWN = AFTER_SALES


@pytest.fixture
def files(engine: Engine, tmp_path: Path) -> MarkedFiles:
    STRANGERS.clear()
    found = MarkedFiles(engine, tmp_path)
    with found.office() as office:
        office.dispatched()
    found.settle()
    return found


@pytest.mark.parametrize(
    "name",
    [
        f"{OWN}(1)(1).xlsx",
        f"{OWN} 2.xlsx",
        f"{OWN}12月.xlsx",
        f"{OWN} 20261201.xlsx",
        f"{OWN}（张某）.xlsx",
        f"{OWN}最新.xlsx",
        f"{OWN}v2.xlsx",
        f"最新{OWN}.xlsx",
        f"“{OWN}”的副本.xlsx",
        f"{OWN}(自动恢复的).xlsx",
        f"{OWN}[已修复].xlsx",
        f".{OWN}.xlsx~234d",
        f"{OWN}.xlsm",
        "新建 Microsoft Excel 工作表.xlsx",
    ],
)
def test_a_copy_is_told_whatever_it_is_called(files: MarkedFiles, name: str) -> None:
    shutil.copyfile(files.path(), files.path().with_name(name))
    files.settle()
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.copy, "copy_found")
    assert problem.facts["name"] == name


def test_a_file_that_was_renamed_is_told_as_well_as_made_anew(files: MarkedFiles) -> None:
    files.path().rename(files.path().with_name("十一月.xlsx"))
    files.settle()
    assert files.path().exists()
    assert [one.facts.get("name") for one in files.problems()] == ["十一月.xlsx"]


def test_what_is_not_ours_is_no_copy_and_is_read_once(files: MarkedFiles) -> None:
    other = next(name for name in files.ids if name not in (AFTER_SALES, "payroll"))
    files.settle(other)
    shutil.copyfile(files.path(other), files.path().with_name(f"{OWN} 别部门.xlsx"))
    files.path().with_name("报价.xlsx").write_bytes(b"no workbook")
    files.settle()
    assert files.problems() == []
    assert len(STRANGERS[AFTER_SALES]) == 2
    assert [one.facts["name"] for one in _of(files, other)] == [f"{OWN} 别部门.xlsx"]


def _of(files: Files, name: str) -> list[WorkbookProblem]:
    files.settle(name)
    return files.problems(name)


@pytest.mark.parametrize("name", [f"{OWN}.xls", f"{OWN}.et", f"{OWN} - 副本.ods", f"{OWN}.csv"])
def test_a_file_saved_as_another_type_is_told_by_its_name(files: MarkedFiles, name: str) -> None:
    files.path().with_name(name).write_bytes(b"\xd0\xcf\x11\xe0")
    files.settle()
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.copy, "other_type")
