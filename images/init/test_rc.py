"""rc under busybox: mounts, sizes, the clock."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.fakes.script_root import LINUXKIT, option

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.script_root import ScriptRoot

COMMIT = 1_700_000_000
YEAR = 31_557_600
RC = "/usr/lib/tinkie/rc"
CONTAINERS = {one["name"]: one for one in (*LINUXKIT["onboot"], *LINUXKIT["services"])}


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    release = f"VERSION_ID=1.2.3\nBUILD_ID=abc\nSOURCE_DATE_EPOCH={COMMIT}\n"
    root.write("/etc/os-release", release)
    root.write("/etc/sysctl.conf", "")
    root.write("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n")
    root.write("/sys/kernel/mm/lru_gen/enabled", "")
    root.write("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n")
    for process in ("1", "self"):
        root.write(f"/proc/{process}/oom_score_adj", "0\n")
    memory(root, 4096)
    clock(root, COMMIT + 60)
    for name in ("mount", "hostname", "ifconfig", "sysctl"):
        root.stub(name)
    return root


def memory(root: ScriptRoot, mib: int) -> None:
    root.write("/proc/meminfo", f"MemTotal:  {mib * 1024} kB\nMemFree:  1 kB\n")


def zram(root: ScriptRoot) -> Path:
    """Give the machine the device that the kernel's module makes; return its path."""
    for name in ("modprobe", "mkswap", "swapon"):
        root.stub(name)
    root.write("/sys/block/zram0/disksize", "0\n")
    for name in ("swappiness", "page-cluster"):
        root.write(f"/proc/sys/vm/{name}", "")
    root.write("/dev/zram0", "")
    return root.at("/dev/zram0")


def clock(root: ScriptRoot, seconds: int) -> None:
    """Set the hardware clock."""
    body = f'[ "$1" != +%s ] || {{ echo {seconds} && exit; }}\n'
    body += f'for last; do :; done\n[ "${{last#@}}" != "$last" ] || last=@{seconds}\n'
    root.stub("date", f'{body}exec busybox date -u -d "$last"\n')


def mounted(root: ScriptRoot) -> dict[str, str]:
    """Return the options of each file system, by mount point."""
    calls = [call.split() for call in root.calls if call.startswith("mount -t")]
    return {call[-1]: call[call.index("-o") + 1] for call in calls}


def test_mounts_have_limits_and_folders_exist(machine: ScriptRoot) -> None:
    done = machine.run(RC)
    assert done.stderr == ""
    assert "mount --make-rshared /" in machine.calls
    options = mounted(machine)
    for point in ("/run", "/var", "/tmp", "/dev/shm", "/run/worker", "/var/lib/docker"):
        assert "size=" in options[point], point
        assert "nosuid,nodev" in options[point], point
    assert options["/dev"] == "remount,nosuid,mode=755,size=16m"
    assert "/sys/firmware/efi/efivars" not in options
    for folder in (
        "/run/init",
        "/run/resolvconf",
        "/run/tinkie/settings",
        "/run/worker",
        "/var/log",
    ):
        assert machine.at(folder).is_dir(), folder
    assert machine.at("/run/resolvconf/resolv.conf").read_text() == ""
    assert machine.at("/var/run").readlink().as_posix() == "/run"


@pytest.mark.parametrize("name", ["tink-docker", "bootkit"])
def test_console_is_one_pipe_that_root_alone_reads(machine: ScriptRoot, name: str) -> None:
    machine.run(RC)
    pipe = machine.at(option(name, "--console"))
    assert pipe.is_fifo()
    assert pipe.stat().st_mode & 0o777 == 0o622


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_path_that_a_container_binds_exists(machine: ScriptRoot, name: str) -> None:
    for folder in ("/run", "/var"):
        shutil.rmtree(machine.at(folder))
        machine.at(folder).mkdir()
    machine.run(RC)
    container = CONTAINERS[name]
    for folder in container.get("runtime", {}).get("mkdir", ()):  # `services` makes these
        machine.at(folder).mkdir(parents=True, exist_ok=True)
    for bind in container.get("binds", ()):
        source = bind.partition(":")[0]
        if source.startswith(("/run/", "/var/")):
            assert machine.at(source).exists(), source


def test_efi_variables_are_mounted_on_a_machine_that_has_them(machine: ScriptRoot) -> None:
    machine.at("/sys/firmware/efi/efivars").mkdir(parents=True)
    machine.run(RC)
    assert "/sys/firmware/efi/efivars" in mounted(machine)


@pytest.mark.parametrize(("mib", "engine"), [(4096, 3696), (1024, 624), (600, 200), (450, 150)])
def test_engine_gets_all_but_400_mb_and_a_third_at_least(
    machine: ScriptRoot, mib: int, engine: int
) -> None:
    memory(machine, mib)
    machine.run(RC)
    assert f"size={engine * 1024}k" in mounted(machine)["/var/lib/docker"]


