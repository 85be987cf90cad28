"""Keeps the engine running: one life of dockerd after the other, on one socket."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from tink_docker.engine.engine import await_answer
from tinkie.running.log import phase
from tinkie.running.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tink_docker.ca.fetching import RegistryAuthority
    from tink_docker.engine.api import EngineVersion
    from tink_docker.engine.engine import Engine
    from tink_docker.engine.socket import Listener
    from tink_docker.reboot import RebootBroker
    from tink_docker.repair.lost_containers import Reckoning
    from tink_docker.repair.networks import NetworkRecord
    from tink_docker.space import SpaceMonitor

log = structlog.get_logger()

START_SECONDS = 180.0
HANGS_AFTER_SECONDS = 120.0
ASK_EVERY_SECONDS = 30.0


@dataclass(slots=True)
class Keeper:
    """Starts the engine for ever; looks after reboot flag, late certificates and space in between.

    `wait(seconds, files)` ends early when one of the descriptors becomes readable. `authority` is
    None if no registry needs one.
    """

    listener: Listener
    start: Callable[[], Engine]
    authority: RegistryAuthority | None
    broker: RebootBroker
    reckoning: Reckoning
    networks: NetworkRecord
    space: SpaceMonitor
    wait: Callable[[float, Sequence[int]], None]
    now: Callable[[], float]

    def keep(self) -> None:
        """Run one engine after the other; never returns."""
        supervise(self.run_once, pause=self.pause, now=self.now)

    def run_once(self, is_up: Callable[[], None]) -> None:
        """Start dockerd, say by `is_up` that it answers, and return when it has ended by itself.

        Raises:
            PermanentError: it cannot be started.
            TransientError: it did not answer, or lacks a network, and was ended for that.
        """
        engine = self.start()
        try:
            with phase("start"):
                version = self._first_answer(engine)
            if version:
                is_up()
                self._tell_ready(version)
                with phase("watch"):
                    self._watch(engine)
        finally:
            engine.stop(self.wait)
        error = f"dockerd ended by itself: {engine.status}"
        log.error("engine.ended", error=error, last_lines=engine.last_lines)
        self.networks.look(engine.last_lines, started=version is not None)

    def _first_answer(self, engine: Engine) -> EngineVersion | None:
        version = self._answer(engine, START_SECONDS)
        engine.look_after()  # for what it said before it answered
        if version:
            self.networks.check(engine.last_lines)
        return version

    def pause(self, seconds: float) -> None:
        """Let time pass while no engine runs."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            self._tick()
            self.wait(min(left, self.space.pace), [])

    def _watch(self, engine: Engine) -> None:
        """Return when the engine has ended.

        Raises:
            TransientError: it hangs, or has lost track of its containers.
        """
        while not engine.ended():
            end = self.now() + ASK_EVERY_SECONDS
            while self.now() < end and not engine.ended():
                self._turn(engine, [])
            self._answer(engine, HANGS_AFTER_SECONDS)
            self.reckoning.check()

    def _answer(self, engine: Engine, seconds: float) -> EngineVersion | None:
        """Return what the engine answers to a ping, or None if it has ended.

        Raises:
            TransientError: nothing came within `seconds`.
        """
        turn = partial(self._turn, engine)
        return await_answer(engine, self.listener.address, seconds, turn=turn, now=self.now)

    def _turn(self, engine: Engine, more: list[int]) -> None:
        self._tick()
        self.wait(self.space.pace, [*engine.files, *more])
        engine.look_after()

    def _tick(self) -> None:
        self.broker.tick()
        self.space.tick()
        if self.authority is not None:
            self.authority.tick()
        if self.authority is None or self.authority.settled:
            self.listener.publish()

    def _tell_ready(self, version: EngineVersion) -> None:
        log.info("engine.ready", version=version.version, api=version.api)
        if not self.listener.published:
            log.info("socket.waiting", reason="a registry's authority is awaited, 10 s at most")
