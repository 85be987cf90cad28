"""Faults of a machine of containers, as generators of three steps (see FaultInjection)."""

import datetime as dt
import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, suppress

from sandbox.certificates import CA, Pair
from sandbox.images import BUSYBOX, ImageFile, write_archive
from sandbox.waiting import wait_for
from tests.engine.machine import WORKER, Machine
from tests.engine.servers import AGENT_IMAGE
from tests.matrix.case import FaultInjection
from tests.matrix.containers.answers import Answer
from tests.matrix.containers.site import Site
from tests.matrix.packets import refused

Serve = Callable[[Site], AbstractContextManager[object]]

BACK_SECONDS = 180.0
CONNECTED_SECONDS = 2.0  # dockerd asks for its containerd about once a second
PULL_BYTES_PER_SECOND = 4 * 1024 * 1024
SLOW_BYTES_PER_SECOND = 64 * 1024


def instead(broken: Serve, repaired: Serve = Site.registry) -> FaultInjection[Site]:
    """Serve something broken, until it is repaired."""

    def inject(site: Site) -> Generator[None]:
        yield
        with broken(site):
            yield
        with repaired(site):
            yield

    return inject


def beside(broken: Serve, repaired: Serve) -> FaultInjection[Site]:
    """Like instead, beside a good registry."""

    def inject(site: Site) -> Generator[None]:
        with site.registry():
            yield from instead(broken, repaired)(site)

    return inject


def nothing(site: Site) -> Generator[None]:
    """Have no registry at its address."""
    yield
    yield
    with site.registry():
        yield


def name_unknown(site: Site) -> Generator[None]:
    """Give the registry a name that does not resolve."""
    site.name = f"registry{site.number}.example.com"
    with site.registry():
        yield
        yield
        site.world.add_host_name(site.name)
        yield


def registry_killed(site: Site) -> Generator[None]:
    """Kill the registry in the middle of a blob."""
    with site.wire() as wire:
        wire.bytes_per_second = PULL_BYTES_PER_SECOND
        with site.registry(behind=True) as found:
            yield
            found.program.process.kill()
            yield
        with site.registry(behind=True):
            wire.heal()
            yield


def on_the_wire(*, before: int | None = None, **faults: object) -> FaultInjection[Site]:
    """Spoil the wire to the registry; before: its bytes a second until then."""

    def inject(site: Site) -> Generator[None]:
        with site.registry(behind=True), site.wire() as wire:
            wire.bytes_per_second = before
            yield
            for name, value in faults.items():
                setattr(wire, name, value)
            yield
            wire.heal()
            yield

    return inject


def packets_lost(site: Site) -> Generator[None]:
    """Lose every fifth packet that comes from the registry, which slows it down."""
    port = site.host.rpartition(":")[2]
    rule = f"tcp sport {port} numgen random mod 5 == 0 drop"
    with site.registry(behind=True), site.wire() as wire:
        wire.bytes_per_second = PULL_BYTES_PER_SECOND // 4
        yield
        engine, container = site.world.docker.host, site.machine.tink_docker
        nft = ["docker", "--host", engine, "exec", "--interactive", container, "nft"]
        with refused(nft, f"tinkie{site.number}", rule):
            yield
        yield


def ca_gone(site: Site) -> Generator[None]:
    """Kill tink-docker, which then cannot fetch the CA again: what it wrote before still holds."""
    with site.registry():
        with site.file_server_answers(Answer(200, body=site.ca())):
            yield
        with site.file_server_answers(Answer(500)):
            KILL["tink-docker"](site.machine)
            yield
            wait_until_back(site.machine)
            yield


def killed(*programs: str, times: int = 1) -> FaultInjection[Site]:
    """Kill programs; only the machine itself repairs that."""

    def inject(site: Site) -> Generator[None]:
        with site.registry(behind=True), site.wire() as wire:
            wire.bytes_per_second = PULL_BYTES_PER_SECOND
            yield
            for _ in range(times):
                for program in programs:
                    KILL[program](site.machine)
            wire.heal()
            yield
            wait_until_back(site.machine)
            yield

    return inject


