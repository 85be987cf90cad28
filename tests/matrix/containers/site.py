"""Where one fault is injected: a machine, and a registry and a file server of its own."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.certificates import CA, Pair
from sandbox.objects import MachineIdentity
from sandbox.registry import IMAGES, Registry, registry
from tests.engine.machine import Machine
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import ACTIONS_IMAGE, World
from tests.matrix.containers.answers import Answer, answering
from tests.matrix.wire import Wire, wire

REGISTRY_PORT = 5000
BEHIND_PORT = 6000
FILES_PORT = 7000
CA_FILE = "ca.pem"


@dataclass
class Site:
    """The site of machine `number`; no other one has its ports and folders."""

    world: World
    number: int
    folder: Path
    machine: Machine = field(init=False)  # from the moment that it is switched on
    name: str = ""  # of the registry, if it is not called by its address

    @property
    def identity(self) -> MachineIdentity:
        """The machine's identity for Tinkerbell."""
        name, mac = f"fault{self.number}", f"52:54:00:00:02:{self.number:02x}"
        return MachineIdentity(
            name, mac, f"172.30.0.{self.number + 100}", self.world.network.address
        )

    @property
    def host(self) -> str:
        """The registry's host and port, as in an image's name."""
        return f"{self.name or self.world.network.address}:{REGISTRY_PORT + self.number}"

    @property
    def files_url(self) -> str:
        """A file server that is there only if a fault lets it answer."""
        return f"http://{self.world.network.address}:{FILES_PORT + self.number}"

    @property
    def parameters(self) -> Mapping[str, str]:
        """Kernel parameters of the machine, unless the case has others."""
        return {"docker_registry": self.host, "tink_worker_image": f"{self.host}/{AGENT_IMAGE}"}

    def registry(
        self, certificate: Pair | None = None, *, behind: bool = False, tls: bool = True
    ) -> AbstractContextManager[Registry]:
        """Serve the world's images; behind: at the other end of `wire`."""
        port = (BEHIND_PORT if behind else REGISTRY_PORT) + self.number
        return registry(
            self.folder / "registry",
            self.world.network,
            self.world.ca,
            self.world.registry.credentials,
            port=port,
            certificate=certificate or self.certificate(),
            images=self.world.registry.folder / IMAGES,
            tls=tls,
        )

    @contextmanager
    def own_registry(self) -> Iterator[Registry]:
        """Serve images of the site's own: of actions, and what is pushed."""
        with registry(
            self.folder / "own-registry",
            self.world.network,
            self.world.ca,
            self.world.registry.credentials,
            port=REGISTRY_PORT + self.number,
        ) as store:
            store.push(self.world.folder / "actions.tar", ACTIONS_IMAGE)
            yield store

    def wire(self) -> AbstractContextManager[Wire]:
        """Join the registry's port with the registry behind it."""
        near, far = REGISTRY_PORT + self.number, BEHIND_PORT + self.number
        return wire(self.world.network, near, far)

    def registry_answers(self, answer: Answer, *, tls: bool = True) -> AbstractContextManager[None]:
        """Give this answer to all requests instead of a registry."""
        port = REGISTRY_PORT + self.number
        return answering(self.world.network, port, answer, self.certificate() if tls else None)

    def file_server_answers(self, answer: Answer) -> AbstractContextManager[None]:
        """Give this answer to all requests for the CA certificate."""
        return answering(self.world.network, FILES_PORT + self.number, answer)

    def certificate(self) -> Pair:
        """A good certificate for the registry."""
        names = filter(None, [self.world.network.address, self.name])
        return self.world.ca.issue(f"registry-{self.number}", list(names))

    def ca(self) -> bytes:
        """The CA certificate of the registry."""
        return self.world.ca.certificate.read_bytes()

    def another_ca(self, not_after: dt.datetime | None = None) -> bytes:
        """A CA certificate that signed nothing here."""
        folder = self.folder / "another-ca"
        return CA(folder, not_after=not_after).certificate.read_bytes()
