"""power, the power button's script and reboot-key under busybox: who asks for the shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.script_root import SECONDS

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

BUTTON = "/etc/acpi/PWRF/00000080"


def test_acpid_starts_when_there_is_an_input_device(root: ScriptRoot) -> None:
    root.stub("modprobe")
    root.stub("acpid")
    with root.running("/usr/lib/tinkie/power") as power:
        root.wait_for("several looks", lambda: root.uptime > 120)
        assert root.calls == ["modprobe -aq button evdev"]
        root.write("/dev/input/event0", "")
        power.wait(SECONDS)
    assert root.calls[1:] == ["acpid -f -c /etc/acpi -l /dev/null -p /run/acpid.pid"]


@pytest.mark.parametrize(
    ("script", "path", "program", "requester"),
    [
        ("init/etc/acpi/PWRF/00000080", BUTTON, "poweroff", "the power button"),
        ("init/lib/reboot-key", "/usr/lib/tinkie/reboot-key", "reboot", "ctrl-alt-del"),
    ],
)
def test_keys_note_who_asks_and_stop_the_machine(
    root: ScriptRoot, script: str, path: str, program: str, requester: str
) -> None:
    root.install(script, path)
    for name in ("poweroff", "reboot"):
        root.stub(name, "cat /run/init/shutdown-by >/noted")
    root.run(path)
    assert root.calls == [program]
    assert root.read("/noted") == f"{requester}\n"
    assert root.at("/run/init/poweroff").exists() == (program == "poweroff")
    assert root.announced == (["init power.pressed"] if program == "poweroff" else [])
