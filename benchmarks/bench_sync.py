"""What mirroring a department's file of 10,000 open cases costs, beside openpyxl's load and save.

`make bench-sync` runs it and writes the section of docs/benchmarks.md. Every measurement is a
process of its own, so its memory is its own; the one that starts them imports nothing of ours.
The cases are registered and handed over by the services, once: the database is kept in build/
until the code that makes it changes.
"""

from __future__ import annotations

import hashlib
import inspect
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
HOME = ROOT / "build" / "bench-sync"
REPORT = ROOT / "docs" / "benchmarks.md"
CASES = int(os.environ.get("BENCH_CASES", "10000"))
RUNS, EDITS = 5, 10
BEGIN, END = "<!-- bench-sync begins -->", "<!-- bench-sync ends -->"
MADE_BY = ("models.py", "policy", "services/cases/record.py", "tests/company.py")
STEPS = {
    "first": f"first writing of all {CASES:,} rows",
    "quiet": "a look at a file in which nothing changed",
    "seen": f"a look that finds {EDITS} rows answered ({3 * EDITS} cells): they must stand for one",
    "pass": f"the pass that takes these {EDITS} answers in and writes what they brought",
    "openpyxl": "openpyxl: load and save the same file, nothing else",
}


def main() -> None:
    """Measure every step, print the table and write it into the documentation."""
    begun = _cases()
    found: dict[str, list[dict[str, float]]] = {step: [] for step in STEPS}
    for _ in range(RUNS):
        shutil.rmtree(HOME / "now", ignore_errors=True)
        shutil.copytree(begun, HOME / "now")
        found["first"].append(_measured("first"))
    _measured("look")  # what the first writing left to do, if anything
    for number in range(RUNS):
        found["quiet"].append(_measured("quiet"))
        _measured("type", str(number))
        found["seen"].append(_measured("seen"))
        found["pass"].append(_measured("pass"))
        found["openpyxl"].append(_measured("openpyxl"))
    text = _section(found)
    print(text)
    _write(text)


def _cases() -> Path:
    """The folder of a database with every case in it, made anew where its makers changed."""
    digest = hashlib.sha256(f"{CASES} {inspect.getsource(make)}".encode())
    for name in MADE_BY:
        place = ROOT / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    made = HOME / digest.hexdigest()[:16]
    if not made.exists():
        shutil.rmtree(HOME, ignore_errors=True)
        _measured("make", str(made.with_suffix(".new")))
        made.with_suffix(".new").rename(made)
    return made


def _measured(step: str, *arguments: str) -> Any:
    """What a process that does one step found out about itself."""
    command = [sys.executable, "-m", "benchmarks.bench_sync", step, *arguments]
    path = os.pathsep.join(str(ROOT / part) for part in (".", "tests", "tests/sync"))
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{step} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


# ---------------------------------------------------------------- one step, in its own process


def step(name: str, *arguments: str) -> dict[str, float]:
    """Do one step in this process: wall seconds, seconds of the processor, most memory in MB."""
    if name == "make":
        make(Path(arguments[0]))
        return {}
    if name == "type":
        answer(int(arguments[0]))
        return {}
    run = _openpyxl() if name == "openpyxl" else _look(name)
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _files() -> Any:
    """The company's files as they stand; the clock is that of the cases and goes on by the second.

    A real clock would let cases become overdue while they are measured.
    """
    import datetime as dt

    from config import Settings
    from database import make_engine
    from tests.company import at
    from tests.sync.folder import Files

    files = Files(make_engine(Settings(home=HOME / "now" / "home")), HOME / "now")
    ticks = HOME / "now" / "clock"
    seconds = int(ticks.read_text()) if ticks.exists() else 0
    ticks.write_text(str(seconds + 8))
    files.now = at(9, 28, 17) + dt.timedelta(seconds=seconds)
    return files


