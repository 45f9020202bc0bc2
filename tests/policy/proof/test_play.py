"""Playing a case file that somebody wrote: what is said of each step, and what is refused where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
import wording
from config import ROOT, Settings
from policy.engine.folding import fold
from policy.pack.loading import read_toml, shipped_path
from policy.proof import casefile
from policy.proof.casefile import PlayBasis
from policy.proof.play import Packs, Play
from policy.vocabulary.errors import CaseFileRefused
from tests.company import Office, found
from tests.regulations import official_calendar
from wording import play_text

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.toml"))
PACKS = Packs(read_toml(shipped_path("skoda-dealer")))
PACK = PACKS.of({})
BASIS = PlayBasis(PACKS, official_calendar())
HEAD = 'pack = "skoda-dealer"\n'
REGISTERED = """
[[step]]
do = "registered"
at = 2026-03-02T09:00:00
by = "care_specialist"
kind = "complaint"
channel = "visit"
category = "quality"
subject = "异响"
"""
DISPATCHED = """
[[step]]
do = "dispatched"
at = 2026-03-02T10:00:00
by = "care_specialist"
department = "after_sales"
"""
LATE = """
[[step]]
do = "time_passed"
at = 2026-03-05T10:00:01
"""


@pytest.fixture
def run(settings: Settings, engine: Engine, tmp_path: Path) -> Callable[..., Result]:
    """`run(text, ...)`: what `flask policy play` says of a file with that text."""

    def run(text: str, *words: str) -> Result:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        group = cli.regulation.policy_group(settings)
        return CliRunner().invoke(group, ["play", str(path), *words])

    return run


def told(text: str) -> dict[str, Any]:
    """The one case of a text, played in English."""
    (case,) = cases(text)
    with wording.speaking("en", ZoneInfo("Asia/Shanghai")):
        return play_text.play_story(case, PACK, official_calendar())


def cases(text: str) -> tuple[Any, ...]:
    data = casefile.parse_case_file(text, "mine.toml")
    return casefile.checked_cases(data, {}, BASIS, file="mine.toml")


def problems(text: str) -> list[tuple[Any, ...]]:
    """What makes a text no case file: step, field and code of each problem."""
    with pytest.raises(CaseFileRefused) as refused:
        cases(text)
    return [
        (one.get("step"), one.get("field"), getattr(one["why"], "code", "words"))
        for one in refused.value.facts["problems"]
    ]


# ---------------------------------------------------------------- what is said


def test_a_step_tells_its_deadlines_with_their_reasons() -> None:
    step = told(HEAD + REGISTERED + DISPATCHED)["steps"][1]
    (change,) = [one for one in step["changes"] if one["kind"] == "clock_started"]
    assert (change["key"], change["clause"]) == ("close_a", "SKD-4.2.1")
    assert change["because"] == ["3 working days from hand-over 2026-03-02 10:00."]
    assert step["status"] == {"key": "dispatched", "label": "In progress", "tone": "blue"}
    assert step["told"] == [
        {
            "kind": "dispatched",
            "to": "after_sales_director",
            "who": PACK.label("post", "after_sales_director"),
            "text": "Case handed over",
        }
    ]


def test_a_term_that_runs_out_tells_the_charge_and_whom_it_is_told() -> None:
    step = told(HEAD + REGISTERED + DISPATCHED + LATE)["steps"][2]
    (penalty,) = step["charges"]
    assert (penalty["rule"], penalty["yuan"], penalty["clause"]) == (
        "late_close",
        200,
        "SKD-3.2.2b",
    )
    assert "ran out 2026-03-05 10:00, round 1" in penalty["because"]
    assert [message["kind"] for message in step["told"]] == ["breached", "alert", "alert"]


def test_the_number_and_the_first_status_are_told_with_the_registration() -> None:
    step = told(HEAD + REGISTERED)["steps"][0]
    said = [one["text"] for one in step["changes"]]
    assert said[:2] == ["Number: TS2026030001", "Status: Registered"]


def test_a_refused_step_tells_why_and_changes_nothing() -> None:
    early = REGISTERED + '[[step]]\ndo = "confirmed"\nat = 2026-03-02T11:00:00\n'
    story = told(HEAD + early + 'by = "after_sales_director"\n')
    step = story["steps"][1]
    assert (step["refused"]["code"], step["changes"]) == ("status_forbids", [])
    assert "Confirm the reply" in step["refused"]["text"]
    assert step["status"]["key"] == "registered"
    assert story["mismatches"] == 1, "a refusal that nobody expected"


def test_several_cases_of_one_file_are_told_apart_and_numbered_on() -> None:
    text = HEAD + REGISTERED + 'case = "a"\n' + REGISTERED + 'case = "b"\n'
    (case,) = cases(text)
    play = Play(case, PACK, official_calendar())
    assert list(play.mismatches()) == []
    numbers = {name: facts.number for name, facts in play.pictures.items()}
    assert numbers == {"a": "TS2026030001", "b": "TS2026030002"}
    for name, journal in play.journals.items():
        assert fold(journal, PACK, official_calendar()) == play.pictures[name]


def test_whoever_the_file_does_not_introduce_is_there_by_his_post() -> None:
    mine = '\n[cast]\nwang = { number = "2001", posts = ["after_sales_director"] }\n'
    step = told(HEAD + mine + REGISTERED + DISPATCHED)["steps"][1]
    assert step["told"][0]["who"] == "wang"
    assert step["who"] == PACK.label("post", "care_specialist")


def test_what_is_written_as_a_file_says_the_same_when_it_is_read() -> None:
    for path in EXAMPLES:
        data, _shared = casefile.read_case_file(path)
        assert casefile.parse_case_file(casefile.case_file_text(data), path.name) == data


def test_every_text_survives_being_written() -> None:
    odd = {"step": [{"do": 'a "b" \\ c\n\x7f\t中', "extra": {"x y": [1, True, {"z": "ü"}]}}]}
    again = casefile.parse_case_file(casefile.case_file_text(odd), "mine.toml")
    assert again["case"][0]["step"] == odd["step"]


# ---------------------------------------------------------------- what is refused, and where


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + REGISTERED.replace("care_specialist", "nobody"), (1, "by", "choice_unknown")),
        (HEAD + REGISTERED.replace('"registered"', '"sung"'), (1, "do", "choice_unknown")),
        (HEAD + REGISTERED.replace('subject = "异响"', ""), (1, "subject", "field_missing")),
        (HEAD + REGISTERED + 'colour = "red"\n', (1, "colour", "field_unknown")),
        (HEAD + REGISTERED.replace("T09:00:00", ""), (1, "at", "value_refused")),
        (HEAD + REGISTERED + DISPATCHED.replace("at =", "#"), (2, "at", "field_missing")),
        (HEAD + REGISTERED + "expect = { colour = 1 }\n", (1, "expect", "choice_unknown")),
        (HEAD + REGISTERED + "expect = { due = 1 }\n", (1, "expect", "choice_unknown")),
        (HEAD + 'begins = "x"\n' + REGISTERED, (None, "begins", "choice_unknown")),
        (HEAD, (None, "case", "field_missing")),
        (HEAD + "[cast.x]\nposts = ['none']\n" + REGISTERED, (None, "posts", "choice_unknown")),
        (HEAD + '[[case]]\nname = "x"\nstep = [1]\n', (None, "step", "value_refused")),
    ],
)
def test_what_is_wrong_is_named_with_step_and_field(text: str, found: tuple[Any, ...]) -> None:
    assert problems(text) == [found]


def test_an_opening_that_begins_with_itself_is_refused() -> None:
    steps = 'step = [{ do = "confirmed", at = 2026-03-02T09:00:00 }]\n'
    circle = f'[opening.x]\nbegins = "x"\n{steps}'
    text = f'{HEAD}{circle}[[case]]\nname = "c"\nbegins = "x"\n{steps}'
    assert {code for _step, _field, code in problems(text)} == {"choice_unknown"}


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = HEAD + REGISTERED.replace("care_specialist", "nobody") + DISPATCHED + 'x = "y"\n'
    assert problems(text) == [(1, "by", "choice_unknown"), (2, "x", "field_unknown")]


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_of_the_documentation_is_played_as_it_says(
    path: Path, settings: Settings
) -> None:
    said = CliRunner().invoke(cli.regulation.policy_group(settings), ["play", str(path)])
    assert said.exit_code == 0, said.output
    assert not settings.home.exists(), "a shipped regulation needs no database"


def test_a_file_of_the_regulations_own_cases_is_played_with_its_cast(settings: Settings) -> None:
    path = ROOT / "tests" / "policy" / "skoda-dealer" / "callback.toml"
    words = ["play", str(path), "--pack", "skoda-dealer", "--json"]
    said = CliRunner().invoke(cli.regulation.policy_group(settings), words)
    assert (said.exit_code, json.loads(said.output)["mismatches"]) == (0, 0), said.output


def test_the_reader_is_told_in_the_language_of_the_company(run: Callable[..., Result]) -> None:
    said = run(HEAD + REGISTERED + DISPATCHED)
    assert said.exit_code == 0
    assert "“A 类关闭”开始计时，期限 2026-03-05 10:00 · SKD-4.2.1" in said.output
    assert "自转办 2026-03-02 10:00 起 3 个工作日。" in said.output


def test_what_does_not_hold_is_said_and_ends_with_an_error(run: Callable[..., Result]) -> None:
    text = HEAD + REGISTERED + 'expect = { status = "closed", grade = "A2" }\n'
    said = run(text, "--json")
    assert said.exit_code == 1
    answer = json.loads(said.output)
    (step,) = answer["cases"][0]["steps"]
    assert step["mismatches"] == [{"about": "status", "wanted": "closed", "found": "registered"}]
    assert answer["mismatches"] == 1
    assert run(text).exit_code == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('pack = "x" "y"', ("mine.toml", "第 1 行")),
        (REGISTERED, ("pack",)),
        ('pack = "nothing"\n' + REGISTERED, ("nothing",)),
        ('pack = "../../config"\n' + REGISTERED, ("config",)),
        (HEAD + 'colour = "red"\n' + REGISTERED, ("colour",)),
        (HEAD + REGISTERED + DISPATCHED.replace('"after_sales"', '""'), ("2", "department")),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_in_its_place(
    text: str, said: tuple[str, ...], run: Callable[..., Result]
) -> None:
    answer = run(text)
    assert answer.exit_code == 1
    assert all(word in answer.output for word in said), answer.output
    assert "Traceback" not in answer.output


def test_a_draft_of_the_record_is_played_by_its_id(
    run: Callable[..., Result], engine: Engine
) -> None:
    with Session(engine) as session:
        found(session)
        session.commit()
    text = REGISTERED + DISPATCHED + LATE
    assert "¥200" in run(text, "--policy", "skoda-dealer").output
    with Session(engine) as session:
        version = Office(session).drafted("penalty", "late_close", amount="300").id
        session.commit()
    said = run(text, "--version", str(version))
    assert (said.exit_code, "¥300" in said.output) == (0, True), said.output


def test_a_version_that_is_not_there_is_refused(run: Callable[..., Result]) -> None:
    said = run(REGISTERED, "--version", "99")
    assert (said.exit_code, "99" in said.output) == (1, True)


def test_only_one_regulation_is_played_at_a_time(run: Callable[..., Result]) -> None:
    said = run(REGISTERED, "--version", "1", "--pack", "skoda-dealer")
    assert (said.exit_code, "Name one of" in said.output) == (2, True)


def test_everybody_of_a_list_of_people_is_known_or_named() -> None:
    verified = '[[step]]\ndo = "verified"\nat = 2026-03-02T11:00:00\nby = "care_director"\n'
    verified += 'finding = "x"\ntext = "-"\n'
    several = 'concerned = ["care_specialist", "nobody"]\n'
    by_name = "earlier = { care_specialist = 1, stranger = 2 }\n"
    found = problems(HEAD + REGISTERED + verified + several + by_name)
    assert found == [(2, "concerned", "choice_unknown"), (2, "earlier", "choice_unknown")]
    assert cases(HEAD + REGISTERED + verified + 'concerned = ["care_specialist"]\n')


# ---------------------------------------------------------------- what a case may choose and expect


def run_by_file(text: str, tmp_path: Path, *words: str) -> Result:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    group = cli.regulation.policy_group(Settings(home=tmp_path / "home", demo=False))
    return CliRunner().invoke(group, ["play", str(path), *words])


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ('{ restart_pre = "round" }', "parameters.restart_pre", "field_unknown"),
        ('{ handover_limit = "soon" }', "parameters.handover_limit", "value_refused"),
        ("5", "parameters", "value_refused"),
    ],
)
def test_a_choice_no_rule_knows_or_can_take_is_refused(
    parameters: str, field: str, code: str
) -> None:
    text = f"{HEAD}parameters = {parameters}\n{REGISTERED}"
    assert problems(text) == [(None, field, code)]


def test_what_the_regulation_leaves_open_is_chosen_by_the_case_or_missed() -> None:
    packs = Packs(read_toml(shipped_path("marketing-service")))
    basis = PlayBasis(packs, official_calendar())
    opened = min(packs.open_parameters)
    text = 'step = [{ do = "time_passed", at = 2026-03-02T09:00:00 }]\n'
    with pytest.raises(CaseFileRefused) as refused:
        casefile.checked_cases(casefile.parse_case_file(text, "x"), {}, basis, file="x")
    fields = {one["field"] for one in refused.value.facts["problems"]}
    assert f"parameters.{opened}" in fields


def test_numbers_count_by_series_and_period() -> None:
    steps = [
        ("a", "complaint", "2026-11-02"),
        ("b", "complaint", "2026-11-30"),
        ("c", "complaint", "2026-12-01"),
    ]
    text = HEAD + "".join(
        REGISTERED.replace("2026-03-02", day).replace('"complaint"', f'"{kind}"')
        + f'case = "{name}"\n'
        for name, kind, day in steps
    )
    (case,) = cases(text)
    play = Play(case, PACK, official_calendar())
    assert list(play.mismatches()) == []
    found = [play.pictures[name].number for name, _, _ in steps]
    assert found == ["TS2026110001", "TS2026110002", "TS2026120001"]


def test_a_refused_registration_uses_up_no_number() -> None:
    refused = REGISTERED.replace('"quality"', '"nothing"')
    refused += 'expect = { refused = "choice_unknown" }\n'
    (case,) = cases(HEAD + refused + 'case = "a"\n' + REGISTERED + 'case = "b"\n')
    play = Play(case, PACK, official_calendar())
    assert list(play.mismatches()) == []
    assert play.pictures["b"].number == "TS2026030001"


def test_steps_under_the_cast_are_said_to_stand_there() -> None:
    text = HEAD + "[cast]\nstep = [{ do = 'confirmed', at = 2026-03-02T09:00:00 }]\n"
    assert (None, "step", "value_refused") in problems(text)


def test_steps_beside_cases_are_said_to_stand_outside(run: Callable[..., Result]) -> None:
    said = run(HEAD + REGISTERED + '[[case]]\nname = "x"\n')
    assert (said.exit_code, "步骤" in said.output or "step" in said.output) == (1, True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_a_file_in_another_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes((HEAD + REGISTERED).encode(encoding))
    data, _shared = casefile.read_case_file(path)
    assert data["case"][0]["step"][0]["subject"] == "异响"


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 2000 + "]" * 2000,
        HEAD + REGISTERED.replace("2026-03-02T09:00:00", "9999-12-31T23:59:59"),
        HEAD + REGISTERED.replace('"异响"', "9" * 5000),
        HEAD + REGISTERED.replace('"异响"', "1e999999999"),
        HEAD + REGISTERED.replace('"异响"', "nan"),
        HEAD + 'cast = "x"\n' + REGISTERED,
    ],
)
def test_what_no_case_can_have_is_refused_without_a_traceback(text: str, tmp_path: Path) -> None:
    said = run_by_file(text, tmp_path)
    assert isinstance(said.exception, SystemExit)
    assert (said.exit_code, "own.toml" in said.output) == (1, True), said.output
    assert len(said.output) < 600


def test_a_regulation_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    own = tmp_path / "rules.toml"
    own.write_bytes(shipped_path("skoda-dealer").read_bytes())
    said = run_by_file(REGISTERED + DISPATCHED, tmp_path, "--pack", str(own))
    assert said.exit_code == 0, said.output
    missing = run_by_file(REGISTERED, tmp_path, "--pack", str(tmp_path / "none.toml"))
    assert (missing.exit_code, "none.toml" in missing.output) == (1, True)


def test_every_value_of_another_sort_is_named_by_the_sort_that_is_wanted(tmp_path: Path) -> None:
    text = HEAD + REGISTERED.replace('"异响"', "5").replace('"visit"', "true")
    said = run_by_file(text + "extra = { nofield = 1 }\n", tmp_path)
    assert said.output.count("须为带引号的文字") == 2, said.output
    assert "nofield" in said.output
