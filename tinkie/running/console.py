"""The lines that people read: one event a line on the machine's consoles.

They go to a FIFO that the init image copies to every console. Only cheap imports: the network
service writes its lines with this module too, and has no other log library.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinkie.policy import CONSOLE_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Event = Mapping[str, Any]

_LIKE_BLANKS = dict.fromkeys(map(ord, "\u2800\u3164\u115f\u1160\uffa0"), " ")
_NOT_FOR_THE_CONSOLE = ("event", "level", "time", "uptime", "program", "worker_id", "exception")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Console:
    """Write a line for people per event to a FIFO or a terminal; drop what does not fit."""

    path: Path
    program: str

    def write(self, event: Event) -> None:
        """Write one event, unless it is of level debug."""
        if event.get("level") != "debug":
            self._write(console_line(self.program, event))

    def _write(self, line: str) -> None:
        data = line.encode("ascii", "replace")[: CONSOLE_LINE_BYTES - 1] + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_APPEND)
        except OSError:
            return  # the FIFO has no reader now; stdout has the line too
        try:
            os.write(descriptor, data)
        except OSError:
            return  # the FIFO is full
        finally:
            os.close(descriptor)


def console_line(program: str, event: Event) -> str:
    """Return `[    1.23] program: noun.verb key=value ...`, printable characters only."""
    hidden = _NOT_FOR_THE_CONSOLE if _is_about_a_phase(event) else (*_NOT_FOR_THE_CONSOLE, "phase")
    shown = {key: value for key, value in event.items() if key not in hidden}
    if event.get("program", program) != program:  # an event about another program
        shown = {"program": event["program"], **shown}
    fields = " ".join(f"{key}={_console_value(value)}" for key, value in shown.items())
    where = f"[{event.get('uptime', 0.0):9.2f}] {program}: {event.get('event', '')} {fields}"
    return _printable(where.rstrip())


def _is_about_a_phase(event: Event) -> bool:
    return str(event.get("event")).startswith("phase.")


def _console_value(value: object) -> str:
    text = _printable(value if isinstance(value, str) else json.dumps(value, default=str))
    quoted = " " in text or not text or text.startswith('"')
    return json.dumps(text, ensure_ascii=False) if quoted else text


def _printable(text: str) -> str:
    """Return printable ASCII, which is all that a console gets (images/init/lib/console).

    Control characters become blanks, and so do letters that look like blanks: one could seem to end
    a value.
    """
    start = text[:CONSOLE_LINE_BYTES].translate(_LIKE_BLANKS).replace("…", "...")
    return "".join(map(_in_ascii, start))


def _in_ascii(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    return "?" if character.isprintable() else " "
