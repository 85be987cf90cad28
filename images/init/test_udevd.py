"""udevd's script under busybox: which devices get their events, and when."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

UDEVD = "/usr/lib/tinkie/udevd"
COLDPLUGGED = "/run/init/coldplugged"
BOARD = ("platform", "amba", "mmc", "mdio_bus", "fsl-mc")  # buses of a machine without PCI
PING = "udevadm control --ping"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.at("/run/udev").mkdir()
    root.stub(
        "systemd-udevd", "echo udevd logs >&2; exec tail -f /dev/null", folder="/usr/lib/systemd"
    )
    return root


def listen(root: ScriptRoot) -> None:
    """Let udevd have its socket."""
    folder = os.open(root.at("/run/udev"), os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(f"/proc/self/fd/{folder}/control")
    os.close(folder)


def after_pings(root: ScriptRoot) -> list[str]:
    return [call for call in root.calls if call.startswith("udevadm trigger")]


@pytest.mark.parametrize(
    ("architecture", "buses"),
    [
        ("x86_64", ("pci", "virtio", "vmbus", "usb")),
        ("aarch64", ("pci", "virtio", "vmbus", "usb", *BOARD)),
    ],
)
def test_at_boot_cards_and_disks_get_their_events_once_udevd_answers(
    machine: ScriptRoot, architecture: str, buses: tuple[str, ...]
) -> None:
    machine.stub("uname", f"echo {architecture}")
    machine.stub("udevadm", '[ "$1" != control ] || [ -e /answers ]')
    with machine.running(UDEVD):
        machine.wait_for("the log", lambda: machine.log == ["udevd: udevd logs"])
        machine.wait_for("time", lambda: machine.uptime > 100.5)
        assert PING not in machine.calls
        listen(machine)
        machine.wait_for("a ping", lambda: machine.calls.count(PING) > 2)
        assert after_pings(machine) == []
        machine.write("/answers", "")
        machine.wait_for("the end", lambda: machine.at(COLDPLUGGED).exists())
    (trigger,) = after_pings(machine)
    matches = " ".join(f"--subsystem-match={bus}" for bus in buses)
    assert trigger == f"udevadm trigger --action=add {matches}"
    assert machine.announced == []


def test_when_udevd_had_died_all_devices_get_their_events(machine: ScriptRoot) -> None:
    machine.write(COLDPLUGGED, "")
    machine.stub("udevadm")
    with machine.running(UDEVD):
        machine.wait_for("udevd", lambda: machine.log == ["udevd: udevd logs"])
        listen(machine)
        machine.wait_for("trigger", lambda: after_pings(machine))
    assert after_pings(machine) == ["udevadm trigger --type=all --action=add"]


def test_the_socket_of_a_dead_udevd_is_removed(machine: ScriptRoot) -> None:
    listen(machine)
    with machine.running(UDEVD):
        machine.wait_for("udevd", lambda: machine.log == ["udevd: udevd logs"])
        assert not machine.at("/run/udev/control").exists()


def test_a_udevd_that_never_answers_is_reported_and_holds_up_nobody(machine: ScriptRoot) -> None:
    machine.stub("udevadm")
    machine.add_functions("usleep() { waits=$((waits + $1)); echo $waits >/waited; }\n")
    with machine.running(UDEVD):
        machine.wait_for("the end", lambda: machine.at(COLDPLUGGED).exists())
    assert machine.announced == [
        'init devices.late error="udevd does not answer" next="PID 1 keeps it running"'
    ]
    assert machine.read("/waited") == "30000000\n"
    assert len(after_pings(machine)) == 1