def test_kernel_ends_other_programs_first_and_soon(machine: ScriptRoot) -> None:
    machine.run(RC)
    scores = {service["oomScoreAdj"] for service in LINUXKIT["services"]}
    for process in ("1", "self"):
        assert {int(machine.read(f"/proc/{process}/oom_score_adj"))} == scores
    assert machine.read("/sys/kernel/mm/lru_gen/enabled") == "y\n"
    assert machine.read("/sys/kernel/mm/lru_gen/min_ttl_ms") == "1000\n"


@pytest.mark.parametrize("mib", [300, 511])
def test_a_small_machine_compresses_memory(machine: ScriptRoot, mib: int) -> None:
    memory(machine, mib)
    device = zram(machine)
    machine.run(RC)
    assert machine.read("/sys/block/zram0/disksize") == f"{mib * 1024}k\n"
    steps = ["modprobe zram", "mkswap /dev/zram0", "swapon /dev/zram0"]
    assert [call for call in machine.calls if call in steps] == steps
    assert machine.read("/proc/sys/vm/swappiness") == "100\n"
    assert machine.read("/proc/sys/vm/page-cluster") == "0\n"
    assert not device.exists()


@pytest.mark.parametrize(("mib", "kernel_has_it"), [(512, True), (4096, True), (300, False)])
def test_other_machines_do_not(machine: ScriptRoot, mib: int, *, kernel_has_it: bool) -> None:
    memory(machine, mib)
    device = zram(machine)
    if not kernel_has_it:
        machine.stub("modprobe", "exit 1\n")
    done = machine.run(RC)
    assert done.returncode == 0
    assert not {"mkswap /dev/zram0", "swapon /dev/zram0"} & set(machine.calls)
    assert machine.read("/sys/block/zram0/disksize") == "0\n"
    assert device.exists()
    assert machine.on_consoles[-1] == "rc.done"


def test_a_program_gets_small_pages_unless_it_asks(machine: ScriptRoot) -> None:
    machine.run(RC)
    assert machine.read("/sys/kernel/mm/transparent_hugepage/enabled") == "madvise\n"


@pytest.mark.parametrize(
    ("mib", "kept"), [(384, "madvise 5678\n"), (4095, "madvise 5678\n"), (4096, "")]
)
def test_a_small_machine_keeps_no_memory_free_for_large_pages(
    machine: ScriptRoot, mib: int, kept: str
) -> None:
    memory(machine, mib)
    # As the kernel: each word for large pages sets anew what it keeps.
    machine.stub(
        "sysctl",
        """
        read -r large </sys/kernel/mm/transparent_hugepage/enabled
        case "$large $*" in
        "never -n vm.min_free_kbytes") echo 5678 ;;
        *" -n vm.min_free_kbytes") echo 45056 ;;
        *" -q -w vm.min_free_kbytes="*) echo "$large ${3#*=}" >/set ;;
        esac
        """,
    )
    machine.run(RC)
    assert machine.read("/sys/kernel/mm/transparent_hugepage/enabled") == "madvise\n"
    assert machine.read("/set") == kept


def test_containers_get_every_cgroup_controller(machine: ScriptRoot) -> None:
    machine.run(RC)
    enabled = machine.read("/sys/fs/cgroup/cgroup.subtree_control")
    assert enabled == "+cpu\n+memory\n+pids\n"


@pytest.mark.parametrize("seconds", [COMMIT, COMMIT + 60, COMMIT + 10 * YEAR])
def test_a_plausible_clock_stays(machine: ScriptRoot, seconds: int) -> None:
    clock(machine, seconds)
    machine.run(RC)
    assert not any(call.startswith("date -u -s") for call in machine.calls)
    assert not machine.at("/run/init/clock-is-wrong").exists()
    assert machine.on_consoles == ["boot.started version=1.2.3 commit=abc", "rc.done"]


@pytest.mark.parametrize("seconds", [0, COMMIT - 1, COMMIT + 10 * YEAR + 1])
def test_an_implausible_clock_starts_at_the_commit(machine: ScriptRoot, seconds: int) -> None:
    clock(machine, seconds)
    machine.run(RC)
    assert f"date -u -s @{COMMIT}" in machine.calls
    assert machine.at("/run/init/clock-is-wrong").exists()
    line = machine.on_consoles[0]
    assert line.startswith('clock.wrong error="implausible hardware clock: ')
    assert line.endswith(
        'next="starts at the release\'s commit time, Tue Nov 14 22:13:20 UTC 2023"'
    )


def test_rc_sets_name_loopback_and_kernel_parameters(machine: ScriptRoot) -> None:
    machine.run(RC)
    assert {"hostname tinkie", "ifconfig lo up", "sysctl -q -p /etc/sysctl.conf"} <= set(
        machine.calls
    )
