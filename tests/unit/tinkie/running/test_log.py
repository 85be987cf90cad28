from __future__ import annotations

import base64
import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.strategies import JSON, TEXT
from tinkie.policy import CONSOLE_LINE_BYTES, EVENT_TEXT_CHARACTERS
from tinkie.running import log
from tinkie.running.console import console_line
from tinkie.running.redaction import MASK, REDACTOR, Redactor
from tinkie.running.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = 'k"angaroo/2 +x'


def configured(
    capsys: pytest.CaptureFixture[str], console: Path | None = None, state: Path | None = None
) -> Any:
    log.configure(
        "bootkit",
        console=console,
        state=StateFile(state, "bootkit") if state else None,
        uptime=lambda: 12.3456,
    )
    capsys.readouterr()
    return log.get_logger()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_json_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    configured(capsys).info("image.pulled", image="x", count=2)
    (event,) = lines(capsys)
    assert event.pop("time").endswith("Z")
    assert event == {
        "event": "image.pulled",
        "image": "x",
        "count": 2,
        "level": "info",
        "program": "bootkit",
        "uptime": 12.346,
    }


def test_a_phase_is_on_every_event_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    logger = configured(capsys)
    with log.phase("pull"):
        logger.info("image.pulled")
    logger.info("worker.started")
    assert [(e["event"], e.get("phase")) for e in lines(capsys)] == [
        ("phase.started", "pull"),
        ("image.pulled", "pull"),
        ("phase.done", "pull"),
        ("worker.started", None),
    ]


def test_a_bug_leaves_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logger = configured(capsys)
    REDACTOR.hide(SECRET)
    try:
        int(SECRET)
    except ValueError:
        logger.exception("program.failed")
    (event,) = lines(capsys)
    assert "ValueError" in event["exception"]
    assert "angaroo" not in json.dumps(event)


FORMS = [
    SECRET,
    quote(SECRET, safe=""),
    json.dumps(SECRET),
    base64.b64encode(f"user:{SECRET}".encode()).decode(),
    base64.urlsafe_b64encode(json.dumps({"p": "abc", "password": SECRET}).encode()).decode(),
]


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    redactor = Redactor()
    before = redactor.text(f"x {form} y")
    redactor.hide(SECRET, None, "")
    after = redactor.text(f"x {form} y")
    assert before == f"x {form} y"
    assert MASK in after
    assert "angaroo" not in after


PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
NEIGHBOUR = st.lists(st.integers(128, 255), max_size=8).map(
    bytes
)  # tells its bytes from a secret's


