"""The guard at work: thousands of ordinary saves pass, and no slip that mixes cases up does.

A department of 2 to 10 people has up to 60 open cases. An ordinary save assigns cases, sorts or
filters whole rows, writes progress in stock phrases, answers and corrects. A slip sorts some
columns without the rest, pastes or inserts one or two lines off, or loses rows.

One kind of slip is left out, because nobody could tell it from work: a column of choices that moved
along in so short a list that handing the cases out again gives the same cells as likely as not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from sync.mirror.merge.guard import Pair, damage

ORDINARY, SLIPS = 10_000, 1_000
OFFICE = ("number", "next_step", "due_at", "grade", "customer", "phone", "body")
THEIRS = ("handler", "contacted_at", "progress", "outcome", "answer")
FIELDS = (*OFFICE[:3], *THEIRS, *OFFICE[3:])
CHOSEN = frozenset({"handler", "outcome"})
PHRASES = ("已联系客户", "等配件", "客户约周末", "已派工", "待客户回复", "已完成")
OUTCOMES = ("已解决", "申请延期", "请求总经理介入", "不属本部门，退回")

Row = dict[str, str]


class Department:
    """A department's tab before a save, and as it is now."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.people = [f"员工{n} (30{n:02d})" for n in range(rng.randint(2, 10))]
        self.before = [self._case(n) for n in range(rng.randint(4, 60))]
        if rng.random() < 0.5:
            key = rng.choice(FIELDS)
            self.before.sort(key=lambda row: row.get(key, ""))
        self.now = [dict(row) for row in self.before]
        self.vanished = 0

    def _case(self, n: int) -> Row:
        rng = self.rng
        row = {"number": f"TS{n:04d}", "next_step": "办理并填写结果", "due_at": self._time()}
        row |= {"grade": rng.choice("ABC"), "customer": f"客户{rng.randint(1, 40)}"}
        row |= {"phone": f"138{rng.randint(0, 10**8):08d}", "body": f"第{n}件，{rng.random()}"}
        if rng.random() < 0.7:
            row["handler"] = rng.choice(self.people)
            row["contacted_at"] = self._time()
            if rng.random() < 0.7:
                row["progress"] = rng.choice(PHRASES)
            if rng.random() < 0.5:
                row |= {"outcome": self._outcome(), "answer": self._answer()}
        return row

    def _time(self) -> str:
        rng = self.rng
        clock = f"{rng.randint(8, 17):02d}:{rng.randrange(0, 60, 5):02d}"
        return f"2026-09-{rng.randint(1, 28):02d} {clock}"

    def _outcome(self) -> str:
        return self.rng.choices(OUTCOMES, (8, 2, 1, 1))[0]

    def _answer(self) -> str:
        """Half of the answers are the same few sentences, as everywhere."""
        rng = self.rng
        stock = ("已更换配件，客户满意", "已电话说明，客户认可", "已上门检修")
        return rng.choice(stock) if rng.random() < 0.4 else f"处理说明{rng.random()}"

    def some(self) -> list[int]:
        """Lines that somebody works on: a few, a block, or what a filter shows."""
        rng, count = self.rng, len(self.now)
        kind = rng.random()
        if kind < 0.5:
            return sorted(rng.sample(range(count), rng.randint(1, min(count, 8))))
        if kind < 0.75:
            begin = rng.randrange(count)
            return list(range(begin, min(count, begin + rng.randint(2, 20))))
        shown = rng.choice(self.people)
        return [at for at, row in enumerate(self.now) if row.get("handler") == shown]

    def stops(self) -> str | None:
        """The code with which the guard stops the save."""
        pairs: list[Pair] = list(zip(self.before, self.now, strict=True))
        found = damage(
            pairs,
            vanished=self.vanished,
            fields=FIELDS,
            office=frozenset(OFFICE),
            chosen=CHOSEN,
        )
        return found.code if found else None


# ---------------------------------------------------------------- ordinary work


def assign_new(tab: Department) -> None:
    for row in tab.now:
        if "handler" not in row:
            row["handler"] = tab.rng.choice(tab.people)


