"""services under busybox: order, deadlines, and what happens when containerd refuses."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release import bundles
from release.version import PROJECT
from tests.fakes.script_root import LINUXKIT

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

SCRIPTS = Path(__file__).parent / "lib"
SERVICES = "/usr/lib/tinkie/services"
NAMES = sorted(service["name"] for service in LINUXKIT["services"])
# What the build writes for one service.
NTP = bundles.Bundle(
    "containers/services/ntp",
    {"process": {"user": {"uid": 3, "gid": 4}}},
    {"mkdir": ["/run/tinkie/ntp"], "mounts": [{"source": "a", "destination": "b"}]},
)
# containerd: /refuse.NAME has the error, and how often it is left.
CONTAINERD = """
[ "$1" = service ] || exit 1
if [ -s /refuse.$2 ]; then
    head -n 1 /refuse.$2
    sed -i 1d /refuse.$2
    exit 1
fi
echo $2 >>/created
"""
RUNC = """
[ "$1" = run ] || exit 0
for name; do :; done
[ ! -e /onboot.$name ] || . /onboot.$name
"""
# The deadline of a container that hangs passes at once.
TIMEOUT = """
while [ "${1#[-0-9]}" != "$1" ]; do limit=$1; shift; done
[ ! -e /hangs ] || case "$*" in *runc*)
    echo starting
    read -r uptime _ </proc/uptime
    echo "$((${uptime%.*} + limit)).00 0" >/proc/uptime
    exit "$(cat /hangs)" ;;
esac
exec "$@"
"""


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    for folder in ("onboot/000-settings", *(f"services/{name}" for name in NAMES)):
        add_container(root, folder)
    root.write("/proc/self/stat", "77 (sh) S 1\n")
    idle(root, percent="0.00")
    root.write("/run/init/coldplugged", "")
    root.write("/created", "")
    for name, body in {"containerd": CONTAINERD, "runc": RUNC, "timeout": TIMEOUT}.items():
        root.stub(name, body)
    for name in ("modprobe", "renice", "udevadm", "mount", "chown"):
        root.stub(name)
    root.write(f"/{bundles.SCRIPT}", bundles.script([NTP]))
    listen(root)
    return root


def add_container(root: ScriptRoot, folder: str) -> None:
    """Add the bundle of one."""
    root.write(f"/containers/{folder}/config.json", "{}")


def listen(root: ScriptRoot) -> None:
    """Let containerd have its socket."""
    root.at("/run/containerd").mkdir(exist_ok=True)
    folder = os.open(root.at("/run/containerd"), os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/containerd.sock")
    os.close(folder)


def idle(root: ScriptRoot, percent: str) -> None:
    """Set how much of the time programs wait for a CPU."""
    root.write("/proc/pressure/cpu", f"some avg10={percent} avg60=0.00 avg300=0.00 total=1\n")


def boot(root: ScriptRoot, *, reports: int = 0) -> None:
    """Run the script until all is done, and it has announced at least so many events."""
    with root.running(SERVICES):
        root.wait_for("the end", lambda: "sleep 3600" in root.read(".calls"))
        onboot = [path.name for path in root.at("/containers/onboot").iterdir()]
        done = [f"/run/bundles/{name}/done" for name in onboot]
        root.wait_for("onboot", lambda: all(root.at(path).exists() for path in done))
        logged = root.read(".calls").count("logger -t settings")
        root.wait_for("its log", lambda: logged or "logger -t settings" in root.read(".calls"))
        root.wait_for("the reports", lambda: len(root.announced) >= reports)


def created(root: ScriptRoot) -> list[str]:
    return root.read("/created").split()


def times(root: ScriptRoot, start: str) -> int:
    return sum(call.startswith(start) for call in root.calls)


def test_what_the_worker_needs_starts_first_and_each_service_once(machine: ScriptRoot) -> None:
    boot(machine)
    assert created(machine) == ["dhcp", "tink-docker", "bootkit", "ntp", "rngd"]
    assert machine.announced == []
    assert times(machine, "renice -n 10 -p 77") == 1
    assert times(machine, "modprobe -a overlay veth bridge br_netfilter") == 1


def test_a_service_that_linuxkit_yml_leaves_out_is_not_missed(machine: ScriptRoot) -> None:
    for name in ("bootkit", "tink-docker"):
        shutil.rmtree(machine.at(f"/containers/services/{name}"))
    boot(machine)
    assert sorted(created(machine)) == sorted({*NAMES} - {"bootkit", "tink-docker"})
    assert machine.announced == []
    assert times(machine, "sleep 1") == 0


def test_no_script_calls_busyboxs_programs_for_modules() -> None:
    """They cannot read compressed modules, and the shell prefers them to kmod's."""
    kmod = re.compile(r"(?<![-/\w])(modprobe|insmod|rmmod|modinfo|depmod|lsmod) ")
    found = {
        f"{script.name}: {line}"
        for script in SCRIPTS.iterdir()
        if script.is_file()
        for line in script.read_text().splitlines()
        if kmod.search(line.partition("#")[0])
    }
    assert found == set()


