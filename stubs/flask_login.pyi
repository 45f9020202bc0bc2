"""What Redress uses of Flask-Login, which ships no types.

`current_user` is typed as the visitor who is logged in, because rights keep everybody else from
every page but the few that ask `is_authenticated`.
"""

from collections.abc import Callable

from flask import Flask

from admin.kit.login import Visitor

class UserMixin:
    @property
    def is_authenticated(self) -> bool: ...

class AnonymousUserMixin:
    @property
    def is_authenticated(self) -> bool: ...

class LoginManager:
    login_view: str | None
    login_message: str | None
    def __init__(self, app: Flask | None = None) -> None: ...
    def user_loader(
        self, callback: Callable[[str], Visitor | None]
    ) -> Callable[[str], Visitor | None]: ...

current_user: Visitor

def login_user(user: UserMixin) -> bool: ...
def logout_user() -> bool: ...
