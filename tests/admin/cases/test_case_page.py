"""The page of a case with everything a regulation can declare: offered, filled, shown, refused."""

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
from sqlalchemy.orm import Session

from database import reading
from models import CompanyText, Complaint, Employee, Penalty
from policy.vocabulary.facts import CaseFacts
from services.cases import journal, record
from tests import company, suppliers
from tests.company import Office

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
Deed = Callable[..., str]


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it, with a second regulation and a login for everybody."""
    return suppliers_database


@pytest.fixture
def number(at_work: Any) -> str:
    """The number of a case that was handed over an hour ago."""
    now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    with at_work() as office:
        return str(suppliers.case(office.session, now=now).number)


@pytest.fixture
def visit(client: FlaskClient, log_in: Any, engine: Engine) -> Callable[[str], None]:
    """`visit(name)`: the visitor is that person of the company from now on."""

    def visit(name: str) -> None:
        log_in(suppliers.LOGINS[name], username=name)

    return visit


@pytest.fixture
def do(client: FlaskClient, csrf: Any, engine: Engine, number: str) -> Deed:
    """`do(key, **fields)`: send the form of a deed on the case; the page that comes back."""

    def do(key: str, /, **fields: Any) -> str:
        place = key.replace(":", "-")
        with reading(engine) as session:
            seen = _find(session, number).version
        files = {name: value for name, value in fields.items() if name == "papers"}
        data = {f"{place}-{name}": v for name, v in fields.items() if name != "papers"}
        answer = client.post(
            f"/admin/complaint/{number}/deed/{key}/",
            data={"csrf_token": csrf(), f"{place}-seen": str(seen), **data, **files},
            follow_redirects=True,
        )
        assert answer.status_code == 200
        return str(answer.text)

    return do


def _find(session: Session, number: str) -> Complaint:
    return session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()


@pytest.fixture
def facts(engine: Engine, number: str) -> Callable[[], CaseFacts]:
    """`facts()`: the case as it stands, which its journal must make again."""

    def facts() -> CaseFacts:
        with reading(engine) as session:
            complaint = _find(session, number)
            found = record.facts_of(session, complaint)
            assert journal.fold_journal(session, complaint) == found
            return found

    return facts


def employee(engine: Engine, name: str) -> Employee:
    with reading(engine) as session:
        return Office(session).employee(name)


SURVEY = {
    "extra_cause": "料架磨损",
    "extra_place": "一号库",
    "extra_pieces": "12",
    "extra_loss": "¥1,250.5",
    "extra_rate": "3.5",
    "extra_seen_on": "2026-09-28",
    "extra_arrived": "2026-09-28T09:30",
    "extra_stopped": "no",
    "extra_defect": "scratch",
    "extra_tools": ["gauge", "scope"],
    "extra_contact": "010-1234",
    "extra_surveyor-words": "2005",
}

# ---------------------------------------------------------------- forms


def test_a_form_of_the_regulation_is_filled_with_every_shape_of_field(
    visit: Any, do: Deed, facts: Any, number: str
) -> None:
    visit("mechanic")
    page = do("filled:survey", **SURVEY, extra_related=number)
    (filed,) = [one for one in facts().entries if one.section == "form"]
    assert filed.data == {
        "cause": "料架磨损",
        "place": "一号库",
        "pieces": 12,
        "loss": "1250.5",
        "rate": "3.5",
        "seen_on": "2026-09-28",
        "arrived": "2026-09-28T01:30:00+00:00",
        "stopped": False,
        "defect": "scratch",
        "tools": ["gauge", "scope"],
        "contact": "010-1234",
        "surveyor": "2005",
        "related": number,
    }
    assert filed.employee == "2005"
    for words in ("已填 1 次", "¥1,250.50", "3.5 %", "2026-09-28 09:30", "划伤", "卡尺、显微镜"):
        assert words in page
    assert facts().deadline_of("survey").met_at is not None


def test_beside_a_field_called_like_an_indicator_stands_what_it_came_to_the_month_before(
    visit: Any, client: FlaskClient, number: str, at_work: Any
) -> None:
    with at_work() as office:
        received = _find(office.session, number).received_at.astimezone(company.ZONE)
        before = received.replace(day=1, hour=12) - dt.timedelta(days=1)
        suppliers.case(office.session, now=before.astimezone(dt.UTC))
    visit("mechanic")
    for page in (f"/admin/complaint/{number}/", f"/c/{number}"):
        told = f"{before:%Y-%m}：0.0 %；after_sales department：0.0 %"
        assert told in client.get(page).text


def test_a_form_can_be_filled_again_and_what_stood_before_stays(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("mechanic")
    do("filled:survey", **SURVEY)
    page = do("filled:survey", **SURVEY | {"extra_cause": "另有原因"})
    assert "已填 2 次" in page
    assert "料架磨损" in page
    assert "另有原因" in page
    assert facts().times_entered("form", "survey") == 2


def test_a_refused_form_comes_back_with_all_that_was_typed(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("mechanic")
    page = do("filled:survey", **SURVEY | {"extra_pieces": "很多", "extra_stopped": ""})
    assert "field-wrong" in page
    for typed in ("料架磨损", "一号库", "很多", "1,250.5", "2026-09-28T09:30", "010-1234"):
        assert typed in page
    assert facts().times_entered("form", "survey") == 0


def test_a_case_that_does_not_exist_is_named_and_what_was_typed_stays(
    visit: Any, do: Deed, facts: Any, number: str
) -> None:
    visit("mechanic")
    page = do("filled:survey", **SURVEY, extra_related=f"{number}、GH9999990001")
    assert "“GH9999990001”不能用作“相关案件”" in page
    for typed in ("料架磨损", "1,250.5", f"{number}、GH9999990001"):
        assert typed in page
    assert facts().times_entered("form", "survey") == 0


def test_a_form_that_does_not_apply_is_refused_with_its_clause(visit: Any, do: Deed) -> None:
    visit("mechanic")
    page = do("filled:remedy", extra_plan="换料架")
    assert "G-4" in page
    assert "换料架" in page


def test_a_form_of_another_regulation_does_not_exist(
    visit: Any, client: FlaskClient, number: str
) -> None:
    visit("mechanic")
    for key in ("filled:suggestion", "filled", "checked:evidence", "checked:evidence:none", "x"):
        assert client.get(f"/admin/complaint/{number}/deed/{key}/").status_code == 404


# ---------------------------------------------------------------- evidence, approvals, reports


def test_evidence_that_wants_a_photo_is_refused_without_and_keeps_its_words(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("mechanic")
    page = do("checked:evidence:sample", evidence="样件一只")
    assert "样件一只" in page
    assert "field-wrong" in page
    assert facts().times_entered("checklist", "evidence") == 0


def test_evidence_is_ticked_off_with_a_photo_that_comes_along(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("mechanic")
    page = do(
        "checked:evidence:sample", evidence="样件一只", papers=(io.BytesIO(PNG), "sample.png")
    )
    assert "样件一只" in page
    page = do("checked:evidence:report", evidence="报告 77 号")
    assert facts().last_entry("checklist", "evidence").data["complete"] == "true"
    assert "deed-checked-evidence-report" not in page


def test_an_approval_goes_from_post_to_post(visit: Any, do: Deed, facts: Any) -> None:
    visit("general_manager")
    page = do("endorsed:plan", agrees="yes", opinion="先批了")
    assert "先批了" in page
    assert "售后总监" in page
    assert facts().times_entered("chain", "plan") == 0
    visit("director")
    do("endorsed:plan", agrees="yes", opinion="可行")
    visit("general_manager")
    page = do("endorsed:plan", agrees="yes", opinion="同意")
    assert facts().last_entry("chain", "plan").data["standing"] == "approved"
    assert "已批准" in page
    assert "可行" in page


def test_the_addressee_of_a_report_is_the_authority_of_the_day(
    visit: Any, do: Deed, facts: Any, at_work: Any, client: FlaskClient, number: str
) -> None:
    with at_work() as office:
        policy_id = suppliers.in_force(office.session).policy_id
        for day, words in ((dt.date(2026, 1, 1), "旧局"), (dt.date(2026, 2, 1), "浦东市监局")):
            office.session.add(
                CompanyText(
                    policy_id=policy_id,
                    section="authority",
                    key="authority",
                    from_on=day,
                    text=words,
                )
            )
    visit("specialist")
    assert 'value="浦东市监局"' in client.get(f"/admin/complaint/{number}/").text
    page = do("reported:authority", way="letter", addressee="浦东市监局", text="停线一次")
    assert "停线一次" in page, "it wants a proof"
    page = do("reported:authority", way="letter", addressee="浦东市监局", proof="回执 9")
    assert facts().last_entry("report_out", "authority").data["proof"] == "回执 9"
    assert "已报 1 次" in page


def test_a_matter_goes_up_its_ladder_and_no_further(visit: Any, do: Deed, facts: Any) -> None:
    visit("mechanic")
    do("escalated:urgent", reason="停线")
    page = do("escalated:urgent", reason="仍停线")
    assert facts().times_entered("ladder", "urgent") == 2
    assert "deed-escalated-urgent" not in page


# ---------------------------------------------------------------- promises, findings, claims


def test_a_promise_above_ones_authority_is_refused_and_stays_typed(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("mechanic")
    page = do("promised", text="赔付运费", amount="500")
    assert "赔付运费" in page
    assert "G-4" in page
    assert facts().times_entered("promise", "promise") == 0
    visit("director")
    assert "¥500" in do("promised", text="赔付运费", amount="500")


@pytest.mark.parametrize("sum_", ["9" * 60, "0.001", "-5", "NaN", "1e40"])
def test_what_is_no_sum_is_said_at_its_field(visit: Any, do: Deed, facts: Any, sum_: str) -> None:
    visit("director")
    page = do("promised", text="赔付运费", amount=sum_)
    assert "field-wrong" in page
    assert sum_ in page
    assert facts().times_entered("promise", "promise") == 0


def test_the_words_for_the_phone_stand_beside_the_step_they_belong_to(
    visit: Any, client: FlaskClient, number: str, at_work: Any
) -> None:
    visit("specialist")
    assert "已经登记，我们会在一个工作日内交办" in client.get(f"/admin/complaint/{number}/").text
    with at_work() as office:
        policy_id = suppliers.in_force(office.session).policy_id
        said = {"section": "script", "key": "receipt", "text": "您的问题已受理。"}
        office.session.add(CompanyText(policy_id=policy_id, from_on=dt.date(2026, 1, 1), **said))
    page = client.get(f"/admin/complaint/{number}/").text
    assert "您的问题已受理。" in page
    assert "已经登记，我们会在一个工作日内交办" not in page


def test_the_words_for_the_phone_stand_on_the_page_for_a_thumb_too(
    visit: Any, client: FlaskClient, number: str
) -> None:
    visit("specialist")
    assert "已经登记，我们会在一个工作日内交办" in client.get(f"/c/{number}").text


@pytest.mark.parametrize("page", ["/admin/complaint/{}/deed/{}/", "/c/{}/deed/{}"])
def test_a_callback_says_on_which_way_it_was_made(
    visit: Any, client: FlaskClient, csrf: Any, at_work: Any, engine: Engine, page: str
) -> None:
    with at_work() as office:
        number = str(office.confirmed().number)
    visit("specialist")
    shown = client.get(page.format(number, "called_back"), follow_redirects=True).text
    assert "问卷" in shown[shown.index('name="called_back-method"') :]
    with reading(engine) as session:
        seen = str(_find(session, number).version)
    said = {"purpose": "verification", "outcome": "answered", "satisfaction": "satisfied"}
    said |= {"method": "questionnaire", "matches_form": "yes", "seen": seen}
    data = {f"called_back-{name}": value for name, value in said.items()}
    client.post(page.format(number, "called_back"), data=data | {"csrf_token": csrf()})
    with reading(engine) as session:
        assert [call.method for call in _find(session, number).callbacks] == ["questionnaire"]


def test_a_finding_names_the_persons_concerned_and_opens_what_depends_on_it(
    visit: Any, do: Deed, facts: Any, client: FlaskClient, number: str
) -> None:
    visit("care_director")
    page = do("verified", finding="ours", text="料架磨损", **{"concerned-0-words": "2005"})
    assert (facts().valid, facts().concerned) == (True, ("2005",))
    assert "整改方案" in page
    assert "属我方责任" in page


def test_somebody_who_is_not_of_the_company_is_not_concerned(
    visit: Any, do: Deed, facts: Any
) -> None:
    visit("care_director")
    page = do("verified", finding="ours", text="料架磨损", **{"concerned-0-words": "谁也不是"})
    assert "谁也不是" in page
    assert facts().finding is None


def test_what_the_company_owes_a_customer_is_shown_with_its_clause(
    visit: Any, client: FlaskClient, at_work: Any, number: str
) -> None:
    now = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)
    with at_work() as office:
        second = suppliers.case(office.session, now=now).number
    visit("specialist")
    page = client.get(f"/admin/complaint/{second}/").text
    assert "应赔客户" in page
    assert "¥80" in page


def test_the_department_a_case_is_meant_for_is_chosen_already(
    visit: Any, client: FlaskClient, at_work: Any
) -> None:
    now = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)
    with at_work() as office:
        number = suppliers.case(office.session, now=now, hand_over=False).number
    visit("specialist")
    page = client.get(f"/admin/complaint/{number}/").text
    assert '<option selected value="after_sales">' in page
    assert "此类案件由该岗位接收：售后总监" in page


# ---------------------------------------------------------------- penalties, rewards, the jury


def test_a_ground_brings_its_sanctions_to_everybody_it_was_found_against(
    visit: Any, do: Deed, engine: Engine, client: FlaskClient, number: str
) -> None:
    visit("care_director")
    fields = {"employee-words": "2005", "together-0-words": "2006"}
    page = do("judged", ground="careless", text="未到现场", **fields)
    assert page.count("通报批评") >= 2
    with reading(engine) as session:
        rows = session.scalars(sa.select(Penalty).order_by(Penalty.employee_id)).all()
        assert [(p.employee.number, p.sanctions) for p in rows] == [
            ("2005", ["criticism"]),
            ("2006", ["criticism"]),
        ]
        ids = [p.id for p in rows]
    for path in ("/admin/penalty/", f"/admin/penalty/{ids[0]}/", "/admin/penalty/export/csv/"):
        assert "通报批评" in client.get(path).text, path
    assert "通报批评" in client.get("/admin/month/").text


def test_a_reward_is_found_like_a_penalty_and_called_by_its_name(
    visit: Any, do: Deed, engine: Engine
) -> None:
    visit("care_director")
    page = do("judged", ground="found_early", text="及时", **{"employee-words": "2005"})
    assert "及时发现" in page
    with reading(engine) as session:
        assert session.scalars(sa.select(Penalty.sign)).one().value == "reward"


def test_a_sum_left_to_whoever_decides_must_be_said(visit: Any, do: Deed, engine: Engine) -> None:
    visit("care_director")
    page = do("judged", ground="grave", text="多次", **{"employee-words": "2005"})
    assert "多次" in page
    assert "field-wrong" in page
    page = do("judged", ground="grave", text="多次", amount="650", **{"employee-words": "2005"})
    assert "¥650" in page


def test_an_appeal_is_heard_by_a_jury_without_whoever_is_concerned(
    visit: Any, do: Deed, facts: Any, at_work: Any, number: str
) -> None:
    visit("care_director")
    do("verified", finding="ours", text="失察", **{"concerned-0-words": "3001"})
    do("judged", ground="careless", text="失察", **{"employee-words": "3001"})
    page = do("appealed:appeal", text="不属我部", **{"employee-words": "3001"})
    assert "deed-convened-appeal" in page
    assert "sales_director" in page, "the form says who would be kept out"
    page = do("convened:appeal")
    assert facts().last_entry("vote", "appeal").data["recused"] == ["3001"]
    assert "回避" in page
    do("voted:appeal", agrees="yes", reason="证据不足")
    page = do("ruled:appeal", minutes="一票赞成")
    assert "一票赞成" in page, "a missing vote could still change it"
    visit("general_manager")
    do("voted:appeal", agrees="yes", reason="同意")
    visit("care_director")
    page = do("ruled:appeal", minutes="两票赞成")
    assert facts().last_entry("ruling", "appeal").data["standing"] == "agreed"
    assert facts().struck
    assert "两票赞成" in page


# ---------------------------------------------------------------- on a phone, and amended


def test_the_page_for_a_thumb_fills_the_same_forms(
    visit: Any, client: FlaskClient, csrf: Any, number: str, facts: Any
) -> None:
    visit("mechanic")
    assert "查验记录" in client.get(f"/c/{number}").text
    data = {f"filled-survey-{name}": value for name, value in SURVEY.items()}
    data["filled-survey-seen"] = str(_version(facts))
    answer = client.post(f"/c/{number}/deed/filled:survey", data=data | {"csrf_token": csrf()})
    assert answer.status_code == 302
    assert facts().times_entered("form", "survey") == 1


def _version(facts: Any) -> int:
    return 2 if facts() else 0


def test_a_filled_form_is_corrected_field_by_field(
    visit: Any, do: Deed, facts: Any, client: FlaskClient, csrf: Any, number: str
) -> None:
    visit("mechanic")
    do("filled:survey", **SURVEY)
    visit("care_director")
    path = f"/admin/complaint/{number}/amend/3/"
    page = client.get(path).text
    assert "料架磨损" in page
    data = {
        k.removesuffix("-words") + ("-words" if k.endswith("-words") else ""): v
        for k, v in SURVEY.items()
    }
    data |= {"extra_cause": "吊具磨损", "why": "写错了", "seen": "3", "do": "correct"}
    answer = client.post(path, data=data | {"csrf_token": csrf()}, follow_redirects=True)
    assert "吊具磨损" in answer.text
    assert facts().last_entry("form", "survey").data["cause"] == "吊具磨损"
    assert facts().last_entry("form", "survey").data["pieces"] == 12
