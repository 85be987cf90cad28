"""The servers of each generation, and the names of their workers' images."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from release import gotools
from sandbox.certificates import CA
from sandbox.network import Namespace
from sandbox.objects import MachineIdentity
from sandbox.tink import GRPC_PORT
from sandbox.tink_server_v06 import CERTIFICATE_PORT, tink_server_v06
from sandbox.tinkerbell import Settings, tinkerbell
from sandbox.workflow import Run

AGENT_IMAGE = "tink-agent:latest"
# In a folder of the registry: where it has both workers, tink-worker is taken.
OLDER = "older"
WORKER_IMAGE = f"{OLDER}/tink-worker:latest"
OLDEST_IMAGE = "tink-worker:latest"

# The servers of a world, and so its worker: Tinkerbell v0.25.0 without or with TLS, tink v0.12.2 or
# v0.6.0.
Kind = Literal["newest", "tls", "older", "oldest"]
GENERATIONS: Mapping[str, Kind] = {
    "tink-worker v0.6.0": "oldest",
    "tink-worker v0.12.2": "older",
    "tink-agent v0.25.0": "newest",
}
WORKER_IMAGES: Mapping[Kind, str] = {
    "newest": AGENT_IMAGE,
    "tls": AGENT_IMAGE,
    "older": WORKER_IMAGE,
    "oldest": OLDEST_IMAGE,
}


class Servers(Protocol):
    """The servers that keep machines and workflows, of any generation."""

    def enroll(self, machine: MachineIdentity, /) -> None:
        """Make a machine known."""

    def give(
        self, machine: MachineIdentity, name: str, data: str, values: Mapping[str, str]
    ) -> Run:
        """Give a machine a workflow; data is the template's YAML, values are for its variables."""

    def parameters(self, machine: MachineIdentity) -> dict[str, str]:
        """Return the kernel parameters of a machine that uses these servers."""


def servers_of(
    kind: Kind, folder: Path, network: Namespace, ca: CA
) -> AbstractContextManager[Servers]:
    """Run a kind of servers for a with block."""
    if kind == "oldest":
        return tink_server_v06(folder / "tink", network, ca, GRPC_PORT, CERTIFICATE_PORT)
    settings = Settings(older=kind == "older", tls=kind == "tls")
    binary = gotools.build("tinkerbell")
    return tinkerbell(folder / "tinkerbell", network, ca, binary, settings)
