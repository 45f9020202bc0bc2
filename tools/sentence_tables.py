"""The sentence tables of the regulations, docs/regulations/<key>.md: `make sentences`.

Each sentence of a text by its number and in our words, the rules and cases that carry it out, the
choice the company is asked for, or why it is left out. Drawn from the packs and their sentences.
"""

from __future__ import annotations

from pathlib import Path

from config import ROOT
from policy.pack.loading import PACKS, read_toml
from policy.proof import coverage
from policy.proof.sentences import CarriedSentence, RuleName, count_sentences
from services.calendar.working_calendar import official_calendar

TABLES = ROOT / "docs" / "regulations"
CASES = ROOT / "tests" / "policy"
MOST_CASES = 3
"""How many cases a row names; the others are counted."""


def main() -> None:
    """Write every table anew."""
    TABLES.mkdir(exist_ok=True)
    for path in sorted(PACKS.glob("*.toml")):
        table_path(path.stem).write_text(table_text(path.stem), encoding="utf-8")


def table_path(key: str) -> Path:
    """Return where the table of a regulation stands."""
    return TABLES / f"{key}.md"


def table_text(key: str) -> str:
    """Return the sentence table of a shipped regulation as Markdown."""
    found = coverage.sentence_table(CASES / key, official_calendar())
    title = read_toml(PACKS / f"{key}.toml")["policy"]["title"]
    head = [
        f"# {key}: {title}, sentence by sentence",
        "Drawn by `make sentences` from the pack, its cases and "
        f"[the file of sentences](../../policy/packs/reasons/{key}.toml); not edited by hand.",
        f"{count_sentences(found)}.",
        *_not_carried_out(found),
    ]
    rows = ["| | The sentence demands | Carried out by | Cases | Asked, or why not |"]
    rows += ["|---|---|---|---|---|", *map(_row, found)]
    return "\n\n".join([*head, "## Every sentence", "\n".join(rows)]) + "\n"


def _not_carried_out(found: list[CarriedSentence]) -> list[str]:
    """Return what a lawyer reads first: the sentences that are left out, wholly or in part."""
    left = [one.sentence for one in found if one.sentence.left_out]
    if not left:
        return []
    lines = "\n".join(f"- **{one.number}** {one.text}: {one.left_out}" for one in left)
    return ["## Not carried out, wholly or in part", lines]


def _row(one: CarriedSentence) -> str:
    cells = (
        one.sentence.number,
        one.sentence.text,
        "; ".join(map(_rule, one.rules)),
        _cases(one.cases),
        "; ".join([*(f"asked: {_rule(name)}" for name in one.asked), one.sentence.left_out]),
    )
    return "| " + " | ".join(_cell(text) for text in cells) + " |"


def _rule(name: RuleName) -> str:
    return f"{name.label} (`{name.section}.{name.key}`)"


def _cases(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_CASES} more" if len(names) > MOST_CASES else ""
    return "; ".join(names[:MOST_CASES]) + more


def _cell(text: str) -> str:
    return text.strip("; ").replace("|", "/").replace("\n", " ")


if __name__ == "__main__":
    main()
