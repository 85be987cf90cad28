"""Hardware clocks of 1970 and 2040, and what sets them right."""

import time

import pytest

from tests.boot.empty_battery import Seen as Battery
from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_a_clock_of_2040_starts_at_the_commit(stressed: Stressed) -> None:
    assert 'init: clock.wrong error="implausible hardware clock: Sun Jan  1' in stressed.console


def test_a_time_server_sets_the_clock(stressed: Stressed) -> None:
    assert "ntp: clock.synchronised server=172.30.0.1" in stressed.console
    assert abs(stressed.clock_is_off) < 10


def test_a_clock_of_1970_starts_no_earlier_than_the_commit(battery: Battery) -> None:
    assert battery.floor - 60 <= battery.started_at <= time.time()


def test_the_date_header_of_tinkerbells_host_sets_the_clock(battery: Battery) -> None:
    assert abs(battery.clock_is_off) < 60
    assert "ntp: clock.set from=172.30.0.1:" in battery.console
