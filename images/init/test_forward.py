"""forward under bash: the log by UDP, one packet a line, with its priority."""

from __future__ import annotations

import os
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
    with machine.running(FORWARD, real_proc=True):
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


def test_a_link_in_place_of_the_settings_is_not_followed(machine: ScriptRoot) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as linked,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as given,
    ):
        for server in (linked, given):
            server.bind(("127.0.0.1", 0))
            server.settimeout(SECONDS)
        machine.write(LOG, "Nov 27 21:00:01 tinkie user.notice x: first\n")
        machine.write("/other", setting(linked))
        machine.at(SETTINGS).parent.mkdir(parents=True)
        machine.at(SETTINGS).symlink_to("/other")
        with machine.running(FORWARD, real_proc=True):
            machine.wait_for("a look", lambda: "sleep 2" in machine.read(".calls"))
            machine.at(SETTINGS).unlink()
            machine.write(SETTINGS, setting(given))
            assert given.recv(65536).endswith(b"first")
        linked.settimeout(0)
        with pytest.raises(BlockingIOError):
            linked.recv(65536)


def test_rotated_log_is_followed(machine: ScriptRoot) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        machine.write(SETTINGS, setting(server))
        machine.write(LOG, "Nov 27 21:00:01 tinkie user.info x: old\n")
        with machine.running(FORWARD, real_proc=True):
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
        with machine.running(FORWARD, real_proc=True):
            machine.wait_for("looks", lambda: machine.read(".calls").count("sleep 2") > 5)
            machine.write(SETTINGS, setting(server))
            assert server.recv(999).endswith(b"x: line")


@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_settings_that_are_no_file_are_not_opened(machine: ScriptRoot, planted: str) -> None:
    """The folder belongs to a user that is not root."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        machine.write(LOG, "Nov 27 21:00:01 tinkie user.info x: line\n")
        path = machine.at(SETTINGS)
        path.parent.mkdir(parents=True)
        if planted == "link":
            machine.write("/etc/private", "192.0.2.1:514\n")
            path.symlink_to("/etc/private")
        else:
            os.mkfifo(path)
        with machine.running(FORWARD, real_proc=True):
            machine.wait_for("looks", lambda: machine.read(".calls").count("sleep 2") > 2)
            path.unlink()
            machine.write(SETTINGS, setting(server))
            assert server.recv(999).endswith(b"x: line")


def test_host_without_an_address_ends_it_and_fills_no_console(machine: ScriptRoot) -> None:
    machine.write(SETTINGS, "no.such.host.invalid:514\n")
    done = machine.run(FORWARD, real_proc=True)
    assert done.returncode != 0
    assert done.stdout + done.stderr == ""


class Restarts:
    """A machine whose forward is ended and started again, and what the server gets."""

    def __init__(self, machine: ScriptRoot, server: socket.socket) -> None:
        self.machine, self.server = machine, server
        self.packets: list[str] = []
        machine.write(SETTINGS, setting(server))

    def run(self, count: int) -> None:
        """Run it until it has sent so many packets, the whole log, and noted that."""
        with self.machine.running(FORWARD, real_proc=True):
            self.packets += [self.server.recv(999).decode() for _ in range(count)]
            self.machine.wait_for("its note", self.is_noted)

    def is_noted(self) -> bool:
        log = self.machine.at(LOG)
        position = [log.stat().st_ino, log.read_text().count("\n")]
        return self.machine.read("/run/forwarded").split()[:2] == [*map(str, position)]

    def rotate(self) -> None:
        """Rename the files as syslogd does."""
        for old, new in ((".1", ".2"), (".0", ".1"), ("", ".0")):
            if self.machine.at(LOG + old).exists():
                self.machine.at(LOG + old).rename(self.machine.at(LOG + new))
        self.machine.write(LOG, "")

    def append(self, *texts: str, second: int = 0) -> None:
        with self.machine.at(LOG).open("a") as log:
            log.writelines(f"Nov 27 21:00:0{second} tinkie user.info x: {text}\n" for text in texts)

    @property
    def texts(self) -> list[str]:
        return [packet.rpartition(" ")[2] for packet in self.packets]


@pytest.fixture
def restarts(machine: ScriptRoot) -> Iterator[Restarts]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        yield Restarts(machine, server)


def test_started_again_it_goes_on_after_the_last_packet(restarts: Restarts) -> None:
    restarts.append("a", "\\n", "b")
    restarts.run(3)
    restarts.append("c", "d")
    restarts.rotate()
    restarts.append("e", "f")
    restarts.run(4)
    assert restarts.texts == ["a", "\\n", "b", "c", "d", "e", "f"]


def test_equal_lines_of_one_second_are_all_sent_and_once(restarts: Restarts) -> None:
    restarts.append("a", "b", "b")
    restarts.run(3)
    restarts.append("b", "b", "c")
    restarts.run(3)
    assert restarts.texts == ["a", "b", "b", "b", "b", "c"]


def test_a_clock_that_is_set_back_repeats_lines(restarts: Restarts) -> None:
    """The same second comes twice: with an equal line, and with others in between."""
    restarts.append("a", "b", second=5)
    restarts.append("c", second=9)
    restarts.append("a", second=5)
    restarts.run(4)
    restarts.append("b", second=5)
    restarts.append("d", second=6)
    restarts.run(2)
    assert restarts.texts == ["a", "b", "c", "a", "b", "d"]


@pytest.mark.parametrize("rotations", [1, 2, 3, 4])
def test_rotations_while_it_does_not_run_lose_only_what_syslogd_removed(
    restarts: Restarts, rotations: int
) -> None:
    restarts.append("a", "b")
    restarts.run(2)
    restarts.append("c")
    lost = ["c", "r1"][: max(rotations - 3, 0)]
    for number in range(1, rotations + 1):
        restarts.rotate()
        restarts.append(f"r{number}")
    expected = ["c", *(f"r{number}" for number in range(1, rotations + 1))][len(lost) :]
    restarts.run(len(expected))
    assert restarts.texts == ["a", "b", *expected]


def test_a_line_that_is_being_written_is_sent_whole(restarts: Restarts) -> None:
    with restarts.machine.at(LOG).open("a") as log:
        log.write("Nov 27 21:00:01 tinkie user.info x: ha")
        log.flush()
        with restarts.machine.running(FORWARD, real_proc=True):
            log.write("lf\nNov 27 21:00:01 tinkie user.info x: next\n")
            log.flush()
            packets = [restarts.server.recv(999).decode() for _ in range(2)]
    assert [packet.rpartition(" ")[2] for packet in packets] == ["half", "next"]


@pytest.mark.parametrize("note", ["", "\n", "x y\n", "99999999 3\n"])
def test_a_note_of_no_use_is_ignored(restarts: Restarts, note: str) -> None:
    restarts.append("a", "b")
    restarts.machine.write("/run/forwarded", note)
    restarts.run(2)
    assert restarts.texts == ["a", "b"]
