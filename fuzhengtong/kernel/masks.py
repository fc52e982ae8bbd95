"""What strangers to a secret may see: names and phones behind stars, texts without the numbers that identify.

Called wherever personal data is shown unopened, and before a text is indexed for search. It only hides: nothing here
decides who may see more, and nothing can be turned back. Where a text leaves doubt whether a number identifies
somebody, the number goes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from fuzhengtong.kernel import numbers

STAR: Final = "＊"
GONE: Final = STAR * 3

_AREA_CODE: Final = "0418"
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
# After 010 and 02x come eight digits, after the other area codes seven or eight.
_LANDLINE: Final = re.compile(r"(010|02[0-9])[0-9]{8}|(0[3-9][0-9]{2})[0-9]{7,8}")
_LOCAL: Final = re.compile(r"[2-8][0-9]{6,7}")
_ABROAD: Final = re.compile(r"(?:\+|00)86")
_LONGEST_PHONE: Final = 40

# What people put between the digits of one number: blanks, dashes, dots, strokes, brackets, zero-width signs.
_BETWEEN: Final = "[ \\t\u00a0\u2000-\u200f\u202f\u2060\u3000\ufeff\u180e\\-\u2010-\u2015\u2212－.．·•_/()（）]"
_CLUSTER: Final = re.compile(rf"[0-9](?:{_BETWEEN}{{0,3}}+[0-9])*+(?:{_BETWEEN}{{0,3}}+[XxＸｘ])?")
_RUN: Final = re.compile(r"[0-9]+")
_SAID_LOCAL: Final = re.compile(
    rf"(?i:电话|座机|固话|tel)[^0-9\n]{{0,6}}([2-8][0-9]{{2,3}}{_BETWEEN}?[0-9]{{4}})(?![0-9])"
)
_CALLED: Final = re.compile(
    r"(?:0|(?:00)?86)?1[3-9][0-9]{9}"
    r"|(?:0|(?:00)?86)(?:(?:10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8})"
)
_BORN: Final = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}"
_IDENTITY: Final = re.compile(rf"[1-9][0-9]{{5}}(?:18|19|20)[0-9]{{2}}{_BORN}[0-9]?|[1-9][0-9]{{5}}[0-9]{{2}}{_BORN}")
_CARD: Final = re.compile(r"[3-69][0-9]{15,18}")
_LONGEST_NUMBER: Final = 19
# A longer number tells a household or an account apart, or is a phone with a slip; a case number may stay.
_LONG: Final = 11

_DIGITS: Final = {
    start + value: str(value)
    for start in (0x0660, 0x06F0, 0x0F20, 0x1810, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
    for value in range(10)
}
_NUMERALS: Final = _DIGITS | str.maketrans("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789")
_DIGIT: Final = re.compile(f"[0-9{''.join(map(chr, _NUMERALS))}]")
_SHORTEST_PHONE: Final = 7


def mask_name(name: str) -> str:
    """Show the first sign of a name and always two stars: how long a name is tells people of one village apart.

    Of a compound surname the first sign alone is shown.
    """
    name = name.strip()
    return name[:1] + STAR * 2 if name else ""


def mask_phone(phone: str) -> str:
    """Show the first three and last four digits of a mobile, area code and last four of a landline.

    What is no phone is all stars, whatever its length.
    """
    number = normal_phone(phone)
    if number is None:
        return STAR * 4
    head = number[:3] if number[0] == "1" else _area_code(number)
    return head + STAR * (len(number) - len(head) - 4) + number[-4:]


def normal_phone(text: str, *, area_code: str = _AREA_CODE) -> str | None:
    """Read a phone number into its one normal form: 11 digits of a mobile, or area code and number of a landline.

    Forgives +86, a leading 0 before a mobile, blanks, hyphens, brackets and full-width signs; a bare local number gets
    the city's area code. Returns None for what is no phone of the mainland.
    """
    if len(text) > _LONGEST_PHONE:
        return None
    folded = unicodedata.normalize("NFKC", text).strip()
    folded = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").translate(_DIGITS)
    abroad = _ABROAD.match(folded)
    digits = re.sub(_BETWEEN, "", folded[abroad.end() :] if abroad else folded)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) == 12 and digits[0] == "0" and _MOBILE.fullmatch(digits[1:]):
        digits = digits[1:]
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    if abroad:
        return "0" + digits if _LANDLINE.fullmatch("0" + digits) else None
    return area_code + digits if _LOCAL.fullmatch(digits) else None


def redact(text: str, names: Iterable[str] = ()) -> str:
    """Remove from a text the known names and every number like a phone, an identity number or a bank card.

    Digits of every width and Chinese numerals count, also with blanks, dashes or dots between them. Names of a single
    sign stay: they would take ordinary words with them.
    """
    pieces: list[str] = []
    shown = 0
    for start, end in _merged(_personal(text)):
        pieces += text[shown:start], GONE
        shown = end
    pieces.append(text[shown:])
    return _without_names("".join(pieces), names)


def _area_code(number: str) -> str:
    match = _LANDLINE.fullmatch(number)
    return "" if match is None else match[1] or match[2]


def _without_names(text: str, names: Iterable[str]) -> str:
    # The longest first: a name may contain another.
    for name in sorted({name.strip() for name in names}, key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, GONE)
            for blank in (" ", "\u3000"):  # forms stretch short names
                text = text.replace(blank.join(name), GONE)
    return text


def _personal(text: str) -> Iterator[tuple[int, int]]:
    """Find the places of numbers that identify; both readings of the text keep every sign at its place."""
    if len(_DIGIT.findall(text)) < _SHORTEST_PHONE:  # most texts end here, cheaply
        return
    plain = text.translate(_DIGITS)
    spoken = text.translate(_NUMERALS)
    for reading in (plain,) if plain == spoken else (plain, spoken):
        for match in _SAID_LOCAL.finditer(reading):
            yield match.span(1)
        for cluster in _CLUSTER.finditer(reading):
            if len(cluster[0]) >= 10:
                yield from _in_cluster(reading, cluster.start(), cluster.end())


def _in_cluster(reading: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Try the runs of digits in a cluster one by one and joined, as they would be read aloud."""
    runs = list(_RUN.finditer(reading, start, end))
    for first, run in enumerate(runs):
        joined = ""
        for last in range(first, len(runs)):
            joined += runs[last][0]
            if _identifies(joined, runs[first : last + 1]) or (first == last and _is_long(reading, run)):
                ends_cluster = last == len(runs) - 1 and len(joined) == 17
                yield run.start(), end if ends_cluster else runs[last].end()
            if len(joined) > _LONGEST_NUMBER:
                break


def _identifies(joined: str, runs: list[re.Match[str]]) -> bool:
    if len(joined) < 10:
        return False
    if _CALLED.fullmatch(joined):
        # A house number and a date side by side are no area code.
        return joined[0] != "0" or len(runs[0][0]) != 2
    if _IDENTITY.fullmatch(joined):
        return True
    grouped = len(runs) <= 5 and all(len(run[0]) >= 3 for run in runs[:-1])
    return (grouped or len(runs) == len(joined)) and _CARD.fullmatch(joined) is not None


def _is_long(reading: str, run: re.Match[str]) -> bool:
    return len(run[0]) >= _LONG and not _is_case_number(reading[max(run.start() - 2, 0) : run.end()])


def _is_case_number(text: str) -> bool:
    try:
        numbers.parse(text)
    except numbers.WrongNumber:
        return False
    return True


def _merged(places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join overlapping places, in order."""
    start = end = -1
    for next_start, next_end in sorted(places):
        if next_start > end:
            if end >= 0:
                yield start, end
            start, end = next_start, next_end
        else:
            end = max(end, next_end)
    if end >= 0:
        yield start, end
