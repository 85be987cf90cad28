"""The initramfs's /init under busybox: its refusals, and how it hands over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release.convert import BOOTSTRAP
from tests.fakes.script_root import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.init.conftest import Console
    from tests.fakes.script_root import ScriptRoot

MIB = 1024 * 1024
BUSYBOX_OF_INIT = "/bin/busybox"
SQUASHFS = 170 * MIB
# busybox, with its name in the initramfs: what would change the machine is noted only.
WRAPPER = f"""#!{BUSYBOX} sh
echo "$*" >>/.calls
case $1 in
mount) case $* in *squashfs*) [ ! -e /damaged ] ;; esac ;;
insmod) [ ! -e "/missing.${{2##*/}}" ] ;;
env) exec "$@" ;;
switch_root) env >/environment ;;
sleep)
    # Both are at work: the message, whose file is empty at times, and the wait.
    until grep . /dev/kmsg >>/messages; do usleep 1000; done
    . /.stubs
    sleep "$2" ;;
*) exec {BUSYBOX} "$@" ;;
esac
"""
TOO_LITTLE = "<0>tinkie: too little RAM: {needed} MB needed, {have} MB are usable; add memory"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.install("init/initramfs/init", "/init")
    root.install("init/lib/stdout-port", "/stdout-port")
    root.write(BUSYBOX_OF_INIT, WRAPPER, mode=0o755)
    root.write("/root.size", f"{SQUASHFS}\n")
    unpack(root, SQUASHFS)
    memory(root, 4096)
    root.write("/proc/cmdline", "quiet\n")
    root.write("/dev/kmsg", "")
    root.time_passes(longest=59)  # the message is there once: a file is empty while it is written
    return root


def unpack(root: ScriptRoot, size: int) -> None:
    """Let the kernel have unpacked so many bytes of the squashfs: a file with holes."""
    file = root.at("/root.squashfs")
    with file.open("wb") as squashfs:
        os.posix_fallocate(squashfs.fileno(), 0, size) if size else None
        squashfs.truncate(SQUASHFS)


def memory(root: ScriptRoot, mib: int) -> None:
    root.write("/proc/meminfo", f"MemTotal: {mib * 1024} kB\nMemFree: 5 kB\n")


def message(root: ScriptRoot) -> str:
    return root.read("/dev/kmsg").partition("\n")[0]


def test_root_is_mounted_and_gets_devices_processes_and_a_clean_environment(
    machine: ScriptRoot,
) -> None:
    done = machine.run("sh", "-c", "export registry_password=secret; exec /init")
    assert done.returncode == 0, done.stderr
    mounts = [call for call in machine.calls if call.startswith(("mount", "insmod", "env"))]
    assert "secret" not in machine.read("/environment")
    assert "PATH=/usr/sbin:/usr/bin\n" in machine.read("/environment")
    assert mounts == [
        "mount -t devtmpfs dev /dev",
        "mount -t proc proc /proc",
        "insmod /modules/loop.ko",
        "insmod /modules/squashfs.ko",
        "mount -t squashfs -o ro,loop /root.squashfs /root",
        "mount --move /dev /root/dev",
        "mount --move /proc /root/proc",
        "env -i PATH=/usr/sbin:/usr/bin /bin/busybox switch_root /root /usr/sbin/init",
    ]
    assert message(machine) == ""


@pytest.mark.parametrize(
    ("squashfs_mib", "needed"),
    [(170, 530), (100, 350), (50, 300)],  # three times its size and 20; and 250 at least beside it
)
def test_too_little_memory_is_refused_with_both_sizes(
    machine: ScriptRoot, squashfs_mib: int, needed: int
) -> None:
    machine.write("/root.size", f"{squashfs_mib * MIB}\n")
    memory(machine, needed - 1)
    with machine.running("/init"):
        machine.wait_for("the message", lambda: message(machine))
        assert message(machine) == TOO_LITTLE.format(needed=needed, have=needed - 1)
        machine.wait_for("another", lambda: "sleep 60" in machine.read(".calls"))
    assert "switch_root" not in machine.read(".calls")
    memory(machine, needed)
    assert machine.run("/init").returncode == 0
    assert "switch_root" in machine.read(".calls")


def test_message_is_on_every_serial_console_of_the_command_line(machine: ScriptRoot) -> None:
    line = "console=tty0 console=ttyS1 console=ttyS0,115200 console=ttyAMA1 x=*\n"
    machine.write("/proc/cmdline", line)
    machine.write("/stdout-port", "echo ttyAMA0\n")
    memory(machine, 64)
    ports = ("ttyS0", "ttyAMA0", "ttyAMA1")
    for name in ("tty0", *ports):
        machine.write(f"/dev/{name}", "")
    with machine.running("/init"):
        machine.wait_for("the messages", lambda: all(machine.read(f"/dev/{at}") for at in ports))
    for name in ports:
        assert machine.read(f"/dev/{name}").startswith("tinkie: too little RAM: ")
    assert machine.read("/dev/tty0") == ""  # the kernel log is shown there


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("console=ttyS0,115200 console=ttyS0", ""),
        ("console=ttyS0 console=ttyS0", ""),
        ("console=ttyS0,9600", "ttyS0"),  # the device tree names it, too
    ],
)
def test_a_port_that_is_named_twice_has_the_message_once(
    machine: ScriptRoot, add_console: Callable[[str], Console], words: str, port: str
) -> None:
    console = add_console("ttyS0")
    machine.write("/proc/cmdline", f"{words}\n")
    machine.write("/stdout-port", f"echo {port}\n")
    machine.time_passes(longest=60)
    memory(machine, 64)
    began = machine.uptime
    with machine.running("/init"):
        machine.wait_for("the rounds", lambda: machine.uptime >= began + 5 * 60)
    minutes = round(machine.uptime - began) // 60
    assert minutes // 2 < len(console.lines) <= minutes + 1
    assert all(line.startswith("tinkie: too little RAM: ") for line in console.lines)


@pytest.mark.parametrize("size", [0, 4096, SQUASHFS // 2])
def test_download_that_was_cut_is_named_and_the_machine_reboots_after_ten_minutes(
    machine: ScriptRoot, size: int
) -> None:
    machine.time_passes(longest=600)
    unpack(machine, size)
    machine.write("/damaged", "")
    began = machine.uptime
    expected = (
        "<0>tinkie: the initramfs is cut short or damaged: "
        f"its root has {size} of {SQUASHFS} bytes; the machine reboots in ten minutes"
    )
    with machine.running("/init"):
        machine.wait_for("the reboot", lambda: machine.read("/proc/sysrq-trigger"))
        waited = machine.uptime - began
    assert set(machine.read("/messages").splitlines()) == {expected}
    assert machine.read("/proc/sysrq-trigger") == "b\n"
    assert waited >= 600


def test_download_without_the_size_is_damaged(machine: ScriptRoot) -> None:
    machine.time_passes(longest=600)
    machine.at("/root.size").unlink()
    with machine.running("/init"):
        machine.wait_for("the reboot", lambda: machine.read("/proc/sysrq-trigger"))
    assert "damaged: its root is missing; " in machine.read("/messages")


@pytest.mark.parametrize("module", ["loop", "squashfs"])
def test_module_that_does_not_load_is_named(machine: ScriptRoot, module: str) -> None:
    machine.write(f"/missing.{module}.ko", "")
    with machine.running("/init"):
        machine.wait_for("the message", lambda: message(machine))
    assert message(machine) == f"<0>tinkie: the {module} module does not load"


def test_initramfs_has_what_its_init_uses(machine: ScriptRoot) -> None:
    machine.run("/init")
    modules = {call.split()[1] for call in machine.calls if call.startswith("insmod ")}
    used = {"/init", BUSYBOX_OF_INIT, "/stdout-port", *modules}
    assert used == {f"/{name}" for name in BOOTSTRAP}
