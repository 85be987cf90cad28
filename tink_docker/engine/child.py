"""A child process that serves: started, its output logged, its end noticed, stopped in order."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tink_docker import policy
from tinkie.cut import cut_line, cut_text
from tinkie.errors import PermanentError, ShutdownRequested
from tinkie.policy import CUT_TEXT_CHARACTERS
from tinkie.running.log import get_logger
from tinkie.running.redaction import REDACTOR
from tinkie.running.signals import signal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Wait = Callable[[float, Sequence[int]], None]  # ends early when a descriptor is readable

log = get_logger()

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_LOGFMT_MESSAGE = r'^time=.*? msg="((?:[^"\\]|\\.)*)"'


@dataclass(slots=True, eq=False, repr=False)
class Child:
    """One run of a program. `files` are readable when there is output or when it has ended.

    `noticed` has the last lines that contain one of `signs`, whatever follows them.
    """

    name: str
    process: subprocess.Popen[bytes]
    _pidfd: int
    _output: int | None
    signs: tuple[str, ...] = ()
    noticed: deque[str] = field(default_factory=lambda: deque(maxlen=policy.CHILD_LAST_LINES))
    _rest: bytes = b""  # the beginning of a line that has no end until now
    _last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=policy.CHILD_LAST_LINES))

    @classmethod
    def start(
        cls,
        name: str,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        variables: Mapping[str, str] | None = None,
        signs: tuple[str, ...] = (),
    ) -> Self:
        """Start a program; `variables` are added to an environment that has only PATH.

        Raises:
            PermanentError: there is no such program, or no process can be created.
        """
        reader, writer = _pipe()
        try:
            process = _process(arguments, stdin, writer, variables or {})
        except OSError as error:
            os.close(reader)
            raise PermanentError(f"starting {name}: {error.strerror}") from error
        finally:
            os.close(writer)
        return cls(name, process, os.pidfd_open(process.pid), reader, signs)

    @property
    def files(self) -> list[int]:
        """Return the descriptors to wait on."""
        return [self._pidfd] if self._output is None else [self._pidfd, self._output]

    def ended(self) -> bool:
        """Return whether it has ended; then it is no zombie any more."""
        return self.process.poll() is not None

    @property
    def status(self) -> str:
        """Return how it ended, in words."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"killed by {signal_name(-code)}"
        return "runs" if code is None else f"exit status {code}"

    @property
    def last_lines(self) -> list[str]:
        """Return the last lines of its output, shortened."""
        return list(self._last_lines)

    def read_output(self) -> None:
        """Log the output that is there, at most as much as the pipe holds; wait for nothing."""
        for _ in range(policy.CHILD_PIPE_BYTES // policy.CHILD_READ_BYTES):
            if self._output is None:
                return
            try:
                data = os.read(self._output, policy.CHILD_READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                os.close(self._output)
                self._output = None
            self._log_lines(data)

    def _log_lines(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > policy.CHILD_LINE_BYTES:
            self._notice(rest)
        self._rest = rest[: policy.CHILD_LINE_BYTES + 1]  # one more shows that it is cut
        for line in lines if data else [rest]:
            self._notice(line)
            text = cut_line(line, policy.CHILD_LINE_BYTES).strip()
            if text:
                # Masked before it is cut: half a secret would not be recognised any more.
                message = REDACTOR.text(_message(text))
                self._last_lines.append(cut_text(message, CUT_TEXT_CHARACTERS))
                log.debug("engine.log", child=self.name, line=text)

    def _notice(self, line: bytes) -> None:
        """Keep a line from its sign on, as it is: a sign may look like a part of a secret."""
        text = line.decode(errors="replace")
        for sign in self.signs:
            if sign in text:
                self.noticed.append(cut_text(text[text.index(sign) :], CUT_TEXT_CHARACTERS))

    def stop(self, wait: Wait) -> None:
        """Stop it in order, or by force after a bound; close its descriptors."""
        try:
            if not self.ended():
                self.process.terminate()
                self._wait_for_end(wait)
        finally:
            if not self.ended():
                self._kill()
            self.read_output()
            self.close()

    def _wait_for_end(self, wait: Wait) -> None:
        """Wait until it has ended, or the bound; raise a signal that comes meanwhile after that."""
        deadline = time.monotonic() + policy.CHILD_STOP_SECONDS
        while not self.ended() and time.monotonic() < deadline:
            try:
                wait(policy.CHILD_STOP_POLL_SECONDS, self.files)
            except ShutdownRequested:  # is raised once only, so this wait is not interrupted again
                self._wait_for_end(wait)
                raise
            self.read_output()

    def _kill(self) -> None:
        error = f"{self.name} did not end within {policy.CHILD_STOP_SECONDS:.0f} s"
        log.warning("engine.killed", error=error, next="killing it")
        self.process.kill()
        try:
            self.process.wait(policy.CHILD_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.exception(
                "engine.stuck", error=f"{self.name} cannot be killed", next="continuing without it"
            )

    def close(self) -> None:
        """Close its descriptors; it has ended."""
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
        start_new_session=True,  # ctrl-C goes to tink-docker only, which stops it in order
    )


def _message(line: str) -> str:
    """Return the message of a line in logfmt, as dockerd and containerd write it."""
    found = re.search(_LOGFMT_MESSAGE, line)
    return found[1].replace('\\"', '"') if found else line


def _pipe() -> tuple[int, int]:
    """Make a large pipe: a child must not block while tink-docker waits for a server."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reader, False)
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, policy.CHILD_PIPE_BYTES)
    except OSError as error:
        log.debug("pipe.small", error=str(error))
    return reader, writer
