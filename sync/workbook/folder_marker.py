"""The marker file that says to which installation a folder of workbooks belongs.

A share that is not mounted is an empty folder, and a folder of another installation has files of
the same names. Neither must be taken for the truth, so nothing is read or written without it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sync.port import WorkbookRefused
from sync.workbook.atomic_replace import put_file, reading_error

MARKER = ".redress-folder"
ABOUT = "This folder belongs to Redress. 本文件夹由投诉系统使用，请勿删除此文件。"


@dataclass(frozen=True, slots=True)
class FolderOwner:
    """An installation by its identity, and the home folder in which it lives.

    `place` is empty where the folder lies in the home folder and moves with it.
    """

    identity: str
    place: str = ""


def is_marked(folder: Path) -> bool:
    """Whether a folder has a marker, be it whose it may."""
    return (folder / MARKER).exists()


def check(folder: Path, owner: FolderOwner) -> None:
    """Refuse a folder that is not the owner's.

    Raises WorkbookRefused: no_folder, folder_unmarked, folder_of_other or folder_of_copy.
    """
    if not folder.is_dir():
        raise WorkbookRefused("no_folder", folder=str(folder))
    found = _read(folder)
    if found.get("installation") != owner.identity:
        code = "folder_of_other" if found else "folder_unmarked"
        raise WorkbookRefused(code, folder=str(folder))
    if owner.place and found.get("place") not in (None, "", owner.place):
        raise WorkbookRefused("folder_of_copy", folder=str(folder))


def put(folder: Path, owner: FolderOwner) -> None:
    """Mark a folder as the owner's, over any older marker."""
    said = {"installation": owner.identity, "place": owner.place, "about": ABOUT}
    put_file(folder / MARKER, json.dumps(said, ensure_ascii=False, indent=1).encode())


def _read(folder: Path) -> dict[str, object]:
    """What the marker says; nothing where there is none, something foreign where it is nonsense."""
    try:
        text = (folder / MARKER).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        return {"installation": None}
    except OSError as error:
        raise reading_error(error, folder / MARKER) from error
    try:
        found = json.loads(text)
    except ValueError:
        return {"installation": None}
    return found if isinstance(found, dict) else {"installation": None}
