"""The way from the kernel's command line to a worker that runs, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from bootkit.engine.readiness import wait_for_engine
from bootkit.image.pull import obtain_image
from bootkit.image.registry import RegistryWitness
from bootkit.machine.identity import MachineFinder
from bootkit.plan.inputs import Inputs, plan
from bootkit.plan.worker import ENGINE_LABEL, SPEC_LABEL
from bootkit.watch.actions import ActionTeller, clear_actions
from bootkit.watch.connection import ServerTeller
from bootkit.watch.worker import watch_worker
from tinkie.parameters.table import GRPC_AUTHORITY
from tinkie.paths import WORKER_NAME
from tinkie.running.cmdline_report import log_cmdline_problems
from tinkie.running.log import phase
from tinkie.running.redaction import REDACTOR, secrets_in
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Container, Engine
    from bootkit.plan.worker import WorkerSpec
    from tinkie.fetch.fetcher import Fetcher
    from tinkie.parameters.cmdline import Cmdline

log = structlog.get_logger()


@dataclass(slots=True)
class Boot:
    """One machine's boot: `run` is repeated for ever and keeps only what the metadata said."""

    read_cmdline: Callable[[], Cmdline]
    engine: Engine
    pause: Callable[[float], None]
    now: Callable[[], float]
    clock: Callable[[], float]
    make_fetcher: Callable[[Inputs], Fetcher] = Inputs.fetcher
    finder: MachineFinder = field(init=False)

    def __post_init__(self) -> None:
        self.finder = MachineFinder(self.now)

    def run(self, is_up: Callable[[], None]) -> None:
        """Bring the worker up, say so by `is_up`, and watch it; returns when it has ended.

        Raises:
            BootError: a phase failed; nothing is half done that the next run would not put right.
        """
        with phase("parameters"):
            inputs = self._inputs()
        fetcher = self.make_fetcher(inputs)
        with phase("metadata"):
            needed = inputs.known_id is None
            machine = self.finder.find(inputs.metadata(fetcher), needed=needed)
        with phase("plan"):
            spec = plan(inputs, machine)
            structlog.contextvars.bind_contextvars(worker_id=spec.worker_id)
        with phase("engine"):
            wait_for_engine(self.engine, self.pause, self.now)
        container = adopt(self.engine, spec) or start(self.engine, spec, fetcher)
        with phase("watch"):
            actions = ActionTeller(self.engine, self.clock, self.clock())
            endpoint = inputs.parameters[GRPC_AUTHORITY]
            server = ServerTeller(str(endpoint) if endpoint else None, self.now)
            is_up()
            watch_worker(
                self.engine,
                container,
                pause=self.pause,
                tell_actions=actions.tick,
                ticks=(server.tick, self.finder.tick),
            )

    def _inputs(self) -> Inputs:
        cmdline = self.read_cmdline()
        REDACTOR.hide(*secrets_in(cmdline))
        log_cmdline_problems(cmdline)
        inputs = Inputs.from_cmdline(cmdline)
        inputs.check()
        for name, reason in inputs.problems.items():
            log.warning("parameter.ignored", parameter=name, error=reason)
        for name, message in inputs.notices.items():
            log.info("parameter.completed", parameter=name, message=message)
        if not inputs.parameters[GRPC_AUTHORITY]:
            error = "grpc_authority is not given: most workers end without it"
            log.warning("parameter.missing", parameter=GRPC_AUTHORITY.name, error=error)
        return inputs


def adopt(engine: Engine, spec: WorkerSpec) -> str | None:
    """Return the worker that runs already, if it is the one that would be started."""
    for container in engine.containers():
        if container.name == WORKER_NAME and container.running:
            if _is_the_same(engine, container, spec):
                log.info("worker.adopted", container=container.id[:12], image=container.image)
                return container.id
            log.warning("worker.outdated", container=container.id[:12], image=container.image)
    return None


def start(engine: Engine, spec: WorkerSpec, fetcher: Fetcher) -> str:
    """Get the image, remove whatever an earlier worker left, start the worker; return its id."""
    with phase("pull"):
        witness = RegistryWitness(fetcher, spec.credentials_for, Space.read())
        image = obtain_image(engine, spec, witness, fetcher.now)
    with phase("start"):
        for container in engine.containers():
            if container.name == WORKER_NAME or SPEC_LABEL in container.labels:
                engine.remove(container.id)
        clear_actions(engine)
        started = engine.start_worker(spec, image)
        log.info("worker.started", container=started[:12], image=image)
        return started


def _is_the_same(engine: Engine, container: Container, spec: WorkerSpec) -> bool:
    labels = container.labels
    same_engine = labels.get(ENGINE_LABEL) == engine.socket_identity()
    return same_engine and labels.get(SPEC_LABEL) == spec.digest
