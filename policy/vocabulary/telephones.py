"""Telephone numbers as people and spreadsheets write them, and what of them tells who it is.

What is shown is always what was written. What tells one customer from another is a whole number:
never the digits left over of a masked, a rounded or a made-up one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from policy.vocabulary.errors import PhoneRefused, PhoneRounded

FEWEST_DIGITS, MOST_DIGITS = 3, 20
_WHOLE = 7
"""The digits of a number that is whole even among words: the shortest of a town."""

_EXPONENT = re.compile(r"([+-]?)(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})")
_DECIMAL = re.compile(r"(\d+)\.(\d+)")
_MASKED = re.compile(r"\d[\d ()-]*(?:[*●•○#?]+|[xX×]{2,})[\d ()-]*|[*●•○]{2,}\d+")
_MOBILES = re.compile(r"1\d{10}(?: 1\d{10})+")
_BETWEEN = re.compile(r"[/、;,|\n&]|或|和|及")
_ONLY_NUMBER = re.compile(r"\+?[\d ()./-]+(?:(?:转|分机|ext\.?|x|#) ?\d{1,6})?", re.IGNORECASE)
_RUN = re.compile(r"(?<![A-Za-z0-9])\+?\d[\d ()-]*\d(?![A-Za-z0-9])")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－ーˉ_", "-") | {"·": " ", ".": " "})
_COUNTRY = re.compile(r"^(?:\+|00)86")
_MOBILE = re.compile(r"1\d{10}")


@dataclass(frozen=True, slots=True)
class Telephone:
    """What was written; `digits` tell the customer, None where they tell nobody."""

    shown: str
    digits: str | None


def telephone(text: str) -> Telephone:
    """Return a telephone number as it was meant; of several the first tells the customer.

    Raises PhoneRounded for a number of which a spreadsheet kept the first digits only, and
    PhoneRefused for what holds no number.
    """
    shown = text.strip()
    plain = unicodedata.normalize("NFKC", shown).strip("'\" ")
    if found := _EXPONENT.fullmatch(plain):
        plain = _exact(found, shown)
    if found := _DECIMAL.fullmatch(plain):
        plain = _without_decimals(found, shown)
    plain = " ".join(plain.translate(_DASHES).split())
    if _MASKED.search(plain):
        return Telephone(shown, None)
    for part in _parts(plain):
        digits = _digits_of(part)
        if digits is not None:
            return Telephone(shown, None if _is_made_up(digits) else digits)
    raise PhoneRefused(field="phone", value=shown[:60])


def _exact(found: re.Match[str], shown: str) -> str:
    """Return the number of an exponent form that has every digit. Raises PhoneRounded."""
    sign, first, rest, exponent = found.groups()
    digits, count = first + (rest or ""), int(exponent) + 1
    if sign == "-" or len(digits) != count or count < _WHOLE:
        raise PhoneRounded(field="phone", value=shown[:60])
    return digits


def _without_decimals(found: re.Match[str], shown: str) -> str:
    """Return a number that a program wrote with decimals, 13900000001.0, without them."""
    whole, decimals = found.groups()
    if not decimals.strip("0"):
        return whole
    if len(whole) < _WHOLE:
        return f"{whole}-{decimals}"
    raise PhoneRefused(field="phone", value=shown[:60])


def _parts(plain: str) -> list[str]:
    """Return the numbers written one after the other, where each is a whole one."""
    if _MOBILES.fullmatch(plain):
        return plain.split(" ")
    parts = [part.strip() for part in _BETWEEN.split(plain)]
    whole = [part for part in parts if sum(sign.isdecimal() for sign in part) >= _WHOLE]
    return whole if len(parts) > 1 and whole else [plain]


def _digits_of(part: str) -> str | None:
    """Return the digits of one number, which may stand among words when it is whole."""
    if not _ONLY_NUMBER.fullmatch(part):
        runs = [run[0] for run in _RUN.finditer(part)]
        runs = [run for run in runs if sum(sign.isdecimal() for sign in run) >= _WHOLE]
        if len(runs) != 1:
            return None
        part = runs[0]
    digits = canonical_digits(part)
    return digits if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS else None


def canonical_digits(text: str) -> str:
    """Return the digits of a number, full-width ones too, as they are dialled at home."""
    plain = unicodedata.normalize("NFKC", text)
    digits = "".join(str(unicodedata.decimal(sign)) for sign in plain if sign.isdecimal())
    compact = "+" + digits if plain.strip().startswith("+") else digits
    if not (found := _COUNTRY.match(compact)):
        return digits[2:] if digits.startswith("86") and _MOBILE.fullmatch(digits[2:]) else digits
    home = compact[found.end() :]
    if _MOBILE.fullmatch(home) or home.startswith("0") or not 9 <= len(home) <= 11:
        return home or digits
    return f"0{home}"


def _is_made_up(digits: str) -> bool:
    """Whether somebody filled the field without a number: one digit over and over."""
    return len(digits) >= _WHOLE and len(set(digits)) == 1