def assign_like_above(tab: Department) -> None:
    for at in range(1, len(tab.now)):
        if "handler" not in tab.now[at] and "handler" in tab.now[at - 1]:
            tab.now[at]["handler"] = tab.now[at - 1]["handler"]


def assign_in_turn(tab: Department) -> None:
    for at, row in enumerate(tab.now):
        if "handler" not in row:
            row["handler"] = tab.people[at % len(tab.people)]


def hand_all_out_again(tab: Department) -> None:
    for row in tab.now:
        row["handler"] = tab.rng.choice(tab.people)


def somebody_is_on_leave(tab: Department) -> None:
    away, *others = tab.rng.sample(tab.people, len(tab.people))
    for row in tab.now:
        if row.get("handler") == away:
            row["handler"] = tab.rng.choice(others)


def two_change_their_cases(tab: Department) -> None:
    one, other = tab.rng.sample(tab.people, 2)
    swap = {one: other, other: one}
    for row in tab.now:
        if "handler" in row:
            row["handler"] = swap.get(row["handler"], row["handler"])


def note_progress(tab: Department) -> None:
    for at in tab.some():
        tab.now[at]["progress"] = tab.rng.choice(PHRASES)


def fill_down(tab: Department) -> None:
    name = tab.rng.choice(THEIRS)
    block = tab.some()
    for at in block:
        if text := tab.before[block[0]].get(name):
            tab.now[at][name] = text


def note_contacts(tab: Department) -> None:
    at_once = tab.rng.random() < 0.3 and tab._time()
    for at in tab.some():
        tab.now[at].setdefault("contacted_at", at_once or tab._time())


def answer(tab: Department) -> None:
    for at in tab.some():
        tab.now[at] |= {"outcome": tab._outcome(), "answer": tab._answer()}


def correct_words(tab: Department) -> None:
    for at in tab.some():
        row = tab.now[at]
        if "answer" in row:
            row["answer"] += "，已回访"
        if "outcome" in row and tab.rng.random() < 0.3:
            row["outcome"] = tab._outcome()


def put_two_right(tab: Department) -> None:
    """Two answers stood in each other's rows."""
    one, other = tab.rng.sample(tab.now, 2)
    for name in ("outcome", "answer"):
        texts = one.pop(name, None), other.pop(name, None)
        for row, text in ((other, texts[0]), (one, texts[1])):
            if text is not None:
                row[name] = text


def sort_whole_rows(tab: Department) -> None:
    order = list(range(len(tab.now)))
    key = tab.rng.choice(FIELDS)
    order.sort(key=lambda at: tab.now[at].get(key, "~"))
    tab.before = [tab.before[at] for at in order]
    tab.now = [tab.now[at] for at in order]


WORK: tuple[Callable[[Department], None], ...] = (
    *(assign_new, assign_like_above, assign_in_turn, hand_all_out_again, somebody_is_on_leave),
    *(two_change_their_cases, note_progress, fill_down, note_contacts, answer, correct_words),
    *(put_two_right, sort_whole_rows),
)


def test_ordinary_saves_are_not_stopped() -> None:
    rng = random.Random(20261130)
    stopped: Counter[tuple[str, ...]] = Counter()
    for _save in range(ORDINARY):
        tab = Department(rng)
        deeds = rng.choices(WORK, k=rng.choice((1, 1, 2, 3)))
        for deed in deeds:
            deed(tab)
        if code := tab.stops():
            stopped[code, *(deed.__name__ for deed in deeds)] += 1
    print(f"{ORDINARY} ordinary saves, {stopped.total()} stopped: {dict(stopped)}")
    assert stopped.total() < 10, stopped


@pytest.mark.parametrize("work", WORK, ids=lambda deed: deed.__name__)
def test_no_kind_of_work_is_stopped_more_than_others(work: Callable[[Department], None]) -> None:
    rng = random.Random(work.__name__)
    stopped = 0
    for _save in range(300):
        tab = Department(rng)
        work(tab)
        stopped += tab.stops() is not None
    print(f"{work.__name__}: {stopped} of 300 stopped")
    assert stopped <= 1


