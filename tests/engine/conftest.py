"""One world for all tests, a new machine for each."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from release import engine
from sandbox.objects import MachineIdentity
from tests.engine import machine as machines
from tests.engine import world as worlds
from tests.engine.docker import Docker
from tests.engine.machine import DISK, Machine
from tests.engine.world import World

StartMachine = Callable[..., AbstractContextManager[Machine]]


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    with engine.running() as host:
        yield Docker(host)


@pytest.fixture(scope="session")
def world(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.world(tmp_path_factory.mktemp("world"), docker) as made:
        yield made


@pytest.fixture(scope="session")
def older(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """tink-server, tink-controller and tink-worker v0.12.2."""
    with worlds.world(tmp_path_factory.mktemp("older"), docker, "older") as made:
        yield made


@pytest.fixture(scope="session")
def oldest(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """tink-server and tink-worker v0.6.0."""
    with worlds.world(tmp_path_factory.mktemp("oldest"), docker, "oldest") as made:
        yield made


_numbers = itertools.count(1)


@pytest.fixture
def start_machine(world: World, tmp_path: Path) -> StartMachine:
    """Call it with kernel parameters, maybe the engine's disk; it gives a machine for a with."""

    def start(*, disk: str = DISK, **parameters: str) -> AbstractContextManager[Machine]:
        number = next(_numbers)
        mac, address = f"52:54:00:00:01:{number:02x}", f"172.30.0.{number + 1}"
        identity = MachineIdentity(f"machine{number}", mac, address, world.network.address)
        return machines.machine(world, tmp_path / "machine", identity, disk=disk, **parameters)

    return start


@pytest.fixture
def machine(start_machine: StartMachine) -> Iterator[Machine]:
    """A machine whose worker runs."""
    with start_machine() as made:
        made.wait_for_worker()
        yield made
