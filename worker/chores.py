"""The chores of the worker and how often each is due."""

from __future__ import annotations

from config import Settings
from database import make_engine
from worker.jobs import (
    LookAtFiles,
    SendNotices,
    check_drafts,
    pass_cases_on,
    recount_cases,
    sweep_cases,
    try_versions,
)
from worker.loop import Chore, Worker, make_queue

POSTS_EVERY_S = 60.0
RECOUNT_S = 5.0
DRAFTS_EVERY_S = 2.0
TRIALS_EVERY_S = 2.0


def make_worker(settings: Settings, chores: tuple[Chore, ...] | None = None) -> Worker:
    """Return a worker for `settings` with the usual chores, or with those given."""
    if chores is None:
        chores = (
            Chore("sweep", settings.sweep_seconds, sweep_cases),
            Chore("posts", POSTS_EVERY_S, pass_cases_on),
            Chore("recount", RECOUNT_S, recount_cases),
            Chore("sheets", settings.sheet_seconds, LookAtFiles(settings)),
            Chore("notices", settings.notice_seconds, SendNotices(settings)),
            Chore("trials", TRIALS_EVERY_S, try_versions),
            Chore("drafts", DRAFTS_EVERY_S, check_drafts),
        )
    return Worker(make_engine(settings), make_queue(settings), chores)
