"""A machine starts with the files and the command line that iPXE would give it.

One boot, stopped in the middle of an action: all that could contain a secret is collected, and its
ports are scanned. Then it goes on: its disk is wiped and it reboots.
"""

import tarfile
from base64 import b64decode
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from io import BytesIO
from ipaddress import IPv6Address
from pathlib import Path
from urllib.parse import quote

from sandbox.disk import empty_disk, fill, is_zero
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.machine import Machine, machine
from sandbox.network import BRIDGE
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running
from sandbox.workflow import Status
from sandbox.world import World, new_password
from tests.boot.machines import MEMORY_MIB, Lab
from tests.boot.ports import open_ports
from tests.boot.secrecy import encodings, places_with

IDENTITY = MachineIdentity("direct", "52:54:00:00:01:02", "172.30.0.102", "172.30.0.1")
# Processes that the machine lives on.
PROTECTED = (
    "dockerd",
    "containerd",
    "containerd-shim",
    "tink-docker",
    "bootkit",
    "dhcpcd",
    "syslogd",
)
# No proxy runs: all that this machine needs is on Tinkerbell's host, which it reaches directly.
PROXY_USER, PROXY_PASSWORD = "canary", new_password()
EVIDENCE_SECONDS = 600.0  # a tenth of that on an idle machine
END_SECONDS = 180.0
REBOOT_SECONDS = 90.0
DHCP_CLIENT = 68
DHCPV6_CLIENT = 546


@dataclass(frozen=True)
class Seen:
    """What came of the boot.

    places: where a secret could be -> what is there: console, syslog packets, state/*, log/*,
    arguments, environments (of all processes but the worker's), containers (as the engine keeps
    them, without the worker), environment-of-*.
    listening: "tcp 172.30.0.102" -> ports that are not closed.
    """

    status: Status
    disk: Path
    places: dict[str, bytes]
    listening: dict[str, set[int]]
    planted: str


def observe(lab: Lab) -> Seen:
    """Boot the machine, and return what came of it."""
    fill(empty_disk(lab.folder / "disk.img", 128))
    lab.sandbox.enroll(IDENTITY)
    with _packets(lab), _machine(lab) as box:
        planted = new_password()
        return _watch(lab, _follow(lab.sandbox, box, planted), planted)


def _machine(lab: Lab) -> AbstractContextManager[Machine]:
    boot = lab.sandbox.direct_boot(IDENTITY)
    proxy = f"http://{PROXY_USER}:{quote(PROXY_PASSWORD, safe='')}@proxy.example.com:3128"
    line = f"{boot.command_line} HTTP_PROXY={proxy} https_proxy={proxy}"
    boot = replace(boot, command_line=line)
    disk = lab.folder / "disk.img"
    hardware = Hardware(IDENTITY, disk, boot, lab.accelerator, MEMORY_MIB, stop_at_reboot=True)
    return machine(lab.folder, lab.sandbox.network, hardware, "direct")


def _packets(lab: Lab) -> AbstractContextManager[Program]:
    capture = ["tcpdump", "-i", BRIDGE, "-s", "0", "-U", "-w", str(lab.folder / "syslog.pcap")]
    command = [*capture, "udp", "port", "514"]
    return running("tcpdump", command, log=lab.folder / "tcpdump.log", network=lab.sandbox.network)


def _follow(sandbox: World, box: Machine, planted: str) -> Follower:
    template = (Path(__file__).parent / "inspect.yml").read_text()
    words = " ".join(sorted(text.decode() for text in encodings(planted)))
    run = sandbox.start_workflow("inspect", template, IDENTITY, planted=words)
    return Follower(sandbox, box, run, print)


def _watch(lab: Lab, follower: Follower, planted: str) -> Seen:
    sandbox, folder = lab.sandbox, lab.folder
    evidence = sandbox.files.uploads / "evidence"
    follower.wait_for("the action's evidence", lambda: evidence.exists() or None, EVIDENCE_SECONDS)
    collected = _unpack(evidence)
    listening = _scan(sandbox, collected["net/if_inet6"].decode())
    sandbox.files.publish(evidence, "go")
    status = follower.wait_for_success(END_SECONDS)
    follower.wait_for("the reboot", lambda: follower.machine.is_off() or None, REBOOT_SECONDS)
    places = {
        **collected,
        "console": follower.machine.console.log.read_bytes(),
        "syslog packets": (folder / "syslog.pcap").read_bytes(),
    }
    return Seen(status, folder / "disk.img", places, listening, planted)


