"""A child process that serves: started, its output read, its end told, ended in order."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import structlog

from tinkie.errors import PermanentError, ShutdownRequested

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = structlog.get_logger()

STOP_SECONDS = 15.0
TAIL_LINES = 5
TAIL_CHARACTERS = 400

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_PIPE_BYTES = 1024 * 1024
_READ_BYTES = 64 * 1024
_LONGEST_LINE = 4096
_LOGFMT_MESSAGE = re.compile(r'^time=.*? msg="((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class Child:
    """One life of a program. `files` are readable when there is output or when it has ended."""

    name: str
    process: subprocess.Popen[bytes]
    _pidfd: int
    _output: int | None
    _rest: bytes = b""
    _tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))

    @classmethod
    def start(
        cls,
        name: str,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        variables: Mapping[str, str] | None = None,
    ) -> Self:
        """Start a program; `variables` are put into an environment that is otherwise the same.

        Raises:
            PermanentError: there is no such program, or no process can be made.
        """
        reader, writer = _pipe()
        try:
            process = _process(arguments, stdin, writer, variables or {})
        except OSError as error:
            os.close(reader)
            raise PermanentError(f"starting {name}: {error.strerror}") from error
        finally:
            os.close(writer)
        return cls(name, process, os.pidfd_open(process.pid), reader)

    @property
    def files(self) -> list[int]:
        """Return the descriptors to wait on."""
        return [self._pidfd] if self._output is None else [self._pidfd, self._output]

    def ended(self) -> bool:
        """Say whether it has ended; it is no zombie then."""
        return self.process.poll() is not None

    @property
    def status(self) -> str:
        """Return how it ended, in words."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return "runs" if code is None else f"exit status {code}"

    @property
    def last_lines(self) -> list[str]:
        """Return what it said last, at most 5 lines of 400 characters."""
        return list(self._tail)

    def read_output(self) -> None:
        """Log what it has said, without waiting for more; not more than the pipe holds."""
        for _ in range(_PIPE_BYTES // _READ_BYTES):
            if self._output is None:
                return
            try:
                data = os.read(self._output, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                os.close(self._output)
                self._output = None
            self._take(data)

    def _take(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        for line in lines if data else [rest]:
            text = line[:_LONGEST_LINE].decode(errors="replace").strip()
            if text:
                self._tail.append(_message(text)[:TAIL_CHARACTERS])
                log.debug("engine.log", child=self.name, line=text)

    def stop(self, wait: Callable[[float, Sequence[int]], None]) -> None:
        """End it in order, within 15 s by `wait`, then by force; give everything back."""
        try:
            if not self.ended():
                self.process.terminate()
                self._wait_for_end(wait)
        finally:
            if not self.ended():
                self._kill()
            self.read_output()
            self.close()

    def _wait_for_end(self, wait: Callable[[float, Sequence[int]], None]) -> None:
        """Wait as long as it may take; a signal that comes meanwhile is raised after that."""
        deadline = time.monotonic() + STOP_SECONDS
        while not self.ended() and time.monotonic() < deadline:
            try:
                wait(1.0, self.files)
            except ShutdownRequested:  # comes once; now the wait is nobody's but ours
                self._wait_for_end(wait)
                raise
            self.read_output()

    def _kill(self) -> None:
        error = f"{self.name} did not end within {STOP_SECONDS:.0f} s"
        log.warning("engine.killed", error=error)
        self.process.kill()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.exception(
                "engine.stuck", error=f"{self.name} cannot be killed", next="going on without it"
            )

    def close(self) -> None:
        """Give its descriptors back; it has ended."""
        os.close(self._pidfd)
        if self._output is not None:
            os.close(self._output)
            self._output = None


def _process(
    arguments: Sequence[str], stdin: int, output: int, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        stdin=stdin,
        stdout=output,
        stderr=output,
        env={**_ENVIRONMENT, **variables},
        start_new_session=True,  # a ctrl-C on a terminal is for us to hand on
    )


def _message(line: str) -> str:
    """Leave time and level out of a line as dockerd and containerd write it."""
    found = _LOGFMT_MESSAGE.search(line)
    return found[1].replace('\\"', '"') if found else line


def _pipe() -> tuple[int, int]:
    """Make a pipe that holds a lot: a child must not wait for us while we wait for a server."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reader, False)
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError as error:
        log.debug("pipe.small", error=str(error))
    return reader, writer