def _look(name: str) -> Any:
    """One look that must end as the step says."""
    files = _files()
    mirror = files.mirror()
    wanted = {"first": "wrote", "quiet": "quiet", "seen": "read", "pass": "wrote"}.get(name)

    def look() -> None:
        outcome = mirror.look().value
        if wanted not in (None, outcome):
            raise SystemExit(f"the look ended as {outcome}")

    return look


def _openpyxl() -> Any:
    import openpyxl

    path = _files().path()

    def load_and_save() -> None:
        openpyxl.load_workbook(path).save(HOME / "now" / "openpyxl.xlsx")

    return load_and_save


def answer(number: int) -> None:
    """Answer ten cases in the file, spread over it, as a program that keeps the rest does."""
    import wording
    from database import reading
    from sync.mirror import tab_layout
    from sync.port import WorkbookWrite
    from wording import workbook_text

    files = _files()
    mirror = files.mirror()
    with reading(files.engine) as session, wording.speaking(mirror.language, mirror.zone):
        spec = tab_layout.of(session, mirror._workbook(session), on=files.now.date())  # noqa: SLF001  # what the look itself asks
        solved = workbook_text.reply_outcomes()["solved"]
    picture = mirror.port.read(spec)
    cells: dict[tuple[int, str], Any] = {}
    for place in range(EDITS):
        row = 2 + place * (CASES // EDITS) + number
        cells |= {(row, "handler"): "2005", (row, "outcome"): solved}
        cells[row, "answer"] = f"已更换轴承并试车，客户在场确认（{number}-{place}）"
    mirror.port.write(picture, spec, WorkbookWrite(picture.stamp or 0, {"open": cells}))
    saved = files.now.timestamp()
    os.utime(files.path(), (saved, saved))


def make(folder: Path) -> None:
    """A database with all cases: registered by the care department, handed to after-sales."""
    import datetime as dt

    from config import Settings
    from database import make_engine, writing
    from services.cases import customers
    from tests.company import Office, at, build

    settings = Settings(home=folder / "home")
    build(settings)
    engine = make_engine(settings)
    for start in range(0, CASES, 100):
        with writing(engine) as session:
            office = Office(session)
            for number in range(start, min(start + 100, CASES)):
                now = at(9, 28, 9) + dt.timedelta(seconds=number * 2)
                phone = f"138{number:08d}"
                complaint = office.registered(
                    customer=customers.find_or_add(session, f"客户{number:05d}", phone),
                    subject=f"发动机异响 {number}",
                    body=f"车辆行驶{number % 90_000}公里后冷启动异响，加速时明显，到店两次未解决。",
                    demand="尽快修好，并说明原因" if number % 3 else None,
                    received_at=now,
                    now=now,
                )
                office.dispatch(complaint, now)
    engine.dispose()


# ---------------------------------------------------------------- the report


def _section(found: dict[str, list[dict[str, float]]]) -> str:
    names = ("SQLAlchemy", "openpyxl")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    size = (HOME / "now" / "sheets" / "after_sales.xlsx").stat().st_size / 1e6
    lines = [
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python"
        f" {platform.python_version()}, {packages}, SQLite. One department, {CASES:,} open cases,"
        f" a file of {size:.1f} MB. Median of {RUNS}, each in a process of its own that has"
        " nothing in its caches.",
        "",
        "| | seconds | of the processor | most memory, MB |",
        "|---|---:|---:|---:|",
    ]
    for step, said in STEPS.items():
        wall, processor, memory = (
            statistics.median(one[of] for one in found[step])
            for of in ("wall", "processor", "memory")
        )
        lines.append(f"| {said} | {wall:.2f} | {processor:.2f} | {memory:.0f} |")
    return "\n".join(lines)


def _write(text: str) -> None:
    """Put the section where the marks are; the rest of the page is left as it is."""
    page = REPORT.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    REPORT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(step(*sys.argv[1:])))
    else:
        main()
