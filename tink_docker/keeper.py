"""Keep the engine running: one dockerd after the other, on one socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tink_docker import policy
from tink_docker.engine.daemons import wait_for_answer
from tinkie.errors import TransientError
from tinkie.hints import Asked
from tinkie.policy import DOCKERD_CHECK_EVERY_SECONDS, DOCKERD_HANGS_AFTER_SECONDS
from tinkie.running.backoff import Schedule
from tinkie.running.log import get_logger, phase
from tinkie.running.supervise import supervise
from tinkie.running.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tink_docker.ca.fetching import CaFetcher
    from tink_docker.ca.late_trust import LateTrust
    from tink_docker.engine.api import EngineVersion
    from tink_docker.engine.child import Wait
    from tink_docker.engine.daemons import EngineDaemons
    from tink_docker.engine.socket import Listener
    from tink_docker.file_systems import FileSystemsMonitor
    from tink_docker.reboot import RebootBroker
    from tink_docker.repair.hidden_routes import HiddenRoutes
    from tink_docker.repair.lost_containers import LostContainers
    from tink_docker.repair.missing_bridge import MissingBridge
    from tink_docker.repair.networks import NetworkRecord
    from tink_docker.repair.planned_restart import PlannedRestart
    from tink_docker.space import SpaceMonitor
    from tinkie.running.run_record import RunRecord

log = get_logger()

Result = TypeVar("Result")


@dataclass(slots=True, eq=False, repr=False)
class Keeper:
    """Starts the engine again and again, and calls the tasks beside it meanwhile.

    `wait(seconds, files)` ends early when one of the descriptors becomes readable.
    """

    listener: Listener
    start: Callable[[Wait], EngineDaemons]
    ca_fetchers: tuple[CaFetcher, ...]
    late_trust: LateTrust
    broker: RebootBroker
    lost_containers: LostContainers
    networks: NetworkRecord
    missing_bridge: MissingBridge
    hidden_routes: HiddenRoutes
    planned_restart: PlannedRestart
    space: SpaceMonitor
    file_systems: FileSystemsMonitor
    wait: Wait
    now: Callable[[], float]
    _tasks: tuple[Task[None], ...] = field(init=False)
    _has_run: bool = field(default=False, init=False)
    _planned: Task[str] = field(init=False)  # why dockerd must be restarted now
    _lost: Task[str] = field(init=False)  # containers that have ended without dockerd

    def __post_init__(self) -> None:
        self._planned = self._task("restart dockerd as planned", self.planned_restart.due)
        self._lost = self._task("look for lost containers", self.lost_containers.check)
        self._tasks = (
            self._task("check the reboot flag", self.broker.tick),
            self._task("measure the space for images", self.space.tick),
            self._task("measure the space of other file systems", self.file_systems.tick),
            *(
                self._task("fetch a CA certificate", partial(self._fetch, one))
                for one in self.ca_fetchers
            ),
            self._task("look for routes that the engine hides", self.hidden_routes.tick),
            self._task("open the engine's socket to clients", self._publish),
        )

    def _task(self, name: str, work: Callable[[], Result]) -> Task[Result]:
        return Task(name, work, Schedule(policy.TASK_RETRY, self.now))

    def keep(self, record: RunRecord) -> None:
        """Run one engine after the other; never return."""
        supervise(self.run_once, pause=self.pause, now=self.now, record=record)

    def run_once(self, is_up: Callable[[], None]) -> None:
        """Start dockerd, call `is_up` when it answers, and return when it has ended by itself.

        Start it again at once if a restart is planned.

        Raises:
            PermanentError: it cannot be started.
            TransientError: it was stopped: it did not answer, or has lost containers.
        """
        self._has_run = True
        while self._run_engine(is_up):
            pass

    def _run_engine(self, is_up: Callable[[], None]) -> bool:
        """Return whether it was stopped for a planned restart; it has ended by itself otherwise."""
        is_planned = False
        engine = self.start(self._wait_and_tick)
        self.late_trust.open_since = self.now() if self.listener.published else None
        try:
            with phase("start"):
                version = self._first_answer(engine)
            if version:
                is_up()
                self._log_ready(version)
                with phase("watch"):
                    is_planned = self._watch(engine, is_up)
        finally:
            engine.stop(self.wait)
        if is_planned:
            return True
        error = f"dockerd ended by itself: {engine.status}"
        log.error("engine.ended", error=error, last_lines=engine.last_lines)
        self.networks.engine_ended(engine.noticed, answered=version is not None)
        return False

    def _first_answer(self, engine: EngineDaemons) -> EngineVersion | None:
        version = self._answer(engine, policy.DOCKERD_FIRST_ANSWER_SECONDS)
        engine.look_after()  # reads the lines that it wrote before it answered
        if version:
            self.missing_bridge.engine_answered(engine.noticed)
        return version

    def _wait_and_tick(self, seconds: float, files: Sequence[int]) -> None:
        """Wait while the engine starts, which takes long if it loads embedded images."""
        self._tick()
        self.wait(seconds, files)

    def pause(self, seconds: float) -> None:
        """Wait while no engine runs."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            self._tick()
            self.wait(min(left, self.space.pace), [])

    def _watch(self, engine: EngineDaemons, is_up: Callable[[], None]) -> bool:
        """Return when the engine must be restarted as planned, or (False) has ended.

        Raises:
            TransientError: it hangs, or lists containers as running that have ended.
        """
        while not engine.ended():
            end = self.now() + DOCKERD_CHECK_EVERY_SECONDS
            while self.now() < end and not engine.ended():
                self._turn(engine, [])
                is_up()
                if reason := self._planned():
                    log.info("engine.restarting", reason=reason)
                    return True
            self._answer(engine, DOCKERD_HANGS_AFTER_SECONDS)
            if lost := self._lost():
                raise TransientError(lost, asked=Asked.ENGINE)
        return False

    def _answer(self, engine: EngineDaemons, seconds: float) -> EngineVersion | None:
        """Return the engine's answer to a ping, or None if it has ended.

        Raises:
            TransientError: no answer came within `seconds`.
        """
        turn = partial(self._turn, engine)
        return wait_for_answer(engine, self.listener.address, seconds, turn=turn, now=self.now)

    def _turn(self, engine: EngineDaemons, more: list[int]) -> None:
        self._tick()
        self.wait(self.space.pace, [*engine.files, *more])
        engine.look_after()

    def _tick(self) -> None:
        for task in self._tasks:
            task()

    def _fetch(self, fetcher: CaFetcher) -> None:
        """Fetch it, but not before the first run: the earlier process may have died of it."""
        if self._has_run:
            fetcher.tick()

    def _publish(self) -> None:
        if not self.listener.published and all(one.settled for one in self.ca_fetchers):
            self.listener.publish()
            self.late_trust.open_since = self.now()

    def _log_ready(self, version: EngineVersion) -> None:
        log.info("engine.ready", version=version.version, api=version.api)
        if not self.listener.published:
            bound = f"{policy.CA_START_SECONDS:.0f} s at most"
            log.info("socket.waiting", reason=f"waiting for the registry's CA certificate, {bound}")
