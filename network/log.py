"""The log of `network`: JSON lines on stdout, and lines for people on the console.

The lines are those of the other programs (`tinkie/running/log.py`), without the library that they
write them with: it would cost half of this program's memory. No secret is among the values.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinkie.running.console import Console

PROGRAM = "dhcp"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Log:
    """One event a line: `noun.verb`, and fields."""

    console: Console | None = None

    def info(self, event: str, **fields: object) -> None:
        """Log what is as it should be."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what may heal by itself."""
        self._write("warning", event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log a bug."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        uptime = round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)
        start = {"event": event, "level": level, "time": _time(), "program": PROGRAM}
        line = {**start, "uptime": uptime, **fields}
        with suppress(OSError):  # a broken log must not stop the network
            sys.stdout.write(json.dumps(line, default=str) + "\n")
            sys.stdout.flush()
        if self.console:
            self.console.write(line)


def _time() -> str:
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1e6):06}Z"
