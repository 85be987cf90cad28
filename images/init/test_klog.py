"""klog under busybox: no line with the command line gets into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

# As the kernel writes them to /dev/kmsg, with registry_password=hunter2 on the command line.
RECORDS = """\
5,0,0,-;Linux version 6.12.57 (debian-kernel@lists.debian.org)
6,1,1500,-;Command line: console=ttyS0 registry_password=hunter2
5,201,900000,-;Kernel command line: console=ttyS0 registry_password=hunter2
5,202,900100,-;Unknown kernel command line parameters "registry_password=hunter2", will be passed
6,480,2100000,-;Run /init as init process
7,481,2100001,-;  with arguments:
7,482,2100002,-;    /init
7,483,2100003,-;  with environment:
7,484,2100004,-;    HOME=/
7,485,2100005,-;    registry_password=hunter2
6,500,3250000,-;usb 1-1: new device; with, commas
 SUBSYSTEM=usb
 DEVICE=+usb:1-1
"""


def test_no_secret_of_the_command_line_is_logged(root: ScriptRoot) -> None:
    root.write("/dev/kmsg", RECORDS)
    root.run("/usr/lib/tinkie/klog")
    assert "hunter2" not in "".join(root.log)
    assert root.log == [
        "kernel: [0.000000] Linux version 6.12.57 (debian-kernel@lists.debian.org)",
        "kernel: [2.100000] Run /init as init process",
        "kernel: [2.100001]   with arguments:",
        "kernel: [2.100003]   with environment:",
        "kernel: [3.250000] usb 1-1: new device; with, commas",
    ]


def test_started_again_it_goes_on_after_the_last_record(root: ScriptRoot) -> None:
    """The kernel's buffer may overrun, which ends it."""
    for more in ("", "6,501,3250001,-;usb 1-2: new\n"):
        root.write("/dev/kmsg", RECORDS + more)
        root.run("/usr/lib/tinkie/klog")
    assert len(root.log) == len(set(root.log)) == 6
    assert root.log[-1] == "kernel: [3.250001] usb 1-2: new"
