"""Reboots that the machine itself cannot finish: a shutdown that hangs, a kernel that hangs."""

import pytest

from tests.boot.empty_battery import Seen as Battery
from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_a_machine_that_hangs_is_reset_by_its_watchdog(stressed: Stressed) -> None:
    assert "init: watchdog.started" in stressed.console
    assert "shutdown.started" not in stressed.console


def test_ctrl_alt_del_reboots_and_a_shutdown_that_hangs_is_forced(battery: Battery) -> None:
    _, after = battery.console.split("init: shutdown.started")
    assert after.startswith(' by="ctrl-alt-del"')
    assert "init: shutdown.forced" in after
    assert "init: shutdown.done" not in after