def test_with_a_wrong_clock_the_time_comes_before_certificates(machine: ScriptRoot) -> None:
    machine.write("/run/init/clock-is-wrong", "")
    idle(machine, percent="99.00")
    with machine.running(SERVICES):
        machine.wait_for("bootkit", lambda: "bootkit" in created(machine))
        machine.wait_for("settings", machine.at("/run/bundles/000-settings/done").exists)
        assert machine.read(".calls").count("sleep 1\n") < 60
    assert created(machine)[:4] == ["dhcp", "ntp", "tink-docker", "bootkit"]


def test_the_bundles_are_prepared_first(machine: ScriptRoot) -> None:
    boot(machine)
    assert machine.calls[:2] == ["mount a b", "chown 3:4 /run/tinkie/ntp"]
    assert machine.at("/run/tinkie/ntp").is_dir()


def test_containerd_keeps_a_service_alive_and_logs_it(machine: ScriptRoot) -> None:
    boot(machine)
    (call,) = (call for call in machine.calls if call.startswith("containerd service ntp "))
    log = "binary:///usr/lib/tinkie/service-log"
    assert call == f"containerd service ntp /containers/services/ntp/config.json {log}"


def test_what_containerd_refuses_is_reported_and_tried_again(machine: ScriptRoot) -> None:
    machine.write("/refuse.tink-docker", 'no "space" left\nno "space" left\n')
    boot(machine)
    assert created(machine) == ["dhcp", "bootkit", "ntp", "rngd", "tink-docker"]
    line = 'init service.failed name=tink-docker error="no \'space\' left " next="retries in 3 s"'
    assert machine.announced == [line, line]
    assert machine.at("/run/bundles/tink-docker/started").exists()


def test_containerd_gives_its_reason_before_it_is_ended() -> None:
    script = (PROJECT / "images/init/lib/services").read_text()
    program = (PROJECT / "programs/containerd/service.go").read_text()
    (ended,) = re.findall(r"timeout ([0-9]+) containerd service", script)
    (limit,) = re.findall(r"answerLimit += ([0-9]+) \* time.Second", program)
    assert int(limit) <= int(ended) - 10


def test_a_refusal_that_looks_like_an_option_is_reported(machine: ScriptRoot) -> None:
    machine.write("/refuse.ntp", "-n\n")
    boot(machine)
    assert machine.announced == ['init service.failed name=ntp error="-n " next="retries in 3 s"']


def test_services_that_no_worker_needs_wait_for_an_idle_cpu(machine: ScriptRoot) -> None:
    idle(machine, percent="25.00")
    with machine.running(SERVICES):
        machine.wait_for("a wait", lambda: machine.read(".calls").count("sleep 1\n") > 5)
        assert created(machine) == ["dhcp", "tink-docker", "bootkit"]
        idle(machine, percent="24.99")
        machine.wait_for("the end", lambda: "sleep 3600" in machine.read(".calls"))
    assert created(machine)[3:] == ["ntp", "rngd"]


