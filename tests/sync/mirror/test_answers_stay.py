"""The answer of a row is one cell: something new said in it must not hide what still stands."""

from __future__ import annotations

import pytest

from services.cases import handling, journal
from tests.sync.folder import Files, header


@pytest.fixture
def case(files: Files) -> str:
    """A case that stands in the file of after-sales."""
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    return number


def answer(files: Files, number: str) -> str:
    return files.rows()[number].get(header("hint"), "")


def test_a_refusal_is_said_as_long_as_it_stands(files: Files, case: str) -> None:
    hands = files.hands()
    hands.type(case, handler="刘师傅", progress="配件后天到货")
    hands.save()
    files.settle()
    assert "已采用" in answer(files, case)
    assert "“刘师傅”" in answer(files, case)
    assert files.rows()[case][header("handler")] == "刘师傅"
    hands = files.hands()
    hands.type(case, handler="2005")
    hands.save()
    files.settle()
    assert "刘师傅" not in answer(files, case)


def test_what_is_missing_is_said_as_long_as_it_is(files: Files, case: str) -> None:
    hands = files.hands()
    hands.type(case, answer="已更换")
    hands.save()
    files.settle()
    assert header("outcome") in answer(files, case)
    hands = files.hands()
    hands.type(case, progress="客户周四来取车")
    hands.save()
    files.settle()
    assert "已采用" in answer(files, case)
    assert header("outcome") in answer(files, case)


def test_a_conflict_is_said_as_long_as_it_stands(files: Files, case: str) -> None:
    with files.office() as office:
        held = journal.lock_case(office.session, case)
        handling.progress(
            office.session, held, text="客户改约周五", actor=office.by("mechanic"), now=files.now
        )
    hands = files.hands()
    hands.type(case, progress="客户周四送车")
    hands.save()
    files.settle()
    assert "两边都改过" in answer(files, case)
    hands = files.hands()
    hands.type(case, handler="2005")
    hands.save()
    files.settle()
    assert "已采用" in answer(files, case)
    assert "两边都改过" in answer(files, case)
