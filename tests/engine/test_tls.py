"""TLS that workers and engine verify or not: Tinkerbell's, and tink-server's behind a proxy."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.certificates import Pair
from sandbox.objects import MachineIdentity
from sandbox.registry import IMAGES, registry
from sandbox.tink import GRPC_PORT
from tests.engine import machine as machines
from tests.engine import world as worlds
from tests.engine.conftest import StartMachine
from tests.engine.docker import Docker
from tests.engine.servers import OLDER
from tests.engine.world import World
from tests.matrix.wire import wire

VERIFIED = MachineIdentity("tls-verified", "52:54:00:00:03:04", "172.30.0.204", "172.30.0.1")
UNVERIFIED = MachineIdentity("tls-unverified", "52:54:00:00:03:05", "172.30.0.205", "172.30.0.1")
MACHINES = pytest.mark.parametrize("identity", [VERIFIED, UNVERIFIED])
TLS_PORT = 42443
OTHER_PORT = 5443
END_SECONDS = 120.0


def _words(world: World, *, verified: bool) -> dict[str, str]:
    """The workers' images contain no CA certificate."""
    if not verified:
        return {"tinkerbell_tls": "true", "tinkerbell_insecure_tls": "true"}
    trusted = {"trusted_ca_url": f"{world.files.url}/ca.pem", "registry_ca_url": ""}
    return {"tinkerbell_tls": "true", "tinkerbell_insecure_tls": "false", **trusted}


@pytest.fixture(scope="module")
def tls(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.world(tmp_path_factory.mktemp("world"), docker, "tls") as world:
        yield world


@MACHINES
def test_tink_agent_uses_tls_with_tinkerbell(
    tls: World, tmp_path: Path, identity: MachineIdentity
) -> None:
    words = _words(tls, verified=identity is VERIFIED)
    with machines.machine(tls, tmp_path / "machine", identity, **words):
        tls.prove(identity, identity.name)


@MACHINES
def test_tink_worker_uses_tls(older: World, tmp_path: Path, identity: MachineIdentity) -> None:
    endpoint = f"{older.network.address}:{TLS_PORT}"
    words = {**_words(older, verified=identity is VERIFIED), "grpc_authority": endpoint}
    words |= {"tink_worker_image": "", "docker_registry": f"{older.registry.host}/{OLDER}"}
    with _tls(older), machines.machine(older, tmp_path / "machine", identity, **words):
        older.prove(identity, identity.name)


def test_an_action_comes_from_a_registry_that_only_the_ca_for_everything_makes_trusted(
    world: World, start_machine: StartMachine
) -> None:
    store, folder = world.registry, world.folder / "other"
    with (
        registry(
            folder, world.network, world.ca, store.credentials,
            port=OTHER_PORT, images=store.folder / IMAGES, password=False,
        ) as other,
        start_machine(**_words(world, verified=True) | {"tinkerbell_tls": "false"}) as machine,
    ):  # fmt: skip
        world.prove(machine.identity, "other", registry=other.host)


def test_dockerd_and_worker_start_again_for_a_ca_that_comes_late(
    world: World, start_machine: StartMachine
) -> None:
    store, folder = world.registry, world.folder / "other"
    words = {"trusted_ca_url": f"{world.files.url}/company.pem"}
    with (
        registry(
            folder, world.network, world.ca, store.credentials,
            port=OTHER_PORT, images=store.folder / IMAGES, password=False,
        ) as other,
        start_machine(**words) as machine,
    ):  # fmt: skip
        worker = machine.wait_for_worker()  # with the registry's own CA certificate
        untrusted = world.start_workflow(machine.identity, "early", registry=other.host)
        assert untrusted.end(END_SECONDS).state == "FAILED"
        world.files.publish(store.ca, "company.pem")
        installed = machine.wait_for_event(machine.tink_docker, "ca.installed", count=2)
        assert installed["registries"] == "all"
        machine.wait_for_event(machine.tink_docker, "engine.restarting")
        machine.wait_for_worker(other_than=worker)
        world.prove(machine.identity, "late", registry=other.host)
        assert machine.events(machine.tink_docker, "run.failed") == []


@contextmanager
def _tls(world: World) -> Iterator[None]:
    pair = world.ca.issue("tink-server", [world.network.address])
    with wire(world.network, TLS_PORT, GRPC_PORT, tls=_context(pair)):
        yield


def _context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.set_alpn_protocols(["h2"])
    return context
