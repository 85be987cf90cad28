"""Watch a running worker until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootkit.engine.interface import Ended
from bootkit.policy import WATCH_TICK_SECONDS, WORKER_LOG_TAIL_LINES
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError
from tinkie.paths import WORKER_NAME
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bootkit.engine.interface import Engine

log = get_logger()

_USAGE = "Usage:"
_REMOVED = Ended(exit_code=-1, error=f"the container {WORKER_NAME} was removed")


def watch_worker(
    engine: Engine,
    container: str,
    *,
    pause: Callable[[float], None],
    tasks: Iterable[Callable[[], None]],
    at_the_end: Callable[[], None],
) -> None:
    """Return when the worker has ended, and log how; call the tasks about once a second.

    `at_the_end` is called when it has ended, before that is logged.

    Raises:
        EngineNotReady: the engine does not answer; the worker may still run.
    """
    while True:
        ended = _look(engine, container)
        if ended is not None:
            at_the_end()
            return _log_end(engine, container, ended)
        for task in tasks:
            task()
        pause(WATCH_TICK_SECONDS)


def _look(engine: Engine, container: str) -> Ended | None:
    try:
        return engine.ended(container)
    except BootError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return _REMOVED
        raise


def _log_end(engine: Engine, container: str, ended: Ended) -> None:
    removed = ended is _REMOVED
    lines = [] if removed else list(engine.log_lines(container, WORKER_LOG_TAIL_LINES))
    for line in lines:  # at level debug, which the console does not get: they would fill it
        log.debug("worker.log", text=line)
    why = "killed: the machine is out of memory" if ended.out_of_memory else ended.error
    error = f"exit code {ended.exit_code}" + (f", {why}" if why else "")
    last = _before_usage(lines)[-1:]
    last_line = {"last_line": last[0]} if last else {}
    code = ended.exit_code
    log.warning("worker.ended", error=error, **last_line, exit_code=code, next="restarting it")


def _before_usage(lines: list[str]) -> list[str]:
    """Drop blank lines, and the usage that tink-worker's library prints after its error.

    The output of actions is among the lines, and may contain a usage, too.
    """
    kept = [line for line in lines if line.strip()]
    for end in range(len(kept) - 1, 0, -1):
        if kept[end] == _USAGE and kept[end - 1].startswith("Error: "):
            return kept[:end]
    return kept
