"""The surroundings of the machines under test: network, registry, file server, Tinkerbell."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from release import gotools
from release.process import run
from sandbox.certificates import CA
from sandbox.files import Files, files
from sandbox.images import actions_archive, worker_archive
from sandbox.network import PREFIX, Namespace
from sandbox.objects import MachineIdentity
from sandbox.registry import Credentials, Registry, registry
from sandbox.workflow import Run
from tests.engine.docker import Docker
from tests.engine.servers import (
    AGENT_IMAGE,
    OLDER,
    OLDEST_IMAGE,
    WORKER_IMAGE,
    WORKER_IMAGES,
    Kind,
    Servers,
    servers_of,
)

BOOTKIT = "tinkie/bootkit:build"
ACTIONS_IMAGE = "actions:latest"
WORKFLOW_SECONDS = 60.0


@dataclass(frozen=True)
class World:
    """All of it, running; anchor is the container whose network the others join."""

    folder: Path
    docker: Docker
    anchor: str
    network: Namespace
    ca: CA
    registry: Registry
    files: Files
    servers: Servers
    worker_image: str

    def enroll(self, identity: MachineIdentity) -> None:
        """Make a machine known to Tinkerbell."""
        self.servers.enroll(identity)

    def start_workflow(
        self,
        identity: MachineIdentity,
        name: str,
        command: str = "true",
        volume: str = "",
        registry: str = "",
    ) -> Run:
        """Give a machine a workflow of one action: a command of busybox, maybe with a volume.

        registry: where the action's image comes from, if not from the world's own.
        """
        fields = {"volumes": [volume]} if volume else {}
        return self.start_action(identity, name, command, self.image(registry=registry), **fields)

    def image(self, name: str = ACTIONS_IMAGE, registry: str = "") -> str:
        """Return an image as a template names it: tink-worker puts docker_registry before it."""
        host = registry or self.registry.host
        return f"{host}/{name}" if self.worker_image == AGENT_IMAGE else name

    def start_action(
        self, identity: MachineIdentity, name: str, script: str, image: str, **fields: object
    ) -> Run:
        """Give a machine a workflow of one action: a script for busybox's shell.

        fields: more of it, or something else, as templates have them.
        """
        words = {"name": "proof", "image": image, "timeout": 60, "command": ["sh", "-c", script]}
        task = {"name": "proof", "worker": identity.mac, "actions": [{**words, **fields}]}
        made = {"version": "0.1", "name": "proof", "global_timeout": 300, "tasks": [task]}
        values = {"device_1": identity.mac}
        return self.servers.give(identity, name, yaml.safe_dump(made), values)

    def add_host_name(self, host: str) -> None:
        """Give the network's address a name that all machines resolve."""
        hosts = Path(self.docker.inspect(self.anchor)["HostsPath"])
        with hosts.open("a") as file:
            file.write(f"{self.network.address} {host}\n")

    def prove(self, identity: MachineIdentity, name: str, registry: str = "") -> None:
        """Fail unless the machine does a small workflow."""
        status = self.start_workflow(identity, name, registry=registry).end(WORKFLOW_SECONDS)
        assert status.state == "SUCCESS", status

    def command_line(self, identity: MachineIdentity) -> dict[str, str]:
        """Return the kernel parameters that such a machine is started with."""
        return {
            **self.servers.parameters(identity),
            **self._images(),
            **self.registry.credentials.parameters,
        }

    def _images(self) -> dict[str, str]:
        """Return where the worker's image is, and the registry's certificate."""
        host, url = self.registry.host, self.files.url
        if self.worker_image == OLDEST_IMAGE:
            return {"docker_registry": host, "packet_base_url": url}
        image = f"{host}/{self.worker_image}"
        return {
            "docker_registry": host,
            "tink_worker_image": image,
            "registry_ca_url": f"{url}/ca.pem",
        }


@contextmanager
def world(folder: Path, docker: Docker, kind: Kind = "newest") -> Iterator[World]:
    """Run it until the end of the with block."""
    with ExitStack() as stack:
        anchor, network = stack.enter_context(_network(docker, kind))
        ca = CA(folder / "certificates")
        credentials = Credentials("tinkie", "pass+/word=@")
        store = stack.enter_context(registry(folder / "registry", network, ca, credentials))
        served = stack.enter_context(files(folder / "files", network))
        served.publish(store.ca, "ca.pem")
        _push_images(folder, store, kind)
        servers = stack.enter_context(servers_of(kind, folder, network, ca))
        image = WORKER_IMAGES[kind]
        yield World(folder, docker, anchor, network, ca, store, served, servers, image)


def _push_images(folder: Path, store: Registry, kind: Kind) -> None:
    actions = actions_archive(folder / "actions.tar")
    store.push(actions, ACTIONS_IMAGE)
    if kind == "oldest":
        _push_worker(folder, store, "tink-worker-v0.6", OLDEST_IMAGE)
        return
    agent = worker_archive(folder / "agent.tar", gotools.build("agent"), "tink-agent")
    store.push(agent, AGENT_IMAGE)
    _push_worker(folder, store, "tink-worker", WORKER_IMAGE)
    store.push(actions, f"{OLDER}/{ACTIONS_IMAGE}")


def _push_worker(folder: Path, store: Registry, tool: str, image: str) -> None:
    archive = worker_archive(folder / "worker.tar", gotools.build(tool), "usr/bin/tink-worker")
    store.push(archive, image)


@contextmanager
def _network(docker: Docker, kind: str) -> Iterator[tuple[str, Namespace]]:
    """A network of its own that containers can join and that programs of the host can enter."""
    name = f"{PREFIX}{kind}-{os.getpid()}"
    pause = "import signal; signal.sigwait([signal.SIGTERM])"
    options = ["--detach", "--network", "none", "--name", name]
    docker("run", *options, BOOTKIT, "python3", "-c", pause)
    network = Namespace(name)
    try:
        run(f"naming the network {name}", ["ip", "netns", "attach", name, str(docker.pid(name))])
        with network.owned():
            network.configure()
            yield name, network
    finally:
        docker.remove(name)
        network.delete()
