"""Notices reach real mailboxes and robots, failures say why, and no secret is ever seen."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import io
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

import notify
import wording
from notify import Message, NotDelivered
from policy.vocabulary.errors import ValueRefused
from services.notices import notices
from tests.far_ends import PASSWORD, Mailbox, Robot, free_port, mail_server, robot_server

SAID = Message("Redress:案件 TS-2026-0001 已转办", "请联系客户。\n期限:2026-10-08 10:00")
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


# ---------------------------------------------------------------- far ends


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on this machine."""
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def smtp(mailbox: Mailbox) -> str:
    """Its Apprise address."""
    return mailbox.address


@pytest.fixture
def robot() -> Iterator[Robot]:
    """A robot's server on this machine."""
    with robot_server() as robot:
        yield robot


@pytest.fixture
def robots_live_here(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> Robot:
    """The far ends of WeCom, DingTalk, Feishu and Lark are the robot on this machine."""
    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"{robot.url}/wecom/send?key={{key}}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", f"{robot.url}/ding?access_token={{token}}")
    monkeypatch.setattr(NotifyFeishu, "notify_url", f"{robot.url}/feishu/{{token}}/")
    monkeypatch.setattr(NotifyLark, "notify_url", f"{robot.url}/lark/")
    return robot


@pytest.fixture
def everything_logged() -> Iterator[Callable[[], str]]:
    """`everything_logged()`: what a log at its most talkative holds by now."""
    log, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    handler.addFilter(lambda record: record.name != "mail.log")  # the far end's own
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield log.getvalue
    root.setLevel(level)
    root.removeHandler(handler)


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "address",
    [
        "mailto://redress.example:25?from=a@redress.example",
        "mailtos://user:password@smtp.redress.example?from=Redress<a@redress.example>",
        f"wecombot://{KEY}",
        "dingtalk://abc123",
        "dingtalk://secret123@abc123",
        f"feishu://{KEY}",
        f"lark://{KEY}",
        "json://127.0.0.1:8080/hook",
        "jsons://hooks.redress.example/hook",
    ],
)
def test_the_addresses_of_mail_and_of_robots_are_understood(address: str) -> None:
    notify.check(address)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "scheme_unknown"),
        ("wecombot", "scheme_unknown"),
        ("file:///etc/passwd", "scheme_unknown"),
        ("exec://rm", "scheme_unknown"),
        ("syslog://", "scheme_unknown"),
        ("dbus://", "scheme_unknown"),
        ("slack://a/b/c", "scheme_unknown"),
        ("https://redress.example/hook", "scheme_unknown"),
        ("wecombot://", "address_incomplete"),
        ("dingtalk://not-a-token!", "address_incomplete"),
        ("mailto://", "address_incomplete"),
        ("mailtos://u:p@h.example?pgp=sign&pgpprv=/etc/passwd", "parameter_unknown"),
        ("mailtos://u:p@h.example?pgppub=file:///etc/passwd", "parameter_unknown"),
        ("json://127.0.0.1/hook?attach=/etc/passwd", "parameter_unknown"),
    ],
)
def test_what_could_do_more_than_tell_is_refused(address: str, why: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        notify.check(address)
    assert refused.value.facts["why"] == why
    with pytest.raises(NotDelivered, match=why):
        notify.deliver(address, SAID)


def test_a_refused_address_is_not_repeated() -> None:
    with pytest.raises(ValueRefused) as refused:
        notify.check(f"mailtos://u:{PASSWORD}@h.example?pgp=sign")
    assert refused.value.facts["value"] == "mailtos://…"
    assert PASSWORD not in repr(refused.value)
    assert notify.masked(f"{PASSWORD}://x") == "…"


@pytest.mark.parametrize(
    ("copied", "address"),
    [
        (f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", f"wecombot://{KEY}"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abc123", "dingtalk://abc123"),
        (f" https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}\n", f"feishu://{KEY}"),
        (f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}", f"lark://{KEY}"),
        (f"wecombot://{KEY}", f"wecombot://{KEY}"),
    ],
)
def test_what_a_group_shows_may_be_pasted_as_it_stands(copied: str, address: str) -> None:
    assert notify.address_of(copied) == address
    notify.check(notify.address_of(copied))


# ---------------------------------------------------------------- mail


def test_a_mail_arrives_with_its_chinese_intact(smtp: str, mailbox: Mailbox) -> None:
    notify.send_mail(smtp, SAID, to="director@r.example")
    (message,), (envelope,) = mailbox.messages, mailbox.envelopes
    assert envelope.rcpt_tos == ["director@r.example"]
    assert message["Subject"] == SAID.title
    assert message["From"] == "Redress <no-reply@r.example>"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().split() == SAID.body.split()
    assert "apprise" not in str(message).lower()


def test_a_mail_goes_to_its_reader_alone(smtp: str, mailbox: Mailbox) -> None:
    notify.send_mail(f"{smtp}&to=all@r.example&bcc=boss@r.example", SAID, to="director@r.example")
    assert [one.rcpt_tos for one in mailbox.envelopes] == [["director@r.example"]]


def test_a_channel_can_be_a_mailbox(smtp: str, mailbox: Mailbox) -> None:
    notify.deliver(f"{smtp}&to=group@r.example", SAID)
    assert [one.rcpt_tos for one in mailbox.envelopes] == [["group@r.example"]]


def test_a_mail_server_that_refuses_is_quoted(smtp: str, mailbox: Mailbox) -> None:
    mailbox.answers = ["554 No mail about complaints"]
    with pytest.raises(NotDelivered, match=r"^refused: .*No mail about complaints"):
        notify.send_mail(smtp, SAID, to="director@r.example")


def test_a_wrong_password_is_a_refusal_that_does_not_repeat_it(
    smtp: str, mailbox: Mailbox, everything_logged: Callable[[], str]
) -> None:
    wrong = smtp.replace(PASSWORD, "wr0ng-Password")
    with pytest.raises(NotDelivered, match=r"^refused: .*535") as failure:
        notify.send_mail(wrong, SAID, to="director@r.example")
    assert "wr0ng-Password" not in failure.value.why + everything_logged()
    assert mailbox.envelopes == []


def test_a_mail_server_that_is_away_is_unreachable() -> None:
    address = f"mailto://redress:{PASSWORD}@127.0.0.1:{free_port()}?from=a@r.example"
    with pytest.raises(NotDelivered, match=r"^unreachable: .*refused"):
        notify.send_mail(address, SAID, to="director@r.example")


def test_a_mail_server_that_never_answers_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notify, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"mailto://127.0.0.1:{silent.getsockname()[1]}?from=a@r.example"
        with pytest.raises(NotDelivered, match=r"^unreachable: .*timed out"):
            notify.send_mail(address, SAID, to="director@r.example")


# ---------------------------------------------------------------- robots


def _text(scheme: str, post: dict[str, Any]) -> str:
    said = post["text"]["content"] if "text" in post else post["content"]["text"]
    assert post.get("msgtype", post.get("msg_type")) == "text", scheme
    return str(said)


@pytest.mark.parametrize("scheme", ["wecombot", "dingtalk", "feishu", "lark"])
def test_a_group_robot_says_title_and_text(scheme: str, robots_live_here: Robot) -> None:
    token = "abcdef123456"
    notify.deliver(f"{scheme}://{token}", SAID)
    ((path, post),) = robots_live_here.posts
    assert token in path
    assert _text(scheme, post) == f"{SAID.title}\n{SAID.body}"


@pytest.mark.parametrize("scheme", ["wecombot", "dingtalk", "feishu", "lark"])
@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": 93000, "errmsg": "invalid webhook url, key: abcdef123456"},
        {"code": 19024, "msg": "Key Words Not Found", "data": {}},
        {},
        b"<html>Welcome to our proxy</html>",
    ],
)
def test_a_robot_that_says_no_with_http_200_has_not_taken_it(
    scheme: str, answer: object, robots_live_here: Robot
) -> None:
    robots_live_here.answer = answer
    with pytest.raises(NotDelivered, match=r"^refused") as failure:
        notify.deliver(f"{scheme}://abcdef123456", SAID)
    assert "abcdef123456" not in failure.value.why


