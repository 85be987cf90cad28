"""A kernel that hangs, and the hardware watchdog."""

import pytest

from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_a_machine_that_hangs_is_reset_by_its_watchdog(stressed: Stressed) -> None:
    assert "init: watchdog.started" in stressed.console
    assert "shutdown.started" not in stressed.console
