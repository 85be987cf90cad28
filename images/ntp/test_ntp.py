"""ntp under busybox: chronyd at once, late settings, and the Date of Tinkerbell's host."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network.files import Files
from tests.fakes.script_root import option

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

NTP = "/usr/lib/tinkie/ntp"
SETTINGS = option("settings", "--output")
LEASES = "/run/dhcpcd/time-servers"
COPIES = "/run/chrony/sources"
CHRONYC = "chronyc -h /run/chrony/chronyd.sock"
RELOAD = f"{CHRONYC} reload sources"
COMMIT = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT
NOW = "Wed, 15 Nov 2023 22:13:20 GMT"
NOW_SECONDS = COMMIT + 86_400
CHRONYD = """
[ "$(stat -c %a /run/chrony)" = 750 ] || exit 9
[ ! -e /chronyd_ends ] || exit 3
exec tail -f /dev/null
"""
CHRONYC_BODY = """
case $* in
*reload*) [ -e /chronyd_answers ] ;;
*tracking*) cat /tracking ;;
esac
"""
NOT_SYNCHRONISED = "7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Not synchronised\n"
SYNCHRONISED = "AC1E0001,172.30.0.1,2,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal\n"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.install("ntp/ntp", NTP)
    root.write("/etc/os-release", f"SOURCE_DATE_EPOCH={COMMIT}\n")
    root.write("/chronyd_answers", "")
    root.write("/tracking", NOT_SYNCHRONISED)
    root.stub("chronyd", CHRONYD)
    root.stub("chronyc", CHRONYC_BODY)
    root.stub("nc", "cat >/request.$1.$2; cat /answer.$1.$2")
    root.stub("timeout", 'shift; exec "$@"')
    clock(root, COMMIT)
    return root


def clock(root: ScriptRoot, seconds: int) -> None:
    """Set the clock, which the script may set."""
    root.write("/clock", f"{seconds}\n")
    body = '[ "$*" != +%s ] || { cat /clock && exit; }\n'
    body += 'case $* in "-u -s @"*) echo "${3#@}" >/clock && exit ;; esac\n'
    root.stub("date", f'{body}exec busybox date "$@"\n')


def answers(root: ScriptRoot, date: str, *, place: str = "boots.example 80") -> None:
    """Let one more of Tinkerbell's hosts answer, with this Date."""
    root.write(f"{SETTINGS}/clock", root.read(f"{SETTINGS}/clock") + f"{place}\n")
    text = f"HTTP/1.0 404 Not Found\r\nServer: x\r\n{date}\r\n\r\nDate: body\r\n"
    root.write(f"/answer.{place.replace(' ', '.')}", text)


def looks(root: ScriptRoot, count: int) -> None:
    """Wait until the script has asked chronyd so often."""
    asked = f"{CHRONYC} -c tracking"
    root.wait_for("a look", lambda: root.calls.count(asked) >= count)


def test_chronyd_starts_at_once_without_settings(machine: ScriptRoot) -> None:
    machine.time_passes(longest=0)  # whoever sleeps does so for ever
    with machine.running(NTP):
        machine.wait_for("chronyd", lambda: machine.calls)
    assert machine.calls == ["chronyd -d -U -f /etc/chrony/chrony.conf"]
    assert machine.announced == []


@pytest.mark.parametrize("file", [f"{SETTINGS}/ntp.sources", f"{LEASES}/eth0.dhcp.sources"])
def test_servers_that_come_late_change_or_go_are_loaded_once_each(
    machine: ScriptRoot, file: str
) -> None:
    with machine.running(NTP):
        machine.wait_for("time", lambda: machine.uptime > 400)
        assert RELOAD not in machine.calls
        for count, text in enumerate(("server 172.30.0.1\n", "server 172.30.0.2\n", ""), start=1):
            machine.write(file, text)
            _loaded(machine, count)
            assert machine.read(f"{COPIES}/all.sources").strip() == text.strip()
    assert machine.calls.count(RELOAD) == 3


def _loaded(machine: ScriptRoot, count: int) -> None:
    machine.wait_for("them", lambda: machine.calls.count(RELOAD) == count)
    seen = machine.uptime
    machine.wait_for("time", lambda: machine.uptime > seen + 20)


def test_servers_are_loaded_once_chronyd_answers(machine: ScriptRoot) -> None:
    machine.at("/chronyd_answers").unlink()
    machine.write(f"{SETTINGS}/ntp.sources", "server 172.30.0.1 iburst\n")
    with machine.running(NTP):
        machine.wait_for("attempts", lambda: machine.calls.count(RELOAD) > 2)
        machine.write("/chronyd_answers", "")
        seen = machine.uptime
        machine.wait_for("time", lambda: machine.uptime > seen + 60)
        attempts = machine.calls.count(RELOAD)
        machine.wait_for("more time", lambda: machine.uptime > seen + 160)
        assert machine.calls.count(RELOAD) == attempts


def test_synchronised_clock_is_reported_once_and_again_after_it_was_lost(
    machine: ScriptRoot,
) -> None:
    report = "ntp clock.synchronised server=172.30.0.1"
    with machine.running(NTP):
        looks(machine, 2)
        assert machine.announced == []
        machine.write("/tracking", SYNCHRONISED)
        machine.wait_for("the report", lambda: machine.announced)
        looks(machine, 8)
        assert machine.announced == [report]
        machine.write("/tracking", NOT_SYNCHRONISED)
        looks(machine, 12)
        machine.write("/tracking", SYNCHRONISED)
        machine.wait_for("the second", lambda: len(machine.announced) > 1)
    assert machine.announced == [report] * 2


