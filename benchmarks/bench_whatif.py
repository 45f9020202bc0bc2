"""What trying a draft on 1,000 past cases of 15 events each costs, from the record to the totals.

`make bench-whatif` runs it and writes the section of docs/benchmarks.md. The cases are lived once
by the services, each 15 events long and twice begun anew; the draft halves a term, so that every
case differs. Each measurement is a process of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "bench-whatif"
REPORT = ROOT / "docs" / "benchmarks.md"
CASES = int(os.environ.get("BENCH_CASES", "1000"))
EVENTS = 15
RUNS = 5
BEGIN, END = "<!-- bench-whatif begins -->", "<!-- bench-whatif ends -->"


def main() -> None:
    """Measure, print the table and write it into the documentation."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    _measured("make")
    found = [_measured("try") for _ in range(RUNS)]
    text = _section(found)
    print(text)
    _write(text)


def _measured(step: str) -> dict[str, float]:
    """What a step in a process of its own says about itself."""
    words = [sys.executable, "-m", "benchmarks.bench_whatif", step]
    answer = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _section(found: list[dict[str, float]]) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "pydantic"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    judged = int(middle["cases"])
    return "\n".join(
        [
            f"{machine}, Python {platform.python_version()}, {packages}, SQLite. {judged:,} cases "
            f"of {EVENTS} events, all of which differ. Median of {RUNS}, each in a process of its "
            "own that has nothing in its caches.",
            "",
            "| | |",
            "|---|---:|",
            f"| seconds | {middle['seconds']:.2f} |",
            f"| of the processor | {middle['processor']:.2f} |",
            f"| milliseconds a case | {1000 * middle['seconds'] / judged:.2f} |",
            f"| of these in folding under the draft | {1000 * middle['folding'] / judged:.2f} |",
            f"| statements in all | {int(middle['statements'])} |",
            f"| most memory, MB | {middle['memory']:.0f} |",
        ]
    )


def _write(text: str) -> None:
    report = REPORT.read_text(encoding="utf-8")
    before, rest = report.split(BEGIN)
    after = rest.split(END)[1]
    REPORT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


# ---------------------------------------------------------------- in a process of its own


def _settings() -> Any:
    from config import Settings

    return Settings(home=HOME, demo=False)


def make() -> dict[str, float]:
    """The company, its cases and the draft."""
    import logging

    from config import make_home
    from database import make_engine, writing
    from tests import company

    logging.disable(logging.INFO)
    settings = _settings()
    make_home(settings)
    company.build(settings)
    engine = make_engine(settings)
    for begin in range(0, CASES, 50):
        with writing(engine) as session:
            for _ in range(min(50, CASES - begin)):
                _live(company.Office(session))
    with writing(engine) as session:
        office = company.Office(session)
        office.drafted("deadline", "close_a", within={"amount": 1, "unit": "hour"})
    return {}


def _live(office: Any) -> None:
    """A case of 15 events: two rounds that displease, a third that is accepted and signed."""
    from policy.vocabulary.status import Satisfaction
    from services.cases import handling

    case = office.dispatched()
    at = dt.datetime(2026, 9, 28, 14, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    handling.progress(office.session, case, text="已约客户", actor=office.by("mechanic"), now=at)
    for _round in range(2):
        office.reply(case, at)
        office.confirm(case, at + dt.timedelta(minutes=30))
        unhappy = Satisfaction.dissatisfied
        office.call(case, unhappy, at + dt.timedelta(hours=1), asks_more=True, text="仍有异响")
        at += dt.timedelta(hours=2)
    office.reply(case, at)
    office.confirm(case, at + dt.timedelta(minutes=30))
    office.call(case, now=at + dt.timedelta(hours=1))
    office.sign(case, at + dt.timedelta(hours=2))
    assert case.version == EVENTS, case.version


def try_draft() -> dict[str, float]:
    """Every case judged under the draft, batch by batch, as the command does."""
    import sqlalchemy as sa

    import policy.proof.whatif
    from database import make_engine, reading
    from models import PolicyVersion
    from policy.proof.whatif import Totals
    from services.regulation import policies
    from services.reports import whatif

    engine = make_engine(_settings())
    statements, folding = [0], [0.0]
    sa.event.listen(engine, "before_cursor_execute", lambda *_: _add(statements, 1))
    policy.proof.whatif.replay_under = _timed(policy.proof.whatif.replay_under, folding)
    totals = Totals()
    after_id: int | None = 0
    begun, busy = time.perf_counter(), time.process_time()
    asked: dict[str, Any] = {"from_on": dt.date(2026, 9, 1), "until_on": dt.date(2026, 9, 30)}
    asked["now"] = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    while after_id is not None:
        with reading(engine) as session:
            draft = session.scalars(sa.select(PolicyVersion).filter_by(status="draft")).one()
            pack = policies.pack(session, draft)
            found = whatif.judge_batch(session, draft, pack, **asked, after_id=after_id)
        list(whatif.add_to_totals(found, totals))
        after_id = found.last_id
    assert (totals.cases, totals.differ, totals.refused) == (CASES, CASES, 0)
    return {
        "seconds": time.perf_counter() - begun,
        "processor": time.process_time() - busy,
        "folding": folding[0],
        "statements": statements[0],
        "cases": totals.cases,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _add(sum_: list[Any], more: float) -> None:
    sum_[0] += more


def _timed(function: Any, spent: list[float]) -> Any:
    def timed(*args: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        found = function(*args, **options)
        spent[0] += time.perf_counter() - begun
        return found

    return timed


STEPS = {"make": make, "try": try_draft}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(STEPS[sys.argv[1]]()))
    else:
        main()
