"""Files of departments: how they stand, what somebody chooses, passes undone, the layout."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Audience, CellDeed, ProblemKind, Resolution, WorkbookState
from models import (
    Complaint,
    Journal,
    Workbook,
    WorkbookChange,
    WorkbookColumn,
    WorkbookLook,
    WorkbookProblem,
    WorkbookRow,
    WorkbookTab,
    WorkRequest,
)
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    ChoiceUnknown,
    Duplicate,
    FieldMissing,
    FieldTooLong,
    LaterStepsStand,
    NotFound,
    RoleMissing,
    UndoBlocked,
    ValueRefused,
)
from policy.vocabulary.status import Status
from services.cases import correcting
from services.workbooks import layout, layout_changes, looks, resolutions, states, undoing
from tests.company import Office, at

NOW = at(9, 28, 18)
SECONDS = 8
WHY = "粘贴错行"


def made(session: Session, name: str = "售后部投诉表", **said: Any) -> Workbook:
    """A file that was read completely five seconds ago."""
    usual: dict[str, Any] = {
        "audience": Audience.department,
        "newborn": [],
        "complete_at": NOW - dt.timedelta(seconds=5),
    }
    workbook = Workbook(name=name, **(usual | said))
    session.add(workbook)
    session.flush()
    return workbook


def problem(
    session: Session, workbook: Workbook, kind: ProblemKind, **said: Any
) -> WorkbookProblem:
    usual: dict[str, Any] = {"code": kind.value, "facts": {}, "found_at": NOW}
    row = WorkbookProblem(workbook=workbook, kind=kind, **(usual | said))
    session.add(row)
    session.flush()
    return row


def passed(session: Session, workbook: Workbook, number: int = 1) -> WorkbookLook:
    row = WorkbookLook(workbook=workbook, number=number, began_at=NOW, counts={})
    workbook.pass_number = number
    session.add(row)
    session.flush()
    return row


def row_of(session: Session, workbook: Workbook, complaint: Complaint) -> WorkbookRow:
    found = session.scalars(
        sa.select(WorkbookRow).where(
            WorkbookRow.sheet_id == workbook.id, WorkbookRow.complaint_id == complaint.id
        )
    ).first()
    if found is None:
        found = WorkbookRow(
            sheet_id=workbook.id,
            uid=f"R{complaint.id}",
            complaint=complaint,
            seen="",
            hint="",
            waiting={},
            refused={},
        )
        session.add(found)
        session.flush()
    return found


def took(
    session: Session, look: WorkbookLook, complaint: Complaint, **typed: str
) -> WorkbookChange | None:
    """The pass took these cells in with the deed that happened to the case last."""
    row = row_of(session, look.workbook, complaint)
    change = None
    for name, text in typed.items():
        change = WorkbookChange(
            sheet_id=look.sheet_id,
            pass_number=look.number,
            row_id=row.id,
            complaint=complaint,
            field=name,
            what=CellDeed.taken,
            before=None,
            after=text,
            journal_seq=complaint.version,
        )
        session.add(change)
    session.flush()
    return change


def asked(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(sa.select(WorkRequest).where(WorkRequest.done_at.is_(None)))
    return [(row.kind, row.key) for row in rows]


def word(session: Session, workbook: Workbook) -> WorkbookState:
    return states.state_of(session, workbook.id).word


# ---------------------------------------------------------------- how a file stands


def test_a_file_that_is_read_is_in_step(session: Session) -> None:
    assert word(session, made(session)) is WorkbookState.working


def test_what_has_to_be_mended_comes_before_the_rest(session: Session) -> None:
    workbook = made(session, complete_at=None)
    assert word(session, workbook) is WorkbookState.new
    workbook.held_by = "张三"
    assert word(session, workbook) is WorkbookState.waiting
    missing = problem(session, workbook, ProblemKind.file, code="missing")
    assert word(session, workbook) is WorkbookState.unreachable
    problem(session, workbook, ProblemKind.structure, code="half_sorted")
    assert word(session, workbook) is WorkbookState.stopped
    workbook.paused_at = NOW
    assert word(session, workbook) is WorkbookState.paused
    missing.settled_at = NOW
    assert states.state_of(session, workbook.id).problems == 1


def test_a_file_held_for_long_waits_and_is_reachable(session: Session) -> None:
    workbook = made(session, held_by="张三")
    problem(session, workbook, ProblemKind.file, code="held")
    assert word(session, workbook) is WorkbookState.waiting


@pytest.mark.parametrize(("seconds", "late"), [(54, False), (55, True)])
def test_a_file_is_late_after_three_looks_and_half_a_minute(
    session: Session, seconds: int, late: bool
) -> None:
    workbook = made(session, complete_at=NOW - dt.timedelta(seconds=seconds))
    state = states.state_of(session, workbook.id)
    assert state.lag(now=NOW) == dt.timedelta(seconds=seconds)
    assert states.is_late(state, now=NOW, seconds=SECONDS) is late


def test_a_paused_or_new_file_is_not_late(session: Session) -> None:
    paused = made(session, complete_at=at(9, 1, 9), paused_at=NOW)
    new = made(session, "新表", complete_at=None)
    for workbook in (paused, new):
        assert not states.is_late(states.state_of(session, workbook.id), now=NOW, seconds=SECONDS)


def test_the_states_of_many_files_cost_two_statements(
    session: Session, office: Office, count: Callable[..., Any]
) -> None:
    for number, key in enumerate(("sales", "parts", "workshop")):
        workbook = made(session, f"{key}.表", department=office.department(key))
        passed(session, workbook, number + 1)
        problem(session, workbook, ProblemKind.conflict)
        problem(session, workbook, ProblemKind.conflict)
        problem(session, workbook, ProblemKind.refused, settled_at=NOW)
        problem(session, workbook, ProblemKind.copy, choice=Resolution.seen)
        looks.request_look(session, workbook, user_id=None, now=NOW)
    session.flush()
    session.expire_all()
    with count() as statements:
        found = states.states(session)
        said = [(str(one.workbook.department), one.last_pass_at, one.asked_at) for one in found]
    assert len(statements) == 2
    assert said[0] == ("parts department", NOW, NOW)
    for one in found:
        assert one.by_kind() == [(ProblemKind.conflict, 2), (ProblemKind.copy, 1)]
        assert (one.problems, one.undecided) == (3, 2)


def test_a_file_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        states.state_of(session, 4711)


# ---------------------------------------------------------------- pausing and looking


def test_a_paused_file_says_by_whom_and_is_resumed_with_a_look(
    session: Session, office: Office, refuses: Any
) -> None:
    workbook, user_id = made(session), office.administrator.user_id
    states.pause(session, workbook, user_id=user_id, now=NOW)
    assert (workbook.paused_at, workbook.paused_by_id) == (NOW, user_id)
    with refuses(ChangedMeanwhile, what="sheet", key=workbook.name):
        states.pause(session, workbook, user_id=user_id, now=NOW)
    with refuses(ChangedMeanwhile, what="sheet"):
        looks.request_look(session, workbook, user_id=user_id, now=NOW)
    states.resume(session, workbook, user_id=user_id, now=NOW)
    assert (workbook.paused_at, workbook.paused_by_id) == (None, None)
    assert asked(session) == [("look", str(workbook.id))]
    with refuses(ChangedMeanwhile, what="sheet"):
        states.resume(session, workbook, user_id=user_id, now=NOW)


def test_asking_twice_for_a_look_is_one_look(session: Session) -> None:
    workbook = made(session)
    for _ in range(2):
        looks.request_look(session, workbook, user_id=None, now=NOW)
    assert asked(session) == [("look", str(workbook.id))]


# ---------------------------------------------------------------- problems


def test_what_stops_a_file_stands_first_then_the_oldest(session: Session) -> None:
    workbook, other = made(session), made(session, "配件部投诉表")
    young = problem(session, workbook, ProblemKind.conflict, found_at=NOW)
    old = problem(session, other, ProblemKind.refused, found_at=at(9, 28, 9))
    stops = problem(session, workbook, ProblemKind.structure, found_at=NOW)
    problem(session, workbook, ProblemKind.conflict, settled_at=NOW)
    assert list(resolutions.open_problems(session)) == [stops, old, young]
    assert list(resolutions.open_problems(session, workbook)) == [stops, young]


@pytest.mark.parametrize("kind", list(ProblemKind))
@pytest.mark.parametrize("choice", list(Resolution))
def test_only_the_choices_of_a_kind_are_taken(
    session: Session, refuses: Any, kind: ProblemKind, choice: Resolution
) -> None:
    workbook = made(session)
    row = problem(session, workbook, kind)
    if choice not in resolutions.CHOICES[kind]:
        with refuses(ChoiceUnknown, field="choice", value=choice):
            resolutions.choose(session, row, choice, user_id=None, now=NOW)
        return
    resolutions.choose(session, row, choice, user_id=None, now=NOW)
    assert (row.choice, row.chosen_at, row.settled_at) == (choice, NOW, None)
    assert asked(session) == [("look", str(workbook.id))]


def test_what_was_chosen_or_settled_is_not_chosen_again(session: Session, refuses: Any) -> None:
    workbook = made(session)
    chosen = problem(session, workbook, ProblemKind.conflict)
    resolutions.choose(session, chosen, Resolution.record, user_id=None, now=NOW)
    settled = problem(session, workbook, ProblemKind.conflict, settled_at=NOW)
    for row in (chosen, settled):
        with refuses(ChangedMeanwhile, what="sheet_problem"):
            resolutions.choose(session, row, Resolution.sheet, user_id=None, now=NOW)


def test_no_kind_can_be_ended_as_over_by_somebody() -> None:
    assert set(resolutions.CHOICES) == set(ProblemKind)
    assert all(Resolution.over not in choices for choices in resolutions.CHOICES.values())


# ---------------------------------------------------------------- passes


def test_passes_come_newest_first_page_by_page(session: Session) -> None:
    workbook = made(session)
    for number in range(1, 8):
        passed(session, workbook, number)
    first = looks.looks_of(session, workbook, limit=3)
    assert [one.number for one in first] == [7, 6, 5]
    second = looks.looks_of(session, workbook, before=first[-1].number, limit=3)
    assert [one.number for one in second] == [4, 3, 2]
    assert looks.find_look(session, workbook, 4) is second[0]
    with pytest.raises(NotFound):
        looks.find_look(session, workbook, 99)


def test_the_changes_of_a_pass_come_with_their_cases(
    session: Session, office: Office, count: Callable[..., Any]
) -> None:
    workbook = made(session)
    complaint = office.dispatched()
    one, other = passed(session, workbook, 1), passed(session, workbook, 2)
    took(session, one, complaint, outcome="已解决", answer="更换轴承")
    took(session, other, complaint, progress="到货")
    session.add(
        WorkbookChange(sheet_id=workbook.id, pass_number=1, what=CellDeed.appended, field="number")
    )
    session.flush()
    session.expire_all()
    session.refresh(one)
    with count() as statements:
        found = looks.changes_of(session, one)
        numbers = [change.complaint.number if change.complaint else None for change in found]
    assert len(statements) == 1
    assert [change.field for change in found] == ["outcome", "answer", "number"]
    assert numbers == [complaint.number, complaint.number, None]
    taken = looks.changes_of(session, one, what=CellDeed.taken, limit=1)
    rest = looks.changes_of(session, one, what=CellDeed.taken, after=taken[-1].id)
    assert [change.after for change in [*taken, *rest]] == ["已解决", "更换轴承"]


# ---------------------------------------------------------------- undoing a pass


def undo(session: Session, office: Office, look: WorkbookLook) -> list[undoing.UndoneDeed]:
    actor = office.administrator
    return undoing.undo_intake(session, look, reason=WHY, actor=actor, now=NOW)


def replied(session: Session, office: Office) -> tuple[Complaint, WorkbookLook]:
    """A case whose answer a pass took in."""
    complaint = office.dispatched()
    office.reply(complaint)
    look = passed(session, made(session))
    took(session, look, complaint, outcome="已解决", answer="更换轴承")
    return complaint, look


def test_undoing_withdraws_what_the_pass_took_in(session: Session, office: Office) -> None:
    complaint, look = replied(session, office)
    (undone,) = undo(session, office, look)
    assert complaint.status is Status.dispatched
    assert (undone.deed, len(undone.typed)) == ("replied", 2)
    assert "status" in {effect.key for effect in undone.effects}
    assert (look.undone_at, look.undone_by_id) == (NOW, office.administrator.user_id)
    assert asked(session) == [("look", str(look.sheet_id))]


def test_the_same_text_counts_as_refused_after_the_undo(session: Session, office: Office) -> None:
    complaint, look = replied(session, office)
    row = row_of(session, look.workbook, complaint)
    row.refused = {"until": "明天"}
    undo(session, office, look)
    assert row.refused == {"until": "明天", "outcome": "已解决", "answer": "更换轴承"}


def test_a_registered_row_is_withdrawn_as_a_whole(session: Session, office: Office) -> None:
    complaint = office.registered()
    look = passed(session, made(session))
    took(session, look, complaint, customer="王女士", body="异响")
    undo(session, office, look)
    assert complaint.status is Status.withdrawn


def test_two_deeds_on_one_case_are_taken_back_newest_first(
    session: Session, office: Office
) -> None:
    complaint = office.registered()
    look = passed(session, made(session))
    took(session, look, complaint, body="异响")
    office.dispatch(complaint)
    took(session, look, complaint, department="售后")
    undone = undo(session, office, look)
    assert [one.deed for one in undone] == ["dispatched", "registered"]
    assert complaint.status is Status.withdrawn


def test_a_later_step_refuses_the_whole_undo_and_names_the_case(
    session: Session, office: Office, refuses: Any
) -> None:
    first, look = replied(session, office)
    second = office.dispatched(subject="漏油")
    office.reply(second)
    took(session, look, second, outcome="已解决")
    office.confirm(second)
    with refuses(UndoBlocked, number=second.number):
        undo(session, office, look)
    assert (first.status, second.status) == (Status.replied, Status.confirmed)


def test_the_refusal_says_which_later_step_stands(session: Session, office: Office) -> None:
    complaint, look = replied(session, office)
    office.confirm(complaint)
    with pytest.raises(UndoBlocked) as refused:
        undo(session, office, look)
    cause = refused.value.facts["refusal"]
    assert isinstance(cause, LaterStepsStand)
    assert cause.facts["deed"] == "confirmed"


def corrected(office: Office, complaint: Complaint, target: int, text: str) -> None:
    correcting.correct(
        office.session,
        complaint,
        target=target,
        changes={"text": text},
        reason="写错",
        actor=office.administrator,
        now=NOW,
    )


def test_a_correction_is_corrected_back(session: Session, office: Office) -> None:
    complaint, first = replied(session, office)
    target = complaint.version
    corrected(office, complaint, target, "更换轴承和皮带")
    second = passed(session, first.workbook, 2)
    took(session, second, complaint, answer="更换轴承和皮带")
    (undone,) = undo(session, office, second)
    last = session.scalars(
        sa.select(Journal).where(
            Journal.complaint_id == complaint.id, Journal.seq == complaint.version
        )
    ).one()
    assert (undone.deed, last.event) == ("corrected", "corrected")
    assert last.data["changes"] == {"text": "更换轴承"}
    assert complaint.status is Status.replied
    undo(session, office, first)
    assert complaint.status is Status.dispatched


def test_what_somebody_corrected_later_is_not_taken_back(
    session: Session, office: Office, refuses: Any
) -> None:
    complaint, look = replied(session, office)
    corrected(office, complaint, complaint.version, "更换轴承和皮带")
    with refuses(UndoBlocked, number=complaint.number):
        undo(session, office, look)


def test_what_was_withdrawn_by_hand_does_not_stop_the_undo(
    session: Session, office: Office
) -> None:
    complaint, look = replied(session, office)
    correcting.withdraw(
        session,
        complaint,
        target=complaint.version,
        reason="重复",
        actor=office.administrator,
        now=NOW,
    )
    version = complaint.version
    (undone,) = undo(session, office, look)
    assert (undone.effects, complaint.version) == ((), version)
    assert look.undone_at == NOW


def test_a_preview_says_what_would_change_and_writes_nothing(
    session: Session, office: Office, rows: Callable[[], Any]
) -> None:
    complaint, look = replied(session, office)
    before = rows()
    (preview,) = undoing.preview_undo(
        session, look, reason=WHY, actor=office.administrator, now=NOW
    )
    assert rows() == before
    assert complaint.status is Status.replied
    (undone,) = undo(session, office, look)
    assert preview.effects == undone.effects


def test_a_preview_refuses_as_the_undo_does(session: Session, office: Office, refuses: Any) -> None:
    complaint, look = replied(session, office)
    office.confirm(complaint)
    with refuses(UndoBlocked, number=complaint.number):
        undoing.preview_undo(session, look, reason=WHY, actor=office.administrator, now=NOW)


def test_a_pass_is_undone_once(session: Session, office: Office, refuses: Any) -> None:
    _complaint, look = replied(session, office)
    assert undoing.can_undo(session, look)
    undo(session, office, look)
    assert not undoing.can_undo(session, look)
    with refuses(ChangedMeanwhile, what="sheet_pass"):
        undo(session, office, look)


def test_a_pass_that_took_nothing_in_cannot_be_undone(
    session: Session, office: Office, refuses: Any
) -> None:
    look = passed(session, made(session))
    assert not undoing.can_undo(session, look)
    with refuses(NotFound, what="intake"):
        undo(session, office, look)


def test_who_may_not_correct_may_not_undo(session: Session, office: Office, refuses: Any) -> None:
    _complaint, look = replied(session, office)
    with refuses(UndoBlocked):
        undoing.undo_intake(session, look, reason=WHY, actor=office.by("mechanic"), now=NOW)
    with pytest.raises(UndoBlocked) as why:
        undoing.preview_undo(session, look, reason=WHY, actor=office.by("mechanic"), now=NOW)
    assert isinstance(why.value.facts["refusal"], RoleMissing)


# ---------------------------------------------------------------- the layout


@pytest.fixture
def tab(session: Session) -> WorkbookTab:
    """The tab of open cases with the columns a company begins with."""
    layout.add_missing_tabs(session, title=lambda key: f"{key}页", header=lambda name: f"{name}列")
    return session.scalars(sa.select(WorkbookTab).where(WorkbookTab.key == "open")).one()


def column(tab: WorkbookTab, name: str) -> WorkbookColumn:
    return next(one for one in tab.columns if one.field == name)


def change(session: Session, one: WorkbookColumn, **said: Any) -> None:
    usual: dict[str, Any] = {
        "header": one.header,
        "width": one.width,
        "position": one.position,
        "active": True,
    }
    layout_changes.change_column(session, one, **(usual | said))


def retitle(session: Session, tab: WorkbookTab, **said: Any) -> None:
    usual = {
        "title": tab.title,
        "statuses": layout.statuses(tab),
        "days": tab.days,
        "position": tab.position,
    }
    layout_changes.change_tab(session, tab, **(usual | said))


def test_a_tab_gets_another_name_and_other_cases(session: Session, tab: WorkbookTab) -> None:
    wanted = [Status.replied, Status.dispatched]
    retitle(session, tab, title="  在办  案件 ", statuses=wanted, days=30, position=7)
    assert (tab.title, tab.days, tab.position) == ("在办 案件", 30, 7)
    assert tab.statuses == ["dispatched", "replied"]


@pytest.mark.parametrize("title", ["a/b", "[x]", "为什么?", "a*b", "a:b", "a\\b", "'x", "History"])
def test_a_title_that_excel_does_not_take_is_refused(
    session: Session, tab: WorkbookTab, refuses: Any, title: str
) -> None:
    with refuses(ValueRefused, field="title", why="not_a_title"):
        retitle(session, tab, title=title)


def test_titles_are_needed_short_and_unique(
    session: Session, tab: WorkbookTab, refuses: Any
) -> None:
    with refuses(FieldMissing, field="title"):
        retitle(session, tab, title=" ")
    with refuses(FieldTooLong, field="title", limit=31):
        retitle(session, tab, title="长" * 32)
    with refuses(Duplicate, field="title"):
        retitle(session, tab, title="CLOSED页")
    retitle(session, tab, title="month页")  # a file of another audience


def test_a_tab_of_cases_keeps_cases_and_a_possible_number_of_days(
    session: Session, tab: WorkbookTab, refuses: Any
) -> None:
    with refuses(FieldMissing, field="statuses"):
        retitle(session, tab, statuses=[])
    for days in (0, -1, 3651):
        with refuses(ValueRefused, field="days"):
            retitle(session, tab, days=days)


def test_a_tab_without_cases_gets_none(session: Session, tab: WorkbookTab) -> None:
    guide = session.scalars(
        sa.select(WorkbookTab).where(
            WorkbookTab.key == "guide", WorkbookTab.audience == Audience.department
        )
    ).one()
    retitle(session, guide, statuses=[Status.replied])
    assert guide.statuses == []


def test_a_column_is_renamed_moved_and_switched_off(session: Session, tab: WorkbookTab) -> None:
    one = column(tab, "grade")
    change(session, one, header="投诉 级别", width=10, position=99, active=False)
    assert (one.header, one.width, one.position, one.active) == ("投诉 级别", 10, 99, False)


def test_a_needed_column_stays_on(session: Session, tab: WorkbookTab, refuses: Any) -> None:
    for name in layout.NEEDED_FIELDS["open"]:
        with refuses(ValueRefused, field="active", why="column_needed"):
            change(session, column(tab, name), active=False)


def test_headers_are_needed_and_unique_in_their_tab(
    session: Session, tab: WorkbookTab, refuses: Any
) -> None:
    one = column(tab, "grade")
    for said, error in (
        ({"header": ""}, FieldMissing),
        ({"header": "CUSTOMER列"}, Duplicate),
        ({"header": "x" * 121}, FieldTooLong),
        ({"width": 0}, ValueRefused),
        ({"width": 121}, ValueRefused),
        ({"width": None}, FieldMissing),
        ({"position": -1}, ValueRefused),
    ):
        with refuses(error, field=next(iter(said))):
            change(session, one, **said)


def added(session: Session, tab: WorkbookTab, name: str, header: str = "新列") -> WorkbookColumn:
    on = at(9, 28, 9).date()
    return layout_changes.add_column(
        session, tab, name, header=header, width=12, position=50, on=on
    )


def test_a_column_of_the_regulation_can_be_added_once(
    session: Session, tab: WorkbookTab, refuses: Any
) -> None:
    on = at(9, 28, 9).date()
    name = next(
        one for one in layout.addable_fields(session, tab, on=on) if one.startswith("extra.")
    )
    new = added(session, tab, name)
    assert new in tab.columns
    assert name not in layout.addable_fields(session, tab, on=on)
    with refuses(ChoiceUnknown, field="field", value=name):
        added(session, tab, name, "又一列")


def test_a_department_never_gets_a_column_of_money(
    session: Session, tab: WorkbookTab, refuses: Any
) -> None:
    for name in ("amount", "ground", "nothing_like_it"):
        with refuses(ChoiceUnknown, field="field", value=name):
            added(session, tab, name)


def test_the_fields_left_are_offered_tab_by_tab(session: Session, tab: WorkbookTab) -> None:
    on = at(9, 28, 9).date()
    left = {
        one.key: names for one, names in layout_changes.tabs_with_addable_fields(session, on=on)
    }
    assert "status" in left["open"]
    assert "month" not in left


def test_headers_are_those_of_the_file_s_own_tabs(session: Session, tab: WorkbookTab) -> None:
    department = made(session)
    payroll = made(session, "处罚 2026", audience=Audience.payroll, year=2026)
    column(tab, "outcome").header = "处理结果"
    session.flush()
    assert layout.headers(session, department)["outcome"] == "处理结果"
    assert "amount" not in layout.headers(session, department)
    assert layout.headers(session, payroll)["amount"] == "amount列"
