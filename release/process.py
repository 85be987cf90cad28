"""Start programs: no other module of the build and the sandbox does. Standard library only."""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from release.errors import ReportedError
from tinkie.running.signals import signal_name

Command = Sequence[str | Path]
Process = subprocess.Popen[bytes]

SHORT_SECONDS = 60.0
LAST_LINES = 25
# The kernel ends the program when the process that started it has ended, for whatever reason.
_TIED_TO_OWNER = ("setpriv", "--pdeathsig", "KILL", "--")


class CommandTimeoutError(ReportedError):
    """A program did not end in time."""


@dataclass(frozen=True)
class Finished:
    """A program that has ended: its exit status, and what it wrote to stdout."""

    code: int
    stdout: bytes = b""

    @property
    def text(self) -> str:
        """Its stdout as text, without the white space around it."""
        return self.stdout.decode(errors="replace").strip()


def run(
    what: str,
    command: Command,
    *,
    stdin: str | IO[bytes] = "",
    stdout: IO[bytes] | None = None,
    log: Path | None = None,
    shown: bool = False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float | None = SHORT_SECONDS,
    check: bool = True,
    remedy: str = "",
) -> Finished:
    """Run a program to its end.

    what: the attempt, as the error names it ("making the bridge"). remedy: what to do if it fails.
    stdin: text, or an open file. env: instead of this process's environment. seconds: None: no
    limit. check: a failure is an error; else its code is returned.
    Output is captured, and part of the error. stdout: it goes to this open file instead. log: it
    goes to this file instead. shown: it goes where this process's output goes, and this process's
    stdin is the program's.
    Raises ReportedError, CommandTimeoutError if it takes too long.
    """
    argv = [str(part) for part in command]
    if shown and not stdin:
        feed: dict[str, object] = {}
    else:
        feed = {"input": stdin.encode()} if isinstance(stdin, str) else {"stdin": stdin}
    with _sinks(log, stdout, shown=shown) as sinks:
        try:
            done = subprocess.run(  # type: ignore[call-overload]
                argv, **feed, **sinks, cwd=cwd, env=env, timeout=seconds, check=False
            )
        except OSError as error:
            raise _not_started(what, argv, error) from None
        except subprocess.TimeoutExpired:
            message = f"{what} failed: `{shlex.join(argv)}` did not end within {seconds:.0f} s"
            raise CommandTimeoutError(_with_remedy(message, remedy)) from None
    if check and done.returncode:
        output = _end_of(log.read_bytes()) if log else _end_of(done.stderr) or _end_of(done.stdout)
        raise _failed(what, argv, done.returncode, output, remedy)
    return Finished(done.returncode, done.stdout or b"")


@contextmanager
def written_to(what: str, command: Command) -> Iterator[IO[bytes]]:
    """Run a program until the end of the with block, which writes to its stdin.

    Raises ReportedError if it fails, also if the block then finds the pipe broken.
    """
    with _piped(what, command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as program:
        pipe = cast("IO[bytes]", program.process.stdin)
        with contextlib.suppress(BrokenPipeError), pipe:
            yield pipe


@contextmanager
def read_from(
    what: str,
    command: Command,
    *,
    stdin: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[IO[bytes]]:
    """Run a program until the end of the with block, which reads its stdout.

    stdin: an open file; by default there is nothing to read.
    Raises ReportedError if it fails, also if the block then fails at what the program wrote.
    """
    source = subprocess.DEVNULL if stdin is None else stdin
    with _piped(what, command, stdin=source, stdout=subprocess.PIPE, env=env) as program:
        pipe = cast("IO[bytes]", program.process.stdout)
        try:
            yield pipe
        except Exception as error:  # whatever the block raised: the program's failure explains it
            pipe.close()
            if program.process.wait() not in (0, -signal.SIGPIPE):
                raise program.failure() from error
            raise
        while pipe.read(1 << 20):  # the rest of its output
            pass


def start(command: Command, log: IO[bytes], *, env: Mapping[str, str] | None = None) -> Process:
    """Start a program that writes to a log; the kernel ends it if this process ends first.

    It gets a session of its own: ctrl-C reaches only its owner, which stops it in order.
    """
    return subprocess.Popen(
        [*_TIED_TO_OWNER, *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        start_new_session=True,
    )


def stop(process: Process, seconds: float) -> None:
    """End a program by SIGTERM, then by SIGKILL; calling it twice does no harm."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def start_detached(what: str, command: Command, log: Path) -> int:
    """Start a program that may outlive this process, for others who use it; return its id."""
    argv = [str(part) for part in command]
    opened = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    output = [opened, (os.POSIX_SPAWN_DUP2, 1, 2)]
    try:
        return os.posix_spawnp(argv[0], argv, os.environ, file_actions=output, setsid=True)
    except OSError as error:
        raise _not_started(what, argv, error) from None


@contextmanager
def _sinks(
    log: Path | None, stdout: IO[bytes] | None, *, shown: bool
) -> Iterator[dict[str, object]]:
    if log:
        with log.open("wb") as file:
            yield {"stdout": file, "stderr": subprocess.STDOUT}
    elif shown:
        yield {}
    else:
        yield {"stdout": stdout or subprocess.PIPE, "stderr": subprocess.PIPE}


@dataclass(frozen=True)
class _Piped:
    what: str
    process: Process
    errors: IO[bytes]

    def failure(self) -> ReportedError:
        self.errors.seek(0)
        argv = [str(part) for part in cast("Sequence[str]", self.process.args)]
        return _failed(self.what, argv, self.process.returncode, _end_of(self.errors.read()))


@contextmanager
def _piped(
    what: str,
    command: Command,
    *,
    stdout: int,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> Iterator[_Piped]:
    argv = [str(part) for part in command]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=errors, env=env)
        except OSError as error:
            raise _not_started(what, argv, error) from None
        program = _Piped(what, process, errors)
        with process:
            try:
                yield program
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise program.failure()


def _not_started(what: str, argv: Sequence[str], error: OSError) -> ReportedError:
    if isinstance(error, FileNotFoundError) and error.filename in (argv[0], None):
        return ReportedError(
            f"{what} failed: `{argv[0]}` is not installed; run `make setup` as root"
        )
    return ReportedError(f"{what} failed: starting `{shlex.join(argv)}`: {error}")


def _failed(
    what: str, argv: Sequence[str], code: int, output: str, remedy: str = ""
) -> ReportedError:
    end = f"ended with {code}" if code > 0 else f"was ended by {signal_name(-code)}"
    message = f"{what} failed: `{shlex.join(argv)}` {end}"
    if output:
        message += f":\n{output}" if "\n" in output else f": {output}"
    return ReportedError(_with_remedy(message, remedy))


def _with_remedy(message: str, remedy: str) -> str:
    separator = "\n" if "\n" in message else "; "
    return f"{message}{separator}{remedy}" if remedy else message


def _end_of(output: bytes | None) -> str:
    lines = (output or b"").decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-LAST_LINES:])
