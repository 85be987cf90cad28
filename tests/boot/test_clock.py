"""A hardware clock of 1970 without a time server."""

import time

import pytest

from tests.boot.empty_battery import Seen as Battery

pytestmark = pytest.mark.long


def test_a_clock_of_1970_starts_no_earlier_than_the_commit(battery: Battery) -> None:
    assert battery.floor - 60 <= battery.started_at <= time.time()


def test_the_date_header_of_tinkerbells_host_sets_the_clock(battery: Battery) -> None:
    assert abs(battery.clock_is_off) < 60
    assert "ntp: clock.set from=172.30.0.1:" in battery.console


def test_no_time_but_a_time_servers_reaches_the_hardware_clock(battery: Battery) -> None:
    assert "clock.synchronised" not in battery.console
    assert battery.hardware_clock.year == 2070, "1970, of which QEMU keeps two digits"
