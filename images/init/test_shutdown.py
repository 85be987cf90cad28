"""shutdown under busybox: in order, within limits, by force if it must."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tink_docker import reboot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.script_root import ScriptRoot

TASKS = "/run/containerd/io.containerd.runtime.v2.task/services.linuxkit"
REBOOT = "/run/worker/reboot"
BY = "/run/init/shutdown-by"  # of PID 1's own scripts
BY_TINK_DOCKER = str(reboot.REASON_PATH)
NAMES = ("bootkit", "tink-docker", "ntp", "rngd", "dhcp")
# Services that end when asked, and note it; containerd too.
SERVICES = f"""
    for name in {" ".join(NAMES)}; do
        mkdir -p {TASKS}/$name
        (
            [ ! -e /deaf.$name ] || {{ trap '' TERM; : >/up.$name; exec tail -f /dev/null; }}
            trap "echo $name >>/ended; exit" TERM
            : >/up.$name
            tail -f /dev/null & wait
        ) &
        echo $! >{TASKS}/$name/init.pid
        until [ -e /up.$name ]; do busybox usleep 1000; done
    done
    (trap 'echo containerd >>/ended; exit' TERM; : >/up; tail -f /dev/null & wait) &
    echo $! >/run/containerd.pid
    until [ -e /up ]; do busybox usleep 1000; done
