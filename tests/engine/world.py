"""What stands around the machines under test: network, registry, file server, Tinkerbell."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from release import gotools
from sandbox.certificates import Authority
from sandbox.commands import run
from sandbox.files import Files, files
from sandbox.images import actions_archive, worker_archive
from sandbox.network import PREFIX, Namespace
from sandbox.objects import MachineIdentity, hardware, template, workflow
from sandbox.registry import Credentials, Registry, registry
from sandbox.tinkerbell import Settings, Tinkerbell, tinkerbell
from sandbox.workflow import WorkflowRun
from tests.engine.docker import Docker

BOOTKIT = "tinkie/bootkit:build"
AGENT_IMAGE = "tink-agent:latest"
# In a folder of the registry: where it has both workers, tink-worker is taken.
OLDER = "older"
WORKER_IMAGE = f"{OLDER}/tink-worker:latest"
ACTIONS_IMAGE = "actions:latest"
WORKFLOW_SECONDS = 60.0


@dataclass(frozen=True)
class World:
    """All of it, running; anchor is the container whose network the others join."""

    folder: Path
    docker: Docker
    anchor: str
    network: Namespace
    authority: Authority
    registry: Registry
    files: Files
    tinkerbell: Tinkerbell
    worker_image: str

    def enroll(self, identity: MachineIdentity) -> None:
        """Tell Tinkerbell about a machine."""
        self.tinkerbell.api.create("hardware", hardware(identity))

    def start_workflow(
        self,
        identity: MachineIdentity,
        name: str,
        command: str = "true",
        volume: str = "",
        registry: str = "",
    ) -> WorkflowRun:
        """Give a machine a workflow of one action: a command of busybox, maybe with a volume.

        registry: where the action's image comes from, if not from the world's own.
        """
        fields = {"volumes": [volume]} if volume else {}
        return self.start_action(identity, name, command, self.image(registry=registry), **fields)

    def image(self, name: str = ACTIONS_IMAGE, registry: str = "") -> str:
        """Return an image as a template names it: tink-worker puts docker_registry before it."""
        host = registry or self.registry.host
        return name if self.worker_image == WORKER_IMAGE else f"{host}/{name}"

    def start_action(
        self, identity: MachineIdentity, name: str, script: str, image: str, **fields: object
    ) -> WorkflowRun:
        """Give a machine a workflow of one action: a script for busybox's shell.

        fields: more of it, or something else, as templates have them.
        """
        words = {"name": "proof", "image": image, "timeout": 60, "command": ["sh", "-c", script]}
        task = {"name": "proof", "worker": identity.mac, "actions": [{**words, **fields}]}
        made = {"version": "0.1", "name": "proof", "global_timeout": 300, "tasks": [task]}
        api = self.tinkerbell.api
        api.create("templates", template(name, yaml.safe_dump(made)))
        api.create("workflows", workflow(name, name, identity.name, {"device_1": identity.mac}))
        return WorkflowRun(api, name)

    def name(self, host: str) -> None:
        """Let all machines know a name of the network's address."""
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
            "worker_id": identity.mac,
            "grpc_authority": self.tinkerbell.grpc_authority,
            "tinkerbell_tls": "false",
            "tink_worker_image": f"{self.registry.host}/{self.worker_image}",
            "docker_registry": self.registry.host,
            "registry_username": self.registry.credentials.username,
            "registry_password": self.registry.credentials.password,
            "registry_ca_url": f"{self.files.url}/ca.pem",
            "metadata_url": self.tinkerbell.metadata_url,
        }


@contextmanager
def world(
    folder: Path, docker: Docker, *, older: bool = False, tls: bool = False
) -> Iterator[World]:
    """Run it until the end of the with block.

    older: with the servers and the worker of 2024. tls: gRPC goes by TLS.
    """
    with ExitStack() as stack:
        kind = "older" if older else "tls" if tls else "engine"
        anchor, network = stack.enter_context(_network(docker, kind))
        authority = Authority.make(folder / "certificates")
        credentials = Credentials("tinkie", "pass+/word=@")
        store = stack.enter_context(registry(folder / "registry", network, authority, credentials))
        served = stack.enter_context(files(folder / "files", network))
        served.publish(store.ca, "ca.pem")
        _push_images(folder, store)
        settings, binary = Settings(older=older, tls=tls), gotools.build("tinkerbell")
        server = stack.enter_context(
            tinkerbell(folder / "tinkerbell", network, authority, binary, settings)
        )
        worker = WORKER_IMAGE if older else AGENT_IMAGE
        yield World(folder, docker, anchor, network, authority, store, served, server, worker)


def _push_images(folder: Path, store: Registry) -> None:
    agent = worker_archive(folder / "agent.tar", gotools.build("agent"), "tink-agent")
    store.push(agent, AGENT_IMAGE)
    worker = gotools.build("tink-worker")
    store.push(worker_archive(folder / "worker.tar", worker, "usr/bin/tink-worker"), WORKER_IMAGE)
    actions = actions_archive(folder / "actions.tar")
    store.push(actions, ACTIONS_IMAGE)
    store.push(actions, f"{OLDER}/{ACTIONS_IMAGE}")


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
            network.furnish()
            yield name, network
    finally:
        docker.remove(name)
        network.delete()
