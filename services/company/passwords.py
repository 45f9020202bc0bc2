"""The rules of passwords, asked wherever one is set: on a page, by a command, by an import.

Length does most. Beside it, what everybody tries first is refused: the user's name, one sign again
and again, keys in a row, and the common ones of lists of stolen passwords, here and abroad.
"""

from __future__ import annotations

import re

from policy.vocabulary.errors import FieldMissing, FieldTooLong, PasswordRefused

SHORTEST = 8
LONGEST = 500
_FIELD = "password"

_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "zaq12wsxcde34rfv",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qazxsw23edcvfr4",
    "!@#$%^&*()",
    "147258369",
    "789456123",
)
_COMMON_WORDS = """
    admin administrator root system test guest user login welcome password passw0rd pass
    letmein iloveyou woaini woaiwojia sunshine princess football baseball superman batman dragon
    monkey shadow master michael jordan charlie freedom whatever trustno1 starwars computer
    internet changeme default secret qwerty asdf asdfgh zxcvbn zxcvbnm qazwsx qwer abc abcd abcde
    aa aaa aaaa a asd asdasd qwe qweqwe qweasd qweasdzxc zxc zxcasd nihao mima caonima taobao
    weixin redress skoda complaint company huawei xiaomi alibaba
"""
_WORDS = frozenset(_COMMON_WORDS.split())
"""Words that, alone or with digits before or after, are among the first anybody tries."""
_COMMON_NUMBERS = """
    5201314 1314520 5201314520 7758521 7758258 1314521 521521 520520 520131 110110 119119 123321
    12344321 1234554321 1230123 147147 147258 159357 159753 168168 123123 112233 11223344
    1122334455 123654 1236987 20082008 13145200
"""
_NUMBERS = frozenset(_COMMON_NUMBERS.split())
_SHAPE = re.compile(r"(\d*)(\D*?)(\d*)")
_SIGN = re.compile(r"[\W_]")
_SIGNS_AS_LETTERS = str.maketrans("@$!", "asi")
_LONG_NUMBER = 16


def check(password: str, *, username: str) -> None:
    """Refuse a password that is easily guessed.

    Raises FieldMissing, FieldTooLong, or PasswordRefused with `why`.
    """
    if not password:
        raise FieldMissing(field=_FIELD)
    if len(password) > LONGEST:
        raise FieldTooLong(field=_FIELD, limit=LONGEST)
    if why := weakness(password, username=username):
        raise PasswordRefused(field=_FIELD, why=why, least=SHORTEST)


def weakness(password: str, *, username: str) -> str | None:
    """Return why a password is too easily guessed, as a code, or None."""
    bare = password.strip()
    if len(bare) < SHORTEST:
        return "too_short"
    typed = bare.casefold()
    if _is_name(typed, username.strip().casefold()):
        return "like_the_name"
    if len(set(typed)) < 3 or _is_repeated(typed) or _is_row(typed) or _is_common(typed):
        return "too_common"
    return None


def _is_name(typed: str, name: str) -> bool:
    """Whether it is the user name, backwards too, with nothing but digits or signs added."""
    rest = typed.strip("0123456789!@#$%^&*._-+= ")
    named = name.strip("0123456789!@#$%^&*._-+= ") or name
    return bool(name) and (typed == name or rest in {named, named[::-1], named * 2})


def _is_repeated(typed: str) -> bool:
    """Whether a short piece makes up all of it: abcabcabc, 12121212."""
    return any(
        typed == (typed[:size] * len(typed))[: len(typed)] for size in range(1, len(typed) // 2 + 1)
    )


def _is_row(typed: str) -> bool:
    return any(typed in row or typed in row[::-1] for row in _ROWS)


def _is_common(typed: str) -> bool:
    """Whether a common word with common digits is all there is, signs left out or read as
    letters; or digits alone, which are a day, a telephone number or keys in a row.
    """
    letters = re.sub(r"(?<=[a-z])0(?=[a-z])", "o", typed.translate(_SIGNS_AS_LETTERS))
    return any(_is_word(_SIGN.sub("", one)) for one in (typed, letters))


def _is_word(bare: str) -> bool:
    if bare.isdecimal():
        return len(bare) < _LONG_NUMBER
    shape = _SHAPE.fullmatch(bare)
    if shape is None:
        return _is_row(bare)
    before, word, after = shape.groups()
    return word in _WORDS and all(_is_plain_number(part) for part in (before, after))


def _is_plain_number(digits: str) -> bool:
    """Whether digits beside a word add nothing: none, a row, one digit, a year, a known number."""
    if len(digits) <= 4 or digits in _NUMBERS or _is_row(digits):
        return True
    return len(set(digits)) < 3 or _is_repeated(digits)
