"""A worker whose password has changed is replaced, between two actions.

A worker takes user and password once, when it starts. With those of yesterday it is denied the
image of the next action, and its workflow fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from bootkit.plan.worker import PAIR
from bootkit.policy import WORKER_PASSWORD_AGE_SECONDS
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.idle import Idle
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Engine
    from bootkit.image.auth_file import AuthFile
    from bootkit.plan.worker import WorkerSpec

log = get_logger()


@dataclass(slots=True)
class PasswordMonitor:
    """Fetch registry_auth_url again when it is due; replace the worker if its pair changed there.

    `wanted` returns what the worker would be started as now. `is_connected` returns whether it can
    report to its server: one that cannot may have an action to report, and would repeat it.
    The worker is replaced by its removal: the next run starts it anew. `compared` is the version of
    the file that the worker was started with, 0 if it is unknown.
    """

    engine: Engine
    container: str
    auth: AuthFile
    wanted: Callable[[], WorkerSpec]
    is_connected: Callable[[], bool]
    now: Callable[[], float]
    compared: int = 0
    _is_outdated: bool = False
    _since: float = field(init=False)  # its start; an adopted worker is old
    _idle: Idle = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.now() if self.compared else -inf
        self._idle = Idle(self._running, self.now)

    def tick(self) -> None:
        """Do what is due.

        Raises:
            BootError: the engine does not answer.
        """
        self.auth.tick()
        if self.auth.version != self.compared:
            self._compare()
        is_old = self.now() - self._since >= WORKER_PASSWORD_AGE_SECONDS
        if self._is_outdated and is_old and self._is_idle():
            self.engine.remove(self.container)

    def _compare(self) -> None:
        spec = self.wanted()
        wanted = {name: spec.environment.get(name) for name in PAIR}
        # Without a password it would only lose what it has.
        known = None not in wanted.values()
        has = self.engine.environment(self.container) if known else {}
        self._is_outdated = known and any(has.get(name) != text for name, text in wanted.items())
        self.compared = self.auth.version
        self._idle.forget()
        if self._is_outdated:
            log.info(
                "worker.password_changed",
                registry=spec.registry,
                next="starting the worker anew as soon as no action runs",
            )

    def _is_idle(self) -> bool:
        """Return whether no action has run for a while, so that all is reported."""
        if not self.is_connected():
            self._idle.forget()
            return False
        seconds = self._idle.seconds()
        return seconds is not None and seconds >= WORKER_REPORT_SECONDS

    def _running(self) -> list[str]:
        return [one.name for one in self.engine.containers() if one.running]
