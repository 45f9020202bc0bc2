"""The pages of drafts: an administrator who writes no code changes a regulation or writes one."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from admin.regulation.numbers import value_slot
from admin.regulation.shape_fields import FIELDS_OF, form_of
from database import reading, writing
from enums import Role
from models import Department, PolicyChange, PolicyRule, PolicyVersion, User
from policy.pack.loading import PACKS, build_pack, parse_toml, read_toml, shipped_path
from policy.pack.schema import SECTIONS
from policy.pack.slots import Slot, parameter_shapes, slots_of
from policy.proof import laws
from services.calendar import working_calendar
from services.company import actors, people
from services.regulation import draft_checks, drafts, policies
from tests.company import regulation
from wording.rule_choices import RuleChoices

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def version_id(engine: Engine) -> int:
    """The regulation in force."""
    with writing(engine) as session:
        day = NOW.date() - dt.timedelta(days=30)
        return policies.publish(session, regulation(), effective_from=day, now=NOW).id


@pytest.fixture
def administrator(log_in: Callable[..., str], client: FlaskClient) -> FlaskClient:
    """The visitor, an administrator."""
    log_in(Role.administrator)
    return client


@pytest.fixture
def draft_id(engine: Engine, version_id: int, administrator: FlaskClient) -> int:
    """A draft of it, begun by the administrator."""
    with writing(engine) as session:
        user = session.scalars(sa.select(User).where(User.role == Role.administrator)).one()
        version = session.get_one(PolicyVersion, version_id)
        return drafts.begin_from(session, version, actor=actors.of_user(user), now=NOW).id


@pytest.fixture
def send(csrf: Callable[..., str]) -> Callable[..., Any]:
    """`send(visitor, address, **typed)`: the form of a page, as it stands but for what is typed."""

    def send(visitor: FlaskClient, address: str, /, **typed: Any) -> Any:
        page = visitor.get(address).get_data(as_text=True)
        stale = typed.pop("seen", None)
        form = stands(page) | {name: str(value) for name, value in typed.items()}
        form |= {"csrf_token": csrf(visitor)} | ({"seen": stale} if stale else {})
        return visitor.post(address, data=form)

    return send


def stands(page: str) -> dict[str, Any]:
    """What the inputs of a page would send as they stand."""
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if told.get("type") == "checkbox" and " checked" not in tag:
            continue
        if "name" in told:
            found.setdefault(told["name"], told.get("value", ""))
    for name, body in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected', body)
        found[name] = chosen[0] if chosen else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.S):
        found[name] = text
    return found


def staffed(session: Session) -> Department:
    """The departments the regulation names; the one of them everybody works in."""
    for entry in regulation()["department"]:
        department = people.add_department(session, key=entry["key"], name=entry["label"])
    return department


def rule_id(engine: Engine, draft_id: int, section: str, key: str) -> int:
    with reading(engine) as session:
        found = sa.select(PolicyRule.id).where(
            PolicyRule.policy_version_id == draft_id,
            PolicyRule.section == section,
            PolicyRule.key == key,
        )
        return session.scalars(found).one()


def entry(engine: Engine, draft_id: int, section: str, key: str) -> dict[str, Any]:
    with reading(engine) as session:
        return session.get_one(PolicyRule, rule_id(engine, draft_id, section, key)).data


# ---------------------------------------------------------------- the table of numbers


def test_every_term_sum_and_count_stands_in_one_table_with_its_clause(
    administrator: FlaskClient, draft_id: int
) -> None:
    page = administrator.get(f"/admin/draft/{draft_id}/numbers").get_data(as_text=True)
    pack = build_pack(regulation())
    for penalty in pack.penalty:
        assert penalty.label in page
    for words in (
        "逾期未关闭或提报",
        "SKD-3.2.2b",
        "¥200",
        "A 类关闭",
        "3 个工作日",
        "工资月截止日",
    ):
        assert words in page


def test_a_number_is_changed_in_place_and_everything_else_stays(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    term = rule_id(engine, draft_id, "deadline", "close_a")
    typed = {f"n{late}-amount": "¥1,250.50", f"n{term}-within-amount": "２"}
    answer = send(administrator, f"/admin/draft/{draft_id}/numbers", **typed)
    assert answer.status_code == 302
    assert entry(engine, draft_id, "penalty", "late_close")["amount"] == "1250.50"
    within = entry(engine, draft_id, "deadline", "close_a")["within"]
    assert within == {"amount": 2, "unit": "working_day"}
    with reading(engine) as session:
        assert len(session.scalars(sa.select(PolicyChange)).all()) == 2
    page = administrator.get(f"/admin/draft/{draft_id}/numbers").get_data(as_text=True)
    assert page.count("number-changed") == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [("zwei", "不是数字"), ("-5", "大于零"), ("0", "大于零"), ("1.234", "两位小数")],
)
def test_what_is_no_sum_is_said_at_its_place_and_comes_back_as_typed(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any, typed: str, words: str
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    term = rule_id(engine, draft_id, "deadline", "close_a")
    said = {f"n{late}-amount": typed, f"n{term}-within-amount": "4"}
    page = send(administrator, f"/admin/draft/{draft_id}/numbers", **said).get_data(as_text=True)
    assert words in page
    assert f'value="{typed}"' in page
    assert stands(page)[f"n{term}-within-amount"] == "4"
    assert entry(engine, draft_id, "penalty", "late_close")["amount"] == 200


def test_a_form_that_is_out_of_date_is_refused_once_and_keeps_what_was_typed(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    address = f"/admin/draft/{draft_id}/numbers"
    old = stands(administrator.get(address).get_data(as_text=True))["seen"]
    send(administrator, address, **{f"n{late}-amount": "250"})
    refused = send(administrator, address, seen=old, **{f"n{late}-amount": "300"})
    page = refused.get_data(as_text=True)
    assert "您输入的内容已保留在下方" in page
    assert stands(page)[f"n{late}-amount"] == "300"
    assert stands(page)["seen"] != old
    assert entry(engine, draft_id, "penalty", "late_close")["amount"] == 250


def test_of_two_authors_each_writes_what_they_touched(
    administrator: FlaskClient, draft_id: int, engine: Engine, csrf: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    term = rule_id(engine, draft_id, "deadline", "close_a")
    address = f"/admin/draft/{draft_id}/numbers"
    opened = administrator.get(address).get_data(as_text=True)

    def save(page: str, **typed: str) -> str:
        form = {name: html.unescape(value) for name, value in stands(page).items()}
        data = form | {"csrf_token": csrf(administrator)} | typed
        answer = administrator.post(address, data=data, follow_redirects=True)
        return str(answer.get_data(as_text=True))

    save(opened, **{f"n{late}-amount": "250"})
    refused = save(opened, **{f"n{term}-within-amount": "4"})
    assert "您输入的内容已保留在下方" in refused
    assert stands(refused)[f"n{late}-amount"] == "250", "what the other wrote is shown"
    assert stands(refused)[f"n{term}-within-amount"] == "4"
    save(refused)
    assert entry(engine, draft_id, "penalty", "late_close")["amount"] == 250
    assert entry(engine, draft_id, "deadline", "close_a")["within"]["amount"] == 4


def test_what_two_authors_typed_into_one_field_stands_side_by_side(
    administrator: FlaskClient, draft_id: int, engine: Engine, csrf: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    address = f"/admin/draft/{draft_id}/rules/{late}"
    opened = administrator.get(address).get_data(as_text=True)
    form = {name: html.unescape(value) for name, value in stands(opened).items()}
    data = form | {"csrf_token": csrf(administrator)}
    administrator.post(address, data=data | {"amount": "250"})
    refused = administrator.post(address, data=data | {"amount": "300"}).get_data(as_text=True)
    assert stands(refused)["amount"] == "300"
    assert "已存" in refused or "250" in refused
    assert entry(engine, draft_id, "penalty", "late_close")["amount"] == 250


# ---------------------------------------------------------------- choices


def test_an_empty_choice_stands_first_and_is_marked(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    term = rule_id(engine, draft_id, "parameter", "wage_month_ends_on")
    address = f"/admin/draft/{draft_id}/choices"
    assert send(administrator, address, **{f"n{term}-value": ""}).status_code == 302
    assert "value" not in entry(engine, draft_id, "parameter", "wage_month_ends_on")
    page = administrator.get(address).get_data(as_text=True)
    assert page.index("choice-wage_month_ends_on") < page.index("choice-handover_limit")
    assert page.count("待确定") == 1
    check = administrator.get(f"/admin/draft/{draft_id}/check").get_data(as_text=True)
    assert "“工资月截止日”尚未确定" in check
    assert send(administrator, address, **{f"n{term}-value": "20"}).status_code == 302
    assert entry(engine, draft_id, "parameter", "wage_month_ends_on")["value"] == 20


# ---------------------------------------------------------------- entries


@pytest.mark.parametrize("key", sorted(path.stem for path in PACKS.glob("*.toml")))
def test_every_entry_of_the_regulation_comes_through_its_form_unchanged(key: str) -> None:
    data = read_toml(shipped_path(key))
    rule_choices = RuleChoices(data)
    for section in ("policy", *SECTIONS):
        listed = data.get(section, ())
        for one in [listed] if section == "policy" else listed:
            _comes_through(one, section, rule_choices)


def _comes_through(one: dict[str, Any], section: str, rule_choices: RuleChoices) -> None:
    """Assert that an entry shown in its form and sent back as it stands is the same entry."""
    slots = {s.name: s for s in slots_of(section) if section != "parameter"}
    form = form_of(slots, rule_choices)(None, data=one)
    again = form_of(slots, rule_choices)(_typed(form), data=one)
    assert again.validate(), (section, one["key"], again.errors)
    said = {f.short_name: f.data for f in again if f.data is not None}
    wanted = {n: v for n, v in one.items() if n in slots and v != slots[n].default}
    assert policies.as_json(said) == policies.as_json(wanted), (section, one["key"])


def _typed(form: Any) -> Any:
    """The form as a browser would send it back."""
    sent: list[tuple[str, str]] = []
    for field in form:
        for part, value in field.raw.items():
            if part == "rows":
                for number, row in enumerate(value):
                    sent += [(f"{field.name}-{number}-{name}", text) for name, text in row.items()]
            elif isinstance(value, list):
                sent += [(field.name, one) for one in value]
            else:
                sent.append((field.part(part), value))
    return MultiDict(sent)


def test_a_choice_of_the_company_between_yes_and_no_may_be_no() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    entry = {"key": "call_before_rest", "value": True}
    slots = {"value": value_slot(entry, parameter_shapes(data))}
    form = form_of(slots, RuleChoices(data))
    field: Any = form(None, data=entry)["value"]
    assert field.raw[""] == "yes"
    assert form(MultiDict([("value-from", "")]), data=entry)["value"].data is False


def test_every_shape_of_every_section_has_a_field() -> None:
    def shapes(slots: tuple[Slot, ...]) -> set[str]:
        return {one.shape for one in slots} | {s for one in slots for s in shapes(one.inner)}

    found = {shape for section in ("policy", *SECTIONS) for shape in shapes(slots_of(section))}
    assert found <= set(FIELDS_OF)


def test_a_rule_is_added_with_its_condition_in_words(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    said = {
        "key": "price_reply",
        "label": "价格类答复",
        "cite": "SKD-4.2.1",
        "starts_on": "dispatched",
        "met_by": "confirmed",
        "within-amount": "1",
        "within-unit": "working_day",
        "applies-0-field": "category",
        "applies-0-op": "in",
        "applies-0-value": "产品质量、配件",
        "applies-1-field": "mileage",
        "applies-1-op": "at_least",
        "applies-1-value": "10,000",
    }
    assert send(administrator, f"/admin/draft/{draft_id}/add/deadline", **said).status_code == 302
    added = entry(engine, draft_id, "deadline", "price_reply")
    assert added["applies"] == [
        {"field": "category", "in": ["quality", "parts"]},
        {"field": "mileage", "at_least": 10_000},
    ]
    assert added["within"] == {"amount": 1, "unit": "working_day"}
    assert "judged_by" not in added


def test_a_form_with_fields_of_its_own_is_added(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    said = {
        "key": "visit",
        "label": "走访记录",
        "cite": "SKD-4.2.1",
        "fields-0-key": "result",
        "fields-0-label": "走访结果",
        "fields-0-shape": "choice",
        "fields-0-choices": "good = 满意\nbad = 不满意",
        "fields-0-required": "yes",
    }
    assert send(administrator, f"/admin/draft/{draft_id}/add/form", **said).status_code == 302
    (field,) = entry(engine, draft_id, "form", "visit")["fields"]
    assert field["choices"] == [{"key": "good", "label": "满意"}, {"key": "bad", "label": "不满意"}]
    assert field["required"] is True


def test_a_condition_that_cannot_be_read_is_said_and_comes_back(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    close = rule_id(engine, draft_id, "deadline", "on_site")
    address = f"/admin/draft/{draft_id}/rules/{close}"
    typed = {"applies-1-value": "也许"}
    page = send(administrator, address, **typed).get_data(as_text=True)
    assert "只能填“是”或“否”" in page
    assert stands(page)["applies-1-value"] == "也许"


def test_entries_move_and_leave(
    administrator: FlaskClient, draft_id: int, engine: Engine, csrf: Any
) -> None:
    def act(deed: str, key: str) -> None:
        page = administrator.get(f"/admin/draft/{draft_id}/rules?section=category")
        seen = stands(page.get_data(as_text=True))["seen"]
        where = rule_id(engine, draft_id, "category", key)
        data = {"deed": deed, "seen": seen, "csrf_token": csrf()}
        administrator.post(f"/admin/draft/{draft_id}/arrange/{where}", data=data)

    act("down", "service")
    act("remove", "parts")
    with reading(engine) as session:
        draft = session.get_one(PolicyVersion, draft_id)
        found = policies.plain_data(session, draft)["category"]
    assert [one["key"] for one in found][:3] == ["technical", "service", "quality"]
    assert "parts" not in [one["key"] for one in found]


def test_what_the_schema_does_not_know_is_shown_and_can_be_taken_out(
    administrator: FlaskClient, draft_id: int, engine: Engine, send: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    with writing(engine) as session:
        draft = session.get_one(PolicyVersion, draft_id)
        user = session.scalars(sa.select(User)).first()
        assert user is not None
        rule = drafts.find_rule(session, draft, late)
        data = {**rule.data, "colour": "red"}
        drafts.change_entries(session, draft, {late: data}, actor=actors.of_user(user), now=NOW)
    address = f"/admin/draft/{draft_id}/rules/{late}"
    assert "colour" in administrator.get(address).get_data(as_text=True)
    send(administrator, address, label="逾期")
    assert entry(engine, draft_id, "penalty", "late_close")["colour"] == "red"
    send(administrator, address, **{"remove-colour": "yes"})
    assert "colour" not in entry(engine, draft_id, "penalty", "late_close")


# ---------------------------------------------------------------- beginning, files, comparing


def test_a_draft_is_begun_in_every_way(
    administrator: FlaskClient, version_id: int, engine: Engine, send: Any
) -> None:
    file = administrator.get(f"/admin/policy/{version_id}/file").get_data()
    assert parse_toml(file, file="x.toml")["policy"]["key"] == "skoda-dealer"
    for typed in (
        {"way": f"version:{version_id}"},
        {"way": "shipped:skoda-dealer"},
        {"way": "empty", "key": "warranty", "label": "三包处理制度"},
    ):
        assert send(administrator, "/admin/draft/", **typed).status_code == 302
    page = administrator.get("/admin/draft/").get_data(as_text=True)
    data = {"way": "file", "file": (io.BytesIO(file), "x.toml"), "csrf_token": ""}
    data["csrf_token"] = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    assert administrator.post("/admin/draft/", data=data).status_code == 302
    with reading(engine) as session:
        found = session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.id)).all()
        assert [(v.policy.key, v.number, v.status) for v in found[1:]] == [
            ("skoda-dealer", 2, "draft"),
            ("skoda-dealer", 3, "draft"),
            ("warranty", 1, "draft"),
            ("skoda-dealer", 4, "draft"),
        ]


@pytest.mark.parametrize(
    "typed",
    [
        {"way": "empty", "key": "a b", "label": "三包处理制度"},
        {"way": "empty", "key": "warranty", "label": ""},
        {"way": "empty", "key": "skoda-dealer", "label": "三包处理制度"},
        {"way": "version:77"},
        {"way": "shipped:../x", "label": "三包处理制度"},
        {"way": "file"},
    ],
)
def test_a_draft_that_cannot_be_begun_says_why_and_keeps_what_was_typed(
    administrator: FlaskClient, version_id: int, engine: Engine, send: Any, typed: dict[str, str]
) -> None:
    answer = send(administrator, "/admin/draft/", **typed)
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        page = answer.get_data(as_text=True)
        assert "message-bad" in page
        assert f'value="{typed.get("label", "")}"' in page
    with reading(engine) as session:
        assert len(session.scalars(sa.select(PolicyVersion)).all()) == 1


def test_two_versions_are_compared_in_words(
    administrator: FlaskClient, draft_id: int, version_id: int, engine: Engine, send: Any
) -> None:
    late = rule_id(engine, draft_id, "penalty", "late_close")
    send(administrator, f"/admin/draft/{draft_id}/numbers", **{f"n{late}-amount": "250"})
    page = administrator.get(f"/admin/policy/{draft_id}/compare/{version_id}")
    words = page.get_data(as_text=True)
    assert "<del>¥200</del>" in words
    assert "<ins>¥250</ins>" in words
    assert words.count('class="rule-name"') == 1


# ---------------------------------------------------------------- check, approval, publication


def test_whoever_wrote_a_draft_cannot_approve_it_and_a_second_one_can(
    administrator: FlaskClient,
    draft_id: int,
    engine: Engine,
    log_in: Any,
    csrf: Any,
    app: Any,
) -> None:
    second = app.test_client()
    log_in(Role.general_manager, visitor=second)
    with writing(engine) as session:
        department = staffed(session)
        person = people.add_employee(session, number="1", name="甲", department=department)
        for post in people.posts(session):
            people.hold_post(session, person, post, from_on=dt.date(2020, 1, 1))
        working_calendar.seed_official(session, years=range(2026, 2027))
        work = draft_checks.check_input(session, draft_id)
        assert work is not None
        draft_checks.store_findings(session, draft_id, work.content, found=[], now=NOW)
    address = f"/admin/draft/{draft_id}/approve"
    assert "批准草稿" not in administrator.get(f"/admin/policy/{draft_id}").get_data(as_text=True)
    seen = _seen(engine, draft_id)
    administrator.post(address, data={"seen": seen, "csrf_token": csrf()})
    assert _version(engine, draft_id).approved_at is None
    assert "批准草稿" in second.get(f"/admin/policy/{draft_id}").get_data(as_text=True)
    assert second.get(f"/admin/draft/{draft_id}/check").status_code == 200
    second.post(address, data={"seen": seen, "csrf_token": csrf(second)})
    assert _version(engine, draft_id).approved_at is not None
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date().isoformat()
    typed = {"effective_from": day, "told_staff_on": day, "told_staff_proof": "公告 1 号"}
    typed |= {"seen": str(_seen(engine, draft_id)), "csrf_token": csrf()}
    administrator.post(f"/admin/draft/{draft_id}/publish", data=typed)
    assert _version(engine, draft_id).status == "published"
    assert administrator.get(f"/admin/draft/{draft_id}/numbers").status_code == 404


def _version(engine: Engine, version_id: int) -> PolicyVersion:
    with reading(engine) as session:
        return session.get_one(PolicyVersion, version_id)


def _seen(engine: Engine, version_id: int) -> int:
    return _version(engine, version_id).version


def test_the_check_is_asked_for_and_the_page_says_that_it_is_under_way(
    administrator: FlaskClient, draft_id: int, engine: Engine, csrf: Any
) -> None:
    with writing(engine) as session:
        department = staffed(session)
        person = people.add_employee(session, number="1", name="甲", department=department)
        for post in people.posts(session):
            people.hold_post(session, person, post, from_on=dt.date(2020, 1, 1))
    address = f"/admin/draft/{draft_id}/check"
    assert "推演全部状态和示例" in administrator.get(address).get_data(as_text=True)
    administrator.post(address, data={"csrf_token": csrf()})
    assert "data-refreshes" in administrator.get(address).get_data(as_text=True)


def test_what_breaks_a_law_is_told_in_words_with_a_case_to_play(
    administrator: FlaskClient, draft_id: int, engine: Engine
) -> None:
    with writing(engine) as session:
        working_calendar.seed_official(session, years=range(2026, 2027))
        work = draft_checks.check_input(session, draft_id)
        assert work is not None
        data = {**work.data, "policy": {**work.data["policy"], "edition": 1}}
        found = laws.law_findings(build_pack(data), work.calendar)
        shown = next(one for one in found if one.facts["case"])
        draft_checks.store_findings(session, draft_id, work.content, found=[shown], now=NOW)
    page = administrator.get(f"/admin/draft/{draft_id}/check").get_data(as_text=True)
    assert "与任何制度都应遵守的通则不符" in page
    assert "[[step]]" in page
    assert "试走该案例" in page


def test_a_regulation_is_shown_sentence_by_sentence(
    administrator: FlaskClient, draft_id: int
) -> None:
    page = administrator.get(f"/admin/policy/{draft_id}/sentences").get_data(as_text=True)
    assert "逐句对照" in page
    assert page.index("未执行") < page.index("时限: ")


def test_a_draft_with_every_mistake_shows_every_page(
    administrator: FlaskClient, engine: Engine
) -> None:
    data: dict[str, Any] = {
        "policy": {"key": "odd", "label": 7},
        "penalty": [{"key": "p", "amount": "二百", "applies": "x"}, {"key": "p"}, {}],
        "deadline": [{"key": "d", "applies": [{"field": 3}], "within": "soon", "starts_on": 1}],
        "field": [{"key": "f", "choices": "a"}],
        "parameter": [{"key": "q", "value": [1, 2]}],
        "spell": [{"key": "x", "words": [1, {"a": 2}]}],
    }
    with writing(engine) as session:
        user = session.scalars(sa.select(User)).one()
        draft = drafts.begin_with(session, data, actor=actors.of_user(user), now=NOW)
        version_id = draft.id
        ids = [rule.id for rule in draft.rules]
    addresses = [f"/admin/policy/{version_id}", f"/admin/policy/{version_id}/file"]
    addresses += [
        f"/admin/draft/{version_id}/{page}"
        for page in (
            "numbers",
            "choices",
            "rules?section=penalty",
            "check",
            *map("rules/{}".format, ids),
        )
    ]
    for address in addresses:
        assert administrator.get(address).status_code == 200, address


def test_a_draft_is_hidden_from_those_who_only_work_under_the_regulation(
    app: Any, draft_id: int, version_id: int, log_in: Any
) -> None:
    member = app.test_client()
    log_in(Role.member, visitor=member)
    assert member.get(f"/admin/policy/{draft_id}").status_code == 404
    assert member.get(f"/admin/policy/{version_id}").status_code == 200
    assert "草稿" not in member.get("/admin/policy/").get_data(as_text=True)


def test_a_draft_leads_to_trying_that_draft_and_not_the_version_in_force(
    draft_id: int, administrator: FlaskClient
) -> None:
    page = administrator.get(f"/admin/policy/{draft_id}").get_data(as_text=True)
    links = re.findall(r'href="(/admin/trial/[^"]*)"', page)
    asked = [link for link in links if "?" in link]
    assert len(asked) == 2
    for link in asked:
        opened = administrator.get(link).get_data(as_text=True)
        options = re.findall(r"<option[^>]*selected[^>]*>", opened)
        assert any(f'value="{draft_id}"' in option for option in options), link
