"""The log of both programs: one event a line, `noun.verb`, with phase, worker id and uptime.

stdout gets JSON lines, or coloured text on a terminal. The console gets lines for people
(`tinkie/running/console.py`). Secrets are masked before either.
Only this module uses structlog; the others call `get_logger`.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinkie.policy import EVENT_TEXT_CHARACTERS
from tinkie.running.console import Console
from tinkie.running.late import loaded_when_used
from tinkie.running.redaction import REDACTOR

# Its `stdlib` and its native loggers import asyncio, which loads TLS and processes, for coroutines.
# There are none here (ADR 3), and asyncio is a third of what structlog costs. The others are for
# other loggers, and for tracebacks.
with loaded_when_used(
    "asyncio", "structlog.stdlib", "logging", "structlog.threadlocal", "textwrap"
):
    import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from pathlib import Path

    from structlog.typing import Processor

    Event = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ConsoleSink:
    """Write a line for people per event; a structlog processor."""

    console: Console

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Write one event of level info or above; return it unchanged."""
        self.console.write(event)
        return event


def configure(
    program: str,
    *,
    console: Path | None = None,
    state: Processor | None = None,
    uptime: Callable[[], float] | None = None,
) -> None:
    """Set up the log of the whole process; `state` is a StateFile or None."""
    sinks = (state, ConsoleSink(Console(console, program)) if console else None)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _Origin(program, uptime or _uptime),
            structlog.processors.format_exc_info,
            REDACTOR,
            _bounded,
            *(sink for sink in sinks if sink),
            _renderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(_Output()),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )


def _bounded(_logger: object, _method: str, event: Event) -> Event:
    """Cut each value of an event, after secrets are masked: half of one would be left."""
    return {key: _bounded_value(value) for key, value in event.items()}


def _bounded_value(value: object) -> object:
    if isinstance(value, dict | list | tuple):
        text = json.dumps(value, default=str)
    elif isinstance(value, str):
        text = value
    else:
        return value
    fits = len(text) <= EVENT_TEXT_CHARACTERS
    return value if fits else text[: EVENT_TEXT_CHARACTERS - 1] + "…"


def _renderer() -> Processor:
    terminal = sys.stdout.isatty()
    return structlog.dev.ConsoleRenderer(timestamp_key="time") if terminal else _json_line


class _Output:
    """stdout, whose errors are ignored: a broken log must not stop the engine or the worker."""

    def write(self, text: str) -> None:
        """Write a line or a part of one."""
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        """Flush stdout."""
        with suppress(OSError):
            sys.stdout.flush()


def get_logger() -> Any:
    """Return the logger; modules call this once, before `configure` as well as after it."""
    return structlog.get_logger()


def set_worker_id(worker_id: str) -> None:
    """Put the worker's id on every later event."""
    structlog.contextvars.bind_contextvars(worker_id=worker_id)


@contextmanager
def phase(name: str, *, now: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Log the start and the end of a step; put its name on every event in between."""
    log = get_logger()
    with structlog.contextvars.bound_contextvars(phase=name):
        log.info("phase.started")
        started = now()
        yield
        log.debug("phase.done", seconds=round(now() - started, 3))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Origin:
    program: str
    uptime: Callable[[], float]

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        event["program"] = self.program
        event["uptime"] = round(self.uptime(), 3)
        return event


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _json_line(_logger: object, _method: str, event: Event) -> str:
    return json.dumps(event, default=str)
