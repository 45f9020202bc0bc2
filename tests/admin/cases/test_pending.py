"""Whose turn it is: departments that take part, approvals, the jury, appeals; told and shown."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from admin.cases.uploads import MOST_FILES
from database import reading
from enums import Role
from models import Attachment, Complaint, Employee, Journal, Notice, NoticeDelivery, Penalty
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.facts import CaseFacts
from services.cases import desk, forms, handling, intake, jury, penalties, record
from services.company import accounts, actors, people
from services.notices import channels, deliveries
from services.regulation import policies, publishing
from tests import company, suppliers
from tests.company import Office
from tests.regulations import apart

HOUR = dt.timedelta(hours=1)
PHONE = "13800001111"


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it, with a second regulation and a login for everybody."""
    return suppliers_database


@pytest.fixture
def number(at_work: Any) -> str:
    """The number of a case that was handed over to after-sales two hours ago."""
    with at_work() as office:
        return str(suppliers.case(office.session, now=now() - 2 * HOUR).number)


@pytest.fixture
def visit(log_in: Any) -> Callable[[str], None]:
    """`visit(name)`: the visitor is that person of the company from now on."""

    def visit(name: str) -> None:
        log_in(suppliers.LOGINS[name], username=name)

    return visit


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def case_of(office: Office, number: str) -> Complaint:
    return office.session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()


def facts_of(engine: Engine, number: str) -> CaseFacts:
    with reading(engine) as session:
        return record.facts_of(session, case_of(Office(session), number))


def send(
    client: FlaskClient, csrf: Any, engine: Engine, number: str, path: str, place: str, **typed: Any
) -> Any:
    """Send the form of a deed; the answer."""
    with reading(engine) as session:
        seen = case_of(Office(session), number).version
    data = {f"{place}-{name}": value for name, value in typed.items()}
    return client.post(path, data={"csrf_token": csrf(), f"{place}-seen": str(seen), **data})


# ---------------------------------------------------------------- departments that take part


def involve_sales(office: Office, number: str) -> None:
    said: dict[str, Any] = {"department": "sales", "task": "核对订单"}
    by = office.by("specialist")
    forms.involve(office.session, case_of(office, number), actor=by, now=now() - HOUR, **said)


def test_a_department_that_takes_part_sees_the_case_on_every_page(
    visit: Any, client: FlaskClient, at_work: Any, number: str
) -> None:
    visit("sales_director")
    pages = (f"/admin/complaint/{number}/", f"/c/{number}")
    assert [client.get(page).status_code for page in pages] == [404, 404]
    assert number not in client.get("/admin/").text
    with at_work() as office:
        involve_sales(office, number)
    assert [client.get(page).status_code for page in pages] == [200, 200]
    for page in ("/admin/complaint/", "/admin/", "/c/"):
        assert number in client.get(page).text, page


