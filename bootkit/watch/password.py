"""A worker whose password has changed is replaced, between two actions.

A worker takes user and password once, when it starts. With those of yesterday, or with none, it is
denied the image of the next action, and its workflow fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from bootkit.plan.worker import PAIR
from bootkit.policy import WORKER_PASSWORD_AGE_SECONDS
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.backoff import Schedule
from tinkie.running.idle import Idle
from tinkie.running.log import get_logger
from tinkie.running.supervise import SLOWLY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Engine
    from bootkit.image.auth_file import AuthFile
    from bootkit.plan.worker import WorkerSpec
    from tinkie.errors import BootError

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class PasswordMonitor:
    """Fetch registry_auth_url again when it is due; replace the worker if its pair is another now.

    `wanted` returns what the worker would be started as now, and why it would get no user and
    password although there are some: that may be repaired without a change of the file.
    `is_connected` returns whether it can report to its server: one that cannot may have an action
    to report, and would repeat it. The worker is replaced by its removal: the next run starts it
    anew. The age of an adopted one is unknown: it counts as old.
    """

    engine: Engine
    container: str
    auth: AuthFile
    wanted: Callable[[], tuple[WorkerSpec, BootError | None]]
    is_connected: Callable[[], bool]
    now: Callable[[], float]
    is_adopted: bool
    _compared: int = field(default=0, init=False)  # version of the file
    _is_withheld: bool = field(default=True, init=False)  # or not compared yet
    _is_outdated: bool = field(default=False, init=False)
    _looks: Schedule = field(init=False)  # while user and password are withheld
    _since: float = field(init=False)  # its start
    _idle: Idle = field(init=False)

    def __post_init__(self) -> None:
        self._since = -inf if self.is_adopted else self.now()
        self._looks = Schedule(SLOWLY, self.now)
        self._idle = Idle(self._running, self.now)

    def tick(self) -> None:
        """Do what is due.

        Raises:
            BootError: the engine does not answer.
        """
        self.auth.tick()
        is_due = self._is_withheld and self._looks.is_due()
        if self.auth.version != self._compared or is_due:
            self._compare()
        is_old = self.now() - self._since >= WORKER_PASSWORD_AGE_SECONDS
        if self._is_outdated and is_old and self._is_idle():
            self.engine.remove(self.container)
            self._idle.was_idle_to_the_end()

    def _compare(self) -> None:
        spec, error = self.wanted()
        wanted = {name: spec.environment.get(name) for name in PAIR}
        # Without a password it would only lose what it has.
        known = None not in wanted.values()
        has = self.engine.environment(self.container) if known else {}
        self._is_outdated = known and any(has.get(name) != text for name, text in wanted.items())
        self._compared, self._is_withheld = self.auth.version, error is not None
        self._looks.failed()
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
