"""The recipe of a table in CONTRIBUTING.md, run as it stands there."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import DeclarativeBase

import models
from admin.company import people
from admin.kit import rights
from config import ROOT

PART = re.compile(r"^# (?P<place>\S+\.py.*)$", re.M)


def recipe() -> dict[str, str]:
    """The lines of the recipe by where they belong, as the comments above them say."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### a table\n")[2].partition("\n### ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.S)
    assert code is not None
    marks = list(PART.finditer(code[1]))
    ends = [mark.start() for mark in marks[1:]] + [len(code[1])]
    return {
        mark["place"]: code[1][mark.end() : end].strip()
        for mark, end in zip(marks, ends, strict=True)
    }


def own_base() -> type[DeclarativeBase]:
    """A base like that of the record, whose tables are not those of the other tests."""
    metadata = sa.MetaData(naming_convention=models.Base.metadata.naming_convention)
    types = models.Base.type_annotation_map
    return type("Base", (DeclarativeBase,), {"metadata": metadata, "type_annotation_map": types})


def add_table(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Add the table of the recipe to an application that has not begun; its model."""
    lines = recipe()
    record: dict[str, Any] = {**vars(models), "Base": own_base()}
    exec(lines["models.py"], record)  # what stands in our own CONTRIBUTING.md
    brand = record["Brand"]
    page = {**vars(people), "Brand": brand}
    exec(lines["admin/company/people.py"], page)  # as above
    right = "{" + lines["admin/kit/rights.py, in RIGHTS"] + "}"
    for route, roles in eval(right, vars(rights)).items():  # as above
        monkeypatch.setitem(rights.RIGHTS, route, roles)
    page["db"] = app.extensions["sqlalchemy"]
    for view in eval("[" + lines["admin/company/people.py, in views(db)"] + "]", page):  # as above
        app.extensions["admin"][0].add_view(view)
    with app.app_context():
        brand.metadata.create_all(app.extensions["sqlalchemy"].engine)
    return brand