# ---------------------------------------------------------------- slips


def sort_some_columns(tab: Department) -> None:
    """Sort neighbouring columns by one of them; the others stay."""
    begin = tab.rng.randrange(len(FIELDS) - 1)
    some = FIELDS[begin : tab.rng.randint(begin + 1, len(FIELDS) - 1)]
    key = tab.rng.choice(some)
    back = tab.rng.random() < 0.3
    order = sorted(tab.before, key=lambda row: row.get(key, "" if back else "~"), reverse=back)
    for row, source in zip(tab.now, order, strict=True):
        _take(row, source, some)


def shift_a_block(tab: Department) -> None:
    """Paste or insert neighbouring columns one or two lines off."""
    rng, count = tab.rng, len(tab.now)
    begin = rng.randrange(len(FIELDS) - 1)
    some = FIELDS[begin : rng.randint(begin + 1, len(FIELDS))]
    by = rng.choice((-2, -1, 1, 2))
    first = rng.randrange(max(1, count // 3))
    last = rng.randint(min(count, first + 8), count)
    for at in range(first, last):
        if 0 <= at + by < count:
            _take(tab.now[at + by], tab.before[at], some)


def lose_rows(tab: Department) -> None:
    """Delete more than a fifth of the rows."""
    rng, count = tab.rng, len(tab.now)
    least = max(5, count // 5 + 1)
    gone = set(rng.sample(range(count), rng.randint(least, count)))
    tab.before = [row for at, row in enumerate(tab.before) if at not in gone]
    tab.now = [row for at, row in enumerate(tab.now) if at not in gone]
    tab.vanished = len(gone)


def _take(row: Row, source: Row, names: tuple[str, ...]) -> None:
    for name in names:
        row.pop(name, None)
        if name in source:
            row[name] = source[name]


def mixes_up(tab: Department) -> bool:
    """Whether a slip moved what can be told from work: see above."""
    if tab.vanished:
        return True
    pairs = list(zip(tab.before, tab.now, strict=True))
    times = {name: Counter(row.get(name) for row in tab.before) for name in FIELDS}
    moved = Counter(
        name
        for before, now in pairs
        for name in FIELDS
        if now.get(name) != before.get(name) and name in now
        if name in OFFICE or (name not in CHOSEN and times[name][now[name]] == 1)
    )
    return any(count >= 4 for count in moved.values())


@pytest.mark.parametrize("slip", [sort_some_columns, shift_a_block, lose_rows])
@pytest.mark.parametrize("busy", [False, True], ids=["alone", "with work in the same save"])
def test_no_slip_passes(slip: Callable[[Department], None], *, busy: bool) -> None:
    rng = random.Random(slip.__name__)
    tried, passed = 0, 0
    while tried < SLIPS:
        tab = Department(rng)
        if len(tab.now) < 8:
            continue
        slip(tab)
        if not mixes_up(tab):
            continue
        if busy and tab.now:
            tab.now[-1] = {**tab.now[-1], "handler": rng.choice(tab.people), "answer": "新"}
            tab.now[0] = {**tab.now[0], "progress": "已去电"}
        tried += 1
        passed += tab.stops() is None
    print(f"{slip.__name__}: {tried} slips, {passed} passed")
    assert passed == 0


def test_a_list_of_handlers_sorted_alone_or_moved_along_is_found() -> None:
    rng = random.Random(7)
    found = Counter[str]()
    for _ in range(200):
        tab = Department(rng)
        tab.people = [f"员工{n}" for n in range(6)]
        tab.before = [
            {**row, "handler": rng.choice(tab.people)} for row in (tab._case(n) for n in range(30))
        ]
        tab.now = [dict(row) for row in tab.before]
        names = [row["handler"] for row in tab.before]
        moved = sorted(names) if rng.random() < 0.5 else [names[0], *names[:-1]]
        for row, name in zip(tab.now, moved, strict=True):
            row["handler"] = name
        found[str(tab.stops())] += 1
    print(dict(found))
    assert found["None"] == 0
