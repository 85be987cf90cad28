"""linuxkit.yml, the scripts of images/ and the code mean the same paths, names and files.

A path that only one of them changes is a machine that strands, and no other unit test sees it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootkit import cli as bootkit_cli
from bootkit import settings, worker
from bootkit.shared import agreed, room
from release.convert import BOOTSTRAP
from tink_docker import cli as tink_docker_cli
from tink_docker import daemon_json, reboot

ROOT = Path(__file__).parents[2]
INIT = ROOT / "images/init"
PAGE: dict[str, Any] = yaml.safe_load((ROOT / "linuxkit.yml").read_text())
SERVICES = {service["name"]: service for service in PAGE["services"]}
CONTAINERS = {one["name"]: one for one in (*PAGE["onboot"], *PAGE["services"])}
PRIVATE = sorted(CONTAINERS.keys() - {"tink-docker"})

# Design, section 2: what several parts share. Service, path of the host, path inside, may it write.
SHARED = [
    ("tink-docker", "/run/docker", "/var/run", True),
    ("bootkit", "/run/docker", "/var/run", True),
    ("tink-docker", "/", "/host_root", True),
    ("tink-docker", "/dev", "/dev", True),
    ("tink-docker", "/lib/firmware", "/lib/firmware", False),
    ("tink-docker", "/run/worker", "/worker", True),
    ("tink-docker", "/var/lib/docker", "/var/lib/docker", True),
    ("tink-docker", "/run/tinkie/certs.d", "/etc/docker/certs.d", True),
    ("bootkit", "/run/tinkie/certs.d", "/etc/docker/certs.d", False),
    ("tink-docker", "/run/resolvconf/resolv.conf", "/etc/resolv.conf", False),
    ("bootkit", "/run/resolvconf/resolv.conf", "/etc/resolv.conf", False),
    *((name, "/run/tinkie", "/run/tinkie", True) for name in ("tink-docker", "bootkit", "dhcp")),
]


def script(name: str) -> str:
    return (INIT / "lib" / name).read_text()


def binds(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Path inside -> path of the host, may it be written."""
    found = {}
    for bind in container.get("binds", ()):
        source, inside, *options = bind.split(":")
        found[inside] = source, "ro" not in options
    return found


@pytest.mark.parametrize(("service", "source", "inside", "writable"), SHARED)
def test_shared_path_is_bound(service: str, source: str, inside: str, *, writable: bool) -> None:
    assert binds(SERVICES[service])[inside] == (source, writable)


def test_agents_find_what_they_expect_in_their_containers() -> None:
    engine, agent = binds(SERVICES["tink-docker"]), binds(SERVICES["bootkit"])
    for both in (agent, engine):
        assert str(agreed.ENGINE_SOCKET.parent) in both
        assert str(agreed.CERTIFICATES) in both
    assert str(daemon_json.DATA_ROOT) in engine
    assert str(reboot.FLAG.parent) in engine
    assert str(bootkit_cli.STATE.parent) in agent
    assert str(tink_docker_cli.STATE_PATH.parent) in engine
    assert str(room.PATH.parent) in set(agent) & set(engine)


def test_worker_binds_exist_where_the_engine_resolves_them() -> None:
    engine = binds(SERVICES["tink-docker"])
    for bind in worker.BINDS:
        source = bind.split(":")[0]
        assert any(source == inside or source.startswith(f"{inside}/") for inside in engine), bind