def test_feishus_success_is_one(robots_live_here: Robot) -> None:
    robots_live_here.answer = {"code": 0, "data": {}, "msg": "success"}
    notify.deliver(f"feishu://{KEY}", SAID)
    assert len(robots_live_here.posts) == 1


def test_dingtalk_gets_a_signature_it_can_check(robots_live_here: Robot) -> None:
    notify.deliver("dingtalk://SECabc@abcdef123456", SAID)
    ((path, _post),) = robots_live_here.posts
    asked = parse_qs(urlsplit(path).query)
    said = f"{asked['timestamp'][0]}\nSECabc".encode()
    wanted = base64.b64encode(hmac.new(b"SECabc", said, hashlib.sha256).digest()).decode()
    assert asked["sign"] == [wanted]
    assert asked["access_token"] == ["abcdef123456"]


def test_any_program_that_takes_json_is_told(robot: Robot) -> None:
    robot.answer = b""
    notify.deliver(f"{robot.url.replace('http', 'json')}/hook", SAID)
    ((path, post),) = robot.posts
    assert path.rstrip("/") == "/hook"
    assert (post["title"], post["message"]) == (SAID.title, SAID.body)


@pytest.mark.parametrize("scheme", ["wecombot", "json"])
def test_a_server_error_is_a_refusal(scheme: str, robots_live_here: Robot) -> None:
    robots_live_here.status = 500
    host = urlsplit(robots_live_here.url).netloc
    address = f"json://{host}/hook" if scheme == "json" else f"wecombot://{KEY}"
    with pytest.raises(NotDelivered, match=r"^refused: .*500"):
        notify.deliver(address, SAID)


