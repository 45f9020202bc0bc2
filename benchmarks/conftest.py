"""What every benchmark says about where it ran."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version


def pytest_report_header() -> str:
    """The machine and the versions that matter for the numbers."""
    packages = " ".join(f"{name} {version(name)}" for name in ("pydantic", "SQLAlchemy"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    return f"machine: {machine}, Python {platform.python_version()}, {packages}"
