"""Several consoles of a machine."""

import pytest

from tests.boot.empty_battery import Seen as Battery

pytestmark = pytest.mark.long


def test_a_console_that_is_paused_delays_no_other_one(battery: Battery) -> None:
    """This console showed the action's events while the shell's was paused: observe() waits."""
    assert "bootkit: action.ended" in battery.console
