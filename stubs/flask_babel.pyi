"""What Redress uses of Flask-Babel, which ships no types.

A lazy sentence is typed as the text it becomes: WTForms and Flask-Admin take it wherever they
take a text.
"""

from collections.abc import Callable
from datetime import timedelta, tzinfo

from babel.core import Locale
from babel.support import Translations
from flask import Flask

class Babel:
    def __init__(
        self,
        app: Flask | None = None,
        *,
        default_locale: str = "en",
        default_timezone: str = "UTC",
        locale_selector: Callable[[], str | None] | None = None,
    ) -> None: ...

def gettext(string: str, /, **variables: object) -> str: ...
def ngettext(singular: str, plural: str, num: int, /, **variables: object) -> str: ...
def lazy_gettext(string: str, /, **variables: object) -> str: ...
def format_timedelta(
    datetime_or_timedelta: timedelta,
    granularity: str = "second",
    add_direction: bool = False,
    threshold: float = 0.85,
) -> str: ...
def get_locale() -> Locale | None: ...
def get_timezone() -> tzinfo | None: ...
def get_translations() -> Translations: ...