def left_in_base64(mask: Callable[[str], str], before: bytes, secret: str, behind: bytes) -> bytes:
    """Return the bytes that can still be read in front of and behind the only mask."""
    masked = mask(base64.b64encode(before + secret.encode() + behind).decode())
    start, end = masked.split(MASK)
    missing = -len(end) % 4  # characters of the first group, whose bytes nobody can read
    first_whole = -(-missing * 6 // 8)
    head = base64.b64decode(start + "A" * (-len(start) % 4))[: len(start) * 6 // 8]
    return head + base64.b64decode("A" * missing + end)[first_whole:]


@given(st.text(PRINTABLE, min_size=6), NEIGHBOUR, NEIGHBOUR)
def test_a_secret_is_not_left_in_base64_at_any_offset(
    secret: str, before: bytes, behind: bytes
) -> None:
    redactor = Redactor()
    redactor.hide(secret)
    assert left_in_base64(redactor.text, before, secret, behind) == before + behind


@pytest.mark.parametrize("offset", range(3))
def test_what_is_left_in_base64_is_seen(offset: int) -> None:
    """The property above could not fail otherwise."""

    def mask(text: str) -> str:
        return text[:4] + MASK + text[8:]

    left = left_in_base64(mask, b"\xff" * offset, "kangaroo", b"")
    assert left.endswith(b"oo")


@pytest.mark.parametrize(
    "huge", ["x" * 250_000, ["x" * 250_000], [*range(250_000)], {"a": ["x"] * 99999}]
)
def test_no_field_makes_a_line_long(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, huge: object
) -> None:
    path = tmp_path / "state.json"
    configured(capsys, state=path).warning("a.b", error=huge, other="x")
    (event,) = lines(capsys)
    assert len(event["error"]) == EVENT_TEXT_CHARACTERS
    assert event["error"].endswith("…")
    assert event["other"] == "x"
    assert len(path.read_text()) < 2 * EVENT_TEXT_CHARACTERS


def test_a_secret_at_the_cut_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    REDACTOR.hide(SECRET)
    configured(capsys).info("a.b", error="x" * (EVENT_TEXT_CHARACTERS - 9) + SECRET)
    assert SECRET[:4] not in lines(capsys)[0]["error"]


def test_secrets_are_masked_inside_of_values() -> None:
    redactor = Redactor()
    redactor.hide("hunter2")
    assert redactor.value({"a": ["hunter2", ("x hunter2",)], "password": "y", "n": 1}) == {
        "a": [MASK, [f"x {MASK}"]],
        "password": MASK,
        "n": 1,
    }
    assert redactor.value(Path("/x/hunter2")) == f"/x/{MASK}"


def test_credentials_in_a_url_are_masked_without_being_given() -> None:
    assert Redactor().text("at http://user:pw@proxy:3128/x") == f"at http://{MASK}@proxy:3128/x"


def test_a_long_secret_is_masked_before_a_short_one_inside_of_it() -> None:
    redactor = Redactor()
    redactor.hide("abc")
    redactor.hide("abcdef")
    assert redactor.text("abcdef") == MASK


def test_a_line_for_people() -> None:
    event = {"event": "image.pulled", "uptime": 12.3, "image": "r/x:1", "hint": "a b", "level": "x"}
    line = console_line("bootkit", event)
    assert line == '[    12.30] bootkit: image.pulled image=r/x:1 hint="a b"'


def test_a_line_for_people_is_one_line_without_escapes() -> None:
    line = console_line("bootkit", {"event": "worker.log", "text": "a\n\x1b[31mb\x9bc"})
    assert line.isprintable()


def test_a_line_names_another_program_that_it_is_about() -> None:
    line = console_line("dhcp", {"event": "program.ended", "error": "x", "program": "dhcpcd"})
    assert line.endswith("dhcp: program.ended program=dhcpcd error=x")
    assert console_line("dhcp", {"event": "a.b", "program": "dhcp"}).endswith("dhcp: a.b")


@pytest.mark.parametrize("blank", "\u2800\u3164\u115f\u1160\uffa0\u00a0\u202e\u009b\u200b")
def test_what_looks_like_a_blank_is_one_in_quotes(blank: str) -> None:
    """Otherwise `a error=b` could be two fields to the eye."""
    line = console_line("bootkit", {"event": "a.b", "name": f"a{blank}error=b"})
    assert line.endswith('a.b name="a error=b"')


def test_the_console_gets_info_and_not_debug(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fifo = tmp_path / "console"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    logger = configured(capsys, console=fifo)
    logger.debug("phase.done")
    logger.info("worker.started", image="é" * CONSOLE_LINE_BYTES)
    data = os.read(reader, 65536)
    os.close(reader)
    assert data.startswith(b"[    12.35] bootkit: worker.started image=")
    assert data.endswith(b"\n")
    assert CONSOLE_LINE_BYTES - 1 <= len(data) <= CONSOLE_LINE_BYTES
    assert data.decode("ascii").strip().isprintable()


def test_a_console_that_nobody_reads_stops_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fifo = tmp_path / "console"
    os.mkfifo(fifo)
    configured(capsys, console=fifo).info("a.b")
    assert lines(capsys)[0]["event"] == "a.b"


def test_a_console_that_is_full_stops_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fifo = tmp_path / "console"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    logger = configured(capsys, console=fifo)
    for _ in range(40):
        logger.info("a.b", text="x" * CONSOLE_LINE_BYTES)
    os.close(reader)
    assert len(lines(capsys)) == 40


def test_a_console_takes_no_descriptor_and_does_not_become_ours(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that a program opens may become the one whose ctrl-C ends that program."""
    real_open, opened = os.open, []

    def open_file(path: Path, flags: int) -> int:
        opened.append(flags)
        return real_open(path, flags)

    console = tmp_path / "console"
    console.write_text("before\n")
    logger = configured(capsys, console=console)
    logger.info("a.b")
    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "open", open_file)
    for _ in range(10):
        logger.info("a.b")
    monkeypatch.undo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert [flags & os.O_NOCTTY for flags in opened] == [os.O_NOCTTY] * 10
    assert len(console.read_text().splitlines()) == 12, "no line replaces another one"


@pytest.mark.parametrize("broken", ["write", "flush"])
def test_a_reader_of_stdout_that_has_gone_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    state = StateFile(tmp_path / "state.json", "bootkit")
    log.configure("bootkit", state=state, uptime=lambda: 1.0)
    output = io.StringIO()
    monkeypatch.setattr(output, broken, fail)
    monkeypatch.setattr(sys, "stdout", output)
    with log.phase("pull"):
        log.get_logger().info("image.pulled")
    log.get_logger().error("run.failed", error="x")
    assert json.loads(state.path.read_text())["last_error"]["error"] == "x"


def test_the_state_file_has_phase_and_last_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run" / "bootkit.json"
    logger = configured(capsys, state=path)
    REDACTOR.hide(SECRET)
    log.set_worker_id("w1")
    with log.phase("pull"):
        logger.error("run.failed", error=f"bad {SECRET}", hint="push it", next="again in 1 s")
    with log.phase("start"):
        pass
    state = json.loads(path.read_text(encoding="utf-8"))
    assert state["phase"] == "start"
    assert state["worker_id"] == "w1"
    assert state["since_uptime"] == 12.346
    assert state["last_error"]["event"] == "run.failed"
    assert state["last_error"]["hint"] == "push it"
    assert "angaroo" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("level", ["debug", "info"])
def test_the_error_of_an_event_that_is_none_is_not_the_last_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, level: str
) -> None:
    path = tmp_path / "bootkit.json"
    logger = configured(capsys, state=path)
    logger.warning("a.b", error="the last one")
    getattr(logger, level)("engine.silent", error="not yet")
    assert json.loads(path.read_text())["last_error"]["error"] == "the last one"


def test_a_crash_loop_is_a_phase_and_the_last_line_stays(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "bootkit.json"
    logger = configured(capsys, state=path)
    with log.phase("watch"):
        logger.warning("worker.ended", error="exit code 3", last_line="no server")
    logger.error("run.crash_looping", phase="crash loop", reason="it ended 3 times")
    state = json.loads(path.read_text(encoding="utf-8"))
    assert state["phase"] == "crash loop"
    assert state["last_error"]["last_line"] == "no server"


def test_a_failed_write_of_the_state_file_is_logged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    configured(capsys, state=tmp_path / "file" / "state.json")
    with log.phase("pull"):
        pass
    assert "state_error" in lines(capsys)[0]


def test_a_secret_may_hold_any_byte() -> None:
    redactor = Redactor()
    redactor.hide("p\udcffwd")
    assert redactor.text("a p\udcffwd and p%FFwd") == "a ******** and ********"


@given(st.dictionaries(st.sampled_from(["error", "hint", "text", "n"]), TEXT | JSON | st.binary()))
@example({"text": "a\u202eb\u2028c\udcff"})
def test_lines_for_people_are_one_printable_line(fields: dict[str, Any]) -> None:
    line = console_line("bootkit", {"event": "worker.log", "uptime": 1.0} | fields)
    assert line.isascii()
    assert line.isprintable()
    assert line.startswith("[     1.00] bootkit: worker.log")


@given(TEXT)
@example("a\nnext=forged")
@example('"a"')
def test_no_value_looks_like_another_field(text: str) -> None:
    line = console_line("bootkit", {"event": "worker.log", "text": text, "next": "x"})
    value = line.removesuffix(" next=x").partition(" text=")[2]
    shown = json.loads(value) if value.startswith('"') else value
    assert " " not in value or value.startswith('"')
    pairs = zip(text.replace("...", "…"), shown.replace("...", "…"), strict=True)
    for before, after in pairs:
        assert after == before if before.isascii() and before.isprintable() else after in " ?…"


def test_what_is_not_ascii_is_readable_as_far_as_possible() -> None:
    line = console_line("bootkit", {"event": "a.b", "error": "cut…", "name": "é"})
    assert line.endswith("a.b error=cut... name=?")


SECRETS = st.lists(st.text(min_size=4, max_size=8) | TEXT, min_size=1, max_size=3)


@given(SECRETS, TEXT, TEXT)
@example(["p@ss"], "http://u:p@ss@h/", "")
@example(["****", "*****"], "*******", "")
def test_no_secret_is_left_and_the_rest_is_not_masked_twice(
    secrets: list[str], before: str, behind: str
) -> None:
    redactor = Redactor()
    redactor.hide(*secrets)
    text = before.join((*secrets, behind))
    masked = redactor.text(text)
    assert len(masked) <= len(MASK) * len(text)
    # A secret with a star in it may come to be again, of a mask and what stands beside it.
    for secret in secrets:
        assert "*" in secret or len(secret) < 4 or secret not in masked
    assume(not any("*" in secret.strip("*") for secret in secrets))
    assert redactor.text(masked) == masked


@given(st.text(alphabet="ab:@?#%", min_size=1), st.sampled_from(["http", "https", "socks5"]))
@example("user:p@ss", "http")
def test_credentials_in_any_url_are_masked(user: str, scheme: str) -> None:
    assert Redactor().text(f"at {scheme}://{user}@h/x") == f"at {scheme}://{MASK}@h/x"
