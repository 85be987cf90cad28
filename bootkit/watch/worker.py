"""A worker that runs: what its actions do, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bootkit.engine.interface import Ended
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError
from tinkie.paths import WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bootkit.engine.interface import Engine

log = structlog.get_logger()

TICK_SECONDS = 1.0
KEPT_LOG_LINES = 50
_USAGE = "Usage:"


def watch_worker(
    engine: Engine,
    container: str,
    *,
    pause: Callable[[float], None],
    tell_actions: Callable[[], None],
    ticks: Iterable[Callable[[], None]],
) -> None:
    """Return when the worker has ended, and say how; the others are called about once a second.

    Raises:
        EngineNotReady: the engine went away; the worker may well be running on.
    """
    while True:
        ended = _look(engine, container)
        tell_actions()  # of a worker that has ended, too: its last action may have ended with it
        if ended is not None:
            return _tell(engine, container, ended)
        for tick in ticks:
            tick()
        pause(TICK_SECONDS)


_GONE = Ended(exit_code=-1, error=f"somebody removed the container {WORKER_NAME}")


def _look(engine: Engine, container: str) -> Ended | None:
    try:
        return engine.ended(container)
    except BootError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return _GONE
        raise


def _tell(engine: Engine, container: str, ended: Ended) -> None:
    lines = [] if ended is _GONE else list(engine.log_lines(container, KEPT_LOG_LINES))
    for line in lines:  # for the log: a console would be full of them
        log.debug("worker.log", text=line)
    why = "killed: the machine is out of memory" if ended.out_of_memory else ended.error
    error = f"exit code {ended.exit_code}" + (f", {why}" if why else "")
    last = _before_usage(lines)[-1:]
    said = {"said": last[0]} if last else {}
    code = ended.exit_code
    log.warning("worker.ended", error=error, **said, exit_code=code, next="starting it again")


def _before_usage(lines: list[str]) -> list[str]:
    """Leave out blank lines, and the usage that tink-worker's library prints behind its error.

    What an action says is among the lines, and may well be a usage, too.
    """
    told = [line for line in lines if line.strip()]
    for end in range(len(told) - 1, 0, -1):
        if told[end] == _USAGE and told[end - 1].startswith("Error: "):
            return told[:end]
    return told
