"""The settings of one Redress: name, type, default and help of each, read from the environment.

A setting `upload_limit_mb` is the environment variable `REDRESS_UPLOAD_LIMIT_MB`; `host` and
`port` are also understood as plain `HOST` and `PORT`. All problems are reported at once, because
a person who sets up a server should not have to start it once for every typing error.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
PREFIX = "REDRESS_"
PLAIN_NAMES = {"host": "HOST", "port": "PORT"}


class SettingsError(click.ClickException):
    """The problems of the settings, one plain sentence each, in `problems`.

    It is a ClickException so that every command prints the sentences and no traceback.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The settings are not usable:\n" + "\n".join(f"- {p}" for p in problems))


def _zone(name: object) -> object:
    if not isinstance(name, str):
        return name
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be the name of a time zone, for example Asia/Shanghai") from error


def _database_url(address: str) -> str:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ValueError("must be a database address such as sqlite:////srv/redress.db") from error
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError("must begin with sqlite:// or postgresql://")
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ValueError("must name a file; a database in memory forgets everything")
    return address


def _queue_url(address: str) -> str:
    if address and address.split("://")[0] not in {"sqlite", "postgresql", "redis", "rediss"}:
        raise ValueError("must be empty or begin with sqlite://, postgresql:// or redis://")
    return address


def _web_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a web address such as https://redress.example.com")
    if parts.username is not None:
        raise ValueError("must not carry a user name or password, because everybody reads it")
    return address.rstrip("/")


def _mail_address(address: SecretStr) -> SecretStr:
    if address.get_secret_value().split("://")[0] not in {"mailto", "mailtos"}:
        raise ValueError("must begin with mailto:// or mailtos://")
    return address


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
DatabaseUrl = Annotated[str, BeforeValidator(_database_url)]
QueueUrl = Annotated[str, BeforeValidator(_queue_url)]
Address = Annotated[str, BeforeValidator(_web_address)]
MailAddress = Annotated[SecretStr, AfterValidator(_mail_address)]


class Settings(BaseModel):
    """The settings of a company's Redress; immutable once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    home: Path = Field(
        default=ROOT / "var",
        description="The folder of the database, the uploads and the secret key.",
    )
    database_url: DatabaseUrl = Field(
        default="",
        validate_default=False,
        description="The database; empty means the file redress.db in the home folder.",
    )
    queue_url: QueueUrl = Field(
        default="",
        description="The worker's queue: sqlite, postgresql or redis; "
        "empty means the file queue.db in the home folder.",
    )
    admin_password: SecretStr | None = Field(
        default=None,
        description="The first password of the user admin; empty lets Redress make one up.",
    )
    demo: bool = Field(
        default=True,
        description="1 fills an empty database with a demo company; 0 creates only the user admin.",
    )
    zone: Zone = Field(
        default=ZoneInfo("Asia/Shanghai"),
        description="The time zone in which times are shown and working time is counted.",
    )
    language: Literal["zh_Hans_CN", "en"] = Field(
        default="zh_Hans_CN",
        description="The language of a visitor whose browser asks for none we speak.",
    )
    upload_limit_mb: int = Field(
        default=20, ge=1, le=1024, description="The largest upload, in megabytes."
    )
    text_limit: int = Field(
        default=20_000,
        ge=500,
        le=200_000,
        description="The longest text of a field, in characters.",
    )
    session_hours: int = Field(
        default=12, ge=1, le=720, description="Hours without a click after which one logs in again."
    )
    https: bool = Field(
        default=False,
        description="1 when people reach Redress by https: cookies then travel by https only.",
    )
    address: Address = Field(
        default="",
        description="How people reach Redress, for links in notices and workbooks, "
        "for example https://redress.example.com; empty means http://host:port.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How many reverse proxies stand before Redress and name the visitor's address.",
    )
    web_processes: int = Field(default=2, ge=1, le=64, description="Processes that answer pages.")
    web_threads: int = Field(
        default=4, ge=1, le=64, description="Threads in each process that answers pages."
    )
    mail: MailAddress | None = Field(
        default=None,
        description="The mail server and sender of notices as an Apprise address, for example "
        "mailtos://user:password@smtp.example.com?from=redress@example.com; empty sends no mail.",
    )
    due_soon_hours: int = Field(
        default=4,
        ge=1,
        le=72,
        description="Hours before the end of a term in which it is told that it ends soon; "
        "of a short term its last quarter.",
    )
    notice_seconds: int = Field(
        default=10, ge=1, le=3600, description="Seconds between two looks at notices to send."
    )
    sweep_seconds: int = Field(
        default=30, ge=1, le=3600, description="Seconds between two looks at what became late."
    )
    sheet_folder: Path | None = Field(
        default=None,
        description="The shared folder of the departments' workbooks; "
        "empty means the folder sheets in the home folder.",
    )
    sheet_seconds: int = Field(
        default=8, ge=1, le=3600, description="Seconds between two looks at each workbook."
    )
    sheet_held_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Minutes a workbook may stay open before a notice names who has it open.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is written to the log."
    )
    host: str = Field(
        default="127.0.0.1", min_length=1, description="The address to listen on; also plain HOST."
    )
    port: int = Field(
        default=5000, ge=1, le=65535, description="The port to listen on; also plain PORT."
    )

    @model_validator(mode="before")
    @classmethod
    def _follow_home(cls, given: Any) -> Any:
        """Set the addresses inside the home folder that were not given."""
        values = dict(given)
        home = Path(values.get("home", ROOT / "var")).expanduser().absolute()
        values["home"] = home
        values["database_url"] = values.get("database_url") or f"sqlite:///{home / 'redress.db'}"
        values["queue_url"] = values.get("queue_url") or f"sqlite:///{home / 'queue.db'}"
        if values.get("sheet_folder"):
            values["sheet_folder"] = Path(values["sheet_folder"]).expanduser().absolute()
        return values

    @property
    def url(self) -> URL:
        """Return the database address, parsed."""
        return make_url(self.database_url)

    @property
    def link_base(self) -> str:
        """Return the beginning of a link to a page, without a slash at its end."""
        if self.address:
            return self.address
        # A reader cannot open "every address of this machine", but can open its name.
        host = gethostname() if self.host in {"0.0.0.0", "::"} else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def uploads(self) -> Path:
        """Return the folder of the uploaded files."""
        return self.home / "uploads"

    @property
    def sheets(self) -> Path:
        """Return the folder of the workbooks."""
        return self.sheet_folder or self.home / "sheets"


def environment_name(field: str) -> str:
    """Return the environment variable of a setting: `upload_limit_mb` ->
    `REDRESS_UPLOAD_LIMIT_MB`.
    """
    return PREFIX + field.upper()


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in `environ` (the process's own by default).

    An empty variable counts as not set. Raises SettingsError with every problem at once.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, str] = {}
    for field in Settings.model_fields:
        text = environ.get(environment_name(field)) or environ.get(PLAIN_NAMES.get(field, ""), "")
        if text.strip():
            values[field] = text.strip()
    problems = _typing_errors(environ)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(problems + [_sentence(one) for one in error.errors()]) from error
    if problems:
        raise SettingsError(problems)
    return settings


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which read_settings makes the same settings, for a child
    process.
    """
    variables = {}
    for field in Settings.model_fields:
        value = getattr(settings, field)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            variables[environment_name(field)] = str(
                int(value) if isinstance(value, bool) else value
            )
    return variables


