"""A herd that was switched on before its servers, and how it comes back."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.certificates import CA
from sandbox.network import Namespace
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running
from sandbox.registry import Credentials, Registry, registry
from sandbox.tinkerbell import Tinkerbell
from sandbox.waiting import wait_for
from tests.herd.figures import Figures, metadata_load, registry_load
from tests.herd.machine import Machine, Place
from tests.herd.pen import gate, identity, metadata_url

PORT = 4999
START_SECONDS = 300.0  # of all the programs, on a small machine
RECOVERY_SECONDS = 120.0  # the longest wait is a minute

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """Where a herd runs: its network, the real servers, and what the registry will serve.

    image: as it stands behind the registry's name ("tink-agent:latest").
    """

    folder: Path
    network: Namespace
    ca: CA
    tinkerbell: Tinkerbell
    credentials: Credentials
    images: Path
    image: str

    def registry(self) -> AbstractContextManager[Registry]:
        """Run the herd's registry for a with block."""
        return registry(
            self.folder / "registry",
            self.network,
            self.ca,
            self.credentials,
            port=PORT,
            images=self.images,
        )

    def place(self, number: int, machine: MachineIdentity) -> Place:
        """Make a machine; every second one knows who it is, and waits for the registry only."""
        folder = self.folder / "machines" / machine.name
        folder.mkdir(parents=True)
        host = f"{self.network.address}:{PORT}"
        words = {
            "metadata_url": metadata_url(machine),
            "grpc_authority": self.tinkerbell.grpc_endpoint,
            "tinkerbell_tls": "false",
            "tink_worker_image": f"{host}/{self.image}",
            "docker_registry": host,
            **self.credentials.parameters,
        }
        knows = {"worker_id": machine.mac} if number % 2 else {}
        return Place(machine.name, folder, words | knows)


def stampede(ground: Ground, count: int, late: float, tell: Tell) -> Figures:
    """Switch `count` machines on in the same moment, and the servers on `late` seconds later."""
    identities = [identity(number, ground.network.address) for number in range(count)]
    places = [ground.place(number, one) for number, one in enumerate(identities)]
    with ExitStack() as stack:
        pen = stack.enter_context(gate(ground.network, identities))
        tell(f"telling Tinkerbell of {count} machines")
        for one in identities:
            ground.tinkerbell.enroll(one)
        stack.enter_context(_engines(ground, places))
        tell(f"starting {count} bootkits, each held where its first try has failed")
        herd = stack.enter_context(_switched_on(places, ground.network))
        _gather(herd)
        memory = sum(machine.memory() for machine in herd)
        tell(f"letting all go at once; the servers come up in {late:.0f} s")
        for machine in herd:
            machine.release()
        time.sleep(late)
        stack.enter_context(ground.registry())
        pen.open()
        up, up_on_the_clock = time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
        tell("the servers are up")
        _wait_for_workers(herd)
        return Figures(
            machines=count,
            late=late,
            up=up_on_the_clock,
            recovered=[machine.worker_started - up for machine in herd if machine.recovered],
            stranded=[machine.told for machine in herd if not machine.recovered],
            metadata=metadata_load(ground.tinkerbell.program.log),
            registry=registry_load(ground.folder / "registry" / "registry.log"),
            memory_each=memory // count,
        )


@contextmanager
def _engines(ground: Ground, places: list[Place]) -> Iterator[Program]:
    sockets = [place.socket for place in places]
    words = [sys.executable, "-m", "tests.herd.engines", str(ground.ca.certificate)]
    log = ground.folder / "engines.log"
    with running("engines", [*words, *sockets], log=log, network=ground.network) as program:

        def serve() -> bool:
            program.check()
            return "serving" in log.read_text()

        wait_for("the simulated engines", serve, seconds=START_SECONDS)
        yield program


@contextmanager
def _switched_on(places: list[Place], network: Namespace) -> Iterator[list[Machine]]:
    with ExitStack() as stack:
        herd: list[Machine] = []
        try:
            herd.extend(Machine(stack.enter_context(one.switched_on(network))) for one in places)
            yield herd
        finally:
            for machine in herd:  # one that is held would not hear a request to end
                machine.program.process.kill()


def _gather(herd: list[Machine]) -> None:
    """Hold each machine once it has failed for the first time, until all have.

    A small computer needs a minute to start what many machines start in the same second; the lock
    step that this gives is what a power cut does to a hall.
    """
    waiting = list(herd)

    def all_are_held() -> bool:
        for machine in tuple(waiting):
            machine.program.check()
            machine.listen()
            if machine.failed:
                machine.hold()
                waiting.remove(machine)
        return not waiting

    wait_for("the first failure of every bootkit", all_are_held, seconds=START_SECONDS)


def _wait_for_workers(herd: list[Machine]) -> None:
    """Return when all workers run, or after the time in which they must.

    A bootkit is ended then: it would look at its engine each second, and the computer's few
    processors are for those that wait.
    """
    deadline = time.monotonic() + RECOVERY_SECONDS
    waiting = list(herd)
    while waiting and time.monotonic() < deadline:
        for machine in tuple(waiting):
            machine.listen()
            if machine.recovered:
                machine.program.process.terminate()
                waiting.remove(machine)
        time.sleep(0.1)
