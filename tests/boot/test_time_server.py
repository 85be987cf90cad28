"""A hardware clock of 2040, and a time server."""

import pytest

from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_a_clock_of_2040_starts_at_the_commit(stressed: Stressed) -> None:
    assert 'init: clock.wrong error="implausible hardware clock: Sun Jan  1' in stressed.console


def test_a_time_server_sets_the_clock(stressed: Stressed) -> None:
    assert "ntp: clock.synchronised server=172.30.0.1" in stressed.console
    assert abs(stressed.clock_is_off) < 10
