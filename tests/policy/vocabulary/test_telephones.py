"""Telephone numbers as registers hold them: what is read, what is kept to read, what is refused."""

from __future__ import annotations

import pytest

from policy.vocabulary.errors import PhoneRefused, PhoneRounded
from policy.vocabulary.telephones import canonical_digits, telephone

MOBILE = "13900000001"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        (MOBILE, MOBILE),
        (" 139 0000 0001 ", MOBILE),
        ("139-0000-0001", MOBILE),
        ("139－0000－0001", MOBILE),
        ("139 – 0000 – 0001", MOBILE),
        ("139.0000.0001", MOBILE),
        ("１３９００００００１", "1390000001"),
        ("１３９０００００００１", MOBILE),
        ("+86 139-0000-0001", MOBILE),
        ("＋86 139-0000-0001", MOBILE),
        ("(+86)13900000001", MOBILE),
        ("0086 13900000001", MOBILE),
        ("8613900000001", MOBILE),
        ("13900000001.0", MOBILE),
        ("13900000001.00", MOBILE),
        ("'13900000001", MOBILE),
        ("1.3900000001E10", MOBILE),
        ("1.3900000001e+10", MOBILE),
        ("13900000001/13900000002", MOBILE),
        ("13900000001、0755-26000000", MOBILE),
        ("13900000001；13900000002", MOBILE),
        ("13900000001 13900000002", MOBILE),
        ("13900000001或13900000002", MOBILE),
        ("手机13900000001（微信同号）", MOBILE),
        ("13900000001 家属", MOBILE),
        ("0755-26000000", "075526000000"),
        ("(0755)26000000", "075526000000"),
        ("+86 755 26000000", "075526000000"),
        ("0755-26000000转801", "075526000000801"),
        ("400-800-8800", "4008008800"),
        ("110", "110"),
        ("12315", "12315"),
        ("+1 (202) 555-0100", "12025550100"),
    ],
)
def test_a_number_is_read_as_it_was_meant(written: str, digits: str) -> None:
    assert telephone(written).digits == digits
    assert telephone(written).shown == written.strip()


@pytest.mark.parametrize(
    "written",
    [
        "139****0001",
        "139＊＊＊＊0001",
        "139xxxx0001",
        "139 XXXX 0001",  # as some registers mask a number
        "139●●●●0001",
        "1390000****",
        "****0001",
        "00000000000",
        "11111111111",
    ],
)
def test_a_masked_or_made_up_number_is_kept_and_tells_nobody(written: str) -> None:
    assert telephone(written).digits is None
    assert telephone(written).shown == written


@pytest.mark.parametrize("written", ["1.39E+10", "1.39e10", "１.３９Ｅ＋１０", "1E+10", "6.2E+17"])
def test_a_rounded_number_has_a_reason_of_its_own(written: str) -> None:
    with pytest.raises(PhoneRounded):
        telephone(written)


@pytest.mark.parametrize(
    "written",
    ["无", "-", "/", "微信", "12", "1", "没留2个", "QQ12345", "13900.5e",
     "wx13900001", "V1390000123x", "13900000001.5", "？",
     "9" * 21, "#N/A", "NaN", "inf", "None", "x", "***"],
)  # fmt: skip
def test_a_word_or_leftovers_of_digits_are_no_number(written: str) -> None:
    with pytest.raises(PhoneRefused):
        telephone(written)


def test_what_is_typed_to_look_somebody_up_may_be_a_beginning() -> None:
    assert canonical_digits("+86 139") == "139"
    assert canonical_digits("１３９ 0000") == "1390000"
    assert canonical_digits("无") == ""
