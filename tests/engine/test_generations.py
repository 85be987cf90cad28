"""Workers of two generations, found without their names: by docker_registry alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from release import gotools
from sandbox.images import worker_archive
from sandbox.network import Network
from sandbox.processes import running
from sandbox.waiting import wait_for
from tests.engine.conftest import StartMachine
from tests.engine.machine import WORKER
from tests.engine.world import World

GRPC_PORT, HTTP_PORT = 42115, 42116
FOLDER = "older"
SECONDS = 30.0
# What tink-server counts for Prometheus when tink-worker v0.12.2 asks whether there is work.
ASKED = 'grpc_server_started_total{grpc_method="GetWorkflowContexts"'


def test_tink_agent_is_taken_where_the_registry_has_no_tink_worker(
    start_machine: StartMachine,
) -> None:
    with start_machine(tink_worker_image="") as machine:
        machine.wait_for_worker()
        assert machine.engine.inspect(WORKER)["Config"]["Image"].endswith("/tink-agent:latest")
        machine.world.prove(machine.identity, "no-name")


def test_tink_worker_0_12_asks_its_server_and_asks_again_after_its_death(
    world: World, start_machine: StartMachine
) -> None:
    binary = gotools.build("tink-worker")
    archive = worker_archive(world.folder / "worker.tar", binary, "usr/bin/tink-worker")
    world.registry.push(archive, f"{FOLDER}/tink-worker:latest")
    parameters = {
        "tink_worker_image": "",
        "docker_registry": f"{world.registry.host}/{FOLDER}",
        "grpc_authority": f"{world.network.address}:{GRPC_PORT}",
    }
    with _server(world), start_machine(**parameters) as machine:
        first = machine.wait_for_worker()
        _wait_for_question(world.network, more_than=0)
        machine.engine.kill(WORKER)
        asked = _questions(world.network)
        machine.wait_for_worker(other_than=first)
        _wait_for_question(world.network, more_than=asked)


@contextmanager
def _server(world: World) -> Iterator[None]:
    """tink-server v0.12.2; all that it needs of a cluster is Tinkerbell's API server."""
    address = world.network.address
    kubeconfig = world.folder / "tinkerbell" / "kubeconfig"
    command = [str(gotools.build("tink-server")), "--kubeconfig", str(kubeconfig)]
    command += ["--grpc-authority", f"{address}:{GRPC_PORT}"]
    command += ["--http-authority", f"{address}:{HTTP_PORT}"]
    log = world.folder / "tink-server.log"
    with running("tink-server", command, log=log, network=world.network):
        yield


def _wait_for_question(network: Network, *, more_than: int) -> None:
    wait_for("a question", lambda: _questions(network) > more_than, seconds=SECONDS)


def _questions(network: Network) -> int:
    """Return how often the server was asked for work."""
    with network.inside():
        url = f"http://{network.address}:{HTTP_PORT}/metrics"
        text = httpx.get(url, trust_env=False, timeout=2).text
    counts = [line.split()[-1] for line in text.splitlines() if line.startswith(ASKED)]
    return sum(int(float(count)) for count in counts)
