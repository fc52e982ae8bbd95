"""The two strings a resident holds: the number of a matter, said on the phone, and the query code that opens it.

Called by intake when they are made and by every door where somebody types them. The number is public and guarded by
a check digit against slips of the tongue; the code is a secret of 128 bits, stored only as its hash. Neither function
ever guesses: what cannot be read for certain is refused.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date
from typing import ClassVar, Final

from fuzhengtong.kernel.errors import Refused


class WrongNumber(Refused):
    """Refuse what is no case number: wrong form, impossible date, or a check digit that does not fit."""

    code: ClassVar[str] = "wrong_number"


class WrongCode(Refused):
    """Refuse what is no query code."""

    code: ClassVar[str] = "wrong_code"


# Crockford's alphabet: no I, L, O, U.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH: Final = 26
_CODE: Final = re.compile(rf"[0-7][{_ALPHABET}]{{{_CODE_LENGTH - 1}}}")
_NUMBER: Final = re.compile(r"([A-Z]{2})([0-9]{2})([0-9]{4})([0-9]{4,9})([0-9])")
_LETTERS: Final = re.compile(r"[A-Z]{2}")
_MISREAD: Final = str.maketrans("OIL", "011")
# Longer than any spacing of a real one: not worth normalising.
_LONGEST_ENTRY: Final = 120


def check_digit(digits: str) -> str:
    """Compute the check digit of the digits after ISO 7064, MOD 11,10.

    It finds every single wrong digit and all adjacent transpositions but one pair of neighbours in forty-five.
    """
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def case_number(*, letters: str, day: date, serial: int) -> str:
    """Make the number of the serial-th matter of the day: letters of the city, yymmdd, serial, check digit.

    The serial has at least four digits. Refuses anything but two capital letters and a serial from 1.
    """
    if not _LETTERS.fullmatch(letters):
        raise ValueError(f"a city has two capital letters, not {letters!r}")
    if not 1 <= serial <= 999_999_999:
        raise ValueError(f"a serial runs from 1, not {serial}")
    digits = f"{day.year % 100:02d}{day.month:02d}{day.day:02d}{serial:04d}"
    return letters + digits + check_digit(digits)


def grouped(number: str) -> str:
    """Write a case number in groups for reading aloud: letters and year, date, serial, check digit."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise WrongNumber
    letters, year, day, serial, check = match.groups()
    return f"{letters}{year} {day} {serial} {check}"


def parse(text: str) -> str:
    """Read a case number as people type it: spaces, hyphens, full-width signs and small letters are forgiven.

    Raises WrongNumber for a wrong form, an impossible date or a wrong check digit.
    """
    match = _NUMBER.fullmatch(_plain(text))
    if match is None:
        raise WrongNumber
    letters, year, day, serial, check = match.groups()
    digits = year + day + serial
    if check_digit(digits) != check or not _is_date(year, day) or not _is_serial(serial):
        raise WrongNumber
    return letters + digits + check


def query_code(raw: bytes) -> str:
    """Write 16 random bytes as a query code: 26 characters of Crockford's base 32."""
    if len(raw) != 16:
        raise ValueError(f"a query code has 16 bytes, not {len(raw)}")
    number = int.from_bytes(raw, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_CODE_LENGTH - 1), -1, -5))


def grouped_code(code: str) -> str:
    """Write a query code in groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def parse_code(text: str) -> str:
    """Read a query code as people type it: O is 0, I and L are 1; spaces, hyphens, case and width are forgiven.

    Raises WrongCode for anything else.
    """
    code = _plain(text).translate(_MISREAD)
    if not _CODE.fullmatch(code):
        raise WrongCode
    return code


def code_hash(code: str) -> bytes:
    """Hash a query code with SHA-256, as it is stored and looked up; raises WrongCode for what is none."""
    return hashlib.sha256(parse_code(code).encode("ascii")).digest()


def _plain(text: str) -> str:
    if len(text) > _LONGEST_ENTRY:
        return ""
    # Dashes of every kind are category Pd (the minus sign is not); zero-width signs, copied from chats, are Cf.
    folded = unicodedata.normalize("NFKC", text).upper().replace("\u2212", "-")
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) not in ("Pd", "Cf"))


def _is_date(year: str, day: str) -> bool:
    try:
        date(2000 + int(year), int(day[:2]), int(day[2:]))
    except ValueError:
        return False
    return True


def _is_serial(serial: str) -> bool:
    # One matter, one number: a serial padded beyond four digits would be a second spelling.
    return int(serial) > 0 and (len(serial) == 4 or serial[0] != "0")
