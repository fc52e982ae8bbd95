"""The ticker stands back in a burst, and steps forward before a promise is broken."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from fuzhengtong.jobs import tick
from tests.builders import tell

AUTOGROUP = Path("/proc/self/autogroup")
_STAND = """
from fuzhengtong.jobs import standing
for by in (10, 0, 15):
    standing.stand(by)
"""
# A program of its own session always has a group to read; one that never left the first session of a machine has none.
_STAND_AND_SAY = f"""
from pathlib import Path
{_STAND}    print(Path("/proc/self/autogroup").read_text().split()[-1])
"""


def test_who_waits_for_an_answer_comes_first_until_a_telling_has_waited_too_long(db, city, moment) -> None:
    tell(city, moment)

    assert tick.how_far_back(moment.at) == tick.NICE
    assert tick.how_far_back(moment.at + tick.AT_STAKE) == tick.NICE
    assert tick.how_far_back(moment.at + tick.AT_STAKE + timedelta(seconds=1)) == 0


def test_nobody_waits_and_the_ticker_stands_back(db, moment) -> None:
    assert tick.how_far_back(moment.at) == tick.NICE


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares the processor by process alone")
def test_a_program_in_its_own_session_can_stand_back_and_step_forward_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STAND_AND_SAY], capture_output=True, text=True, check=True, start_new_session=True
    )

    assert done.stdout.split() == ["10", "0", "15"]


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares the processor by process alone")
def test_a_program_started_from_a_terminal_does_not_slow_down_its_whole_session() -> None:
    before = AUTOGROUP.read_text()

    subprocess.run([sys.executable, "-c", _STAND], capture_output=True, check=True)

    assert AUTOGROUP.read_text() == before
