"""consoles under busybox: on which devices somebody may watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    for name in ("tty0", "ttyS0", "ttyS1", "ttyAMA0"):
        root.bind("/dev/null", f"/dev/{name}")  # any character device
    root.write("/sys/class/tty/ttyS0/type", "4\n")
    root.write("/sys/class/tty/ttyS1/type", "0\n")
    root.write("/sys/class/tty/console/active", "tty0\n")
    return root


@pytest.mark.parametrize(
    ("cmdline", "devices"),
    [
        ("quiet", ["/dev/tty0"]),
        ("console=ttyS0,115200n8 console=tty0", ["/dev/tty0", "/dev/ttyS0"]),
        ("console=ttyS0 console=ttyS0,9600", ["/dev/tty0", "/dev/ttyS0"]),
        ("console=ttyS1 console=ttyS0", ["/dev/tty0", "/dev/ttyS0"]),  # a port without hardware
        ("console=ttyAMA0", ["/dev/tty0", "/dev/ttyAMA0"]),  # a kind without a `type`
        ("console=ttyS7", ["/dev/tty0"]),  # no device
        ("no_console=ttyS0 word=* console=", ["/dev/tty0"]),
    ],
)
def test_every_console_that_exists_is_printed_once(
    machine: ScriptRoot, cmdline: str, devices: list[str]
) -> None:
    machine.write("/proc/cmdline", f"{cmdline}\n")
    done = machine.run("/usr/lib/tinkie/consoles")
    assert done.stdout.split() == devices
    assert done.stderr == ""
