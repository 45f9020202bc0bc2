"""The first logins: passwords Redress made up, kept for the owner of the home folder."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


def first_logins(home: Path) -> dict[str, str]:
    """Return the user names and made-up passwords that were not changed since."""
    path = home / _NAME
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep_first_logins(home: Path, logins: dict[str, str]) -> None:
    """Keep the made-up passwords of `logins`, readable by the owner of the home folder only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home / f".{_NAME}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=1)
    draft.replace(home / _NAME)


def forget_first_login(home: Path, username: str) -> None:
    """Forget the made-up password of a user, who has another one now."""
    logins = first_logins(home)
    if logins.pop(username, None) is not None:
        keep_first_logins(home, logins)


_NAME = "first_logins.json"
