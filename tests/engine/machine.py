"""A machine under test: our two images as containers, bound as in linuxkit.yml.

Instead of the host's pid namespace tink-docker gets one of its own: PID 1, which it asks to reboot,
is the container's and not the build host's.
"""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release import engine
from release.errors import ReportedError
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from sandbox.workflow import Run
from tests.engine.docker import Docker
from tests.engine.world import World
from tests.fakes.script_root import LINUXKIT
from tink_docker.engine.socket import SOCKET_GROUP

READY_SECONDS = 60.0
WORKER = "tink-worker"
(BOOTKIT,) = (one for one in LINUXKIT["services"] if one["name"] == "bootkit")
CMDLINE = "/run/cmdline"  # stands for /proc/cmdline
DISK = "2g"  # of the engine
RUN = "64m"  # the host's /run, as the worker has it


@dataclass(frozen=True)
class Machine:
    """One machine; its folder stands for the host's /run."""

    world: World
    identity: MachineIdentity
    folder: Path

    @property
    def engine(self) -> Docker:
        """The engine that tink-docker keeps."""
        return Docker(f"unix://{self.folder}/docker/docker.sock")

    @property
    def tink_docker(self) -> str:
        """The name of tink-docker's container."""
        return f"{self.world.anchor}-{self.identity.name}-tink-docker"

    @property
    def bootkit(self) -> str:
        """The name of bootkit's container."""
        return f"{self.world.anchor}-{self.identity.name}-bootkit"

    def running(self) -> list[str]:
        """Return the names of the containers that run; none while dockerd restarts."""
        try:
            return self.engine("ps", "--format", "{{.Names}}", seconds=10).split()
        except ReportedError:
            return []

    def worker(self) -> str | None:
        """Return the id of the one container that runs, if it is a worker, else None."""
        listed = ["ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"]
        try:
            running = [row.split() for row in self.engine(*listed, seconds=10).splitlines()]
        except ReportedError:  # dockerd restarts
            return None
        names = [name for _, name in running]
        assert names.count(WORKER) <= 1, names
        return running[0][0] if names == [WORKER] else None

    def wait_for_worker(self, *, other_than: str = "") -> str:
        """Return the running worker's id, of another container than the given one."""

        def found() -> str | None:
            worker = self.worker()
            return worker if worker != other_than else None

        return wait_for(f"a worker on {self.identity.name}", found, seconds=READY_SECONDS)

    def events(self, container: str, name: str = "") -> list[dict[str, Any]]:
        """Return the log lines of one event (noun.verb), or of all, that a program wrote."""
        lines = map(json.loads, self.world.docker.logs(container).splitlines())
        return [line for line in lines if line["event"] == name or not name]

    def wait_for_event(self, container: str, name: str, *, count: int = 1) -> dict[str, Any]:
        """Return event number `count` of this name, once it is logged."""

        def found() -> dict[str, Any] | None:
            events = self.events(container, name)
            return events[count - 1] if len(events) >= count else None

        return wait_for(f"{name} of {container}", found, seconds=READY_SECONDS)

    def start_lasting_action(self, name: str, then: str = "true") -> Run:
        """Return a workflow whose action runs, and does so until `end_lasting_action`.

        then: a command of busybox, which the action ends with.
        """
        wait = f"until [ -e /worker/{name} ]; do sleep 1; done"
        run = self.world.start_workflow(self.identity, name, f"{wait}; {then}", "/worker:/worker")
        wait_for("the action", lambda: len(self.running()) > 1, seconds=READY_SECONDS)
        return run

    def end_lasting_action(self, name: str) -> None:
        """Let it end."""
        (self.folder / "worker" / name).touch()

    def kill_dockerd(self) -> None:
        """Kill dockerd."""
        (pid,) = self.world.docker.processes(self.tink_docker, "dockerd")
        os.kill(pid, signal.SIGKILL)

    def bind(self, source: str, destination: str) -> list[str]:
        """Return the client's option for a folder or file of this machine."""
        return ["--volume", f"{self.folder}/{source}:{destination}"]


