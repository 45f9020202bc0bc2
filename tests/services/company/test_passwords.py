"""Which passwords are refused, and that every way of setting one asks the same rules."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy.orm import Session

from enums import Role
from policy.vocabulary.errors import PasswordRefused, PasswordWrong
from services.company import accounts, passwords

BAD = {
    "too_short": ["1", "12345", "zs12345", " " * 8, "  abcde  ", "密码"],
    "like_the_name": ["wang.hr1", "WANG.HR123", "rh.gnaw!!", "wang.hrwang.hr"],
    "too_common": [
        *["12345678", "87654321", "88888888", "12121212", "abcabcabc", "aaaaaaaa", "11223344"],
        *["password", "Password1!", "P@ssw0rd", "qwertyui", "1qaz2wsx", "1q2w3e4r", "asdfghjkl"],
        *[
            "a1234567",
            "Aa123456",
            "abc@123456",
            "woaini1314",
            "5201314520",
            "admin888",
            "123456abc",
        ],
        *["20261130", "2026-11-30", "13912345678"],
    ],
}
GOOD = ["correct horse battery", "long enough", "李雷和韩梅梅的猫很胖", "dfs8932j", "Kx7-hund-rot"]


@pytest.mark.parametrize(
    ("why", "typed"), [(why, one) for why, all_ in BAD.items() for one in all_]
)
def test_what_is_guessed_first_is_refused(why: str, typed: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        passwords.check(typed, username="wang.hr")
    assert refused.value.facts["why"] == why
    assert refused.value.facts.keys() == {"field", "why", "least"}


@pytest.mark.parametrize("typed", GOOD)
def test_what_nobody_guesses_is_taken(typed: str) -> None:
    passwords.check(typed, username="wang.hr")


def test_passwords_that_redress_makes_up_are_always_taken() -> None:
    assert not any(
        passwords.weakness(secrets.token_urlsafe(9), username="care") for _ in range(2000)
    )


def test_no_way_of_setting_a_password_goes_round_the_rules(session: Session) -> None:
    def add(password: str) -> object:
        return accounts.add_user(
            session, "juror", password=password, display_name="", role=Role.juror
        )

    with pytest.raises(PasswordRefused):
        add("juror123")
    user = accounts.add_user(session, "juror", password=GOOD[0], display_name="", role=Role.juror)
    with pytest.raises(PasswordRefused):
        accounts.set_password(session, user, password="12345678")
    with pytest.raises(PasswordWrong):
        accounts.change_own_password(session, user, old="guess", new=GOOD[1])
    with pytest.raises(PasswordRefused):
        accounts.change_own_password(session, user, old=GOOD[0], new=GOOD[0])
    assert accounts.password_matches(user.password_hash, GOOD[0])
    accounts.ask_for_own_password(user)
    accounts.change_own_password(session, user, old=GOOD[0], new=GOOD[1])
    assert not user.must_change_password
