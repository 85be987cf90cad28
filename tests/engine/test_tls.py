"""gRPC by TLS: Tinkerbell's own, and tink-server's behind what ends TLS for it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.certificates import Pair
from sandbox.objects import MachineIdentity
from sandbox.tink import GRPC_PORT
from tests.engine import machine as machines
from tests.engine import world as worlds
from tests.engine.docker import Docker
from tests.engine.matrix.wire import wire
from tests.engine.servers import OLDER
from tests.engine.world import World

IDENTITY = MachineIdentity("tls", "52:54:00:00:03:04", "172.30.0.204", "172.30.0.1")
TLS_PORT = 42443
# The workers' images hold no CA certificate, and none can be given to them.
WORDS = {"tinkerbell_tls": "true", "tinkerbell_insecure_tls": "true"}


def test_tink_agent_speaks_tls_with_tinkerbell(docker: Docker, tmp_path: Path) -> None:
    with (
        worlds.world(tmp_path / "world", docker, "tls") as world,
        machines.machine(world, tmp_path / "machine", IDENTITY, **WORDS),
    ):
        world.prove(IDENTITY, "tls")


def test_tink_worker_speaks_tls(older: World, tmp_path: Path) -> None:
    endpoint = f"{older.network.address}:{TLS_PORT}"
    words = {**WORDS, "grpc_authority": endpoint, "tink_worker_image": ""}
    words["docker_registry"] = f"{older.registry.host}/{OLDER}"
    with _tls(older), machines.machine(older, tmp_path / "machine", IDENTITY, **words):
        older.prove(IDENTITY, "tls")


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