@contextmanager
def machine(
    world: World,
    folder: Path,
    identity: MachineIdentity,
    *,
    disk: str = DISK,
    engine_image: str = "tink-docker",
    **parameters: str,
) -> Iterator[Machine]:
    """Run a machine until the end of the with block; parameters override those of the world.

    engine_image: the name in docker-bake.hcl of the image that has tink-docker.
    """
    made = Machine(world, identity, folder)
    words = {**world.command_line(identity), **parameters}
    _write_host(folder, words)
    world.enroll(identity)
    with ExitStack() as stack:
        stack.callback(_remove, made)
        options = _tink_docker_options(made, disk)
        _run(made, made.tink_docker, engine_image, "tink-docker", options)
        _run(made, made.bootkit, "bootkit", "bootkit", _bootkit_options(made))
        yield made


def _write_host(folder: Path, words: Mapping[str, str]) -> None:
    for name in ("docker", "worker", "tinkie/bootkit", "tinkie/tink-docker/certs.d", "host/run"):
        (folder / name).mkdir(parents=True)
    line = " ".join(f"{name}={value}" for name, value in words.items())
    os.chown(folder / "tinkie/bootkit", BOOTKIT["uid"], BOOTKIT["gid"])
    (folder / "cmdline").write_text(f"{line}\n")


def _run(made: Machine, name: str, image: str, program: str, options: list[str]) -> None:
    network = ["--network", f"container:{made.world.anchor}"]
    command = [f"tinkie/{image}:build", program, "--cmdline", CMDLINE]
    made.world.docker("run", "--detach", "--name", name, *network, *options, *command)


def _tink_docker_options(made: Machine, disk: str) -> list[str]:
    return [
        "--privileged",
        *("--cgroupns", "host"),
        *("--mount", f"type=tmpfs,destination=/var/lib/docker,tmpfs-size={disk}"),
        *("--volume", "/lib/modules:/lib/modules:ro"),
        *made.bind("host", "/host_root"),
        *("--mount", f"type=tmpfs,destination=/host_root/run,tmpfs-size={RUN}"),
        *made.bind("docker", "/var/run"),
        *made.bind("worker", "/worker"),
        *made.bind("cmdline", f"{CMDLINE}:ro"),
        *made.bind("tinkie/tink-docker", "/run/tinkie/tink-docker"),
        *made.bind("tinkie/tink-docker/certs.d", "/etc/docker/certs.d"),
        *_limited_runtime(made),
    ]


def _bootkit_options(made: Machine) -> list[str]:
    return [
        "--read-only",
        *("--user", f"{BOOTKIT['uid']}:{BOOTKIT['gid']}"),
        *("--group-add", str(SOCKET_GROUP)),
        *("--cap-drop", "all"),
        *("--security-opt", "no-new-privileges"),
        *("--tmpfs", "/run", "--tmpfs", "/tmp"),
        *made.bind("cmdline", f"{CMDLINE}:ro"),
        *made.bind("docker", "/var/run:ro"),
        *made.bind("tinkie/bootkit", "/run/tinkie/bootkit"),
        *made.bind("tinkie/tink-docker", "/run/tinkie/tink-docker:ro"),
        *made.bind("tinkie/tink-docker/certs.d", "/etc/docker/certs.d:ro"),
    ]


def _limited_runtime(made: Machine) -> list[str]:
    """A capability that the build host's root lacks is not to be had inside either."""
    if engine.has_capability(engine.CAP_SYS_RESOURCE):
        return []
    wrapper = made.folder / "runc"
    wrapper.write_text(engine.RUNTIME.read_text().replace("exec runc", "exec /usr/sbin/runc"))
    wrapper.chmod(0o755)
    first = "/usr/local/sbin"  # of dockerd's PATH
    return [*made.bind("runc", f"{first}/runc:ro"), "--volume", f"/bin/busybox:{first}/sed:ro"]


def _remove(made: Machine) -> None:
    """The engine inside removes its own first, or their cgroups would stay on the build host."""
    docker = made.world.docker
    docker.remove(made.bootkit)
    with suppress(ReportedError):  # a test may have ended that engine
        for container in made.engine("ps", "--all", "--quiet", seconds=10).split():
            made.engine.remove(container)
    docker.remove(made.tink_docker)
