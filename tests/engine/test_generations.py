"""Workers of two generations with their own servers, also found without their names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.objects import MachineIdentity
from tests.engine import machine as machines
from tests.engine import world as worlds
from tests.engine.conftest import StartMachine
from tests.engine.docker import Docker
from tests.engine.machine import WORKER
from tests.engine.world import World

IDENTITY = MachineIdentity("older", "52:54:00:00:03:01", "172.30.0.201", "172.30.0.1")


@pytest.fixture(scope="module")
def older(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """tink-server, tink-controller and tink-worker v0.12.2."""
    with worlds.world(tmp_path_factory.mktemp("older"), docker, older=True) as made:
        yield made


def test_tink_agent_is_taken_where_the_registry_has_no_tink_worker(
    start_machine: StartMachine,
) -> None:
    with start_machine(tink_worker_image="") as machine:
        machine.wait_for_worker()
        assert machine.engine.inspect(WORKER)["Config"]["Image"].endswith("/tink-agent:latest")
        machine.world.prove(machine.identity, "no-name")


def test_tink_worker_0_12_does_its_workflow_and_another_one_after_its_death(
    older: World, tmp_path: Path
) -> None:
    parameters = {"tink_worker_image": "", "docker_registry": f"{older.registry.host}/older"}
    with machines.machine(older, tmp_path, IDENTITY, **parameters) as machine:
        first = machine.wait_for_worker()
        assert machine.engine.inspect(WORKER)["Config"]["Image"].endswith("/tink-worker:latest")
        older.prove(IDENTITY, "before")
        machine.engine.kill(WORKER)
        machine.wait_for_worker(other_than=first)
        older.prove(IDENTITY, "after")
