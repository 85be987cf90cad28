"""The sandbox at an IPv6 address, and the kernel parameters for it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from sandbox.network import ADDRESS6
from sandbox.registry import HTTPS
from sandbox.tink import GRPC_PORT
from sandbox.tinkerbell import HTTP_PORT
from sandbox.world import WORKER_IMAGE, World
from tests.matrix.wire import wire

HOST = f"[{ADDRESS6}]"


@contextmanager
def joined(sandbox: World) -> Iterator[None]:
    """Serve all that a machine needs at that address until the end of the with block."""
    with ExitStack() as stack:
        for port in (GRPC_PORT, HTTP_PORT, HTTPS, _files_port(sandbox)):
            stack.enter_context(wire(sandbox.network, port, port, at=ADDRESS6))
        yield


def _files_port(sandbox: World) -> int:
    port = urlsplit(sandbox.files.url).port
    assert port is not None
    return port


def parameters(sandbox: World) -> str:
    """Return the kernel parameters of a machine that uses that address."""
    given = {
        "grpc_authority": f"{HOST}:{GRPC_PORT}",
        "metadata_url": f"http://{HOST}:{HTTP_PORT}/2009-04-04",
        "docker_registry": HOST,
        "tink_worker_image": f"{HOST}/{WORKER_IMAGE}",
        "registry_ca_url": f"http://{HOST}:{_files_port(sandbox)}/ca.pem",
        "syslog_host": HOST,
    }
    return " ".join(f"{name}={value}" for name, value in given.items())
