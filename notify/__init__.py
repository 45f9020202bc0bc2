"""Sends notices to a mailbox or a group robot, named by an Apprise address.

Only the schemes of `SCHEMES` are understood and only the parameters of `PARAMETERS`: Apprise knows
a hundred more, some of which read files or run programs on this machine, and an address is
something people type. Apprise's plugins are used one by one, so its registry is never asked.

An address is a secret. It is in no log, in no message of an error and on no page; `masked` returns
the part of it that may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from apprise import AppriseAsset, NotifyFormat
from apprise.exception import AppriseException
from apprise.plugins.base import NotifyBase
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.email import NotifyEmail
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

from notify import robots
from notify.failures import NotDelivered
from notify.silence import collected_lines, silence
from policy.vocabulary.errors import ValueRefused

__all__ = [
    "SCHEMES",
    "Message",
    "NotDelivered",
    "address_of",
    "check",
    "deliver",
    "masked",
    "send_mail",
]

SCHEMES: dict[str, type[NotifyBase]] = {
    "mailto": NotifyEmail,
    "mailtos": NotifyEmail,
    "wecombot": NotifyWeComBot,
    "dingtalk": NotifyDingTalk,
    "feishu": NotifyFeishu,
    "lark": NotifyLark,
    "json": NotifyJSON,
    "jsons": NotifyJSON,
}
PARAMETERS = {
    *("bcc", "cc", "from", "mode", "name", "pass", "reply", "smtp", "to", "user"),  # of mail
    *("key", "method", "secret", "token", "verify"),  # of robots
}
CONNECT_S, ANSWER_S = 5.0, 8.0

_WEBHOOKS = (
    (re.compile(r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=([\w-]+)"), "wecombot"),
    (re.compile(r"https://oapi\.dingtalk\.com/robot/send\?access_token=(\w+)"), "dingtalk"),
    (re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/([\w-]+)/?"), "feishu"),
    (re.compile(r"https://open\.larksuite\.com/open-apis/bot/v2/hook/([\w-]+)/?"), "lark"),
)
"""The web addresses groups show when a robot is added; people copy them unchanged."""

_ASSET = AppriseAsset(app_id="Redress", app_desc="Redress", app_url="", async_mode=False)

silence()


@dataclass(frozen=True, slots=True)
class Message:
    """A message: a title in one line, and a few lines of text."""

    title: str
    body: str


def address_of(text: str) -> str:
    """Return the address in a typed text: the text itself, or the one a robot's web address stands
    for.
    """
    text = text.strip()
    for pattern, scheme in _WEBHOOKS:
        found = pattern.fullmatch(text)
        if found:
            return f"{scheme}://{found[1]}"
    return text


def check(address: str) -> None:
    """Refuse an address to which nothing could be delivered; no network is touched.

    Raises ValueRefused for a scheme or a parameter that may not be used, and for an address that is
    incomplete. Its facts carry the masked address.
    """
    try:
        _plugin(address)
    except _Unusable as error:
        raise ValueRefused(field="address", value=masked(address), why=error.why) from None


def masked(address: str) -> str:
    """Return the part of an address that may be shown: its scheme."""
    scheme, found, _rest = address.partition("://")
    return f"{scheme}://…" if found and scheme in SCHEMES else "…"


def deliver(address: str, message: Message) -> None:
    """Deliver a message to an address. Raises NotDelivered with the reason."""
    _send(address, message)


def send_mail(address: str, message: Message, *, to: str) -> None:
    """Send a message to the mailbox `to` by the mail server of `address`. Raises NotDelivered."""
    _send(address, message, targets=[to], cc=None, bcc=None)


# ---------------------------------------------------------------- the plugin of an address


class _Unusable(Exception):
    """An address that cannot be used; `why` is a code: scheme_unknown, parameter_unknown or
    address_incomplete.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _plugin(address: str, **instead: Any) -> NotifyBase:
    scheme = address.partition("://")[0]
    if "://" not in address or scheme not in SCHEMES:
        raise _Unusable("scheme_unknown")
    kind = SCHEMES[scheme]
    with collected_lines():
        parsed = kind.parse_url(address)
        if not parsed:
            raise _Unusable("address_incomplete")
        _check_parameters(parsed)
        try:
            plugin = kind(**parsed | {"asset": _ASSET} | instead)
        except (AppriseException, TypeError, ValueError):
            raise _Unusable("address_incomplete") from None
    plugin.socket_connect_timeout = ANSWER_S if kind is NotifyEmail else CONNECT_S
    plugin.socket_read_timeout = ANSWER_S
    return plugin


def _check_parameters(parsed: Mapping[str, Any]) -> None:
    if set(parsed.get("qsd", ())) - PARAMETERS:
        raise _Unusable("parameter_unknown")


# ---------------------------------------------------------------- sending


def _send(address: str, message: Message, **instead: Any) -> None:
    try:
        plugin = _plugin(address, **instead)
    except _Unusable as error:
        raise NotDelivered(error.why) from None
    if isinstance(plugin, robots.ROBOTS):
        robots.post(plugin, f"{message.title}\n{message.body}", hidden=_secrets(address))
        return
    with collected_lines() as heard:
        arrived = plugin.notify(
            body=message.body, title=message.title, body_format=NotifyFormat.TEXT
        )
    if not arrived:
        raise NotDelivered.heard(heard, hidden=_secrets(address))


def _secrets(address: str) -> list[str]:
    """Return every part of an address that a far end or a library might repeat, the longest first.

    The host of a mail or web address is not one of them, because a failure that does not name the
    server helps no administrator. A robot's address has its key there.
    """
    parts = urlsplit(address)
    pieces = re.split(r"[/?&=:@]", address.partition("://")[2])
    if parts.scheme in {"mailto", "mailtos", "json", "jsons"}:
        pieces = [one for one in pieces if one.lower() != (parts.hostname or "")]
    known = {form for one in pieces for form in (one, unquote(one)) if len(form) > 3}
    return sorted(known, key=len, reverse=True)