def test_settings_wait_for_bootkit_and_an_idle_cpu(machine: ScriptRoot) -> None:
    idle(machine, percent="25.00")
    machine.stub("udevadm", "until [ -e /settled ]; do sleep 0.1; done")  # bootkit waits for it
    with machine.running(SERVICES):
        machine.wait_for("a wait", lambda: machine.read(".calls").count("sleep 1\n") > 5)
        assert created(machine) == ["dhcp", "tink-docker"]
        machine.write("/settled", "")
        machine.wait_for("bootkit", lambda: "bootkit" in created(machine))
        assert times(machine, "runc") == 0
        idle(machine, percent="24.99")
        machine.wait_for("settings", machine.at("/run/bundles/000-settings/done").exists)


@pytest.mark.parametrize("missing", ["bootkit", "idle CPU"])
def test_settings_wait_for_two_minutes_at_most(machine: ScriptRoot, missing: str) -> None:
    if missing == "bootkit":
        machine.write("/refuse.bootkit", "no space left\n" * 1000)
    else:
        idle(machine, percent="99.00")
    with machine.running(SERVICES):
        machine.wait_for("settings", machine.at("/run/bundles/000-settings/done").exists)
        assert ("bootkit" in created(machine)) == (missing != "bootkit")


def test_a_cpu_that_is_never_idle_delays_a_service_for_a_minute(machine: ScriptRoot) -> None:
    idle(machine, percent="99.00")
    boot(machine)
    waits = machine.read(".calls").splitlines().count("sleep 1")
    minutes = 4  # settings, which also wait for bootkit, ntp, rngd, the events of other devices
    assert 60 * minutes <= waits < 60 * (minutes + 1)
    assert created(machine)[3:] == ["ntp", "rngd"]


def test_bootkit_starts_when_the_drivers_of_disks_are_loaded(machine: ScriptRoot) -> None:
    machine.at("/run/init/coldplugged").unlink()
    machine.stub("udevadm", '[ "$1" != settle ] || { cat /created >/at_settle; exit 1; }')
    with machine.running(SERVICES):
        machine.wait_for("looks", lambda: machine.read(".calls").count("usleep 100000") > 5)
        assert not times(machine, "udevadm")
        machine.write("/run/init/coldplugged", "")
        machine.wait_for("the end", lambda: "sleep 3600" in machine.read(".calls"))
    assert machine.read("/at_settle").split() == ["dhcp", "tink-docker"]
    error = 'error="drivers still load after 30 s" next="the boot goes on"'
    assert machine.announced == [f"init devices.failed {error}"]
    assert created(machine)[2] == "bootkit"
    assert [call for call in machine.calls if call.startswith("udevadm")] == [
        "udevadm settle --timeout=30",
        "udevadm trigger --type=all --action=add",
    ]


def test_containerd_that_does_not_answer_is_reported_less_and_less_often(
    machine: ScriptRoot,
) -> None:
    machine.at("/run/containerd/containerd.sock").unlink()
    machine.write("/var/log/messages", 'Nov 1 21:00:01 tinkie user.notice containerd: no "disk"\n')
    machine.add_functions("usleep() { pass sleep 1; }\n")
    began = machine.uptime
    with machine.running(SERVICES):
        machine.wait_for("two reports", lambda: len(machine.announced) > 1)
        waited = machine.uptime - began
        listen(machine)
        machine.wait_for("the end", lambda: "sleep 3600" in machine.read(".calls"))
    reports = [
        f'init containerd.late seconds={seconds} error="no \'disk\'" next="keeps waiting"'
        for seconds in (30, 60)
    ]
    assert machine.announced[:2] == reports
    assert waited > 59
    assert sorted(created(machine)) == sorted(NAMES)


