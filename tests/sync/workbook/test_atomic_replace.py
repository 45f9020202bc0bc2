"""A book is replaced while people save, processes die and disks fill up; nothing is ever lost."""

from __future__ import annotations

import os
import resource
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sync.port import WorkbookChanged, WorkbookRefused, WorkbookUnavailable, WorkbookWrite
from sync.workbook.adapter import WorkbookFile
from tests.sync import stepping
from tests.sync.books import TABS, made, rich

BEFORES = pytest.mark.parametrize(
    "before", [lambda: None, stepping.without_exchange], ids=["exchange", "no exchange"]
)


@pytest.fixture
def book(tmp_path: Path) -> WorkbookFile:
    folder = tmp_path / "销售部"
    folder.mkdir()
    return made(folder / "投诉 (销售).xlsx", lines=3)


@pytest.fixture
def theirs(tmp_path: Path) -> bytes:
    """What a person is going to save: another complete book of ours."""
    other = made(tmp_path / "theirs.xlsx", lines=1)
    seen = other.read(TABS)
    other.write(seen, TABS, WorkbookWrite(1, {"open": {(2, "text"): "部门刚写的"}}))
    return other.path.read_bytes()


def write(book: WorkbookFile, text: str = "新") -> str:
    seen = book.read(TABS)
    return book.write(seen, TABS, WorkbookWrite(2, {"open": {(2, "hint"): text}}))


def files(book: WorkbookFile) -> list[str]:
    return sorted(os.listdir(book.path.parent))


def fresh(book: WorkbookFile, content: bytes) -> None:
    """The folder as it was, whatever the last try left in it."""
    for name in files(book):
        (book.path.parent / name).unlink()
    book.path.write_bytes(content)


# ---------------------------------------------------------------- a killed process


@BEFORES
def test_a_process_killed_before_any_step_leaves_the_old_or_the_new_book(
    book: WorkbookFile, before: Callable[[], None]
) -> None:
    old = book.path.read_bytes()
    stamps = set()
    for step in range(1, 1000):
        fresh(book, old)
        ended = stepping.run(lambda: write(book), step.__eq__, before=before)
        picture = book.read(TABS)
        stamps.add(picture.stamp)
        hint = picture.tabs["open"].rows[0].cells.get("hint")
        assert (picture.stamp, hint) in {(1, None), (2, "新")}
        assert files(book) == [book.path.name], f"left behind at step {step}"
        if not ended.killed:
            break
    assert ended.said == "done"
    assert step > 30
    assert stamps == {1, 2}


def test_with_exchange_the_path_never_misses_its_book(book: WorkbookFile) -> None:
    missing: list[bool] = []

    def notice(at: int) -> bool:
        missing.append(not book.path.exists())
        return False

    ended = stepping.run(lambda: write(book), notice)
    assert ended.said == "done"
    assert not any(missing)


# ---------------------------------------------------------------- somebody saves in between


