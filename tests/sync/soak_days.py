"""Random days of a department: the company works, people edit the file, looks run and are killed.

`Days` knows what everybody typed, each text with a mark of its own, and checks after every look
and whenever the file came to rest that nothing was lost, nothing happened twice and both sides
say the same.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import wording
from config import Settings
from database import make_engine, reading
from enums import CellDeed, ProblemKind, Resolution
from models import (
    Complaint,
    Customer,
    Journal,
    Workbook,
    WorkbookChange,
    WorkbookProblem,
    WorkbookRow,
)
from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import ReplyOutcome, Satisfaction, Status
from services.cases import correcting, customers, followup, handling, journal, record, sweep
from services.company import people
from services.workbooks import layout, resolutions, states
from sync.mirror import case_cells, state
from sync.mirror.look import LookOutcome
from tests.company import Office
from tests.sync.folder import AFTER_SALES, LANGUAGE, ZONE, Files
from tests.sync.soak_desk import (
    GROUP,
    MARK,
    OURS,
    REMARK,
    SHAPING,
    TYPING,
    WRONG,
    Desk,
    Seen,
    seen,
    tab_of,
)
from tests.sync.soak_kills import Kills, Port
from wording import workbook_text

BEGUN = 6
"""So many cases the department has when a day begins."""
DONE_ONCE = ("progressed", "replied", "returned", "registered", "contacted")
"""Events that say what somebody typed; corrections repeat what stands beside it."""
OPEN_FIELDS = frozenset(OURS)

RECORD = (
    *("register", "register", "page_progress", "page_contact", "page_assign", "page_reply"),
    *("confirm", "decline", "call_well", "call_badly", "sign", "send_away", "bring_back"),
    *("correct_subject", "customer_phone", "rename_employee", "sweep"),
)
FOLDER = ("lock", "delete_file", "half_write", "pause", "old_copy")
LOOKS = (
    *("look",) * 12,
    *("settle",) * 3,
    *("save_in_between",) * 2,
    *("kill_file", "kill_statement", "kill_port", "kill_any"),
)
STEPS = (
    *LOOKS,
    "rest",
    *("save",) * 7,
    *("open_too",) * 2,
    *("choose",) * 3,
    *RECORD,
    *FOLDER,
    *TYPING * 2,
    *WRONG,
    *SHAPING,
)
"""What can happen next; a name that stands here twice happens twice as often.

