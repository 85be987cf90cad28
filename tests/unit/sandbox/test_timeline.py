from __future__ import annotations

from sandbox import timeline
from sandbox.console import Line

CONSOLE = [
    Line(0.2, "SeaBIOS (version 1.16.2)"),
    Line(12.0, "[     2.00] init: boot.started version=0.1.0 commit=abc"),
    Line(13.0, "[     3.00] dhcp: link.up interface=eth0"),
    Line(13.0, "[     3.50] dhcp: address.bound interface=eth0 address=172.30.0.10"),
    Line(30.0, "[    20.00] tink-docker: engine.ready version=26.1"),
    Line(31.0, "[    21.00] bootkit: image.pulled image=x"),
    Line(32.0, "[    22.00] bootkit: worker.started id=1"),
    Line(90.0, "[    80.00] bootkit: worker.started id=2"),
]


def test_kernel_starts_the_first_events_uptime_before_it_was_seen() -> None:
    assert timeline.moments(CONSOLE)[timeline.KERNEL] == 10.0


def test_an_event_has_its_uptime_and_the_first_of_a_kind_counts() -> None:
    found = timeline.moments(CONSOLE)
    assert found["address"] == 13.5
    assert found["worker started"] == 32.0


def test_a_console_without_events_has_only_the_power_on() -> None:
    assert timeline.moments(CONSOLE[:1]) == {"power-on": 0.0}


def test_the_table_leaves_out_nothing_but_a_disk_that_was_not_to_start() -> None:
    rows = timeline.table({"power-on": 0.0, "kernel": 10.0, "init": 12.0, "address": 13.5})
    lines = [row.split() for row in rows.splitlines()]
    assert [line[0] for line in lines[:4]] == ["power-on", "kernel", "init", "address"]
    assert lines[3] == ["address", "13.5", "s", "+1.5"]
    assert lines[4] == ["engine", "ready", "-"]
    assert len(lines) == len(timeline.ORDER) - 1