"""
STORY = f"{SERVICES}\n/usr/lib/tinkie/shutdown\necho done >/done\nexec tail -f /dev/null"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.at("/run/worker").mkdir()
    root.stub("sync")
    root.stub("killall")
    root.stub("timeout", 'shift; exec "$@"')
    return root


def ended(root: ScriptRoot) -> list[str]:
    return root.read("/ended").split()


def events(root: ScriptRoot) -> list[str]:
    return [line.split()[0] for line in root.on_consoles]


@pytest.fixture
def stopped(machine: ScriptRoot) -> Iterator[ScriptRoot]:
    """Return a machine whose action asked for the reboot by its flag, after its shutdown."""
    machine.write(BY_TINK_DOCKER, f"{reboot.FLAG}\n")
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the end", lambda: machine.at("/done").exists())
        yield machine


def test_services_end_in_order_bootkit_first_and_the_network_last(stopped: ScriptRoot) -> None:
    order = ended(stopped)
    assert set(order[:2]) == {"containerd", "bootkit"}
    assert order[2] == "tink-docker"
    assert sorted(order[3:]) == ["dhcp", "ntp", "rngd"]
    assert events(stopped) == ["shutdown.started", "shutdown.done"]
    assert stopped.on_consoles[0] == 'shutdown.started by="/worker/reboot"'


def test_disks_are_written_before_anything_ends_and_the_hardware_clock_never(
    stopped: ScriptRoot,
) -> None:
    assert stopped.calls == ["sync", "killall -q services watch-services", "sync"]
    assert stopped.read("/proc/sysrq-trigger") == ""


def test_flag_that_tink_docker_has_already_served_is_not_raised_again(stopped: ScriptRoot) -> None:
    assert not stopped.at(REBOOT).exists()


@pytest.mark.parametrize("who", ["ctrl-alt-del", "the power button", "-n", ""])
def test_other_requests_let_the_worker_report_first(machine: ScriptRoot, who: str) -> None:
    if who:
        machine.write(BY, f"{who}\n")
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the flag", lambda: machine.at(REBOOT).exists())
        assert ended(machine) == []
        machine.at(REBOOT).unlink()  # tink-docker: no action runs any more
        machine.wait_for("the end", lambda: machine.at("/done").exists())
    name = who or "a program that asked PID 1"
    assert machine.on_consoles[0] == f'shutdown.started by="{name}"'
    assert set(ended(machine)) == {*NAMES, "containerd"}


def test_a_reboot_that_once_failed_does_not_name_a_later_shutdown(machine: ScriptRoot) -> None:
    machine.write(BY_TINK_DOCKER, f"{reboot.FLAG}\n")
    machine.write(BY, "ctrl-alt-del\n")
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the flag", lambda: machine.at(REBOOT).exists())
    assert machine.on_consoles[0] == 'shutdown.started by="ctrl-alt-del"'


def test_a_link_in_place_of_the_flag_leads_to_no_other_file(machine: ScriptRoot) -> None:
    for target in ("/dev/sda", "/no-such-file"):
        machine.write("/dev/sda", "a disk")
        machine.at(REBOOT).unlink(missing_ok=True)
        machine.at(REBOOT).symlink_to(target)
        with machine.running("sh", "-c", STORY):
            machine.wait_for("the end", lambda: machine.at("/done").exists())
        assert machine.read("/dev/sda") == "a disk"
        assert not machine.at("/no-such-file").exists()
        machine.at("/done").unlink()


def test_a_pipe_in_place_of_the_flag_hangs_nothing(machine: ScriptRoot) -> None:
    os.mkfifo(machine.at(REBOOT))
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the end", lambda: machine.at("/done").exists())
    assert events(machine) == ["shutdown.started", "shutdown.done"]


@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_what_is_no_file_names_nobody(machine: ScriptRoot, planted: str) -> None:
    path = machine.at(BY_TINK_DOCKER)
    path.parent.mkdir(parents=True)
    if planted == "link":
        machine.write("/etc/private", "private\n")
        path.symlink_to("/etc/private")
    else:
        os.mkfifo(path)
    with machine.running("sh", "-c", STORY):
        machine.wait_for("a line", lambda: machine.on_consoles)
    assert machine.on_consoles[0] == 'shutdown.started by="a program that asked PID 1"'


def test_an_action_without_an_end_delays_the_shutdown_for_35_s(machine: ScriptRoot) -> None:
    began = machine.uptime
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the end", lambda: machine.at("/done").exists())
    assert 35 <= machine.uptime - began < 40
    assert machine.at(REBOOT).exists()
    assert events(machine) == ["shutdown.started", "shutdown.done"]


@pytest.mark.parametrize(("name", "seconds"), [("bootkit", 5), ("tink-docker", 15), ("ntp", 5)])
def test_service_that_does_not_stop_is_killed_and_named(
    machine: ScriptRoot, name: str, seconds: int
) -> None:
    machine.write(BY_TINK_DOCKER, f"{reboot.FLAG}\n")
    machine.write(f"/deaf.{name}", "")
    began = machine.uptime
    with machine.running("sh", "-c", STORY):
        machine.wait_for("the end", lambda: machine.at("/done").exists())
    assert seconds <= machine.uptime - began < seconds + 5
    assert machine.on_consoles[1] == f'service.killed name={name} error="did not stop in time"'
    assert set(ended(machine)) == {*NAMES, "containerd"} - {name}


@pytest.mark.parametrize(("files", "key"), [([], "b"), (["/run/init/poweroff"], "o")])
def test_shutdown_that_hangs_ends_by_force(machine: ScriptRoot, files: list[str], key: str) -> None:
    machine.time_passes(longest=90)
    machine.stub("sync", "exec tail -f /dev/null")
    for file in files:  # the power button's
        machine.write(file, "")
    with machine.running("sh", "-c", STORY):
        machine.wait_for("force", lambda: machine.read("/proc/sysrq-trigger"))
    assert machine.read("/proc/sysrq-trigger") == f"{key}\n"
    forced = 'shutdown.forced error="the orderly shutdown took too long"'
    assert machine.on_consoles[-1] == forced
    assert "sleep 90" in machine.read(".calls").splitlines()


def test_machine_without_services_shuts_down(machine: ScriptRoot) -> None:
    machine.run("/usr/lib/tinkie/shutdown")
    assert events(machine) == ["shutdown.started", "shutdown.done"]
    assert not machine.at(REBOOT).exists()