def wait_until_back(machine: Machine) -> None:
    """Wait for what a workflow needs: one that comes earlier is reported failed by the worker."""

    def is_back() -> bool:
        docker, container = machine.world.docker, machine.tink_docker
        return WORKER in machine.running() and bool(docker.processes(container, "containerd"))

    wait_for("the machine's parts", is_back, seconds=BACK_SECONDS)
    time.sleep(CONNECTED_SECONDS)


def _kill_worker(machine: Machine) -> None:
    """An action may be running beside it."""
    wait_for("a worker", lambda: WORKER in machine.running(), seconds=60)
    machine.engine.kill(WORKER)


def _kill_bootkit(machine: Machine) -> None:
    """Kill it, and start it again as the system's containerd does."""
    machine.world.docker.kill(machine.bootkit)
    machine.world.docker("start", machine.bootkit)


def _kill_tink_docker(machine: Machine) -> None:
    machine.world.docker.kill(machine.tink_docker)
    machine.world.docker("start", machine.tink_docker)


def _kill_in_tink_docker(program: str) -> Callable[[Machine], None]:
    """Kill it as soon as it runs: one that was killed before may still be on its way."""

    def kill(machine: Machine) -> None:
        def hit() -> bool:
            pids = machine.world.docker.processes(machine.tink_docker, program)
            with suppress(ProcessLookupError):  # ended since
                for pid in pids[:1]:
                    os.kill(pid, signal.SIGKILL)
                    return True
            return False

        wait_for(program, hit, seconds=BACK_SECONDS)

    return kill


KILL: dict[str, Callable[[Machine], None]] = {
    "worker": _kill_worker,
    "bootkit": _kill_bootkit,
    "dockerd": _kill_in_tink_docker("dockerd"),
    "tink-docker": _kill_tink_docker,
    "containerd": _kill_in_tink_docker("containerd"),
}


def end_unnoticed(site: Site) -> Generator[None]:
    """Let an action end while no containerd is there to notice."""
    with site.registry():
        yield
        machine = site.machine
        (action,) = (name for name in machine.running() if name != WORKER)
        pids = machine.world.docker.processes(machine.tink_docker, "sleep")
        KILL["containerd"](machine)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        yield
        yield
        assert action not in machine.running()


def expired(site: Site) -> Pair:
    """Issue a certificate that has expired."""
    now = dt.datetime.now(dt.UTC)
    return _issue(site, now - dt.timedelta(days=30), now - dt.timedelta(days=1))


def of_tomorrow(site: Site) -> Pair:
    """Issue a certificate that is not valid yet."""
    now = dt.datetime.now(dt.UTC)
    return _issue(site, now + dt.timedelta(days=1), now + dt.timedelta(days=30))


def _issue(site: Site, begins: dt.datetime, ends: dt.datetime) -> Pair:
    hosts = [site.world.network.address]
    name = f"registry-{site.number}-odd"
    return site.world.ca.issue(name, hosts, not_before=begins, not_after=ends)


def of_another_name(site: Site) -> Pair:
    """Issue a certificate for another host."""
    return site.world.ca.issue(f"registry-{site.number}-other", ["registry.example.com"])


def of_another_ca(site: Site) -> Pair:
    """Issue a certificate by a CA that the machine does not trust."""
    other = CA(site.folder / "another-ca")
    return other.issue("registry", [site.world.network.address])


def worker_that_ends(site: Site) -> Generator[None]:
    """Let the worker's image be one that ends at once, until a good one is pushed."""
    program = ImageFile("bin/busybox", BUSYBOX)
    archive = write_archive(
        site.folder / "bad.tar",
        [program],
        entrypoint=["/bin/busybox", "sh", "-c", "echo no; exit 3"],
    )
    with site.own_registry() as store:
        store.push(archive, AGENT_IMAGE)
        yield
        yield
        store.push(site.world.folder / "agent.tar", AGENT_IMAGE)
        yield


def image_missing(site: Site) -> Generator[None]:
    """Let the registry lack the worker's image, until it is pushed."""
    with site.own_registry() as store:
        yield
        yield
        store.push(site.world.folder / "agent.tar", AGENT_IMAGE)
        yield
