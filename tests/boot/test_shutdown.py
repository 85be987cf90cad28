"""A reboot by ctrl-alt-del whose shutdown hangs."""

import pytest

from tests.boot.empty_battery import Seen as Battery

pytestmark = pytest.mark.long


def test_ctrl_alt_del_reboots_and_a_shutdown_that_hangs_is_forced(battery: Battery) -> None:
    _, after = battery.console.split("init: shutdown.started")
    assert after.startswith(' by="ctrl-alt-del"')
    assert "init: shutdown.forced" in after
    assert "init: shutdown.done" not in after
