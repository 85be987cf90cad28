"""Waiting for the engine, which tink-docker starts while bootkit reads its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bootkit.engine.interface import EngineNotReady
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Engine

log = structlog.get_logger()

# Without end: there is nothing else to do. A try costs the machine next to nothing, and each
# tenth of a second here is one more on the way to the first action.
POLL = Backoff(first=0.1, ceiling=0.25)
TELL_EVERY_SECONDS = 10.0


def wait_for_engine(
    engine: Engine, pause: Callable[[float], None], now: Callable[[], float]
) -> None:
    """Return once the engine answers; says every ten seconds why it does not."""
    started = now()
    told: list[float] = []

    def tell(error: Exception, _seconds: float) -> None:
        if not told or now() - told[-1] >= TELL_EVERY_SECONDS:
            told.append(now())
            log.info("engine.waiting", reason=str(error), seconds=round(now() - started, 1))

    version = POLL.retrying(pause, on=EngineNotReady, tell=tell)(engine.connect)
    log.info("engine.ready", version=version, seconds=round(now() - started, 3))