def by_replacing(path: Path, content: bytes) -> None:
    """Save as Excel does: a new file takes the name."""
    beside = path.with_name("save.tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def in_place(path: Path, content: bytes) -> None:
    """Save as simple programs do: into the same file."""
    path.write_bytes(content)


@BEFORES
@pytest.mark.parametrize("save", [by_replacing, in_place])
def test_what_somebody_saves_at_any_step_is_still_there(
    book: WorkbookFile,
    theirs: bytes,
    before: Callable[[], None],
    save: Callable[[Path, bytes], None],
) -> None:
    old = book.path.read_bytes()
    said = set()
    for step in range(1, 1000):
        fresh(book, old)

        def person(at: int, step: int = step) -> bool:
            if at == step:
                save(book.path, theirs)
            return False

        ended = stepping.run(lambda: write(book), person, before=before)
        said.add(ended.said)
        if ended.steps < step:
            break
        book.read(TABS)  # whoever looks next puts right what is left
        there = [(book.path.parent / name).read_bytes() for name in files(book)]
        assert theirs in there or saved_before_reading(book), f"lost at step {step}: {files(book)}"
        assert not [name for name in files(book) if name.startswith(".")]
    assert said <= {"done", "WorkbookUnavailable changed", "WorkbookUnavailable busy"}
    assert "WorkbookUnavailable changed" in said


@BEFORES
def test_what_somebody_saves_stays_when_the_process_is_killed_after_it(
    book: WorkbookFile, theirs: bytes, before: Callable[[], None]
) -> None:
    old = book.path.read_bytes()
    whole = stepping.run(lambda: write(book), before=before).steps
    for saved_at in range(whole - 14, whole + 1):  # the swap and what comes after it
        for killed_at in range(saved_at + 1, saved_at + 6):
            fresh(book, old)

            def person(at: int, saved_at: int = saved_at, killed_at: int = killed_at) -> bool:
                if at == saved_at:
                    by_replacing(book.path, theirs)
                return at == killed_at

            ended = stepping.run(lambda: write(book), person, before=before)
            book.read(TABS)  # whoever looks next puts right what is left
            there = [(book.path.parent / name).read_bytes() for name in files(book)]
            assert theirs in there, f"lost: saved at {saved_at}, killed at {killed_at}"
            assert not [name for name in files(book) if name.startswith(".")]
            if not ended.killed:
                break


def saved_before_reading(book: WorkbookFile) -> bool:
    """Whether the book was read after he saved: then his words are in it, beside our own."""
    line = book.read(TABS).tabs["open"].rows[0].cells
    return (line.get("text"), line.get("hint")) == ("部门刚写的", "新")


@BEFORES
def test_two_saves_in_a_row_both_stay(
    book: WorkbookFile, theirs: bytes, before: Callable[[], None]
) -> None:
    old = book.path.read_bytes()
    for step in range(1, 1000):
        fresh(book, old)
        rounds: list[bytes] = []

        def person(at: int, step: int = step, rounds: list[bytes] = rounds) -> bool:
            if at >= step and len(rounds) < 2:
                rounds.append(theirs + b"\0" * len(rounds))
                by_replacing(book.path, rounds[-1])
            return False

        ended = stepping.run(lambda: write(book), person, before=before)
        if ended.steps < step + 1:
            break
        there = [(book.path.parent / name).read_bytes() for name in files(book)]
        assert rounds[-1] in there or saved_before_reading(book), f"lost at step {step}"


def test_a_program_that_still_writes_into_the_old_file_keeps_it(
    book: WorkbookFile, theirs: bytes
) -> None:
    old = book.path.read_bytes()
    for step in range(1, 1000):
        fresh(book, old)
        held: list[int] = []

        def person(at: int, step: int = step, held: list[int] = held) -> bool:
            if at == step:
                held.append(os.open(book.path, os.O_RDWR))
            return False

        ended = stepping.run(lambda: write(book), person)
        if not held:
            break
        os.truncate(held[0], 0)
        os.write(held[0], theirs)
        os.close(held[0])
        assert book.path.read_bytes() == theirs, f"lost at step {step}: {ended.said}"


def test_a_book_changed_after_it_was_read_is_not_written(book: WorkbookFile, theirs: bytes) -> None:
    seen = book.read(TABS)
    by_replacing(book.path, theirs)
    with pytest.raises(WorkbookUnavailable) as refused:
        book.write(seen, TABS, WorkbookWrite(2, {"open": {(2, "hint"): "新"}}))
    assert refused.value.code == "changed"
    assert book.path.read_bytes() == theirs


def test_two_writers_lose_no_word_of_each_other(book: WorkbookFile) -> None:
    def count(times: int) -> None:
        while times:
            seen = book.read(TABS)
            now = seen.tabs["open"].rows[0].cells.get("amount", 0.0)
            assert isinstance(now, float)
            with suppress(WorkbookUnavailable):  # the other was faster
                book.write(seen, TABS, WorkbookWrite(2, {"open": {(2, "amount"): now + 1}}))
                times -= 1

    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                count(10)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert book.read(TABS).tabs["open"].rows[0].cells["amount"] == 20.0
    assert files(book) == [book.path.name]


# ---------------------------------------------------------------- disks, rights


def test_a_full_disk_leaves_the_old_book_and_nothing_else(book: WorkbookFile) -> None:
    old = book.path.read_bytes()
    seen = book.read(TABS)

    def deed() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        book.write(seen, TABS, WorkbookWrite(2, {"open": {(2, "hint"): "新"}}))

    assert stepping.run(deed).said == "WorkbookRefused disk_full"
    assert book.path.read_bytes() == old
    assert files(book) == [book.path.name]


def test_a_read_only_book_is_refused(book: WorkbookFile) -> None:
    book.path.chmod(0o444)
    with pytest.raises(WorkbookRefused) as refused:
        write(book)
    assert refused.value.code == "not_writable"


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("mode", "file_mode", "said"),
    [
        (0o555, 0o666, "WorkbookRefused not_writable"),
        (0o755, 0o000, "WorkbookRefused not_readable"),
    ],
)
def test_rights_that_are_missing_are_the_administrators_matter(
    public: Path, mode: int, file_mode: int, said: str
) -> None:
    book = made(public / "a.xlsx", lines=1)
    book.path.chmod(file_mode)
    public.chmod(mode)

    def nobody() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)

    assert stepping.run(lambda: write(book), before=nobody).said == said
    assert os.listdir(public) == ["a.xlsx"]


