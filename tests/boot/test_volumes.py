"""Volumes that templates in use bind into their actions."""

import pytest

from tests.boot.empty_battery import Seen as Battery

pytestmark = pytest.mark.long


def test_volumes_of_templates_in_use_work(battery: Battery) -> None:
    assert battery.status.state == "SUCCESS"
    assert battery.kept == "kept"
