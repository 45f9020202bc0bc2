"""Group robots of WeCom, DingTalk, Feishu and Lark: a text is posted, and the answer is read.

These robots answer HTTP 200 to everything and say in the body whether they took it: a wrong key, a
missing keyword or too many messages a minute would count as sent if the body were not read, and
Apprise does not read it. The addresses and DingTalk's signature are Apprise's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import requests
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

from notify.failures import NotDelivered

Robot = NotifyWeComBot | NotifyDingTalk | NotifyFeishu | NotifyLark
ROBOTS = (NotifyWeComBot, NotifyDingTalk, NotifyFeishu, NotifyLark)
_VERDICTS = ("errcode", "code", "StatusCode")
_WORDS = ("errmsg", "msg", "StatusMessage")


def post(robot: Robot, text: str, *, hidden: Sequence[str]) -> None:
    """Post `text` in the robot's group. Raises NotDelivered, whose text contains none of
    `hidden`.
    """
    try:
        answer = requests.post(
            _endpoint(robot),
            params=_signature(robot),
            json=_payload(robot, text),
            timeout=robot.request_timeout,
            verify=robot.verify_certificate,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        # The error's text has the whole address in it; its kind says enough.
        raise NotDelivered.saying("unreachable", type(error).__name__, hidden=hidden) from None
    if answer.status_code != requests.codes.ok:
        raise NotDelivered(f"refused: HTTP {answer.status_code}")
    _judge(answer, hidden)


def _endpoint(robot: Robot) -> str:
    if isinstance(robot, NotifyWeComBot):
        return str(robot.api_url)
    if isinstance(robot, NotifyLark):
        return str(robot.webhook_url)
    return str(robot.notify_url).format(token=robot.token)


def _signature(robot: Robot) -> dict[str, str] | None:
    if not isinstance(robot, NotifyDingTalk) or not robot.secret:
        return None
    timestamp, quoted = robot.get_signature()  # type: ignore[no-untyped-call]  # Apprise's
    # The signature comes quoted, and requests would quote it once more.
    return {"timestamp": timestamp, "sign": unquote(quoted)}


def _payload(robot: Robot, text: str) -> dict[str, Any]:
    if isinstance(robot, NotifyWeComBot):
        return {"msgtype": "text", "text": {"content": text}}
    if isinstance(robot, NotifyDingTalk):
        said = {"msgtype": "text", "text": {"content": text}}
        return said | {"at": {"atMobiles": list(robot.targets), "isAtAll": False}}
    return {"msg_type": "text", "content": {"text": text}}


def _judge(answer: requests.Response, hidden: Sequence[str]) -> None:
    """Raise NotDelivered unless the body says that the robot took the message."""
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        raise NotDelivered("refused: no JSON")
    verdict = next((said[key] for key in _VERDICTS if key in said), None)
    if verdict != 0:
        words = next((str(said[key]) for key in _WORDS if said.get(key)), "")
        raise NotDelivered.saying("refused", f"{verdict} {words}", hidden=hidden)