Hypothesis likes the first ones best, so these are looks.
"""


def _is_copy(hint: str) -> bool:
    """Whether a line says that it is a second one of a case.

    Other answers speak of copies too: of the whole file, for one.
    """
    before, _number, after = workbook_text.row_repeated("#").partition("#")
    return hint.startswith(before) and hint.endswith(after)


@dataclass(frozen=True)
class Begun:
    """A morning: the record and the folder when the file came to rest for the first time."""

    home: Path

    @classmethod
    def at(cls, home: Path, blank: Path) -> Begun:
        home.mkdir(parents=True, exist_ok=True)
        settings = Settings(home=home / "home", demo=False)
        (home / "home").mkdir()
        shutil.copyfile(blank, str(settings.url.database))
        engine = make_engine(settings)
        files = Files(engine, home / "folder")
        with files.office() as office:
            for number in range(BEGUN):
                _register(office, files.now, f"早上 {number}")
        files.settle()
        desk = Desk(files.path(), lambda number, broken: "", lambda marks, broken: None)
        desk.own_column(Random(1), files.now)
        for number in range(BEGUN * 2):
            desk.own_cell(Random(number), files.now)
            desk.own_tab(Random(number), files.now)
        files.tick()
        desk.save(files.now, Random(2))
        files.settle()
        engine.dispose()
        return cls(home)


def _register(office: Office, now: dt.datetime, said: str) -> str:
    customer = customers.find_or_add(office.session, f"客户{said}", "13800138000")
    received = now - dt.timedelta(minutes=20)
    complaint = office.registered(
        customer=customer, subject="异响", body=said, received_at=received, now=now
    )
    office.dispatch(complaint, now)
    return complaint.number


@dataclass
class Days:
    """The days after a morning. `log` says what happened, `counts` how often."""

    home: Path
    counts: Counter[str]
    log: list[str] = field(default_factory=list)

    @classmethod
    def after(cls, begun: Begun, home: Path, counts: Counter[str]) -> Days:
        shutil.copytree(begun.home, home, symlinks=True)
        return cls(home, counts)

    def __post_init__(self) -> None:
        self.settings = Settings(home=self.home / "home", demo=False)
        self.files = Files(self._fresh(), self.home / "folder")
        self.files.tick(3600)
        self.kills = Kills(self.files, self._fresh)
        self.desks: list[Desk] = []
        self.old: list[tuple[bytes, bool]] = []
        self.typed: dict[str, str | None] = {}
        self.allowed: Counter[str] = Counter()
        self.free: set[str] = set()
        self.broken = self.ever_broken = False
        self.locked = self.paused = False
        self._stood: tuple[tuple[int, ...], Seen | None] | None = None
        self.whole: bytes | None = None  # what a half written file will be when it is finished

    def _fresh(self) -> Engine:
        return make_engine(self.settings)

    def end(self) -> None:
        self.files.engine.dispose()

    # ------------------------------------------------------------ steps

    def step(self, name: str, seed: int) -> None:
        """One step; nothing happens (and nothing is counted) where it makes no sense now."""
        rng = Random(seed)
        self.files.tick(rng.choice((1, 5, 40)))
        said = self._step(name, rng)
        if said is not None:
            self.counts[name] += 1
        self.log.append(f"{name}({seed}) {said}")

    def _step(self, name: str, rng: Random) -> str | None:
        if name in TYPING or name in WRONG or name in SHAPING:
            desk = self._desk(rng)
            done = desk is not None and getattr(desk, name)(rng, self.files.now)
            return "typed" if done else None
        if name.startswith("kill_"):
            return self._killed(name.removeprefix("kill_"), rng)
        if name in RECORD:
            return self._deed(getattr(self, f"_{name}"), rng)
        said: str | None = getattr(self, f"_{name}")(rng)
        return said

    def _rest(self, rng: Random) -> str:
        self.files.tick(rng.randrange(1, 600))
        return "rested"

    # ------------------------------------------------------------ people with the file open

    @property
    def path(self) -> Path:
        return self.files.path()

    def _desk(self, rng: Random) -> Desk | None:
        """Somebody who has the file open; he opens it now where nobody has."""
        if not self.desks:
            self._open_too(rng)
        return rng.choice(self.desks) if self.desks else None

    def _open_too(self, rng: Random) -> str | None:
        if len(self.desks) >= 3 or self.whole is not None or not self.path.exists():
            return None
        desk = Desk(self.path, self._mark, self._spread, broken=self.broken)
        if tab_of(desk.book) is None:
            return None
        self.desks.append(desk)
        return "opened"

    def _mark(self, number: str | None, broken: bool) -> str:
        mark = f"〔{len(self.typed) + 1}〕"
        self.typed[mark] = number
        self.allowed[mark] = 1
        if broken:
            self.free.add(mark)
        return mark

    def _spread(self, marks: set[str], broken: bool) -> None:
        """Somebody copied or mixed texts: each may rightly be said once more."""
        for mark in marks:
            self.allowed[mark] += 1
        if broken:
            self.free |= marks
            self.ever_broken = True

    def _save(self, rng: Random) -> str | None:
        if not self.desks or self.whole is not None or self.locked:
            return None
        desk = self.desks.pop(rng.randrange(len(self.desks)))
        desk.save(self.files.now, rng)
        self._put_in_place(desk)
        if rng.random() < 0.3:
            self.desks.append(desk)  # he goes on with the same copy
        return "saved"

    def _put_in_place(self, desk: Desk) -> None:
        self.broken = desk.broken
        self.ever_broken = self.ever_broken or desk.broken

    # ------------------------------------------------------------ the folder

    def _old_copy(self, rng: Random) -> str | None:
        """A copy from some passes ago is opened, something is typed, and saved over the file."""
        if not self.old or self.whole is not None or self.locked:
            return None
        content, broken = rng.choice(self.old)
        beside = self.path.with_name(".old.xlsx")
        beside.write_bytes(content)
        desk = Desk(beside, self._mark, self._spread, broken=broken)
        if tab_of(desk.book) is not None and rng.random() < 0.8:
            desk.progress(rng, self.files.now)
        desk.path = self.path
        beside.unlink()
        desk.save(self.files.now, rng)
        self._put_in_place(desk)
        return "saved over"

    def _lock(self, rng: Random) -> str:
        lock = self.path.with_name(f"~${self.path.name}")
        if self.locked:
            lock.unlink()
        else:
            name = "张三".encode("gb18030")
            lock.write_bytes(bytes([len(name)]) + name)
        self.locked = not self.locked
        return "locked" if self.locked else "unlocked"

    def _delete_file(self, rng: Random) -> str | None:
        if not self.path.exists() or self.whole is not None or rng.random() < 0.5:
            return None
        self.path.unlink()
        return "deleted"

    def _half_write(self, rng: Random) -> str | None:
        """A program is in the middle of saving; the next time it finishes."""
        if self.whole is not None:
            return self._finish_writing()
        if not self.path.exists() or self.locked:
            return None
        self.whole = self.path.read_bytes()
        self._write(self.whole[: rng.randrange(1, len(self.whole))])
        return "half written"

    def _finish_writing(self) -> str:
        assert self.whole is not None
        self._write(self.whole)
        self.whole = None
        return "written"

    def _write(self, content: bytes) -> None:
        """Write the file at the time it is in this day."""
        self.path.write_bytes(content)
        now = self.files.now.timestamp()
        os.utime(self.path, (now, now))

    def _pause(self, rng: Random) -> str:
        deed = states.resume if self.paused else states.pause
        with self.files.office() as office:
            deed(office.session, self._sheet(office.session), user_id=None, now=self.files.now)
        self.paused = not self.paused
        return "paused" if self.paused else "resumed"

    def _sheet(self, session: Session) -> Workbook:
        return session.get_one(Workbook, self.files.ids[AFTER_SALES])

    # ------------------------------------------------------------ deeds in the record

    def _deed(self, deed: Callable[[Office, Random], str | None], rng: Random) -> str | None:
        try:
            with self.files.office() as office:
                return deed(office, rng)
        except DomainError as refusal:
            return f"refused: {refusal.code}"

    def _case(self, office: Office, rng: Random, *statuses: Status) -> Complaint | None:
        ids = sa.select(Complaint.id).order_by(Complaint.id)
        if statuses:
            ids = ids.where(Complaint.status.in_(statuses))
        found = list(office.session.scalars(ids))
        if not found:
            return None
        number = office.session.get_one(Complaint, rng.choice(found)).number
        return journal.lock_case(office.session, number)

    def _register(self, office: Office, rng: Random) -> str:
        return _register(office, self.files.now, f"来电 {len(self.log)}")

    def _on(self, office: Office, rng: Random, do: Callable[..., object], **said: Any) -> str:
        """A deed of a page on some case, whatever its status."""
        statuses: tuple[Status, ...] = said.pop("statuses", ())
        if rng.random() < 0.1:
            statuses = ()
        complaint = self._case(office, rng, *statuses)
        if complaint is None:
            return "nobody to do it for"
        do(office.session, complaint, now=self.files.now, **said)
        return complaint.number

    def _page_progress(self, office: Office, rng: Random) -> str:
        text = f"页面进展 {self._mark(None, True)}"
        return self._on(office, rng, handling.progress, text=text, actor=office.by("mechanic"))

    def _page_contact(self, office: Office, rng: Random) -> str:
        return self._on(office, rng, handling.contact, actor=office.by("mechanic"))

    def _page_assign(self, office: Office, rng: Random) -> str:
        return self._on(
            office,
            rng,
            handling.assign,
            handler=rng.choice(("2005", "2006")),
            actor=office.by("director"),
            statuses=(Status.dispatched,),
        )

    def _page_reply(self, office: Office, rng: Random) -> str:
        return self._on(
            office,
            rng,
            handling.reply,
            outcome=ReplyOutcome.solved,
            text=f"页面答复 {self._mark(None, True)}",
            actor=office.by("mechanic"),
            statuses=(Status.dispatched,),
        )

    def _confirm(self, office: Office, rng: Random) -> str:
        by = office.by("director")
        return self._on(office, rng, handling.confirm, actor=by, statuses=(Status.replied,))

    def _decline(self, office: Office, rng: Random) -> str:
        said = {"reason": "再查", "actor": office.by("director")}
        return self._on(office, rng, handling.decline, statuses=(Status.replied,), **said)

    def _call_well(self, office: Office, rng: Random) -> str:
        return self._call(office, rng, Satisfaction.satisfied, text="满意")

    def _call_badly(self, office: Office, rng: Random) -> str:
        return self._call(office, rng, Satisfaction.dissatisfied, asks_more=True, text="仍有异响")

    def _call(self, office: Office, rng: Random, satisfaction: Satisfaction, **said: Any) -> str:
        complaint = self._case(office, rng, Status.confirmed)
        if complaint is None:
            return "nobody to call"
        office.call(complaint, satisfaction, self.files.now, **said)
        return complaint.number

    def _sign(self, office: Office, rng: Random) -> str:
        said = {"feedback": "好了", "actor": office.by("care_director")}
        return self._on(office, rng, followup.sign, statuses=(Status.accepted,), **said)

    def _send_away(self, office: Office, rng: Random) -> str:
        """The department gives a case back by its page and care hands it to another one."""
        complaint = self._case(office, rng, Status.dispatched, Status.returned)
        if complaint is None:
            return "nothing to give back"
        if complaint.status is Status.dispatched:
            by = office.by("director")
            handling.return_order(
                office.session, complaint, reason="不是我们的", actor=by, now=self.files.now
            )
        office.dispatch(complaint, self.files.now, department="sales")
        return complaint.number

    def _bring_back(self, office: Office, rng: Random) -> str:
        complaint = self._case(office, rng, Status.returned, Status.registered)
        if complaint is None:
            return "nothing to hand over"
        office.dispatch(complaint, self.files.now)
        return complaint.number

    def _correct_subject(self, office: Office, rng: Random) -> str:
        changes = {"body": f"更正 {rng.randrange(999)}"}
        by = office.administrator
        said = {"target": 1, "changes": changes, "reason": "写错了", "actor": by}
        return self._on(office, rng, correcting.correct, **said)

    def _customer_phone(self, office: Office, rng: Random) -> str:
        found = list(office.session.scalars(sa.select(Customer).order_by(Customer.id)))
        one = rng.choice(found)
        one.phone = f"139{rng.randrange(10**8):08d}"
        one.phone_digits = customers.digits(one.phone)
        return one.name

    def _rename_employee(self, office: Office, rng: Random) -> str:
        one = office.employee("colleague" if rng.random() < 0.5 else "mechanic")
        # The number stays: the name is what everybody reads in the file.
        people.change_employee(
            office.session,
            one,
            name=f"{one.name.rstrip('0123456789')}{rng.randrange(99)}",
            department=one.department,
            phone=one.phone,
            email=one.email,
            joined_on=one.joined_on,
            left_on=one.left_on,
        )
        return one.name

    def _sweep(self, office: Office, rng: Random) -> str:
        """Hours go by, and the sweep finds what time did."""
        self.files.tick(3600 * rng.choice((1, 4, 16, 30)))
        numbers = sweep.due_cases(office.session, now=self.files.now)
        for number in numbers:
            sweep.pass_time(office.session, number, now=self.files.now)
        return f"{len(numbers)} cases"

    # ------------------------------------------------------------ choices

    def _choose(self, rng: Random) -> str | None:
        """Somebody settles one of the open problems."""
        with self.files.office() as office:
            waiting = [p for p in self._problems(office.session) if p.choice is None]
            if not waiting:
                return None
            problem = rng.choice(waiting)
            choice = rng.choice(resolutions.CHOICES[problem.kind])
            row = office.session.get(WorkbookRow, problem.row_id) if problem.row_id else None
            self._chosen(problem, choice, row.waiting.get("missing", ()) if row else ())
            resolutions.choose(office.session, problem, choice, user_id=None, now=self.files.now)
            said = f"{problem.kind.value} {problem.code} {problem.field}: {choice.value}"
            self.log.append(said)
            return said

    def _chosen(self, problem: WorkbookProblem, choice: Resolution, waits: Sequence[str]) -> None:
        if choice is Resolution.record and problem.field in waits:
            # What waits for this cell beside it is an answer now, with the text that was chosen.
            self._spread(set(MARK.findall(problem.ours or "")), False)
        if choice in (Resolution.sheet, Resolution.accept):
            texts = f"{problem.theirs} {problem.ours}"
            marks = set(MARK.findall(texts)) if choice is Resolution.sheet else set(self.typed)
            self._spread(marks, choice is Resolution.accept)

    def _problems(self, session: Session) -> list[WorkbookProblem]:
        return state.open_problems(session, self._sheet(session))

    # ------------------------------------------------------------ looks

    def _look(self, rng: Random) -> str:
        before = self._before()
        outcome = self.files.look()
        self._after(before)
        self.counts[f"look {outcome.value}"] += 1
        self.log.append(f"look: {outcome.value}")
        return outcome.value

    def _save_in_between(self, rng: Random) -> str | None:
        """Somebody saves after the file was read and before it is written."""
        if not self.desks or self.whole is not None or self.locked or not self.path.exists():
            return None
        self.files.tick()
        mirror = self.files.mirror()
        before: list[Any] = [self._before()]
        saved: list[str | None] = []
        book = mirror.port

        class Between(Port):
            def __getattr__(port, name: str) -> Any:
                if name == "write" and not saved:
                    saved.append(self._save(rng))
                    before[0] = self._before()
                return getattr(book, name)

        mirror.port = Between(book, lambda: None)
        outcome = mirror.look()
        self._after(before[0])
        return f"{outcome.value}, saved {saved}"

    def _killed(self, how: str, rng: Random) -> str:
        before = self._before()
        dead = self.kills.kill(how, rng)
        self._after(before)
        self.counts[f"killed: {how}" if dead else "outlived the kill"] += 1
        return f"{how}: {'killed' if dead else 'done before'}"

    def _before(self) -> tuple[Seen | None, bool]:
        """The file before a look, and whether this look may put another one in its place."""
        with reading(self.files.engine) as session:
            undo = any(p.choice is Resolution.undo for p in self._problems(session))
        stands = self._seen() if self.whole is None else None
        return stands, undo

    def _after(self, before: tuple[Seen | None, bool]) -> None:
        """What holds after any look, killed or not: nobody's text and nobody's cell is gone."""
        stood, undo = before
        if stood is None or self.whole is not None:
            return
        stands = self._seen()
        assert stands is not None, "the look left no file that can be read"
        if gone := stood.marks - stands.marks:
            known = self._accounted()
            assert gone <= known, f"lost: {sorted(gone - known)}"
        if not undo:
            ours = set(stood.columns.values()) | set(stands.columns.values())
            assert stands.foreign(ours) == stood.foreign(ours), "a foreign cell changed"
            assert stands.own == stood.own, "a foreign tab changed"
        if len(self.old) < 8 or len(self.log) % 7 == 0:
            self.old.append((self.path.read_bytes(), self.broken))

    def _seen(self) -> Seen | None:
        """The file as it stands; it is read anew only when somebody saved it."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._stood is None or self._stood[0] != state:
            self._stood = (state, seen(self.path))
        return self._stood[1]

    def _accounted(self) -> set[str]:
        """Every mark that the record keeps, or a copy of the file that was put aside."""
        with reading(self.files.engine) as session:
            said = [
                json.dumps(d, ensure_ascii=False) for d in session.scalars(sa.select(Journal.data))
            ]
            said += [t or "" for t in session.scalars(sa.select(WorkbookProblem.theirs))]
            told = sa.select(WorkbookChange.before, WorkbookChange.after).where(
                WorkbookChange.what != CellDeed.written
            )
            said += [f"{b} {a}" for b, a in session.execute(told)]
        marks = {mark for text in said for mark in MARK.findall(text)}
        aside = [p for p in (self.home / "folder").rglob("*.xlsx") if p != self.path]
        for copy in aside:
            kept = seen(copy) if copy.name != "last.xlsx" else None
            marks |= kept.marks if kept else set()
        return marks

    # ------------------------------------------------------------ coming to rest

    def _settle(self, rng: Random) -> str:
        """Let everybody finish, look until there is nothing to do, and compare both sides."""
        self._let_go(rng)
        outcome = self._looked_till_rest()
        with reading(self.files.engine) as session:
            stopped = any(p.kind is ProblemKind.structure for p in self._problems(session))
        if stopped:
            return "stopped"
        assert outcome is LookOutcome.quiet, "stopped, and nobody is told why"
        self.compare()
        return "compared"

    def _let_go(self, rng: Random) -> None:
        if self.whole is not None:
            self._finish_writing()
        if self.locked:
            self._lock(rng)
        if self.paused:
            self._pause(rng)

    def _looked_till_rest(self) -> LookOutcome:
        quiet = 0
        said: list[str] = []
        for _ in range(12):
            said.append(self._look(Random(0)))
            outcome = LookOutcome(said[-1])
            if outcome is LookOutcome.stopped:
                return outcome
            quiet = quiet + 1 if outcome is LookOutcome.quiet else 0
            if quiet == 1:
                stood, number = self.path.read_bytes(), self._passes()
            if quiet == 2:
                assert (self.path.read_bytes(), self._passes()) == (stood, number)
                return outcome
        raise AssertionError(f"the file never came to rest: {said}")

    def _passes(self) -> tuple[int, int, int]:
        """What a quiet look must not add to."""
        with reading(self.files.engine) as session:
            counted = [
                session.scalar(sa.select(sa.func.count(column)))
                for column in (WorkbookChange.id, WorkbookProblem.id, Journal.id)
            ]
            return (counted[0] or 0, counted[1] or 0, counted[2] or 0)

    def finish(self, rng: Random) -> None:
        """The evening: everything is decided, and both sides say the same."""
        self.desks.clear()
        for _ in range(8):
            self._settle(rng)
            if self._choose(rng) is None:
                break
            while self._choose(rng) is not None:
                pass
        assert self._settle(rng) == "compared", "nothing gets the file going again"

    # ------------------------------------------------------------ comparing both sides

    def compare(self) -> None:
        """Compare the file at rest with the record, and the journal with what was typed."""
        self.counts["compared"] += 1
        stands = self._seen()
        assert stands is not None
        with reading(self.files.engine) as session, wording.speaking(LANGUAGE, ZONE):
            self._same_on_both_sides(session, stands)
            self._once(session)
            self._folded(session)
        self._remarks(stands)
        self.broken = False

    def _same_on_both_sides(self, session: Session, stands: Seen) -> None:
        sheet = self._sheet(session)
        tab = next(t for t in layout.tabs(session, sheet.audience) if t.key == "open")
        wanted = state.cases_of_tab(session, sheet, tab)
        said = case_cells.texts(session, list(wanted))
        rows = {
            r.complaint_id: r
            for r in session.scalars(sa.select(WorkbookRow).where(WorkbookRow.sheet_id == sheet.id))
        }
        lines = self._lines(stands)
        frozen = {(p.row_id, p.field) for p in self._problems(session)}
        for case in wanted:
            row = rows[case]
            assert row.uid in lines, f"{said[case]['number']} is not in the file"
            ours = {**said[case], "hint": row.hint} if row.hint else said[case]
            for name in stands.columns.keys() - {"uid"}:
                cell, text = stands.cell(lines[row.uid], name), ours.get(name, "")
                blank = not cell.strip() or (name in OPEN_FIELDS and cell.startswith("="))
                if cell == text or (blank and not text):
                    continue
                missing = row.waiting.get("missing") and name in GROUP
                excused = name in row.refused or (row.id, name) in frozen or missing
                assert excused if name in OPEN_FIELDS else False, (
                    f"{ours['number']} {name}: the file says {cell!r}, the record {text!r}"
                )
        strangers = {r.uid for r in rows.values() if r.complaint_id not in wanted} & set(lines)
        assert not strangers, f"still in the file: {strangers}"

    def _lines(self, stands: Seen) -> dict[str, int]:
        """The line of each row; of several the one that does not say that it is a copy."""
        found: dict[str, int] = {}
        for number in stands.lines:
            uid = stands.cell(number, "uid")
            if uid and not _is_copy(stands.cell(number, "hint")):
                assert uid not in found, f"{uid} stands in the file twice"
                found[uid] = number
        return found

    def _once(self, session: Session) -> None:
        """No text became a deed twice, and none became one of another case."""
        rows = session.execute(
            sa.select(Complaint.number, Journal.event, Journal.data)
            .join(Complaint, Complaint.id == Journal.complaint_id)
            .where(Journal.event.in_(DONE_ONCE))
        )
        times: Counter[str] = Counter()
        for number, event, data in rows:
            for mark in set(MARK.findall(json.dumps(data, ensure_ascii=False))):
                times[mark] += 1
                at = self.typed[mark]
                stray = at is not None and at != number and mark not in self.free
                assert not stray, f"{mark} was typed for {at} and became {event} of {number}"
        doubled = {m: n for m, n in times.items() if n > self.allowed[m]}
        assert not doubled, f"done more often than typed: {doubled}"

    def _folded(self, session: Session) -> None:
        for complaint in session.scalars(sa.select(Complaint).options(*record.WITH_ALL)):
            folded, stands = (
                journal.fold_journal(session, complaint),
                record.facts_of(session, complaint),
            )
            assert folded == stands, f"{complaint.number} does not fold to what stands"

    def _remarks(self, stands: Seen) -> None:
        """What somebody wrote beside a case still stands beside that case or beside none."""
        for number, line in stands.lines.items():
            case = stands.cell(number, "number")
            for text in line.values():
                beside = text.startswith(REMARK) and case and not self._loose(text)
                assert not beside or text.split()[1] == case, f"{text!r} stands beside {case}"

    def _loose(self, text: str) -> bool:
        """Whether somebody mixed up the rows where this remark stood."""
        marks = set(MARK.findall(text))
        return bool(marks & self.free) if marks else self.ever_broken
