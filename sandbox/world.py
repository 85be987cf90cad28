"""The whole sandbox: network, registry with images, file server, Tinkerbell."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox import programs
from sandbox.certificates import CA
from sandbox.disk import system_image
from sandbox.files import Files, files
from sandbox.hardware import DirectBoot
from sandbox.images import actions_archive, worker_archive
from sandbox.ingredients import Ingredients
from sandbox.netboot import command_line
from sandbox.network import BRIDGE, Namespace, namespace
from sandbox.objects import MachineIdentity
from sandbox.processes import Program
from sandbox.registry import Credentials, Registry, registry
from sandbox.tinkerbell import Settings, Tinkerbell, tinkerbell
from sandbox.workflow import WorkflowRun

WORKER_IMAGE = "tink-agent:latest"
ACTIONS_IMAGE = "actions:latest"
DISK_DEVICE = "/dev/vda"
CD = "tinkie.iso"
MACHINE = MachineIdentity("machine1", "52:54:00:00:00:01", "172.30.0.10", "172.30.0.1")


@dataclass(frozen=True)
class World:
    """A running sandbox."""

    ingredients: Ingredients
    network: Namespace
    registry: Registry
    files: Files
    tinkerbell: Tinkerbell
    values: Mapping[str, str]

    @property
    def machine(self) -> MachineIdentity:
        """The sandbox's machine, of the OS's architecture."""
        return replace(MACHINE, arch=self.ingredients.target.name)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Its programs that must not end."""
        return (self.tinkerbell.program, self.registry.program, self.files.program)

    def start_workflow(
        self, name: str, data: str, identity: MachineIdentity, **more: str
    ) -> WorkflowRun:
        """Give a machine a workflow; data is the template's YAML.

        Its variables: device_1 (worker id), registry, artifacts, image_url, disk, and more.
        """
        values = {**self.values, "device_1": identity.mac, **more}
        run = self.tinkerbell.give(identity, name, data, values)
        run.wait_until_offered()
        return run

    def enroll(self, identity: MachineIdentity, *others: MachineIdentity) -> None:
        """Add a machine's Hardware to Tinkerbell, with its other NICs."""
        self.tinkerbell.enroll(identity, *others)

    def command_line(self, identity: MachineIdentity) -> str:
        """Return the kernel command line that iPXE would start this machine with."""
        return command_line(self.tinkerbell.script(identity.mac))

    def direct_boot(self, identity: MachineIdentity) -> DirectBoot:
        """Return kernel, initramfs and command line that iPXE would start this machine with."""
        parts = self.ingredients
        return DirectBoot(parts.kernel, parts.initramfs, self.command_line(identity))


@contextmanager
def world(
    folder: Path, name: str, ingredients: Ingredients, *, kernel_args: str = ""
) -> Iterator[World]:
    """Run a whole sandbox until the end of the with block.

    name: of its network namespace. kernel_args: appended last, so they override the others.
    """
    with ExitStack() as stack:
        network = stack.enter_context(namespace(name))
        ca = CA(folder / "certificates")
        credentials = Credentials("tinkie", new_password())
        store = stack.enter_context(registry(folder / "registry", network, ca, credentials))
        _push_images(folder / "images", store, ingredients)
        served = stack.enter_context(files(folder / "files", network))
        values = _publish(folder, served, store, ingredients)
        iso = f"{served.url}/{CD}"
        words = worker_words(store, served, WORKER_IMAGE, kernel_args)
        settings = Settings(served.url, words, BRIDGE, iso)
        found = stack.enter_context(
            tinkerbell(folder / "tinkerbell", network, ca, ingredients.tinkerbell, settings)
        )
        yield World(ingredients, network, store, served, found, values)


def new_password() -> str:
    """Return a password that every encoding (URL, base64) changes."""
    return f"{secrets.token_hex(8)}+/{secrets.token_hex(4)}=@"


def _push_images(folder: Path, store: Registry, ingredients: Ingredients) -> None:
    target = ingredients.target
    agent = worker_archive(folder / "agent.tar", ingredients.agent, "tink-agent", target)
    store.push(agent, WORKER_IMAGE)
    busybox = programs.busybox(folder, ingredients)
    actions = actions_archive(folder / "actions.tar", busybox=busybox, target=target)
    store.push(actions, ACTIONS_IMAGE)


def _publish(
    folder: Path, served: Files, store: Registry, ingredients: Ingredients
) -> dict[str, str]:
    served.publish(ingredients.kernel)
    served.publish(ingredients.initramfs)
    served.publish(store.ca, "ca.pem")
    image = served.publish(system_image(folder / "system", ingredients))
    return {
        "registry": store.host,
        "artifacts": served.url,
        "image_url": image,
        "disk": DISK_DEVICE,
    }


def worker_words(store: Registry, served: Files, image: str, more: str = "") -> str:
    """Return the kernel parameters for a worker's image, then those in more."""
    words = [
        f"tink_worker_image={store.host}/{image}",
        f"docker_registry={store.host}",
        *(f"{name}={value}" for name, value in store.credentials.parameters.items()),
        f"registry_ca_url={served.url}/ca.pem",
        "quiet",  # else the kernel prints its command line, with the password
        more,
    ]
    return " ".join(words).strip()