def _typing_errors(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none.

    A misspelt REDRESS_DATABASE_URL would silently put a company's data somewhere else.
    """
    known = [environment_name(field) for field in Settings.model_fields]
    problems = []
    for name in sorted(environ):
        near = get_close_matches(name, known, n=1, cutoff=0.85)
        if name.startswith(PREFIX) and name not in known and near:
            problems.append(f"{name} is not a setting; did you mean {near[0]}?")
    return problems


def _sentence(error: Any) -> str:
    field = str(error["loc"][0]) if error["loc"] else "?"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    # A password, or an address that carries one, does not belong on the screen or in a log.
    if field in {"admin_password", "mail"} or "@" in str(error["input"]):
        return f"{environment_name(field)}: {message}"
    return f"{environment_name(field)} = {error['input']!s}: {message}"


def make_home(settings: Settings) -> None:
    """Create the home folder, its uploads and its workbooks, closed to other users of the machine.

    A shared folder that the settings name is never created: where it is missing, a drive is not
    mounted, and an empty folder in its place would look as if all workbooks were gone.
    """
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.uploads.mkdir(mode=0o700, exist_ok=True)
        if settings.sheet_folder is None:
            settings.sheets.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        problem = f"REDRESS_HOME = {settings.home}: cannot be created ({error.strerror})"
        raise SettingsError([problem]) from error


def close_file(path: Path) -> None:
    """Create a file of the home folder if it is missing, closed to other users of the machine.

    One from before that everybody could read is closed, too; reading that a group was given is
    left as it is.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_mode & 0o007:
            os.fchmod(descriptor, 0o600)
    except PermissionError:
        pass  # it belongs to somebody else, who decides
    finally:
        os.close(descriptor)


def secret_key(settings: Settings) -> str:
    """Return the key that signs sessions; made once in the home folder, readable by its owner only.

    Several processes may ask at the same moment: the first to link the file wins, and the others
    read that one, never a half-written key.
    """
    make_home(settings)
    path = settings.home / "secret_key"
    if not path.exists():
        draft = settings.home / f".secret_key.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def settings_page() -> str:
    """Return the page about all settings in Markdown; docs/settings.md is a copy of it."""
    rows = [_INTRODUCTION, "| setting | default | what it is |", "|---|---|---|"]
    for field, info in Settings.model_fields.items():
        rows.append(
            f"| `{environment_name(field)}` | {_default_text(field)} | {info.description} |"
        )
    return "\n".join(rows) + "\n"


_INTRODUCTION = """# Settings

Redress is configured through the environment, or a file `.env` beside `app.py` (`.env.example` is
a template). Every setting has a default, an empty one counts as not set, and a wrong one is named
at the start together with all others that are wrong. `make settings` writes this page from
`config.py`.
"""


def _default_text(field: str) -> str:
    default = Settings.model_fields[field].default
    if field == "home":
        return "`var`"
    if default is None or default == "":
        return "empty"
    return f"`{int(default) if isinstance(default, bool) else default}`"
