"""linuxkit.yml, the files of images/ and the code agree on paths and names.

What a script does is tested beside it: images/<name>/test_<script>.py.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootkit.machine.identity import MachineFinder
from bootkit.plan import worker
from network.cli import SOCKET
from network.client import GIVEN
from network.files import Files
from network.metadata_bond import REFUSED
from tink_docker import reboot
from tink_docker.engine import daemon_json
from tink_docker.engine.socket import SOCKET_GROUP
from tinkie import paths
from tinkie.parameters.table import BOND, IPAM, VLAN_ID
from tinkie.running.arguments import agent_parser

ROOT = Path(__file__).parents[2]
INIT = ROOT / "images/init"
LINUXKIT: dict[str, Any] = yaml.safe_load((ROOT / "linuxkit.yml").read_text())
SERVICES = {service["name"]: service for service in LINUXKIT["services"]}
CONTAINERS = {one["name"]: one for one in (*LINUXKIT["onboot"], *LINUXKIT["services"])}
PRIVATE = sorted(CONTAINERS.keys() - {"tink-docker"})

# Design, section 2: what several parts share. Service, path of the host, path inside, may it write.
SHARED = [
    ("tink-docker", "/run/docker", "/var/run", True),
    ("bootkit", "/run/docker", "/var/run", False),
    ("tink-docker", "/", "/host_root", True),
    ("tink-docker", "/dev", "/dev", True),
    ("tink-docker", "/lib/firmware", "/lib/firmware", False),
    ("tink-docker", "/run/worker", "/worker", True),
    ("tink-docker", "/var/lib/docker", "/var/lib/docker", True),
    ("tink-docker", "/run/tinkie/tink-docker/certs.d", "/etc/docker/certs.d", True),
    ("bootkit", "/run/tinkie/tink-docker/certs.d", "/etc/docker/certs.d", False),
    ("tink-docker", "/run/resolvconf/resolv.conf", "/etc/resolv.conf", False),
    ("bootkit", "/run/resolvconf/resolv.conf", "/etc/resolv.conf", False),
    ("dhcp", "/run/resolvconf/resolv.conf", "/etc/resolv.conf", True),
    ("dhcp", "/run/dhcpcd", "/run/dhcpcd", True),
    ("ntp", "/run/dhcpcd", "/run/dhcpcd", False),
    ("ntp", "/run/tinkie/settings", "/run/tinkie/settings", False),
    ("tink-docker", "/run/tinkie/tink-docker", "/run/tinkie/tink-docker", True),
    ("bootkit", "/run/tinkie/tink-docker", "/run/tinkie/tink-docker", False),
    ("bootkit", "/run/tinkie/bootkit", "/run/tinkie/bootkit", True),
    ("dhcp", "/run/tinkie/bootkit", "/run/tinkie/bootkit", False),
    *(
        (name, "/run/init/console", "/run/init/console", False)
        for name in ("tink-docker", "bootkit", "dhcp", "ntp")
    ),
]


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
        assert str(paths.ENGINE_SOCKET.parent) in both
        assert str(paths.CERTIFICATES) in both
        assert str(paths.TINK_DOCKER_FOLDER) in both
    for program, its in (("tink-docker", engine), ("bootkit", agent)):
        options = agent_parser(program, "").parse_args([])
        assert its[str(options.state.parent)][1], "it can write its state file"
        assert SERVICES[program]["command"][2] in its, "its console"
    assert str(daemon_json.DATA_ROOT) in engine
    assert str(reboot.FLAG.parent) in engine


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


def test_only_the_network_service_and_the_engine_are_root() -> None:
    users = {name: one.get("uid", 0) for name, one in CONTAINERS.items()}
    assert {name for name, uid in users.items() if uid == 0} == {"dhcp", "tink-docker"}
    others = [uid for uid in users.values() if uid]
    assert len(set(others)) == len(others)
    for name, uid in users.items():
        container = CONTAINERS[name]
        assert container.get("gid", 0) == uid
        if uid:  # a capability that is not ambient is lost at execve
            assert container.get("ambient") == container.get("capabilities")


def test_security_md_has_the_rights_of_every_container() -> None:
    text = (ROOT / "SECURITY.md").read_text().partition("## Rights of the services")[2]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    table = {row[0].strip("`"): row[1:] for row in rows if row and row[0].startswith("`")}
    assert table.keys() == CONTAINERS.keys()
    for name, (user, capabilities, profile) in table.items():
        container = CONTAINERS[name]
        assert user == str(container.get("uid", "root"))
        given = container.get("capabilities", ["none"])
        assert capabilities.replace("`", "").split(", ") == given
        own = (INIT / f"lib/seccomp/{name}.json").exists()
        assert profile == ("none" if given == ["all"] else "its own" if own else "Docker's")


def test_bootkit_alone_is_in_the_group_of_the_engines_socket() -> None:
    groups = {
        name: one["additionalGids"] for name, one in CONTAINERS.items() if "additionalGids" in one
    }
    assert groups == {"bootkit": [SOCKET_GROUP]}


def test_chronyds_user_is_the_one_that_it_runs_as() -> None:
    ntp = SERVICES["ntp"]
    dockerfile = (ROOT / "images/ntp/Dockerfile").read_text()
    assert f"/_chrony:x:{ntp['uid']}:{ntp['gid']}:/" in dockerfile
    (run,) = ntp["tmpfs"]
    assert {f"uid={ntp['uid']}", f"gid={ntp['gid']}", "mode=750"} <= set(re.split("[:,]", run))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_kernel_takes_anything_before_us(name: str) -> None:
    assert SERVICES[name]["oomScoreAdj"] == -900


def test_bootkit_and_settings_have_no_capability() -> None:
    assert "capabilities" not in CONTAINERS["bootkit"]
    assert "capabilities" not in CONTAINERS["settings"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_password_or_parameter_is_in_a_command_line(name: str) -> None:
    assert not any("=" in word for word in SERVICES[name]["command"])


def test_every_bind_is_explained() -> None:
    lines = (ROOT / "linuxkit.yml").read_text().splitlines()
    for line in lines:
        if re.match(r"\s+- /\S+:/", line):
            assert "#" in line, line


def test_scripts_call_only_scripts_that_exist() -> None:
    present = {path.name for path in (INIT / "lib").iterdir()}
    for path in (*(INIT / "lib").iterdir(), *ROOT.glob("images/*/[a-z]*")):
        if path.is_file() and path.name != "Dockerfile":
            for name in re.findall(r"/usr/lib/tinkie/([a-z-]+)", path.read_text()):
                assert name in present | _own(path), f"{path}: {name}"


def _own(path: Path) -> set[str]:
    """The scripts that the image of a script has besides."""
    if not (path.parent / "Dockerfile").exists():
        return set()
    copied = re.findall(
        r"^COPY (.+) /out/usr/lib/tinkie/", (path.parent / "Dockerfile").read_text(), re.MULTILINE
    )
    return {Path(name).name for names in copied for name in names.split()}


@pytest.mark.parametrize("name", ["dhcp", "ntp", "rngd"])
def test_service_starts_the_script_of_its_image(name: str) -> None:
    command = SERVICES[name]["command"][0]
    source = "images/dhcp/dhcp" if name == "dhcp" else name  # its context is the whole project
    assert f"COPY {source} /out{command}" in _dockerfile(name)
    assert (ROOT / "images" / name / name).stat().st_mode & 0o111


def test_the_network_service_finds_what_it_expects_in_its_container() -> None:
    its = binds(SERVICES["dhcp"])
    files = Files()
    assert its[str(files.folder)][1]
    assert its[str(files.resolver)][1]
    assert its[str(files.hostname)] == ("/proc/sys/kernel/hostname", True)
    assert its["/run/init/console"]
    assert SOCKET.parent == files.folder
    script = (ROOT / "images/dhcp/dhcp").read_text()
    assert "-m network --console /run/init/console " in script
    assert f"-f {GIVEN}" in script
    assert f"COPY images/dhcp/dhcpcd.conf /out{GIVEN}" in _dockerfile("dhcp")


def test_the_network_service_waits_for_no_interpreter_unless_it_must() -> None:
    """dhcpcd starts first, unless a parameter makes a link or an address."""
    (words,) = re.findall(r"grep -q (.*) /proc/cmdline", (ROOT / "images/dhcp/dhcp").read_text())
    assert set(re.findall(r"-e (\w+)=", words)) == {BOND.name, IPAM.name, VLAN_ID.name}


def test_the_network_service_finds_the_bond_of_the_metadata() -> None:
    assert MachineFinder(time.monotonic).bond_file == paths.METADATA_BOND
    folder = str(paths.METADATA_BOND.parent)
    assert binds(SERVICES["bootkit"])[folder] == (folder, True)
    assert binds(SERVICES["dhcp"])[folder] == (folder, False)
    assert f"[ ! -e {paths.METADATA_BOND} ]" in (ROOT / "images/dhcp/dhcp").read_text()
    assert str(REFUSED).startswith("/run/dhcpcd/")


def test_dhcpcd_runs_no_hook() -> None:
    assert 'script ""' in (ROOT / "images/dhcp/dhcpcd.conf").read_text().splitlines()


def _dockerfile(name: str) -> str:
    return (ROOT / "images" / name / "Dockerfile").read_text()
