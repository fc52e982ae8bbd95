"""The local sink: what it delivers, what it counts, and how it fails when told to."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fuzhengtong.connectors import sink as sinks
from fuzhengtong.connectors.lines import Limits
from fuzhengtong.connectors.outward import Message, Undelivered
from fuzhengtong.connectors.sink import CONTROL, Fault, Kind, Sink

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def message(dedup: str = "1", way: str = "sms", to: str = "13800000926", text: str = "已受理") -> Message:
    return Message(dedup=dedup, way=way, to=to, subject="FX26112000310", text=text, at=AT)


def lines(folder: Path, way: str = "sms") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{way}.jsonl").read_text("utf-8").splitlines()]


def test_each_way_has_a_file_that_only_its_owner_reads(tmp_path: Path):
    sink = Sink(tmp_path / "sink")

    sink.send(message("1"))
    sink.send(message("2", way="desk", to="5.handler"))

    assert [line["dedup"] for line in lines(tmp_path / "sink")] == ["1"]
    assert [line["to"] for line in lines(tmp_path / "sink", "desk")] == ["5.handler"]
    assert stat.S_IMODE((tmp_path / "sink" / "sms.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "sink").stat().st_mode) == 0o700


def test_no_file_holds_an_address(tmp_path: Path):
    sink = Sink(tmp_path)

    sink.send(message(to="13800000926"))
    sink.send(message("2", way="mail", to="wang.example@example.cn"))

    held = "".join(path.read_text("utf-8") for path in tmp_path.glob("*.jsonl"))
    assert "0926" not in held
    assert "example" not in held


def test_the_same_message_again_is_counted_and_not_delivered_again(tmp_path: Path):
    sink = Sink(tmp_path)

    sink.send(message())
    sink.send(message())

    assert [line["again"] for line in lines(tmp_path)] == [False, True]
    assert sink.counts() == {"1": 2}
    assert len(sink.delivered) == 1


def test_another_process_knows_what_was_delivered_before(tmp_path: Path):
    Sink(tmp_path).send(message())

    other = Sink(tmp_path)
    other.send(message())

    assert other.delivered == []
    assert other.counts() == {"1": 2}


def test_two_processes_in_turn_count_every_message_once(tmp_path: Path):
    one, other = Sink(tmp_path), Sink(tmp_path)

    for number in range(6):
        (one if number % 2 else other).send(message(str(number // 2)))

    assert one.counts() == other.counts() == {"0": 2, "1": 2, "2": 2}


def test_a_line_that_a_crash_cut_off_takes_no_other_line_with_it(tmp_path: Path):
    Sink(tmp_path).send(message("1"))
    with open(tmp_path / "sms.jsonl", "ab") as file:
        file.write(b'{"at":"2026-11-20T02:00:00+00:00","dedup":"2","to"')

    Sink(tmp_path).send(message("3"))

    assert Sink(tmp_path).counts() == {"1": 1, "3": 1}


def test_without_a_folder_it_delivers_within_the_process_alone():
    sink = Sink()

    sink.send(message())
    sink.send(message())

    assert [held.to for held in sink.delivered] == ["13800000926"]
    assert sink.counts() == {"1": 2}


def test_a_gateway_that_is_down_delivers_nothing_and_is_to_be_tried_again():
    sink = Sink(faults={"sms": Fault(Kind.DOWN, times=1)})

    with pytest.raises(Undelivered) as trouble:
        sink.send(message())
    sink.send(message())

    assert not trouble.value.permanent
    assert sink.counts() == {"1": 1}


def test_a_refused_message_is_never_to_be_tried_again():
    sink = Sink(faults={"sms": Fault(Kind.PERMANENT)})

    with pytest.raises(Undelivered) as trouble:
        sink.send(message())

    assert trouble.value.permanent
    assert sink.counts() == {}


def test_an_unreadable_answer_comes_after_the_delivery():
    sink = Sink(faults={"sms": Fault(Kind.GARBAGE, times=1)})

    with pytest.raises(Undelivered) as trouble:
        sink.send(message())
    sink.send(message())

    assert not trouble.value.permanent
    assert sink.counts() == {"1": 2}
    assert len(sink.delivered) == 1


def test_a_slow_gateway_takes_its_time_and_delivers():
    waited: list[float] = []
    sink = Sink(faults={"*": Fault(Kind.SLOW, seconds=3.5)}, sleep=waited.append)

    sink.send(message())

    assert waited == [3.5]
    assert sink.counts() == {"1": 1}


def test_one_way_fails_and_the_others_do_not():
    sink = Sink(faults={"sms": Fault(Kind.DOWN)})

    sink.send(message(way="desk", to="5.handler"))

    assert sink.counts() == {"1": 1}


def test_faults_are_put_in_and_taken_out_by_a_file_while_it_runs(tmp_path: Path):
    sink = Sink(tmp_path)
    (tmp_path / CONTROL).write_text('{"sms": {"fault": "permanent", "times": 1}}')

    with pytest.raises(Undelivered):
        sink.send(message("1"))
    sink.send(message("2"))
    (tmp_path / CONTROL).write_text('{"sms": {"fault": "down"}}')
    with pytest.raises(Undelivered):
        sink.send(message("3"))
    (tmp_path / CONTROL).unlink()
    sink.send(message("4"))

    assert sink.counts() == {"2": 1, "4": 1}


def test_a_control_file_with_a_slip_stops_the_gateway_until_it_is_mended(tmp_path: Path):
    sink = Sink(tmp_path)
    (tmp_path / CONTROL).write_text('{"sms": {"fault": "sleepy"}}')

    with pytest.raises(Undelivered) as trouble:
        sink.send(message())

    assert trouble.value.code == "control_unreadable"
    assert not trouble.value.permanent


def test_faults_can_be_put_in_and_taken_out_by_hand():
    sink = Sink()

    sink.break_down("sms", Fault(Kind.DOWN))
    with pytest.raises(Undelivered):
        sink.send(message())
    sink.break_down("sms", None)
    sink.send(message())

    assert sink.counts() == {"1": 1}


def test_a_message_shows_neither_address_nor_words_in_a_trace():
    assert "13800000926" not in repr(message())
    assert "已受理" not in repr(message())


# Files that stay small

LITTLE = Limits(bytes_each=600, bytes_all=2400, span=timedelta(days=7), kept=timedelta(days=30))


def files(folder: Path) -> list[str]:
    found = [path.name for path in folder.glob("*.jsonl")]
    return sorted(found, key=lambda name: (name.count("."), len(name), name))


def weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.jsonl"))


def later(days: float, dedup: str) -> Message:
    return replace(message(dedup), at=AT + timedelta(days=days))


def test_whatever_is_sent_the_folder_stays_within_its_limit_and_the_oldest_lines_go_first(tmp_path: Path):
    sink = Sink(tmp_path, limits=LITTLE)

    for number in range(200):
        sink.send(message(str(number)))
        assert weight(tmp_path) <= LITTLE.bytes_all + 300

    kept = sorted(map(int, sink.counts()))
    assert kept == list(range(kept[0], 200))
    assert 5 < len(kept) < 30
    assert files(tmp_path)[0] == "sms.jsonl"


def test_a_repetition_is_known_after_its_file_was_put_aside(tmp_path: Path):
    sink = Sink(tmp_path, limits=LITTLE)
    for number in range(5):
        sink.send(message(str(number)))

    sink.send(message("0"))

    assert len(files(tmp_path)) > 1
    assert sink.counts()["0"] == 2
    assert Sink(tmp_path, limits=LITTLE).counts() == sink.counts()


def test_lines_of_a_month_ago_go_although_there_is_room(tmp_path: Path):
    sink = Sink(tmp_path, limits=replace(LITTLE, bytes_each=10**6, bytes_all=10**7))

    for days in (0, 8, 16, 24, 60):
        sink.send(later(days, str(days)))

    assert sorted(sink.counts()) == ["60"]
    assert sum("sms" in name for name in files(tmp_path)) <= 2


def test_the_numbers_of_files_never_come_again(tmp_path: Path):
    one, other = Sink(tmp_path, limits=LITTLE), Sink(tmp_path, limits=LITTLE)
    one.send(later(0, "a"))
    other.counts()

    for days in (60, 120, 180):
        one.send(later(days, str(days)))

    assert other.counts() == {"180": 1}
    assert files(tmp_path) == ["sms.jsonl", "sms.3.jsonl"]


def test_two_processes_that_put_files_aside_in_turn_count_every_line_once(tmp_path: Path):
    one, other = (Sink(tmp_path, limits=replace(LITTLE, bytes_all=10**6)) for _ in range(2))

    for number in range(60):
        (one if number % 3 else other).send(message(str(number // 2)))

    assert one.counts() == other.counts() == {str(number): 2 for number in range(30)}
    assert len(files(tmp_path)) > 10


def test_each_way_has_its_own_room(tmp_path: Path):
    sink = Sink(tmp_path, limits=LITTLE)
    sink.send(message("seat", way="desk", to="5.handler"))

    for number in range(50):
        sink.send(message(str(number)))

    assert [line["dedup"] for line in lines(tmp_path, "desk")] == ["seat"]


def test_a_file_grown_large_before_there_was_a_limit_is_put_away(tmp_path: Path):
    (tmp_path / "sms.jsonl").write_bytes(b'{"at":"2026-11-01T02:00:00+00:00"}\n' * 1000)

    Sink(tmp_path, limits=LITTLE).send(message("1"))

    assert weight(tmp_path) < LITTLE.bytes_each
    assert [line["dedup"] for line in lines(tmp_path)] == ["1"]


def test_a_process_keeps_a_bounded_number_of_messages_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sinks, "KEPT_AT_HAND", 3)
    sink = Sink(tmp_path)

    for number in range(9):
        sink.send(message(str(number)))

    assert [held.dedup for held in sink.delivered] == ["6", "7", "8"]


def test_the_limits_of_every_day_hold_far_more_than_a_sender_tries(tmp_path: Path):
    assert sinks.LIMITS.kept > timedelta(days=2)
    assert sinks.LIMITS.bytes_each < sinks.LIMITS.bytes_all < 100 * 2**20
