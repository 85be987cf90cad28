from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.console import Console, Line
from sandbox.figures import build_of, parse_memory
from sandbox.processes import host_ticks_of, ticks_of

STAT = "77 (qemu) (x86 64) S 1 77 77 0 -1 4194560 9 0 0 0 1234 66 0 0 20 0 4 0 100 5 6"


def test_the_actions_report() -> None:
    report = "total=1962 used=221 shared=187 cache=300 available=1433"
    assert parse_memory(report)["shared"] == 187


def test_cpu_time_is_that_of_user_and_system() -> None:
    assert ticks_of(STAT) == 1300


def test_the_hosts_cpu_time_leaves_out_idle_stolen_and_guests_time() -> None:
    # A guest's time is part of user.
    stat = "cpu  100 20 30 5000 600 7 8 900 50 0\ncpu0 1 1 1 1 1 1 1 0 0 0\nintr 1\n"
    assert host_ticks_of(stat) == 165


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("[     2.00] init: boot.started version=0.1.0 commit=abc", "version=0.1.0 commit=abc"),
        ("[     2.00] dhcp: link.up interface=eth0", ""),
        ("Welcome to another OS", ""),
    ],
)
def test_the_build_is_known_if_the_console_has_it(text: str, build: str) -> None:
    console = Console(Path("console.log"), lambda: 0.0, [Line(2.0, text)])
    assert build_of(console) == build
