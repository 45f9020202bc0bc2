"""What a person reads: every code in every language, and catalogues that are whole."""

from __future__ import annotations

import ast
import enum
import re
from io import BytesIO
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import flask_admin
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

import enums
import wording
from config import ROOT
from policy.pack.loading import BOUND, CASE_ROLES
from policy.pack.shapes import Involvement
from policy.vocabulary import events, status
from policy.vocabulary.errors import DomainError
from policy.vocabulary.worktime import DayKind
from wording.labels import ROLES

ZONE = ZoneInfo("Asia/Shanghai")
CHINESE = ROOT / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "mark": None,
    "ngettext": (1, 2),
}
ENUMERATIONS = [
    one
    for one in (*vars(status).values(), *vars(enums).values())
    if isinstance(one, type) and issubclass(one, enum.Enum) and one is not enum.Enum
] + [DayKind]


def _catalogue(domain: str) -> Catalog:
    with (CHINESE / f"{domain}.po").open("rb") as file:
        return read_po(file, locale="zh_Hans_CN")


def _said_in_the_source() -> set[str]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # of Babel
    said = extract_from_dir(
        ROOT,
        methods,
        options,
        keywords=KEYWORDS,
        directory_filter=lambda path: not Path(path).name.startswith((".", "var", "tests")),
    )
    return {_msgid(message) for _file, _line, message, _comments, _context in said if message}


def _msgid(message: object) -> str:
    return message[0] if isinstance(message, tuple) else str(message)


# ---------------------------------------------------------------- codes


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_every_member_has_a_label_of_its_own_in_every_language(kind: type[enum.Enum]) -> None:
    for language in wording.LANGUAGES:
        with wording.speaking(language, ZONE):
            labels = [wording.label(member) for member in kind]
        assert len(set(labels)) == len(labels)
        assert all(labels)


REFUSALS = sorted(DomainError.leaves(), key=lambda one: one.code)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_is_a_sentence_in_every_language(refusal: type[DomainError]) -> None:
    names = re.findall(r"[a-z_]+", (refusal.__doc__ or "").split("Facts:")[-1])
    facts: dict[str, Any] = {name: None for name in names if name not in {"status", "problems"}}
    facts |= {"status": "closed", "problems": [{"place": "a.b", "why": "c"}]}
    said = []
    for language in wording.LANGUAGES:
        with wording.speaking(language, ZONE):
            said.append(wording.error(refusal(**facts)))
    assert len(set(said)) == len(wording.LANGUAGES), "the sentence is not translated"
    for sentence in said:
        assert sentence.endswith((".", "。", "b: c"))
        assert "%(" not in sentence


def test_a_refusal_whose_facts_are_not_there_is_still_a_sentence() -> None:
    for refusal in DomainError.leaves():
        assert "%(" not in wording.error(refusal())


def test_every_part_in_a_case_that_a_rule_may_name_has_words() -> None:
    parts = CASE_ROLES | BOUND | {"bound"} | set(get_args(Involvement))
    assert parts - set(ROLES) == set()


def test_every_event_has_a_name_on_its_button() -> None:
    for name in events.EVENTS:
        with wording.speaking("zh_Hans_CN", ZONE):
            assert wording.deed(name) != name


# ---------------------------------------------------------------- catalogues


def test_every_sentence_of_the_source_is_translated() -> None:
    known = {_msgid(m.id): m for m in _catalogue("messages") if m.id}
    missing = sorted(_said_in_the_source() - set(known))
    assert missing == [], "babel.cfg says how to translate these"
    empty = [one for one, m in known.items() if not m.string or m.fuzzy]
    assert empty == []


def test_the_catalogue_has_no_sentence_that_nobody_says() -> None:
    known = {_msgid(m.id) for m in _catalogue("messages") if m.id}
    assert sorted(known - _said_in_the_source()) == []


@pytest.mark.parametrize("domain", ["messages", "admin"])
def test_the_compiled_catalogue_is_not_stale(domain: str) -> None:
    fresh = BytesIO()
    write_mo(fresh, _catalogue(domain))
    fresh.seek(0)
    with (CHINESE / f"{domain}.mo").open("rb") as file:
        compiled = {_msgid(m.id): m.string for m in read_mo(file) if m.id}
    assert compiled == {_msgid(m.id): m.string for m in read_mo(fresh) if m.id}


def test_a_translation_names_the_same_facts() -> None:
    for message in _catalogue("messages"):
        wanted = set(re.findall(r"%\(\w+\)s", _msgid(message.id)))
        words = message.string if isinstance(message.string, str) else "".join(message.string or ())
        assert set(re.findall(r"%\(\w+\)s", words)) == wanted, message.id


def test_nothing_flask_admin_says_in_a_list_or_form_stays_english() -> None:
    package = Path(flask_admin.__file__).parent
    theirs = Translations.load(package / "translations", ["zh_Hans_CN"], "admin")
    ours = Translations.load(CHINESE.parent.parent, ["zh_Hans_CN"], "admin")
    for file in ("model/base.py", "contrib/sqla/view.py", "actions.py"):
        for said in _literals(package / file):
            assert theirs.ugettext(said) != said or ours.ugettext(said) != said, said


def _literals(path: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        found.value
        for call in calls
        if getattr(call.func, "id", "") in {"gettext", "lazy_gettext"}
        and call.args
        and isinstance(found := call.args[0], ast.Constant)
        and isinstance(found.value, str)
    ]
