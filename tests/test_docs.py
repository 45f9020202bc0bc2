"""What the documents, docstrings and comments name in backticks is there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config import ROOT
from tools.house import files, module_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EXEMPT = {"CHANGELOG.md"}
"""Pages that speak of how things were."""

SUFFIXES = "py|toml|md|html|po|mo|cfg|css|js|in|txt|svg|png"
FILE = re.compile(rf"(?<![\w./<>*-])[\w./*-]+\.(?:{SUFFIXES})\b")
DOTTED = re.compile(r"[a-z_]\w*(?:\.\w+)+")
INVENTED = re.compile(
    r"(?:var|build|old|changed|late|visit|maps/old|tests/admin/customers/test_customer_list"
    r"|tests/admin/company/test_tow_trucks)\b"
)
"""Files a reader has or makes: the demo's folder, what a build writes, files of an example."""

MODULES = {module_of(path): path for path in files()}
LAST = {module.rpartition(".")[2] for module in MODULES if "." in module}
"""Last words of dotted modules: pages may say `journal.lock_case` for the whole name."""
ROOMS = {module.partition(".")[0] for module in MODULES}


def _stale(text: str) -> list[str]:
    """The files and modules that a text names and that do not exist."""
    quoted = set(re.findall(r"`([^`\n]+)`", text))
    paths = {path for path in FILE.findall(text) if "/" in path}
    there = (_file_is_there, _module_is_there, _word_is_there)
    return sorted(name for name in quoted | paths if not all(known(name) for known in there))


@cache
def _file_is_there(name: str) -> bool:
    if not FILE.fullmatch(name) or INVENTED.match(name):
        return True
    if "/" in name:
        return any(any(folder.glob(name)) for folder in (ROOT, ROOT / "docs", ROOT / "templates"))
    tracked = (path for room in _tops() for path in room.rglob(name))
    return (ROOT / name).exists() or "*" in name or any(tracked)


def _tops() -> Iterator[Path]:
    hidden = {"var", "build"}
    return (p for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "." and p.name not in hidden)


@cache
def _module_is_there(name: str) -> bool:
    """Whether a dotted name of a room is a module, or a name that stands in one."""
    if not DOTTED.fullmatch(name) or FILE.fullmatch(name):
        return True
    parts = name.split(".")
    if parts[0] in LAST:
        found = [path for module, path in MODULES.items() if module.endswith(f".{parts[0]}")]
        return any(_stands_in(_read(path), parts[1:]) for path in found)
    if parts[0] not in ROOMS:
        return True
    for end in range(len(parts), 0, -1):
        module, rest = ".".join(parts[:end]), parts[end:]
        if module in MODULES:
            return _stands_in(_read(MODULES[module]), rest)
    return (ROOT / name.replace(".", "/")).is_dir()


@cache
def _read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _word_is_there(name: str) -> bool:
    """Whether a name of code stands anywhere in the code; words in capitals are placeholders."""
    name = name.removesuffix("()")
    if not re.fullmatch(r"[A-Za-z_]\w+", name) or name.isupper() or "HHHH" in name:
        return True
    return name in _words()


@cache
def _words() -> frozenset[str]:
    """Every word of the code, its comments and docstrings left out, and of what is data."""
    data = [path for kind in ("toml", "html") for top in _tops() for path in top.rglob(f"*.{kind}")]
    text = [path.read_text(encoding="utf-8") for path in [ROOT / "Makefile", *data]]
    code = [path for top in _tops() for path in top.rglob("*.py")] + [*ROOT.glob("*.py")]
    text += [path.stem for path in code]
    text += [token for path in code for token in _tokens(path, said=False)]
    return frozenset(word for piece in text for word in re.findall(r"\w+", piece))


def _stands_in(node: ast.Module | ast.ClassDef, rest: list[str]) -> bool:
    if not rest:
        return True
    for child in node.body:
        if rest[0] in _names(child):
            return _stands_in(child, rest[1:]) if isinstance(child, ast.ClassDef) else True
    return False


def _names(node: ast.stmt) -> set[str]:
    """What a statement of a module or class defines or imports."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name for alias in node.names}
    return set()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in EXEMPT],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_page_names_only_files_and_modules_that_exist(page: Path) -> None:
    assert _stale(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in EXEMPT],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_page_links_to_what_exists_and_lists_nothing_twice(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    listed = re.findall(r"^- \[[^\]]*\]\(([^)]+)\)", text, flags=re.MULTILINE)
    assert len(listed) == len(set(listed)), "a list names one page twice"


@pytest.mark.parametrize("path", files(), ids=module_of)
def test_docstrings_and_comments_name_only_files_and_modules_that_exist(path: Path) -> None:
    assert [name for text in _tokens(path, said=True) for name in _stale(text)] == []


def _tokens(path: Path, *, said: bool) -> Iterator[str]:
    """The docstrings and comments of a file (`said`), or everything else in it."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        doc = token.type == tokenize.STRING and token.string.startswith('"""')
        if (doc or token.type == tokenize.COMMENT) == said:
            yield token.string


def test_every_room_stands_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {module.rpartition(".")[0] or module for module in MODULES} - {
        "sync",
        "migrations.versions",
    }
    assert [room for room in sorted(rooms) if f"`{room}`" not in page] == []


def test_a_name_that_is_gone_is_found() -> None:
    word = "_".join(("handled", "by", "nobody"))
    assert _stale(f"`{word}` and `{word}()`") == [word, f"{word}()"]
    gone = (
        "`services/hidden.py` calls `services.cases.hidden`, `policy.engine.case.hidden`, `hid.py`"
    )
    assert len(_stale(gone)) == 4
    assert _stale("`policy.engine.case.apply`, `policy/engine/case.py`, `case.py`") == []
    assert _stale("`policy.vocabulary.facts.CaseFacts.entries` and `services.cases`") == []
