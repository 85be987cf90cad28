"""Boot, phase by phase: from the kernel command line to a running worker."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bootkit.engine.readiness import wait_for_engine
from bootkit.image.auth_file import AuthFile
from bootkit.image.pull import obtain_image
from bootkit.image.registry import RegistryClient
from bootkit.machine.identity import MachineFinder
from bootkit.plan.inputs import Inputs, plan
from bootkit.plan.worker import ENGINE_LABEL, PAIR, SPEC_LABEL
from bootkit.watch.actions import ActionReporter, remove_actions
from bootkit.watch.connection import ConnectionMonitor
from bootkit.watch.password import PasswordMonitor
from bootkit.watch.worker import watch_worker
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.insecure import InsecureRegistries
from tinkie.parameters.table import (
    GRPC_AUTHORITY,
    INSECURE_REGISTRIES,
    REGISTRY_AUTH_URL,
    REGISTRY_MIRRORS,
)
from tinkie.paths import WORKER_NAME
from tinkie.running.backoff import Schedule
from tinkie.running.cmdline_report import log_cmdline_problems
from tinkie.running.log import get_logger, phase, set_worker_id
from tinkie.running.redaction import REDACTOR, secrets_in
from tinkie.running.supervise import SOON
from tinkie.running.task import Task
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootkit.engine.interface import Container, Engine
    from bootkit.plan.credentials import DockerConfig
    from bootkit.plan.worker import WorkerSpec
    from tinkie.errors import BootError
    from tinkie.fetch.fetcher import Fetcher
    from tinkie.parameters.cmdline import Cmdline

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class Boot:
    """The boot of this machine; `supervise` repeats `run`.

    That keeps the metadata and the file at registry_auth_url.
    """

    read_cmdline: Callable[[], Cmdline]
    engine: Engine
    pause: Callable[[float], None]
    now: Callable[[], float]
    make_fetcher: Callable[[Inputs], Fetcher] = Inputs.fetcher
    finder: MachineFinder = field(init=False)
    auth: AuthFile = field(init=False)

    def __post_init__(self) -> None:
        self.finder = MachineFinder(self.now)
        self.auth = AuthFile(self.now)

    def run(self, is_up: Callable[[], None]) -> None:
        """Start or adopt the worker, call `is_up`, and watch it; return when it has ended.

        Raises:
            BootError: a phase failed; the next run corrects whatever is half done.
        """
        with phase("parameters"):
            inputs = self._inputs()
        fetcher = self.make_fetcher(inputs)
        with phase("metadata"):
            needed = inputs.known_id is None
            machine = self.finder.find(inputs.metadata(fetcher), needed=needed)
        with phase("plan"):
            spec = plan(inputs, machine)
            set_worker_id(spec.worker_id)
        with phase("engine"):
            wait_for_engine(self.engine, self.pause, self.now)
        self.auth.use(inputs.parameters[REGISTRY_AUTH_URL], inputs.pinned(fetcher))
        registry = self._registry_client(inputs, spec, fetcher)
        adopted = adopt(self.engine, spec)
        container = adopted or self._start(spec, registry)
        with phase("watch"):
            server = ConnectionMonitor(inputs.parameters[GRPC_AUTHORITY], self.now)
            password = PasswordMonitor(
                self.engine,
                container,
                self.auth,
                wanted=lambda: with_password(spec, self.auth.config, registry),
                is_connected=server.is_connected,
                now=self.now,
                is_adopted=adopted is not None,
            )
            with closing(ActionReporter(self.engine, self.now)) as actions:
                is_up()
                watch_worker(
                    self.engine,
                    container,
                    pause=self.pause,
                    tasks=(
                        self._task("note that the worker runs", is_up),
                        self._task("report actions", actions.report),
                        self._task("watch the worker's connection", server.tick),
                        self._task("ask for metadata again", self.finder.tick),
                        self._task("renew the worker's password", password.tick),
                    ),
                    at_the_end=self._task("report the last actions", actions.report_last),
                )

    def _start(self, spec: WorkerSpec, registry: RegistryClient) -> str:
        """Get the image and start the worker; return its id."""
        with phase("pull"):
            self.auth.refresh()
            image = obtain_image(self.engine, spec, registry, self.now)
        with phase("start"):
            wanted, error = with_password(spec, self.auth.config, registry)
            if error is not None:
                log.error(
                    "worker.without_password",
                    **error.fields,
                    next="the worker starts without them, and is replaced when this is repaired",
                )
            return start(self.engine, wanted, image)

    def _registry_client(
        self, inputs: Inputs, spec: WorkerSpec, fetcher: Fetcher
    ) -> RegistryClient:
        return RegistryClient(
            fetcher,
            lambda image: spec.with_config(self.auth.config).credentials_for(image),
            Space.read(),
            InsecureRegistries(inputs.parameters[INSECURE_REGISTRIES]),
            inputs.parameters[REGISTRY_MIRRORS],
            self.auth,
        )

    def _task(self, name: str, work: Callable[[], None]) -> Task[None]:
        """Return a task beside the worker; its failures are retried as those of a run."""
        return Task(name, work, Schedule(SOON, self.now))

    def _inputs(self) -> Inputs:
        cmdline = self.read_cmdline()
        REDACTOR.hide(*secrets_in(cmdline))
        log_cmdline_problems(cmdline)
        inputs = Inputs.from_cmdline(cmdline)
        inputs.check()
        for name, reason in inputs.problems.items():
            log.warning("parameter.ignored", parameter=name, error=reason)
        for name, message in inputs.notices.items():
            log.warning("parameter.incomplete", parameter=name, message=message)
        return inputs


def adopt(engine: Engine, spec: WorkerSpec) -> str | None:
    """Return the id of the running worker if it is the one that `spec` would start."""
    for container in engine.containers():
        if container.name == WORKER_NAME and container.running:
            if _is_the_same(engine, container, spec):
                _mask_password_in(engine.environment(container.id))
                log.info("worker.adopted", container=container.id[:12], image=container.image)
                return container.id
            log.warning("worker.outdated", container=container.id[:12], image=container.image)
    return None


def start(engine: Engine, spec: WorkerSpec, image: str) -> str:
    """Remove the leftovers of an earlier worker, start the worker; return its id."""
    for container in engine.containers():
        if container.name == WORKER_NAME or SPEC_LABEL in container.labels:
            engine.remove(container.id)
    remove_actions(engine)
    _mask_password_in(spec.environment)
    started = engine.start_worker(spec, image)
    log.info("worker.started", container=started[:12], image=image)
    return started


def _mask_password_in(environment: Mapping[str, str]) -> None:
    """Mask what a worker logs of its password, also when the file has had several others since."""
    _, password = PAIR
    REDACTOR.renew(WORKER_NAME, [environment.get(password, "")])


def with_password(
    spec: WorkerSpec, config: DockerConfig, registry: RegistryClient
) -> tuple[WorkerSpec, BootError | None]:
    """Return the worker with user and password if it may have them, and why if it may not."""
    found = spec.with_config(config)
    error = _why_without_password(found, registry)
    return found.without_password() if error else found, error


def _why_without_password(spec: WorkerSpec, registry: RegistryClient) -> BootError | None:
    """Return why a worker gets no user and password although there are credentials for it.

    Its pulls would send them without TLS, or there is an identity token, which it cannot use.
    """
    given = spec.worker_credentials
    if given is None or spec.registry is None:
        return None
    error = registry.refusal(spec.registry)
    if error is not None or given.password:
        return error
    text = f"registry_auth_url has an identity token for {spec.registry}, not a password"
    hint = "workers use user and password only: add them to the file"
    return PermanentError(text, kind=ErrorKind.DENIED, hint=hint)


def _is_the_same(engine: Engine, container: Container, spec: WorkerSpec) -> bool:
    labels = container.labels
    same_engine = labels.get(ENGINE_LABEL) == engine.socket_identity()
    return same_engine and labels.get(SPEC_LABEL) == spec.digest
