"""A herd of machines that are powered on before their servers, and how it recovers."""

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
from tests.herd.gate import gate, identity, metadata_url
from tests.herd.machine import Machine, PoweredOff

PORT = 4999
START_SECONDS = 300.0  # of all the programs, on a small machine
RECOVERY_SECONDS = 120.0  # the longest wait is a minute

Report = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """The real servers of a herd: its network, Tinkerbell, and what the registry will serve.

    image: its name without the registry ("tink-agent:latest").
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

    def make_machine(self, number: int, machine: MachineIdentity) -> PoweredOff:
        """Make a machine; every second one has its id already, and waits only for the registry."""
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
        given = {"worker_id": machine.mac} if number % 2 else {}
        return PoweredOff(machine.name, folder, words | given, self.ca.certificate)


def simulate(servers: Servers, count: int, late: float, report: Report) -> Figures:
    """Power `count` machines on at the same moment, and start the servers `late` seconds later."""
    identities = [identity(number, servers.network.address) for number in range(count)]
    machines = [servers.make_machine(number, one) for number, one in enumerate(identities)]
    with ExitStack() as stack:
        barrier = stack.enter_context(gate(servers.network, identities))
        report(f"making {count} machines known to Tinkerbell")
        for one in identities:
            servers.tinkerbell.enroll(one)
        stack.enter_context(_engines(servers, machines))
        report(f"starting {count} bootkits, each held where its first try has failed")
        herd = stack.enter_context(_powered_on(machines, servers.network))
        _gather(herd)
        memory = sum(machine.memory() for machine in herd)
        report(f"releasing all at once; the servers come up in {late:.0f} s")
        for machine in herd:
            machine.release()
        time.sleep(late)
        stack.enter_context(servers.registry())
        barrier.open()
        up, up_on_the_clock = time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
        report("the servers are up")
        _wait_for_workers(herd)
        return Figures(
            machines=count,
            late=late,
            up=up_on_the_clock,
            recovered=[machine.worker_started - up for machine in herd if machine.recovered],
            stranded=[machine.last_error for machine in herd if not machine.recovered],
            metadata=metadata_load(servers.tinkerbell.program.log),
            registry=registry_load(servers.folder / "registry" / "registry.log"),
            memory_each=memory // count,
        )


@contextmanager
def _engines(servers: Servers, machines: list[PoweredOff]) -> Iterator[Program]:
    sockets = [machine.socket for machine in machines]
    words = [sys.executable, "-m", "tests.herd.engines", str(servers.ca.certificate)]
    log = servers.folder / "engines.log"
    with running("engines", [*words, *sockets], log=log, network=servers.network) as program:

        def serve() -> bool:
            program.check()
            return "serving" in log.read_text()

        wait_for("the simulated engines", serve, seconds=START_SECONDS)
        yield program


@contextmanager
def _powered_on(machines: list[PoweredOff], network: Namespace) -> Iterator[list[Machine]]:
    with ExitStack() as stack:
        herd: list[Machine] = []
        try:
            herd.extend(Machine(stack.enter_context(one.power_on(network))) for one in machines)
            yield herd
        finally:
            for machine in herd:  # one that is held ignores SIGTERM
                machine.program.process.kill()


def _gather(herd: list[Machine]) -> None:
    """Hold each machine once it has failed for the first time, until all have.

    A small computer needs a minute to start as many processes as many machines start in a second.
    Holding them puts all machines in step, as a power cut does.
    """
    waiting = list(herd)

    def all_are_held() -> bool:
        for machine in tuple(waiting):
            machine.program.check()
            machine.read_log()
            if machine.failed:
                machine.hold()
                waiting.remove(machine)
        return not waiting

    wait_for("the first failure of every bootkit", all_are_held, seconds=START_SECONDS)


def _wait_for_workers(herd: list[Machine]) -> None:
    """Return when all workers run, or after the time in which they must.

    Each bootkit is then ended: it would poll its engine each second, and the few processors are
    needed by those that still wait.
    """
    deadline = time.monotonic() + RECOVERY_SECONDS
    waiting = list(herd)
    while waiting and time.monotonic() < deadline:
        for machine in tuple(waiting):
            machine.read_log()
            if machine.recovered:
                machine.program.process.terminate()
                waiting.remove(machine)
        time.sleep(0.1)
