"""Services and PID 1's programs that fail, hang, are killed, or never start."""

import pytest

from tests.boot.stressed_machine import ENDS, RESPAWNED
from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_a_service_whose_shim_is_stopped_runs_on(stressed: Stressed) -> None:
    assert len(stressed.stalled) == 1


def test_what_pid_1_runs_is_started_again(stressed: Stressed) -> None:
    assert set(stressed.returned) == set(RESPAWNED)
    assert stressed.last.state == "SUCCESS"


def test_a_service_that_ends_is_reported_with_its_last_line(stressed: Stressed) -> None:
    assert stressed.service_ended.partition("init: ")[2].startswith(ENDS)


def test_an_onboot_container_that_fails_or_hangs_is_reported(stressed: Stressed) -> None:
    assert 'onboot.failed name=fails error="exit code 1:' in stressed.console
    assert "ZeroDivisionError: division by zero" in stressed.console
    assert 'onboot.failed name=hangs error="no end within 30 s' in stressed.console


def test_a_service_that_never_starts_is_reported_with_its_reason(stressed: Stressed) -> None:
    (line, *_) = (
        line for line in stressed.console.splitlines() if "service.late name=never" in line
    )
    assert "/usr/bin/nothing" in line


def test_ended_processes_are_reaped(stressed: Stressed) -> None:
    assert stressed.zombies < 10, "each uses up a number, and the kernel has 32,768"


def test_the_network_goes_before_all_others(stressed: Stressed) -> None:
    """Its interpreter loads at the same time as theirs."""
    others = [weight for name, weight in stressed.cpu_weights.items() if name != "dhcp"]
    assert stressed.cpu_weights["dhcp"] > 2 * max(others)
