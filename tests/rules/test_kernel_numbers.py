"""Numbers and codes: what people mistype is found, what they type differently is forgiven."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel import numbers

law = settings(deadline=None, max_examples=200)

case_numbers = st.builds(
    numbers.case_number,
    letters=st.sampled_from(["FX", "SY", "AS"]),
    day=st.dates(date(2022, 10, 1), date(2091, 12, 31)),
    serial=st.integers(1, 99_999),
)
codes = st.binary(min_size=16, max_size=16).map(numbers.query_code)


def test_a_case_number_carries_city_date_serial_and_check_digit() -> None:
    number = numbers.case_number(letters="FX", day=date(2026, 11, 20), serial=31)

    assert number == "FX26112000310"
    assert numbers.grouped(number) == "FX26 1120 0031 0"


def test_a_day_with_more_than_9999_matters_goes_on_counting() -> None:
    number = numbers.case_number(letters="FX", day=date(2026, 11, 20), serial=12345)

    assert number[:-1] == "FX26112012345"
    assert numbers.grouped(number)[:-1] == "FX26 1120 12345 "
    assert numbers.parse(numbers.grouped(number)) == number


def test_the_check_digit_is_that_of_the_standard() -> None:
    # ISO 7064, MOD 11,10: the published example.
    assert numbers.check_digit("0794") == "5"


@pytest.mark.parametrize(
    "typed",
    [
        "FX26112000310",
        "fx26 1120 0031 0",
        " FX26-1120-0031-0 ",
        "ＦＸ２６　１１２０　００３１　０",
        "FX26\u20141120\u20130031\u22120",
        "FX26\u200b1120\u00a00031\t0",
    ],
)
def test_a_number_is_read_as_people_type_it(typed: str) -> None:
    assert numbers.parse(typed) == "FX26112000310"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "FX",
        "26112000310",
        "F26112000310",
        "FXX26112000310",
        "FX2611200031",
        "FX26112000311",
        "FX26112000310X",
        "FX26112000310\x00",
        "FX٢٦١١٢٠٠٠٣١٠",
        "FX26112000310" * 40,
        "诉求FX26112000310",
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(numbers.WrongNumber) as refusal:
        numbers.parse(typed)
    assert refusal.value.code == "wrong_number"


@pytest.mark.parametrize("digits", ["2613010031", "2602300031", "2611200000", "26112000031"])
def test_a_fitting_check_digit_saves_no_impossible_date_or_serial(digits: str) -> None:
    with pytest.raises(numbers.WrongNumber):
        numbers.parse("FX" + digits + numbers.check_digit(digits))


@pytest.mark.parametrize(("letters", "serial"), [("fx", 1), ("F", 1), ("阜新", 1), ("FX", 0), ("FX", 1_000_000_000)])
def test_a_number_is_made_of_a_known_city_and_a_counted_serial_alone(letters: str, serial: int) -> None:
    with pytest.raises(ValueError, match="letters|serial"):
        numbers.case_number(letters=letters, day=date(2026, 11, 20), serial=serial)


def test_only_a_number_is_grouped() -> None:
    with pytest.raises(numbers.WrongNumber):
        numbers.grouped("FX26")


@law
@given(case_numbers)
def test_every_number_made_is_read_back(number: str) -> None:
    assert numbers.parse(number) == number
    assert numbers.parse(numbers.grouped(number).lower()) == number


@law
@given(case_numbers, st.data())
def test_every_single_wrong_digit_is_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789"))
    assume(wrong != number[place])

    with pytest.raises(numbers.WrongNumber):
        numbers.parse(number[:place] + wrong + number[place + 1 :])


@law
@given(case_numbers, st.data())
def test_two_digits_exchanged_are_found_unless_they_are_neighbours_in_counting(
    number: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(2, len(number) - 2))
    one, other = number[place], number[place + 1]
    assume((int(one) - int(other)) % 10 not in (0, 1, 9))

    with pytest.raises(numbers.WrongNumber):
        numbers.parse(number[:place] + other + one + number[place + 2 :])


def test_of_all_exchanges_of_neighbouring_digits_only_one_pair_in_forty_five_is_missed() -> None:
    missed = tried = 0
    for head in range(1000):
        for one in range(10):
            for other in range(one):
                tried += 1
                missed += numbers.check_digit(f"{head:03}{one}{other}") == numbers.check_digit(f"{head:03}{other}{one}")

    assert missed * 45 == tried


def test_a_query_code_has_128_bits_in_26_signs() -> None:
    assert numbers.query_code(bytes(16)) == "0" * 26
    assert numbers.query_code(b"\xff" * 16) == "7" + "Z" * 25
    assert numbers.query_code(bytes(15) + b"\x20") == "0" * 24 + "10"


def test_a_query_code_is_shown_in_groups_of_four() -> None:
    assert numbers.grouped_code("7QKM2XHD9TRAW4NEC6PB8VSJ3F") == "7QKM 2XHD 9TRA W4NE C6PB 8VSJ 3F"


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_query_code_is_made_of_sixteen_bytes_alone(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        numbers.query_code(bytes(size))


@law
@given(codes)
def test_every_code_made_is_read_back(code: str) -> None:
    assert numbers.parse_code(numbers.grouped_code(code).lower()) == code


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    code = "01" * 13

    for typed in ("OI" * 13, "ol" * 13, "0l-" * 13, "Ｏ１　" * 13):
        assert numbers.parse_code(typed) == code


@pytest.mark.parametrize(
    "typed",
    ["", "0" * 25, "0" * 27, "8" + "0" * 25, "U" + "0" * 25, "0" * 25 + "码", "0" * 25 + "*", "0" * 26 + "-" * 200],
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(numbers.WrongCode) as refusal:
        numbers.parse_code(typed)
    assert refusal.value.code == "wrong_code"


def test_a_refused_code_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(numbers.WrongCode) as refusal:
        numbers.parse_code("7QKM2XHD9TRAW4NEC6PB8VSJ3")
    assert "7QKM" not in f"{refusal.value} {refusal.value.params}"


def test_a_code_is_looked_up_by_its_hash_however_it_was_typed() -> None:
    code = numbers.query_code(bytes(range(16)))

    assert numbers.code_hash(code) == hashlib.sha256(code.encode("ascii")).digest()
    assert numbers.code_hash(numbers.grouped_code(code).lower()) == numbers.code_hash(code)