@pytest.mark.parametrize("name", PRIVATE)
def test_only_the_engine_is_privileged(name: str) -> None:
    container = CONTAINERS[name]
    assert container["readonly"] is True
    assert container["noNewPrivileges"] is True
    assert "all" not in container.get("capabilities", ())
    assert container.get("pid") is None
    masked = set(container["maskedPaths"])
    assert {"/proc/kcore", "/sys/firmware"} <= masked
    readonly = set(container["readonlyPaths"])
    assert "/proc/sysrq-trigger" in readonly
    assert readonly & {"/proc/sys", "/proc/sys/kernel"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_kernel_takes_anything_before_us(name: str) -> None:
    score = SERVICES[name]["oomScoreAdj"]
    assert score == -900
    assert f'echo {score} >"/proc/$process/oom_score_adj"' in script("rc")


def test_bootkit_and_settings_have_no_capability() -> None:
    assert "capabilities" not in CONTAINERS["bootkit"]
    assert "capabilities" not in CONTAINERS["settings"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_password_or_parameter_is_in_a_command_line(name: str) -> None:
    assert not any("=" in word for word in SERVICES[name]["command"])


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_bound_folder_is_made_by_somebody(name: str) -> None:
    container = CONTAINERS[name]
    made = set(container.get("runtime", {}).get("mkdir", ()))
    made |= set(re.findall(r"/(?:run|var)/[\w./-]+", script("rc")))
    made |= {str(folder) for path in made for folder in Path(path).parents}
    for source, _ in binds(container).values():
        if source.startswith(("/run/", "/var/")):
            assert source in made, source


def test_every_bind_is_explained() -> None:
    page = (ROOT / "linuxkit.yml").read_text().splitlines()
    for line in page:
        if re.match(r"\s+- /\S+:/", line):
            assert "#" in line, line


def test_what_pid_1_starts_exists_and_can_be_run() -> None:
    commands = re.findall(
        r"/usr/lib/tinkie/(?:respawned )?([a-z-]+)", (INIT / "etc/inittab").read_text()
    )
    assert {
        "rc",
        "services",
        "shutdown",
        "containerd",
        "syslog",
        "klog",
        "console",
        "udevd",
    } <= set(commands)
    for name in [*commands, "respawned"]:
        assert (INIT / "lib" / name).stat().st_mode & 0o111, name


def test_scripts_call_only_scripts_that_exist() -> None:
    present = {path.name for path in (INIT / "lib").iterdir()}
    for path in (*(INIT / "lib").iterdir(), *ROOT.glob("images/*/[a-z]*")):
        if path.is_file() and path.name != "Dockerfile":
            for name in re.findall(r"/usr/lib/tinkie/([a-z-]+(?:\.jq)?)", path.read_text()):
                assert name in present | _own(path), f"{path}: {name}"


def _own(path: Path) -> set[str]:
    """The scripts that the image of a script has besides."""
    if not (path.parent / "Dockerfile").exists():
        return set()
    copied = re.findall(
        r"^COPY (.+) /out/usr/lib/tinkie/", (path.parent / "Dockerfile").read_text(), re.MULTILINE
    )
    return {name for names in copied for name in names.split()}


def test_services_that_come_first_exist() -> None:
    (first,) = re.findall(r"^first='(.*)'$", script("services"), re.MULTILINE)
    names = first.split()
    assert names == ["dhcp", "tink-docker", "bootkit"]
    assert set(names) <= SERVICES.keys()


@pytest.mark.parametrize("name", ["dhcp", "ntp", "rngd"])
def test_service_starts_the_script_of_its_image(name: str) -> None:
    command = SERVICES[name]["command"][0]
    assert f"COPY {name} /out{command}" in (ROOT / "images" / name / "Dockerfile").read_text()
    assert (ROOT / "images" / name / name).stat().st_mode & 0o111


def test_settings_are_looked_for_where_they_are_written() -> None:
    command = CONTAINERS["settings"]["command"]
    folder = command[command.index("--output") + 1]
    assert f"{folder}/syslog" in script("forward")
    assert f"sourcedir {folder}\n" in (ROOT / "images/ntp/chrony.conf").read_text()


def test_clock_asks_whom_the_settings_name_and_believes_what_can_be() -> None:
    ntp = (ROOT / "images/ntp/ntp").read_text()
    assert 'done <"$settings/clock"' in ntp
    assert "settings=/run/tinkie/settings" in ntp
    assert "SOURCE_DATE_EPOCH + 10 * 31557600" in ntp
    assert "SOURCE_DATE_EPOCH + 10 * 31557600" in script("rc")


def test_console_is_one_pipe() -> None:
    for name in ("tink-docker", "bootkit"):
        command = SERVICES[name]["command"]
        pipe = command[command.index("--console") + 1]
        assert f"mkfifo -m 600 {pipe}" in script("rc")
        assert pipe in script("announce")
        assert f"<>{pipe}" in (INIT / "etc/inittab").read_text()


def test_initramfs_has_what_its_init_uses() -> None:
    init = (INIT / "initramfs/init").read_text()
    assert init.startswith("#!/bin/busybox sh\n")
    used = set(re.findall(r"/(bin/busybox|modules/\w+\.ko)", init))
    assert used == BOOTSTRAP.keys() - {"init"}


def test_clock_has_no_server_of_its_own_and_no_port() -> None:
    lines = (ROOT / "images/ntp/chrony.conf").read_text().splitlines()
    assert {"port 0", "cmdport 0"} <= set(lines)
    assert not any(line.startswith(("pool", "server", "peer", "allow")) for line in lines)


def test_resolver_is_written_in_place() -> None:
    resolver = (ROOT / "images/dhcp/resolver").read_text()
    assert "file=/run/resolvconf/resolv.conf\n" in resolver
    assert '>"$file"' in resolver
    assert "mv " not in resolver


def test_settings_that_choose_the_card_are_written() -> None:
    route = (ROOT / "images/dhcp/route").read_text()
    command = CONTAINERS["settings"]["command"]
    assert f"settings={command[command.index('--output') + 1]}\n" in route
    used = set(re.findall(r"\$settings/([\w.]+)", route))
    assert used == {"host", "cards"}
    assert used <= settings.FILES.keys()


def test_kernel_lines_that_hold_the_command_line_are_dropped() -> None:
    (pattern,) = re.findall(r"\|\| /(\[Cc\].*?)/ \|\|", script("klog"))
    said = ["Command line: x", "Kernel command line: x", "Unknown kernel command line parameters x"]
    for line in said:
        assert re.search(pattern, line)
