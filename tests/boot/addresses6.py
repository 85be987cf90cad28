"""The sandbox at an IPv6 address, as a machine's command line names it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from sandbox.network import ADDRESS6
from sandbox.registry import HTTPS
from sandbox.tink import GRPC_PORT
from sandbox.tinkerbell import HTTP_PORT
from sandbox.world import WORKER_IMAGE, World
from tests.engine.matrix.wire import wire

HOST = f"[{ADDRESS6}]"


@contextmanager
def joined(here: World) -> Iterator[None]:
    """Let all that a machine needs be reached there until the end of the with block."""
    with ExitStack() as stack:
        for port in (GRPC_PORT, HTTP_PORT, HTTPS, _files_port(here)):
            stack.enter_context(wire(here.network, port, port, at=ADDRESS6))
        yield


def _files_port(here: World) -> int:
    port = urlsplit(here.files.url).port
    assert port is not None
    return port


def words(here: World) -> str:
    """Return the kernel parameters that say so."""
    given = {
        "grpc_authority": f"{HOST}:{GRPC_PORT}",
        "metadata_url": f"http://{HOST}:{HTTP_PORT}/2009-04-04",
        "docker_registry": HOST,
        "tink_worker_image": f"{HOST}/{WORKER_IMAGE}",
        "registry_ca_url": f"http://{HOST}:{_files_port(here)}/ca.pem",
        "syslog_host": HOST,
    }
    return " ".join(f"{name}={value}" for name, value in given.items())