def test_a_robot_that_is_away_is_unreachable_and_its_key_stays_secret(
    monkeypatch: pytest.MonkeyPatch, everything_logged: Callable[[], str]
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"{away}/send?key={{key}}")
    with pytest.raises(NotDelivered, match=r"^unreachable") as robot:
        notify.deliver(f"wecombot://{KEY}", SAID)
    with pytest.raises(NotDelivered, match=r"^unreachable") as program:
        notify.deliver(f"json://user:{PASSWORD}@{away[7:]}/hooks/{KEY}", SAID)
    seen = robot.value.why + program.value.why + everything_logged()
    assert KEY not in seen
    assert PASSWORD not in seen


def test_the_most_talkative_log_holds_neither_keys_nor_messages(
    smtp: str, robots_live_here: Robot, everything_logged: Callable[[], str]
) -> None:
    notify.send_mail(smtp, SAID, to="director@r.example")
    notify.deliver(f"wecombot://{KEY}", SAID)
    notify.deliver(f"json://{urlsplit(robots_live_here.url).netloc}/{KEY}", SAID)
    for secret in (PASSWORD, KEY, "director@r.example", "TS-2026-0001"):
        assert secret not in everything_logged()


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("kind", notices.KINDS)
def test_every_kind_of_notice_is_said_with_and_without_its_facts(kind: str, language: str) -> None:
    facts = {
        "number": "TS/1",
        "department": "售后",
        "due_at": dt.datetime(2026, 10, 8, 2, tzinfo=dt.UTC),
    }
    with wording.speaking(language, ZoneInfo("Asia/Shanghai")):
        title = wording.notice_title(kind, facts)
        text = wording.notice_text(kind, facts, "https://r.example")
        bare = wording.notice_text(kind, {}, "https://r.example")
    assert title.startswith("Redress · ")
    assert title.endswith(" · TS/1")
    page = "admin/jury" if kind == "to_vote" else "c"
    assert text.endswith(f"\nhttps://r.example/{page}/TS%2F1")
    assert "2026-10-08 10:00" in text
    assert bare
    assert "%(" not in title + text + bare


def test_a_stopped_file_is_told_with_what_is_wrong() -> None:
    facts = {"sheet": "售后", "code": "copy_found", "facts": {"name": "售后 (2).xlsx"}}
    with wording.speaking("en", ZoneInfo("Asia/Shanghai")):
        assert "售后 (2).xlsx" in wording.notice_text("file_problem", facts, "https://r.example")