def test_mode_and_attributes_of_the_book_stay(book: WorkbookFile) -> None:
    book.path.chmod(0o664)
    with suppress(OSError):  # not every file system has them
        os.setxattr(book.path, "user.部门".encode(), b"sales")
    names = os.listxattr(book.path)
    write(book)
    assert book.path.stat().st_mode & 0o777 == 0o664
    assert os.listxattr(book.path) == names


def test_no_folder_no_book_and_a_book_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(WorkbookRefused) as refused:
        WorkbookFile(tmp_path / "gone" / "a.xlsx").read(TABS)
    assert refused.value.code == "no_folder"
    with pytest.raises(WorkbookRefused):
        WorkbookFile(tmp_path / "gone" / "a.xlsx").make(TABS)
    book = WorkbookFile(tmp_path / "a.xlsx")
    assert book.fingerprint() is None
    with pytest.raises(WorkbookUnavailable) as missing:
        book.read(TABS)
    assert missing.value.code == "missing"
    assert book.make(TABS) == book.fingerprint()
    with pytest.raises(WorkbookUnavailable) as there:
        book.make(TABS)
    assert there.value.code == "changed"
    assert os.listdir(tmp_path) == ["a.xlsx"]


# ---------------------------------------------------------------- copies kept and put back


def test_a_kept_copy_comes_back_as_it_was(book: WorkbookFile, tmp_path: Path) -> None:
    old = book.path.read_bytes()
    book.keep(tmp_path, "kept.xlsx")
    after = write(book)
    with pytest.raises(WorkbookUnavailable):
        book.put(tmp_path / "kept.xlsx", "another fingerprint")
    now = book.put(tmp_path / "kept.xlsx", after)
    assert book.path.read_bytes() == old
    assert now == book.fingerprint()
    book.path.unlink()
    book.put(tmp_path / "kept.xlsx", None)
    assert book.path.read_bytes() == old


# ---------------------------------------------------------------- lock files


def office_lock(name: str, *, narrow: bytes | None = None, wide: bool = True) -> bytes:
    """An owner file as Excel and WPS write it."""
    raw = name.encode("gbk") if narrow is None else narrow
    start = bytes([len(raw)]) + raw.ljust(54, b" ")
    if not wide:
        return start
    return start + struct.pack("<H", len(name)) + name.encode("utf-16-le").ljust(108, b" \0"[:1])


