"""Disks of each kind, by their names under /dev/disk."""

import pytest

from tests.boot.static_machine import DISK_MIB, DISKS
from tests.boot.static_machine import Seen as Static

pytestmark = pytest.mark.long


def test_disks_of_each_kind_are_there_by_name_before_the_worker(static: Static) -> None:
    for disk in DISKS:
        assert disk.serial in static.disks
    assert "virtio-pci" in static.disks


def test_a_disk_that_comes_late_is_there_by_name(static: Static) -> None:
    assert int(static.late) == DISK_MIB * 2**20
