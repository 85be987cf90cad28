"""Programs are started in one place, and one that fails is explained."""

from __future__ import annotations

import ast
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from release.errors import INTERRUPTED, ReportedError, reported_errors
from release.process import CommandTimeoutError, read_from, run, start, stop, written_to
from release.version import PROJECT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

OWNER = PROJECT / "release" / "process.py"
MODULES = sorted(path for name in ("release", "sandbox") for path in (PROJECT / name).glob("*.py"))


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_the_modules_are_found() -> None:
    assert OWNER in MODULES
    assert PROJECT / "sandbox" / "world.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_other_module_starts_programs(path: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))
    starts = {"subprocess", "os.system", "os.popen", "os.posix_spawn", "os.posix_spawnp"}
    assert bool(names & starts) == (path == OWNER)


def test_output_is_returned_and_input_given() -> None:
    done = run("copying", ["cat"], stdin="one\ntwo\n")
    assert (done.code, done.stdout, done.text) == (0, b"one\ntwo\n", "one\ntwo")


def test_a_failure_names_the_attempt_the_command_its_output_and_the_remedy() -> None:
    with pytest.raises(ReportedError) as caught:
        run("making the bridge", shell("echo no bridge >&2; exit 3"), remedy="run it as root")
    assert str(caught.value) == (
        "making the bridge failed: `sh -c 'echo no bridge >&2; exit 3'` ended with 3: no bridge; "
        "run it as root"
    )


def test_output_of_several_lines_stands_below_and_only_its_end() -> None:
    with pytest.raises(ReportedError) as caught:
        run("counting", shell("seq 100; exit 1"), remedy="count again")
    first, *lines, last = str(caught.value).splitlines()
    assert first.endswith("ended with 1:")
    assert lines == [str(number) for number in range(76, 101)]
    assert last == "count again"


def test_a_failure_may_be_the_callers_to_judge() -> None:
    assert run("trying", shell("exit 7"), check=False).code == 7


def test_the_signal_that_ended_a_program_is_named() -> None:
    with pytest.raises(ReportedError, match="was ended by SIGKILL"):
        run("waiting", shell("kill -KILL $$"))


def test_a_program_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(ReportedError) as caught:
        run("packing", ["no-such-program", "x"])
    expected = "packing failed: `no-such-program` is not installed; run `make setup` as root"
    assert str(caught.value) == expected


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(CommandTimeoutError, match=r"`sleep 60` did not end within 0 s; be patient"):
        run("sleeping", ["sleep", "60"], seconds=0.01, remedy="be patient")


def test_a_log_holds_both_outputs_and_its_end_is_in_the_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ReportedError, match=r"ended with 1:\nout\nerr"):
        run("building", shell("echo out; echo err >&2; exit 1"), log=log)
    assert log.read_text() == "out\nerr\n"


def test_a_program_that_is_shown_has_our_output_and_our_input() -> None:
    code = "from release.process import run; run('copying', ['cat'], shown=True)"
    assert run("nested", [sys.executable, "-c", code], stdin="text", cwd=PROJECT).text == "text"


def test_what_runs_before_there_is_a_venv_needs_the_standard_library_only() -> None:
    code = "import release.setup, release.engine"
    run("importing", [sys.executable, "-S", "-c", code], cwd=PROJECT)


def test_a_pipe_is_read_whatever_the_reader_leaves() -> None:
    with read_from("listing", ["seq", "100000"]) as pipe:
        assert pipe.readline() == b"1\n"


def test_a_program_that_fails_is_the_cause_of_what_its_reader_finds() -> None:
    with (
        pytest.raises(ReportedError, match=r"exporting failed: .* ended with 4: no engine"),
        read_from("exporting", shell("echo no engine >&2; exit 4")) as pipe,
    ):
        assert pipe.read() != b"", "what a reader of cut-off data raises"


def test_a_reader_that_fails_itself_is_not_blamed_on_the_program() -> None:
    def fail(pipe: IO[bytes]) -> None:
        pipe.read()
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), read_from("listing", ["seq", "9"]) as pipe:
        fail(pipe)


def test_a_program_that_stops_reading_is_the_cause_of_the_broken_pipe() -> None:
    with (
        pytest.raises(ReportedError, match=r"compressing failed: .* ended with 5: disk full"),
        written_to("compressing", shell("echo disk full >&2; exit 5")) as pipe,
    ):
        pipe.write(b"x" * 4096 * 1000)


def test_a_writer_that_fails_ends_the_program() -> None:
    def fail(pipe: IO[bytes]) -> None:
        pipe.write(b"x")
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), written_to("compressing", ["cat"]) as pipe:
        fail(pipe)


def test_a_long_lived_program_is_stopped_by_force_if_need_be(tmp_path: Path) -> None:
    log = tmp_path / "log"
    stubborn = "import signal; signal.signal(15, 1); print('up', flush=True); signal.pause()"
    with log.open("wb") as output:
        process = start([sys.executable, "-c", stubborn], output)
    while "up" not in log.read_text():
        assert process.poll() is None
    stop(process, 0.1)
    assert process.returncode == -signal.SIGKILL
    stop(process, 0.1)


def test_an_error_ends_the_program_with_its_message() -> None:
    with pytest.raises(SystemExit, match=r"^tinkie: x failed: y; do z$"), reported_errors():
        raise ReportedError("x failed: y; do z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_once_so_that_cleaning_up_is_not_disturbed(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    cleaned = []

    def work() -> None:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            cleaned.append(True)

    with pytest.raises(SystemExit) as caught, reported_errors():
        work()
    assert (caught.value.code, cleaned) == (INTERRUPTED, [True])
    assert "tinkie: interrupted" in capsys.readouterr().err
    assert signal.getsignal(number) is before