def test_onboot_container_that_fails_is_named_and_the_boot_goes_on(machine: ScriptRoot) -> None:
    machine.write("/onboot.settings", "printf 'a\\nb\\nntp: \"x\" is\\nno host\\n' >&2; exit 2")
    boot(machine, reports=1)
    error = "exit code 2: b ntp: 'x' is no host "
    next_step = "the boot goes on without it"
    assert machine.announced == [
        f'init onboot.failed name=settings error="{error}" next="{next_step}"'
    ]
    logged = [line for line in machine.log if line.startswith("settings: ")]
    assert logged == ["settings: a", "settings: b", 'settings: ntp: "x" is', "settings: no host"]
    assert len(created(machine)) == len(NAMES)


@pytest.mark.parametrize("code", ["143", "2"])  # 2: the signal came before the program started
def test_onboot_container_that_hangs_is_tried_again_with_more_time(
    machine: ScriptRoot, code: str
) -> None:
    machine.write("/hangs", code)
    machine.time_passes(longest=240)
    with machine.running(SERVICES):
        machine.wait_for("three tries", lambda: len(machine.announced) >= 3)
        machine.at("/hangs").unlink()
        done = machine.at("/run/bundles/000-settings/done")
        machine.wait_for("the fourth one", done.exists)
        machine.wait_for("the services", lambda: len(created(machine)) == len(NAMES))
    for seconds, reported in zip((30, 60, 120), machine.announced, strict=False):
        assert reported.startswith(
            f'init onboot.failed name=settings error="no end within {seconds} s: starting '
        )
        assert reported.endswith(f'next="the boot goes on; trying again in {seconds} s"')
    limits = [call.split()[3] for call in machine.calls if "runc run" in call and "-k 5" in call]
    assert limits[:4] == ["30", "60", "120", "240"]
    assert times(machine, "runc delete --force settings") == len(limits)


def test_onboot_container_that_is_killed_is_tried_again(machine: ScriptRoot) -> None:
    machine.write("/onboot.settings", "[ -e /again ] || { touch /again; exit 137; }")
    boot(machine, reports=1)
    (announced,) = machine.announced
    assert announced.startswith('init onboot.failed name=settings error="exit code 137: "')
    assert announced.endswith('next="the boot goes on; trying again in 30 s"')
    assert times(machine, "runc run") == 2


def test_onboot_containers_run_in_order(machine: ScriptRoot) -> None:
    add_container(machine, "onboot/001-more")
    add_container(machine, "onboot/002-its-own-name")
    boot(machine)
    runs = [call.split()[-1] for call in machine.calls if call.startswith("runc run")]
    assert runs == ["settings", "more", "its-own-name"]
    assert machine.announced == []


def test_started_again_it_repeats_nothing_that_is_done(machine: ScriptRoot) -> None:
    boot(machine)
    before = [call for call in machine.calls if not call.startswith("modprobe")]
    machine.write(".calls", "")
    boot_again = machine.running(SERVICES)
    with boot_again:
        machine.wait_for("the end", lambda: "sleep 3600" in machine.read(".calls"))
    again = [call for call in machine.calls if call.split()[0] not in ("modprobe", "renice")]
    assert again == []
    assert any(call.startswith("runc run") for call in before)


def test_onboot_container_that_a_dead_script_started_is_removed_and_run_again(
    machine: ScriptRoot,
) -> None:
    machine.write("/run/bundles/000-settings/output", "")
    machine.write("/run/bundles/onboot.pid", "9999\n")
    boot(machine)
    runc = [call for call in machine.calls if call.startswith("runc")]
    assert runc[0] == "runc delete --force settings"
    assert runc[1].startswith("runc run --bundle /containers/onboot/000-settings")


def test_onboot_containers_that_still_run_are_left_to_run(machine: ScriptRoot) -> None:
    machine.write("/run/bundles/onboot.pid", "1\n")  # a live process
    with machine.running(SERVICES):
        machine.wait_for("the end", lambda: "sleep 3600" in machine.read(".calls"))
    assert times(machine, "runc") == 0
    assert len(created(machine)) == len(NAMES)