def test_a_member_of_it_does_what_he_may_and_the_case_waits_for_it_no_longer(
    client: FlaskClient, at_work: Any, number: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        involve_sales(office, number)
        salesman = office.employee("salesman").id
    log_in(Role.member, username="salesman", employee_id=salesman)
    assert number in client.get("/c/").text
    path = f"/c/{number}/deed/progressed"
    assert (
        send(client, csrf, engine, number, path, "progressed", text="订单已核对").status_code == 302
    )
    assert number not in client.get("/c/").text
    assert client.get(f"/c/{number}").status_code == 200


def test_the_penalties_of_a_case_stay_with_the_department_that_answers(
    visit: Any, client: FlaskClient, at_work: Any, number: str
) -> None:
    with at_work() as office:
        involve_sales(office, number)
        penalise(office, number, "mechanic")
    visit("sales_director")
    assert number not in client.get("/admin/penalty/").text
    visit("director")
    assert number in client.get("/admin/penalty/").text


def test_a_login_without_a_person_sees_no_case(
    client: FlaskClient, number: str, log_in: Any
) -> None:
    log_in(Role.member, username="nobody")
    assert client.get(f"/admin/complaint/{number}/").status_code == 404
    assert number not in client.get("/admin/complaint/").text


@pytest.mark.proves("FUE-A2.4")
def test_production_hands_in_its_record_on_a_case_that_quality_leads(
    client: FlaskClient, at_work: Any, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        number, worker = fuel_case(office)
    log_in(Role.member, username="worker", employee_id=worker)
    assert number in client.get("/admin/").text
    assert "原始生产记录" in client.get(f"/c/{number}").text
    key = "filled:production_record"
    typed = {"extra_batch_no": "B0301", "extra_record": "班次记录"}
    path = f"/admin/complaint/{number}/deed/{key}/"
    answer = send(client, csrf, engine, number, path, key.replace(":", "-"), **typed)
    assert answer.status_code == 302
    assert facts_of(engine, number).times_entered("form", "production_record") == 1


def fuel_case(office: Office) -> tuple[str, int]:
    """A complaint about fuel that quality has and production takes part in; a worker's id."""
    session, then = office.session, now() - 2 * HOUR
    said: dict[str, Any] = {"effective_from": dt.date(2026, 1, 1), "now": then}
    version = policies.publish(
        session, apart(read_toml(shipped_path("fuel-supplier")), "F"), **said
    )
    hired = {}
    for key in ("marketing", "quality", "production"):
        department = people.add_department(session, key=key, name=key)
        hired[key] = people.add_employee(
            session, number=f"71-{key}", name=key, department=department
        )
    people.hold_post(session, hired["quality"], "quality_manager", from_on=dt.date(2020, 1, 1))
    clerk = actors.of_employee(hired["marketing"])
    usual: dict[str, Any] = {"actor": clerk, "now": then}
    case = intake.register(
        session,
        version,
        kind="complaint",
        channel="visit",
        category="product",
        subject="柴油含水",
        received_at=then,
        **usual,
    )
    noted = {"complainant": "王先生", "contacts": "13800000000", "product": "0 号柴油"}
    forms.fill(session, case, form="registration", data={**noted, "batch_no": "B0301"}, **usual)
    intake.dispatch(session, case, department="quality", director_only=False, **usual)
    forms.involve(session, case, department="production", task="查原始记录", **usual)
    return case.number, hired["production"].id


# ---------------------------------------------------------------- approvals


def test_an_approval_waits_for_post_after_post(
    visit: Any, client: FlaskClient, at_work: Any, number: str, engine: Engine
) -> None:
    visit("general_manager")
    assert "endorsed" not in deeds_waiting(engine, "general_manager")
    assert "endorsed" in deeds_waiting(engine, "director")
    with at_work() as office:
        said: dict[str, Any] = {"chain": "plan", "agrees": True, "opinion": "可行"}
        case, by = case_of(office, number), office.by("director")
        forms.endorse(office.session, case, actor=by, now=now() - HOUR, **said)
    assert "endorsed" not in deeds_waiting(engine, "director")
    assert "endorsed" in deeds_waiting(engine, "general_manager")
    assert number in client.get("/admin/").text
    assert told(engine, "to_endorse") == [
        ("after_sales_director", "方案审批"),
        ("general_manager", "方案审批"),
    ]


def test_an_approval_that_may_be_begun_any_time_waits_for_nobody_yet(
    at_work: Any, engine: Engine
) -> None:
    with at_work() as office:
        case = office.dispatched()
        said: dict[str, Any] = {"reason": "非我部", "now": company.REPLIED}
        handling.return_order(office.session, case, actor=office.by("director"), **said)
    assert told(engine, "to_endorse") == []
    assert "endorsed" not in deeds_waiting(engine, "director")


def deeds_waiting(engine: Engine, name: str) -> list[str]:
    with reading(engine) as session:
        user = accounts.find_user(session, name)
        assert user is not None
        today = now().astimezone(company.ZONE).date()
        return [one.deed for one in desk.waiting_cases(session, user, now=now(), on=today)]


def told(engine: Engine, kind: str) -> list[tuple[Any, Any]]:
    """Of the notices of a kind the post or the employee they are for, and what they are about."""
    with reading(engine) as session:
        rows = session.scalars(sa.select(Notice).where(Notice.kind == kind).order_by(Notice.id))
        return [
            (one.post or (one.employee.number if one.employee else None), one.facts.get("alert"))
            for one in rows
        ]


def test_what_was_refused_waits_again_only_when_its_form_is_filled_anew(
    at_work: Any, engine: Engine, make_user: Any
) -> None:
    with at_work() as office:
        number, _worker = fuel_case(office)
        manager = quality(office)
        people.hold_post(office.session, manager, "investigator", from_on=dt.date(2020, 1, 1))
        employee_id = manager.id
    make_user(Role.member, username="quality", employee_id=employee_id)
    seen = []
    for deed in ("opinion", "no", "opinion", "yes"):
        with at_work() as office:
            seen.append(waits_for_quality(office))
            judge_fuel(office, number, deed)
    with reading(engine) as session:
        seen.append(waits_for_quality(Office(session)))
    assert seen == [False, True, False, True, False]
    assert told(engine, "to_endorse") == [("quality_manager", "调查意见批复")] * 2


def quality(office: Office) -> Employee:
    found = people.find_employee(office.session, "71-quality")
    assert found is not None
    return found


def judge_fuel(office: Office, number: str, deed: str) -> None:
    case, then = case_of(office, number), now() - HOUR
    said: dict[str, Any] = {"actor": actors.of_employee(quality(office)), "now": then}
    if deed == "opinion":
        data = {"opinion": "quality", "evidence": "油样含水", "advice": "换货"}
        forms.fill(office.session, case, form="investigation_opinion", data=data, **said)
    else:
        agrees = {"agrees": deed == "yes", "opinion": "看过"}
        forms.endorse(office.session, case, chain="investigation", **agrees, **said)


def waits_for_quality(office: Office) -> bool:
    """Whether the home page of the quality manager asks him to approve."""
    user = accounts.find_user(office.session, "quality")
    assert user is not None
    found = desk.waiting_cases(office.session, user, now=now(), on=now().date())
    return "endorsed" in [one.deed for one in found]


def test_what_waits_costs_the_same_few_statements_however_many_cases(
    engine: Engine, at_work: Any, number: str
) -> None:
    def statements() -> int:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        deeds_waiting(engine, "sales_director")
        sa.event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    with at_work() as office:
        involve_sales(office, number)
    few = statements()
    with at_work() as office:
        for _ in range(5):
            more = suppliers.case(office.session, now=now() - 2 * HOUR).number
            involve_sales(office, more)
    assert statements() == few


def test_an_involved_department_is_told_with_its_director(
    at_work: Any, number: str, engine: Engine
) -> None:
    with at_work() as office:
        involve_sales(office, number)
        sales = office.department("sales").id
    with reading(engine) as session:
        notice = session.scalars(sa.select(Notice).where(Notice.kind == "takes_part")).one()
        assert (notice.post, notice.department_id) == ("sales_director", sales)


# ---------------------------------------------------------------- the jury and appeals


def penalise(office: Office, number: str, name: str) -> int:
    """Fine somebody 200 yuan and tell him; the id of the penalty."""
    case, session = case_of(office, number), office.session
    said: dict[str, Any] = {"now": now() - HOUR}
    care = office.by("care_director")
    employee = office.employee(name).number
    penalties.judge(
        session, case, ground="careless", employee=employee, text="失察", actor=care, **said
    )
    (found,) = case.penalties
    penalties.confirm(session, found, actor=care, **said)
    penalties.notify(session, found, how="签收", actor=care, **said)
    return found.id


def test_somebody_appeals_against_a_penalty_of_his_own_while_the_term_runs(
    client: FlaskClient, at_work: Any, number: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        penalty = penalise(office, number, "salesman")
        salesman = office.employee("salesman").id
    log_in(Role.employee, username="salesman", employee_id=salesman)
    page = f"/admin/penalty/{penalty}/"
    assert "deed-appealed" in client.get(page).text
    assert client.get(f"{page}appeal/").status_code == 302
    answer = send(client, csrf, engine, number, f"{page}appeal/", "appealed", text="")
    assert "field-wrong" in answer.text
    answer = send(client, csrf, engine, number, f"{page}appeal/", "appealed", text="当天休假")
    assert answer.status_code == 302
    appeal = facts_of(engine, number).last_entry("appeal", "appeal")
    assert appeal is not None
    assert appeal.data == {"employee": "3002", "text": "当天休假"}
    assert "deed-appealed" not in client.get(page).text
    assert [post for post, about in told(engine, "to_convene") if about == "处罚申诉评议"]


def test_nobody_appeals_against_the_penalty_of_another_or_when_the_term_is_over(
    client: FlaskClient, at_work: Any, number: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        penalty = penalise(office, number, "salesman")
        ids = {name: office.employee(name).id for name in ("salesman", "mechanic")}
    page = f"/admin/penalty/{penalty}/"
    log_in(Role.employee, username="other", employee_id=ids["mechanic"])
    assert client.get(f"{page}appeal/").status_code == 404
    log_in(Role.general_manager, username="boss", employee_id=ids["mechanic"])
    assert "deed-appealed" not in client.get(page).text
    assert client.get(f"{page}appeal/").status_code == 404
    with at_work() as office:
        row = office.session.get_one(Penalty, penalty)
        row.counts_at = now() - HOUR
    log_in(Role.employee, username="salesman", employee_id=ids["salesman"])
    assert "deed-appealed" not in client.get(page).text
    answer = send(client, csrf, engine, number, f"{page}appeal/", "appealed", text="当天休假")
    assert answer.status_code == 200
    assert "当天休假" in answer.text
    assert facts_of(engine, number).times_entered("appeal", "appeal") == 0


@pytest.mark.parametrize(
    ("name", "role", "opens"),
    [("mechanic", Role.member, True), ("colleague", Role.member, False)],
)
def test_a_case_links_to_the_penalties_that_open(
    name: str, role: Role, opens: bool, client: FlaskClient, at_work: Any, number: str, log_in: Any
) -> None:
    with at_work() as office:
        penalty = penalise(office, number, "mechanic")
        employee = office.employee(name).id
    log_in(role, username=name, employee_id=employee)
    page = client.get(f"/admin/complaint/{number}/")
    assert page.status_code == 200
    assert (f"/admin/penalty/{penalty}/" in page.text) is opens
    assert (client.get(f"/admin/penalty/{penalty}/").status_code == 200) is opens


@pytest.mark.parametrize("role", [Role.hr, Role.care])
def test_an_office_enters_the_appeal_of_somebody_without_an_account(
    role: Role, client: FlaskClient, at_work: Any, number: str, log_in: Any, csrf: Any, engine: Any
) -> None:
    with at_work() as office:
        penalty = penalise(office, number, "salesman")
        clerk = office.employee("clerk").id
    log_in(role, username="office", employee_id=clerk)
    page = f"/admin/penalty/{penalty}/"
    assert "deed-appealed" in client.get(page).text
    answer = send(client, csrf, engine, number, f"{page}appeal/", "appealed", text="当天休假")
    assert answer.status_code == 302
    appeal = facts_of(engine, number).last_entry("appeal", "appeal")
    assert appeal is not None
    assert appeal.data["employee"] == "3002"
    with at_work() as office:
        row = office.session.scalars(sa.select(Journal).filter_by(event="appealed")).one()
        assert row.user_id is not None, "who typed it is kept"


def test_too_many_files_in_one_post_are_refused_with_a_word(
    client: FlaskClient, at_work: Any, number: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        care = office.employee("specialist").id
    log_in(Role.care, username="care", employee_id=care)
    photo = b"\x89PNG\r\n\x1a\n" + b"0" * 40
    for count in (MOST_FILES + 1, 300):
        papers = [(io.BytesIO(photo), f"{one}.png") for one in range(count)]
        form = {"csrf_token": csrf(), "papers": papers}
        page = client.post(f"/c/{number}/paper", data=form, follow_redirects=True)
        assert str(count) in page.text
        with at_work() as office:
            assert office.session.scalars(sa.select(Attachment)).all() == []


@pytest.fixture
def seated(at_work: Any, number: str) -> str:
    """The case with an appeal of the salesman, whose jury was convened with the mechanic on it."""
    with at_work() as office:
        penalise(office, number, "salesman")
        case, care = case_of(office, number), office.by("care_director")
        said: dict[str, Any] = {"vote": "appeal", "now": now() - HOUR / 2}
        own = {"employee": "3002", "text": "当天休假", "actor": office.by("salesman")}
        jury.appeal(office.session, case, **own, **said)
        jury.convene(office.session, case, more=["2005"], actor=care, **said)
    return number


def test_a_juror_reads_the_matter_and_votes_and_sees_nothing_else(
    client: FlaskClient, at_work: Any, seated: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        juror = office.employee("mechanic").id
    log_in(Role.juror, username="juror", employee_id=juror)
    for path in (f"/admin/complaint/{seated}/", f"/c/{seated}"):
        assert client.get(path).status_code == 403
    assert f"/admin/jury/{seated}/" in client.get("/admin/").text
    assert seated in client.get("/admin/jury/").text
    page = client.get(f"/admin/jury/{seated}/").text
    for words in ("轴承划伤", "当天休假", "处罚申诉评议", "¥200", "salesman"):
        assert words in page, words
    assert PHONE not in page
    assert "江南机械" not in page
    path = f"/admin/jury/{seated}/appeal/"
    place = "voted-appeal"
    assert "field-wrong" in send(client, csrf, engine, seated, path, place, agrees="yes").text
    answer = send(client, csrf, engine, seated, path, place, agrees="yes", reason="证据不足")
    assert answer.status_code == 302
    ballot = facts_of(engine, seated).last_entry("ballot", "appeal")
    assert ballot is not None
    assert (ballot.employee, ballot.data["agrees"]) == ("2005", True)
    assert seated not in client.get("/admin/").text
    assert "证据不足" not in client.get(f"/admin/jury/{seated}/").text


def test_nothing_waits_for_a_juror_that_he_may_not_open(
    client: FlaskClient, at_work: Any, seated: str, log_in: Any
) -> None:
    with at_work() as office:
        director = office.employee("director").id
    log_in(Role.juror, username="juror", employee_id=director)
    assert seated not in client.get("/admin/").text


def test_who_sits_on_no_jury_has_no_matter(
    client: FlaskClient, at_work: Any, seated: str, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        stranger = office.employee("colleague").id
    for name, employee_id in (("juror", stranger), ("nobody", None)):
        log_in(Role.juror, username=name, employee_id=employee_id)
        assert seated not in client.get("/admin/jury/").text
        assert client.get(f"/admin/jury/{seated}/").status_code == 404
        path = f"/admin/jury/{seated}/appeal/"
        answer = send(client, csrf, engine, seated, path, "voted-appeal", agrees="yes", reason="x")
        assert answer.status_code == 404


def test_every_juror_is_told_by_mail_alone(at_work: Any, seated: str, engine: Engine) -> None:
    assert {who for who, _about in told(engine, "to_vote")} == {"9001", "3001", "1002", "2005"}
    with at_work() as office:
        for name in ("mechanic", "general_manager"):
            office.employee(name).email = f"{name}@redress.example"
        said: dict[str, Any] = {"name": "群", "address": "json://127.0.0.1/x", "department": None}
        channels.add_channel(office.session, **said)
        deliveries.make_deliveries(office.session, now=now(), on=now().date(), mails=True)
    with reading(engine) as session:
        of_jury = sa.select(NoticeDelivery.way).join(NoticeDelivery.notice)
        ways = session.scalars(of_jury.where(Notice.kind == "to_vote")).all()
        assert len(ways) == 2
        assert all(way.startswith("mail:") for way in ways)


# ---------------------------------------------------------------- a version that was withdrawn


def test_the_open_cases_of_a_withdrawn_version_go_on_waiting(
    visit: Any, client: FlaskClient, at_work: Any, number: str
) -> None:
    with at_work() as office:
        version = suppliers.in_force(office.session)
        said: dict[str, Any] = {"reason": "停用", "now": now()}
        publishing.withdraw(office.session, version, actor=office.administrator, **said)
    for name in ("director", "specialist"):
        visit(name)
        assert number in client.get("/admin/complaint/").text
    visit("director")
    assert number in client.get("/c/").text
    assert number in client.get("/admin/").text