def test_chronyd_without_an_answer_is_not_synchronised(machine: ScriptRoot) -> None:
    machine.write("/tracking", "")
    answers(machine, f"Date: {NOW}")
    with machine.running(NTP):
        machine.wait_for("the clock", lambda: machine.announced)
    assert machine.announced[0].startswith("ntp clock.set")


@pytest.mark.parametrize("header", ["Date", "date"])
def test_clock_is_set_by_the_date_of_tinkerbells_host(machine: ScriptRoot, header: str) -> None:
    answers(machine, f"{header}: {NOW}")
    with machine.running(NTP):
        machine.wait_for("the clock", lambda: machine.announced)
    assert machine.read("/clock") == f"{NOW_SECONDS}\n"
    hint = 'hint="no time server has answered: check ntp= and DHCP\'s servers"'
    assert machine.announced == [f"ntp clock.set from=boots.example:80 seconds=86400 {hint}"]
    request = machine.at("/request.boots.example.80").read_bytes()
    assert request == b"HEAD / HTTP/1.0\r\nHost: boots.example\r\n\r\n"


@pytest.mark.parametrize(
    "date",
    [
        "Date: Tue, 14 Nov 2023 22:13:19 GMT",  # a second before the commit
        "Date: Tue, 15 Nov 2033 10:13:21 GMT",  # over ten years after it
        "Date: yesterday",
        "Date: ",
        "Server: none",
    ],
)
def test_implausible_dates_are_not_believed_and_the_next_host_is_asked(
    machine: ScriptRoot, date: str
) -> None:
    answers(machine, date, place="wrong.example 7080")
    with machine.running(NTP):
        looks(machine, 3)
        assert machine.announced == []
        assert machine.read("/clock") == f"{COMMIT}\n"
        answers(machine, f"Date: {NOW}", place="right.example 80")
        machine.wait_for("the clock", lambda: machine.announced)
    assert machine.announced[0].startswith("ntp clock.set from=right.example:80 ")


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", COMMIT),
        ("Mon, 14 Nov 2033 10:13:20 GMT", COMMIT + 10 * 31_557_600),
    ],
)
def test_dates_from_the_commit_to_ten_years_later_are_believed(
    machine: ScriptRoot, date: str, seconds: int
) -> None:
    clock(machine, 0)
    answers(machine, f"Date: {date}")
    with machine.running(NTP):
        machine.wait_for("the clock", lambda: machine.announced)
    assert machine.read("/clock") == f"{seconds}\n"


def test_clock_that_is_ten_seconds_off_stays(machine: ScriptRoot) -> None:
    clock(machine, NOW_SECONDS - 10)
    answers(machine, f"Date: {NOW}")
    with machine.running(NTP):
        machine.wait_for("an answer", lambda: machine.read("/request.boots.example.80"))
        machine.wait_for("long wait", lambda: "sleep 300" in machine.read(".calls"))
    assert machine.announced == []
    assert machine.read("/clock") == f"{NOW_SECONDS - 10}\n"


def test_end_of_chronyd_ends_the_service_and_is_reported(machine: ScriptRoot) -> None:
    machine.write("/chronyd_ends", "")
    machine.run(NTP)
    error = 'error="exit code 3" next="this service is started again"'
    assert machine.announced == [f"ntp chronyd.ended {error}"]


def test_sigterm_ends_chronyd_too(machine: ScriptRoot) -> None:
    body = "trap ': >/chronyd_ended; exit' TERM; : >/chronyd_runs; tail -f /dev/null & wait"
    machine.stub("chronyd", body)
    both_run = "[ -e /chronyd_runs ] && grep -q 'sleep 10' /.calls"
    machine.run("sh", "-c", f"{NTP} & until {both_run}; do :; done; kill $!; wait $!")
    assert machine.at("/chronyd_ended").exists()
    assert machine.announced == []


def test_chronyd_reads_the_servers_that_were_copied() -> None:
    lines = (Path(__file__).parent / "chrony.conf").read_text().splitlines()
    assert [line for line in lines if line.startswith("sourcedir ")] == [f"sourcedir {COPIES}"]


def test_what_is_no_file_or_no_server_is_not_copied(machine: ScriptRoot) -> None:
    machine.write(f"{LEASES}/eth0.dhcp.sources", "server 172.30.0.1\ninclude /secret\n")
    machine.write("/secret", "server 172.30.0.9\n")
    machine.at(f"{LEASES}/link.sources").symlink_to("/secret")
    os.mkfifo(machine.at(f"{LEASES}/pipe.sources"))
    with machine.running(NTP):
        _loaded(machine, 1)
        assert machine.read(f"{COPIES}/all.sources") == "server 172.30.0.1\n"


def test_the_network_service_writes_time_servers_where_they_are_read() -> None:
    assert str(Files().folder / "time-servers") == LEASES


def test_clock_has_no_server_of_its_own_and_no_port() -> None:
    lines = (Path(__file__).parent / "chrony.conf").read_text().splitlines()
    assert {"port 0", "cmdport 0"} <= set(lines)
    assert not any(re.match("pool|server|peer|allow", line) for line in lines)
