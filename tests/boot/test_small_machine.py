"""A machine with little memory."""

import pytest

from sandbox.follow import Follower
from sandbox.objects import MachineIdentity
from tests.boot.machines import Lab, booted, start_command

pytestmark = pytest.mark.long

IDENTITY = MachineIdentity("small", "52:54:00:00:01:28", "172.30.0.140", "172.30.0.1")
# Without compressed memory the kernel ends the worker again and again, with `make quick`'s files.
MEMORY_MIB = 408
# What the kernel keeps free follows the root of the RAM's size. For large pages it would be 19 MB.
LARGEST_RESERVE_KB = 4096
RESERVE = "/proc/sys/vm/min_free_kbytes"
LOOK = f"grep zram0 /proc/swaps && test $(cat {RESERVE}) -lt {LARGEST_RESERVE_KB}"
WORKFLOW_SECONDS = 900.0


def test_memory_is_compressed_and_a_workflow_succeeds(lab: Lab) -> None:
    with booted(lab, IDENTITY, memory=MEMORY_MIB) as box:
        run = start_command(lab.sandbox, IDENTITY, "small", LOOK)
        status = Follower(lab.sandbox, box, run, print).wait_for_success(WORKFLOW_SECONDS)
    assert status.state == "SUCCESS"
