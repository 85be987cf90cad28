"""A machine's serial console: its lines, each with the time when it was read."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# Colours and cursor movements of firmware and iPXE.
ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?=]*[A-Za-z]|[()][0-9A-B]|[=>cM78])|[\x00\x07\x08\x0e\x0f]")
# "[    5.43] program: noun.verb text": an event of any of Tinkie's programs.
EVENT = re.compile(r"^\[ *(\d+\.\d+)\] ([\w-]+): ([a-z_]+\.[a-z_]+)(?: (.*))?$")


@dataclass(frozen=True)
class Line:
    """One line: seconds since power-on when it was read, and its text without escapes."""

    at: float
    text: str

    @property
    def event(self) -> str:
        """The event ("program: noun.verb") if the line is one of Tinkie's, else empty."""
        match = EVENT.match(self.text)
        return f"{match[2]}: {match[3]}" if match else ""

    @property
    def uptime(self) -> float | None:
        """Seconds since the kernel started, if the line is an event."""
        match = EVENT.match(self.text)
        return float(match[1]) if match else None


@dataclass
class Console:
    """The serial port's file, read as it grows. Call poll() often: it sets the lines' times."""

    log: Path
    now: Callable[[], float] = time.monotonic
    lines: list[Line] = field(default_factory=list)
    _read: int = 0
    _rest: bytes = b""
    _started: float = 0.0

    def __post_init__(self) -> None:
        self._started = self.now()

    @property
    def seconds(self) -> float:
        """Seconds since power-on."""
        return self.now() - self._started

    def poll(self) -> list[Line]:
        """Return the lines that were completed since the last call."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        *whole, self._rest = (self._rest + fresh).split(b"\n")
        new = [Line(self.seconds, _clean(line)) for line in whole]
        self.lines.extend(new)
        return new

    def find(self, text: str) -> Line | None:
        """Return the first line read so far that contains this text."""
        return next((line for line in self.lines if text in line.text), None)

    def poll_for(self, text: str) -> Line | None:
        """Poll, then find."""
        self.poll()
        return self.find(text)


def _clean(line: bytes) -> str:
    return ESCAPES.sub(b"", line).decode(errors="replace").rstrip("\r").split("\r")[-1]
