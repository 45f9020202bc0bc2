"""What Redress uses of Flask-WTF, which ships no types."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask
from markupsafe import Markup
from wtforms import Form

class CSRFProtect:
    def __init__(self, app: Flask | None = None) -> None: ...

class FlaskForm(Form):
    def __init__(
        self,
        formdata: Any = ...,
        *,
        obj: object | None = None,
        prefix: str = "",
        data: Mapping[str, Any] | None = None,
        meta: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None: ...
    def is_submitted(self) -> bool: ...
    def validate_on_submit(
        self, extra_validators: Mapping[str, Sequence[Any]] | None = None
    ) -> bool: ...
    def hidden_tag(self, *fields: str) -> Markup: ...
