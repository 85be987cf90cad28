"""Wait for the engine, which tink-docker starts while bootkit reads its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootkit.engine.interface import EngineNotReady
from bootkit.policy import ENGINE_POLL, ENGINE_WAITING_LOG_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Engine

log = get_logger()


def wait_for_engine(
    engine: Engine, pause: Callable[[float], None], now: Callable[[], float]
) -> None:
    """Return once the engine answers; log now and then why it does not."""
    started = now()
    logged_at: list[float] = []

    def log_waiting(error: Exception, _seconds: float) -> None:
        if not logged_at or now() - logged_at[-1] >= ENGINE_WAITING_LOG_SECONDS:
            logged_at.append(now())
            log.info("engine.waiting", reason=str(error), seconds=round(now() - started, 1))

    retrying = ENGINE_POLL.retrying(pause, on=EngineNotReady, on_wait=log_waiting)
    version = retrying(engine.connect)
    log.info("engine.ready", version=version, seconds=round(now() - started, 3))
