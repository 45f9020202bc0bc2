"""A lock that a crashed program left behind is shown, and removed where a person says so."""

from __future__ import annotations

import datetime as dt
import os

import sqlalchemy as sa
from sqlalchemy import Engine

from config import Settings
from database import reading, writing
from models import Workbook
from services.workbooks import looks
from worker.workbooks import Mirrors

NOW = dt.datetime.now(dt.UTC)


def test_a_lock_left_behind_is_removed_on_request(engine: Engine, settings: Settings) -> None:
    mirrors = Mirrors(engine, settings, "host:1")
    mirrors.look()
    with reading(engine) as session:
        workbook = session.scalars(sa.select(Workbook).order_by(Workbook.id)).first()
    assert workbook is not None
    path = mirrors.path(workbook.name)
    old, fresh = path.with_name(f".~lock.{path.name}#"), path.with_name(f"~${path.name}")
    old.write_text(",crashed,pc,;")
    stamp = path.stat().st_mtime - 3600
    os.utime(old, (stamp, stamp))
    mirrors.look()
    with writing(engine) as session:
        held = session.get_one(Workbook, workbook.id)
        assert held.held_by == "crashed"
        looks.request_unlock(session, held, user_id=None, now=NOW)
    fresh.write_bytes(b"")
    mirrors.look()
    assert not old.exists()
    assert fresh.exists(), "somebody opened it meanwhile"
