"""forward under bash: the log by UDP, one packet a line, with its priority."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.fakes.script_root import SECONDS, option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.script_root import ScriptRoot

FORWARD = "/usr/lib/tinkie/forward"
SETTINGS = option("settings", "--output") + "/syslog"
LOG = "/var/log/messages"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.add_program("/bin/bash")
    root.write(LOG, "")
    return root


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(request.param, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        found.settimeout(SECONDS)
        yield found


def setting(server: socket.socket) -> str:
    host, port = server.getsockname()[:2]
    return f"[{host}]:{port}\n" if ":" in host else f"{host}:{port}\n"


def test_log_is_forwarded_from_its_first_line_on(
    machine: ScriptRoot, server: socket.socket
) -> None:
    long = "x" * 3000
    machine.write(
        LOG,
        "Nov  1 21:00:01 tinkie kern.notice kernel: first\n"
        "Nov 27 21:00:02 tinkie user.notice ntp: a  b % \\n\n"
        f"Nov 27 21:00:03 tinkie daemon.err x: {long}\n",
    )
    machine.write(SETTINGS, setting(server))
    with machine.running(FORWARD):
        packets = [server.recv(65536).decode() for _ in range(3)]
        with machine.at(LOG).open("a") as log:
            log.write("Nov 27 21:00:04 tinkie local7.info x: later\n")
            log.write("Nov 27 21:00:05 tinkie auth.crit x: last\n")
        packets += [server.recv(65536).decode() for _ in range(2)]
    assert packets[0] == "<5>Nov  1 21:00:01 tinkie kernel: first"
    assert packets[1] == "<13>Nov 27 21:00:02 tinkie ntp: a  b % \\n"
    assert packets[2].startswith("<27>Nov 27 21:00:03 tinkie x: xxx")
    assert len(packets[2]) == 2000
    assert packets[4] == "<34>Nov 27 21:00:05 tinkie x: last"


def test_rotated_log_is_followed(machine: ScriptRoot) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        machine.write(SETTINGS, setting(server))
        machine.write(LOG, "Nov 27 21:00:01 tinkie user.info x: old\n")
        with machine.running(FORWARD):
            assert server.recv(999).endswith(b"x: old")
            machine.at(LOG).rename(machine.at(f"{LOG}.0"))
            machine.write(LOG, "Nov 27 21:00:02 tinkie user.info x: new\n")
            assert server.recv(999).endswith(b"x: new")


def test_settings_may_come_late(machine: ScriptRoot) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        machine.write(LOG, "Nov 27 21:00:01 tinkie user.info x: line\n")
        machine.write(SETTINGS, "")  # being written
        with machine.running(FORWARD):
            machine.wait_for("several looks", lambda: machine.uptime > 110)
            machine.write(SETTINGS, setting(server))
            assert server.recv(999).endswith(b"x: line")


def test_host_without_an_address_ends_it_and_fills_no_console(machine: ScriptRoot) -> None:
    machine.write(SETTINGS, "no.such.host.invalid:514\n")
    done = machine.run(FORWARD)
    assert done.returncode != 0
    assert done.stdout + done.stderr == ""


def test_started_again_it_goes_on_after_the_last_packet(machine: ScriptRoot) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        machine.write(SETTINGS, setting(server))
        lines = [
            f"Nov 27 21:00:0{number} tinkie user.info x: \\n {number}\n" for number in range(8)
        ]
        machine.write(LOG, "".join(lines[:3]))
        with machine.running(FORWARD):
            packets = [server.recv(999).decode() for _ in range(3)]
            machine.wait_for("its note", lambda: machine.read("/run/forwarded").endswith("2\n"))
        machine.at(LOG).rename(machine.at(f"{LOG}.0"))  # rotated meanwhile
        machine.write(f"{LOG}.0", "".join(lines[:5]))
        machine.write(LOG, "".join(lines[5:]))
        with machine.running(FORWARD):
            packets += [server.recv(999).decode() for _ in range(5)]
    assert [packet[-1] for packet in packets] == [str(number) for number in range(8)]
