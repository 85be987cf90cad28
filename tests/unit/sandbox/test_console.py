from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.console import Console, Line

if TYPE_CHECKING:
    from pathlib import Path


def console(path: Path, content: bytes = b"") -> tuple[Console, list[float]]:
    log = path / "console.log"
    log.write_bytes(content)
    clock = [100.0]
    return Console(log, now=lambda: clock[0]), clock


def test_a_line_is_returned_once_it_is_complete(tmp_path: Path) -> None:
    seen, clock = console(tmp_path, b"SeaBIOS\r\nBoot")
    clock[0] = 101.5
    assert seen.poll() == [Line(1.5, "SeaBIOS")]
    with seen.log.open("ab") as log:
        log.write(b"ing\n")
    clock[0] = 103.0
    assert seen.poll() == [Line(3.0, "Booting")]
    assert seen.poll() == []
    assert seen.lines == [Line(1.5, "SeaBIOS"), Line(3.0, "Booting")]


def test_escapes_and_overwritten_beginnings_are_left_out(tmp_path: Path) -> None:
    seen, _ = console(tmp_path, b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\n 10%\r 20%\rok\r\n\xff\n")
    assert [line.text for line in seen.poll()] == ["SeaBIOS", "ok", "�"]


def test_text_is_found_among_what_was_seen(tmp_path: Path) -> None:
    seen, _ = console(tmp_path, b"one\ntwo\n")
    assert seen.find("two") is None
    assert seen.poll_for("tw") == Line(0.0, "two")


def test_an_event_carries_its_program_its_name_and_its_uptime() -> None:
    line = Line(9.0, "[     5.43] tink-docker: engine.ready version=26.1")
    assert (line.event, line.uptime) == ("tink-docker: engine.ready", 5.43)
    assert Line(9.0, "[     5.43] init: rc.done").event == "init: rc.done"


def test_a_line_of_the_kernel_is_no_event() -> None:
    line = Line(9.0, "[    5.430000] e1000e: Intel(R) PRO/1000 Network Driver")
    assert (line.event, line.uptime) == ("", None)