def _unpack(archive: Path) -> dict[str, bytes]:
    """Return path -> content; the archive is gzip-compressed, in base64."""
    with tarfile.open(fileobj=BytesIO(b64decode(archive.read_bytes()))) as tar:
        return {
            member.name.removeprefix("./"): _content(tar, member)
            for member in tar
            if member.isfile()
        }


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def _scan(sandbox: World, addresses: str) -> dict[str, set[int]]:
    link_local = next(line for line in addresses.splitlines() if line.endswith(" eth0"))
    ipv6 = str(IPv6Address(int(link_local.split()[0], 16)))
    return {
        f"{protocol} {address}": open_ports(sandbox.network, address, protocol)
        for address in (IDENTITY.address, ipv6)
        for protocol in ("tcp", "udp")
    }


def test_workflow_succeeds_with_the_newest_agent(seen: Seen) -> None:
    assert seen.status.state == "SUCCESS"
    assert list(seen.status.actions.values()) == ["SUCCESS"] * 3
    assert b"/tink-agent" in seen.places["arguments"]


def test_the_metadata_service_gives_the_machines_id(seen: Seen) -> None:
    """Its name as well, if both answers come within the two seconds that a start waits for them."""
    found = f"bootkit: machine.found id={IDENTITY.mac} "
    assert found.encode() in seen.places["console"]


def test_disk_reads_as_zeros_after_it_was_wiped(seen: Seen) -> None:
    assert is_zero(seen.disk)


def test_flag_of_the_action_reboots_the_machine(seen: Seen) -> None:
    """The machine was to stop at its reboot, and did: the fixture waited for it."""
    console = seen.places["console"]
    assert console.count(b"init: boot.started") == 1
    assert b'init: shutdown.started by="/worker/reboot"' in console
    assert b"init: shutdown.done" in console


def test_the_log_has_no_program_or_driver_that_is_not_there(seen: Seen) -> None:
    """The tests of the scripts replace programs, so they cannot see that."""
    logs = [text for name, text in seen.places.items() if name.startswith("log/")]
    lines = [line for text in logs for line in text.splitlines()]
    assert any(b" containerd: " in line for line in lines)
    missing = [line for line in lines if line.endswith(b": not found") or b" modprobe: " in line]
    assert missing == []


def test_nothing_listens_but_the_dhcp_client(seen: Seen) -> None:
    for scanned, ports in seen.listening.items():
        allowed = {DHCP_CLIENT, DHCPV6_CLIENT} if scanned.startswith("udp") else set()
        assert ports <= allowed, scanned


def test_the_kernel_takes_workers_and_actions_before_us(seen: Seen) -> None:
    lines = [row.split(None, 1) for row in seen.places["oom-scores"].decode().splitlines()]
    rows = [row for row in lines if len(row) == 2]  # a process may end while it is looked at
    scores = {name: [int(score) for score, one in rows if one == name] for _, name in rows}
    for ours in PROTECTED:
        assert max(scores[ours]) <= -800, (ours, scores)  # a shim is one above its containerd
    assert scores["tink-agent"] == scores["inspect"] == [0], scores


def test_the_kernel_has_no_listening_socket_either(seen: Seen) -> None:
    for protocol in ("tcp", "tcp6"):
        assert not _bound(seen.places[f"net/{protocol}"], state="0A"), protocol
    for protocol in ("udp", "udp6"):
        foreign = _bound(seen.places[f"net/{protocol}"]) - {DHCP_CLIENT, DHCPV6_CLIENT}
        assert not foreign, protocol


def _bound(table: bytes, state: str = "") -> set[int]:
    """Local ports of sockets that take packets from anybody else than the machine itself."""
    rows = [line.split() for line in table.decode().splitlines()[1:]]
    return {
        int(row[1].split(":")[1], 16)
        for row in rows
        if row[3].startswith(state) and not _loopback(row[1]) and _has_no_peer(row[2])
    }


def _loopback(address: str) -> bool:
    return address.startswith(("0100007F:", f"{'0' * 24}01000000:"))


def _has_no_peer(address: str) -> bool:
    return not address.split(":", maxsplit=1)[0].strip("0")


PLANTED_IN = {
    *("console", "syslog packets", "arguments", "state/planted.json", "log/messages"),
    *("environments", "containers"),
}


def test_the_search_finds_every_encoding_of_a_planted_secret(seen: Seen) -> None:
    found = places_with(seen.planted, seen.places)
    assert {name: found.get(name) for name in PLANTED_IN} == dict.fromkeys(
        PLANTED_IN, encodings(seen.planted)
    )


def test_the_registrys_password_is_nowhere(sandbox: World, seen: Seen) -> None:
    assert places_with(sandbox.registry.credentials.password, seen.places) == {}


def test_name_and_password_as_http_sends_them_are_nowhere(sandbox: World, seen: Seen) -> None:
    credentials = sandbox.registry.credentials
    both = f"{credentials.username}:{credentials.password}"
    assert places_with(both, seen.places) == {}


def test_the_proxys_credentials_are_nowhere(seen: Seen) -> None:
    assert places_with(PROXY_PASSWORD, seen.places) == {}
    assert places_with(f"{PROXY_USER}:{PROXY_PASSWORD}", seen.places) == {}