@pytest.mark.parametrize(
    ("lock", "content", "name"),
    [
        ("~${}", office_lock("张伟"), "张伟"),
        ("~${}", office_lock("张伟", wide=False), "张伟"),
        ("~${}", office_lock("Zhang Wei")[:60], "Z"),
        ("~${}", office_lock("Zhang Wei")[:20], "Zhang Wei"),
        ("~${}", b"", ""),
        (".~{}", office_lock("王芳"), "王芳"),
        (".~lock.{}#", "王芳,fang,PC-3,28.09.2026 14:05,file:///home/fang;".encode(), "王芳"),
        (".~lock.{}#", b",fang,PC-3,28.09.2026 14:05,file:///home/fang;", "fang"),
        (".~lock.{}#", "王\\, 芳,fang".encode(), "王, 芳"),
    ],
)
def test_a_book_that_somebody_has_open_is_not_written(
    book: WorkbookFile, lock: str, content: bytes, name: str
) -> None:
    assert book.holder() is None
    old = book.path.read_bytes()
    seen = book.read(TABS)
    place = book.path.with_name(lock.format(book.path.name))
    place.write_bytes(content)
    held = book.holder()
    assert held is not None
    assert held.name == name
    assert abs(held.since.timestamp() - place.stat().st_mtime) < 0.001
    with pytest.raises(WorkbookUnavailable) as refused:
        book.write(seen, TABS, WorkbookWrite(2, {"open": {(2, "hint"): "新"}}))
    assert (refused.value.code, refused.value.facts) == ("held", {"who": name})
    assert book.path.read_bytes() == old


def test_a_lock_of_last_week_is_a_leftover(book: WorkbookFile) -> None:
    place = book.path.with_name(f"~${book.path.name}")
    place.write_bytes(office_lock("张伟"))
    past = time.time() - 8 * 24 * 3600
    os.utime(place, (past, past))
    assert book.holder() is None
    write(book)


# ---------------------------------------------------------------- conflict copies


@pytest.mark.parametrize(
    "name",
    [
        "投诉 (conflicted copy 2026-09-28 140501).xlsx",
        "投诉 (张伟's conflicted copy 2026-09-28).xlsx",
        "投诉-PC3 的冲突副本.xlsx",
        "投诉（冲突）.xlsx",
        "投诉 - 副本.xlsx",
        "投诉 - 副本 (2).xlsx",
        "投诉 - Copy.XLSX",
        "投诉 (1).xlsx",
        "投诉(1).xlsx",
        "投诉-DESKTOP-4711.xlsx",
        "投诉-张伟.xlsx",
        "投诉.sync-conflict-20260928-140501-ABCDEFG.xlsx",
        "投诉 (冲突文件 张伟 2026-09-28).xlsx",
        "投诉 (saved meanwhile 2026-09-28 14-05-01).xlsx",
        "副本投诉.xlsx",
        "Copy of 投诉.xlsx",
    ],
)
def test_copies_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    for file in (
        "投诉.xlsx",
        name,
        "别的.xlsx",
        "~$投诉.xlsx",
        "投诉 (1).docx",
        "旧投诉.xlsx",
        "投诉部.xlsx",
    ):
        (tmp_path / file).write_bytes(b"")
    found = WorkbookFile(tmp_path / "投诉.xlsx").copies()
    (copy,) = [copy for copy in found if copy.named]
    assert copy.name == name
    assert copy.fingerprint == WorkbookFile(tmp_path / name).fingerprint()
    assert {copy.name for copy in found} == {name, "别的.xlsx", "旧投诉.xlsx", "投诉部.xlsx"}


# ---------------------------------------------------------------- files that are no book


def test_a_file_cut_off_anywhere_is_half_written(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    whole = book.path.read_bytes()
    for part in range(50):
        book.path.write_bytes(whole[: len(whole) * part // 50])
        with pytest.raises(WorkbookUnavailable) as refused:
            book.read(TABS)
        assert refused.value.code == "half_written"
    book.path.write_bytes(b"\0" * len(whole))
    with pytest.raises(WorkbookUnavailable):
        book.read(TABS)


def test_a_hole_of_zeros_anywhere_raises_nothing_foreign(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    whole = book.path.read_bytes()
    for part in range(50):
        start = len(whole) * part // 50
        book.path.write_bytes(whole[:start] + b"\0" * 64 + whole[start + 64 :])
        try:
            book.read(TABS)
        except (WorkbookUnavailable, WorkbookChanged):
            continue


@pytest.mark.parametrize(
    "content",
    [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"number;name\n1;2\n", b"%PDF-1.7"],
)
def test_what_is_no_workbook_is_the_departments_matter(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookChanged) as refused:
        WorkbookFile(path).read(TABS)
    assert refused.value.code == "no_workbook"
