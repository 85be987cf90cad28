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


def device_tree(root: ScriptRoot, stdout_path: str) -> None:
    """Give the machine two ports, of which the tree names one."""
    tree = "/sys/firmware/devicetree/base"
    root.write(f"{tree}/chosen/stdout-path", f"{stdout_path}\0")
    root.write(f"{tree}/aliases/serial0", "/soc/serial@1000\0")
    for tty, node in (("ttyAMA0", "serial@1000"), ("ttyAMA1", "serial@2000")):
        root.write(f"{tree}/soc/{node}/compatible", "arm,pl011\0")
        root.write(f"/sys/class/tty/{tty}/dev", "204:64\n")
        device = root.at(f"/sys/class/tty/{tty}/device")
        device.mkdir()
        (device / "of_node").symlink_to(f"{tree}/soc/{node}")


@pytest.mark.parametrize(
    ("stdout_path", "ports"),
    [
        ("/soc/serial@1000", ["ttyAMA0"]),
        ("/soc/serial@2000:115200n8", ["ttyAMA1"]),
        ("serial0:115200n8", ["ttyAMA0"]),
        ("serial0", ["ttyAMA0"]),
        ("serial7", []),  # an alias that the tree does not have
        ("/soc/uart@3000", []),
        ("", []),
    ],
)
def test_port_that_the_device_tree_names_is_found(
    machine: ScriptRoot, stdout_path: str, ports: list[str]
) -> None:
    device_tree(machine, stdout_path)
    done = machine.run("/usr/lib/tinkie/stdout-port")
    assert (done.stdout.split(), done.stderr, done.returncode) == (ports, "", 0)


def test_port_of_the_device_tree_is_a_console_beside_those_of_the_command_line(
    machine: ScriptRoot,
) -> None:
    device_tree(machine, "serial0:115200n8")
    machine.write("/proc/cmdline", "console=tty0 console=ttyS1\n")
    done = machine.run("/usr/lib/tinkie/consoles")
    assert (done.stdout.split(), done.stderr) == (["/dev/tty0", "/dev/ttyAMA0"], "")


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
