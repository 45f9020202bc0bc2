"""The first logins: passwords Redress made up, kept for the owner of the home folder."""

from __future__ import annotations

import json
import os

import config
from config import Settings


def first_logins(settings: Settings) -> dict[str, str]:
    """Return the user names and made-up passwords that were not changed since."""
    path = settings.home / "first_logins.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep_first_logins(settings: Settings, logins: dict[str, str]) -> None:
    """Keep the made-up passwords of `logins`, readable by the owner of the home folder only."""
    config.make_home(settings)
    path = settings.home / "first_logins.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=1)
