"""The folder of the workbooks: marked once as this installation's, checked before every look."""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine

from config import Settings
from database import reading, writing
from services.workbooks import installation
from sync.mirror import failures
from sync.port import WorkbookError, WorkbookRefused
from sync.workbook import folder_marker
from sync.workbook.folder_marker import FolderOwner

log = logging.getLogger(__name__)

PLACE = "installation"
"""The file in the home folder that tells this home from a copy of it."""


@dataclass
class SheetFolder:
    """The folder of the workbooks of an installation."""

    engine: Engine
    settings: Settings

    @cached_property
    def owner(self) -> FolderOwner:
        """The installation to which the folder has to belong."""
        with writing(self.engine) as session:
            identity = installation.identity(session)
        within = self.path.is_relative_to(self.settings.home)
        return FolderOwner(identity, "" if within else _place(self.settings.home))

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.settings.sheets

    def check(self) -> None:
        """Refuse a folder that is not ours. Raises WorkbookRefused."""
        folder_marker.check(self.path, self.owner)

    def refusal(self) -> WorkbookError | None:
        """Why no workbook may be looked at now, or None; a folder of ours is marked once."""
        try:
            if not folder_marker.is_marked(self.path) and self._is_first():
                self.take()
            self.check()
            self._expect_files()
        except WorkbookError as refusal:
            return refusal
        except Exception as error:
            log.exception("the folder of the workbooks could not be looked at")
            return failures.unexpected(error)
        return None

    def take(self) -> None:
        """Mark the folder as this installation's, whatever it says."""
        if not self.path.is_dir():
            raise WorkbookRefused("no_folder", folder=str(self.path))
        folder_marker.put(self.path, self.owner)
        with writing(self.engine) as session:
            installation.note_folder_marked(session, now=dt.datetime.now(dt.UTC))
        log.info("%s is marked as the folder of this installation", self.path)

    def _is_first(self) -> bool:
        """Whether the folder may be marked: it never was, and what was written is in it.

        An installation that wrote workbooks before markers were known, and finds none of them
        here, has probably lost its share at this moment.
        """
        with writing(self.engine) as session:
            if installation.has_marked_folder(session):
                return False
            names = installation.written_names(session)
        return not names or any(self._file(name).exists() for name in names)

    def _expect_files(self) -> None:
        """Refuse a folder from which every file is gone at once: nobody deletes them all."""
        with reading(self.engine) as session:
            names = installation.written_names(session)
        if len(names) > 1 and not any(self._file(name).exists() for name in names):
            raise WorkbookRefused("all_gone", count=len(names), folder=str(self.path))

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.xlsx"


def _place(home: Path) -> str:
    """The token of a home folder; a copy of it lies elsewhere and gets another one."""
    file = home / PLACE
    try:
        said = json.loads(file.read_text("utf-8"))
        if said["home"] == str(home):
            return str(said["place"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or it is another home's
    place = secrets.token_hex(8)
    file.write_text(json.dumps({"place": place, "home": str(home)}), "utf-8")
    return place
