"""Workers of three generations, with their own servers, do what templates in use need."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.objects import MachineIdentity
from sandbox.registry import IMAGES, registry
from sandbox.waiting import wait_for
from sandbox.workflow import Status
from tests.engine import machine as machines
from tests.engine.conftest import StartMachine
from tests.engine.machine import WORKER, Machine
from tests.engine.servers import AGENT_IMAGE, GENERATIONS, OLDER, OLDEST_IMAGE, WORKER_IMAGE
from tests.engine.waitdaemon import waits
from tests.engine.world import ACTIONS_IMAGE, BOOTKIT, World
from tests.matrix.packets import syslog

IDENTITY = MachineIdentity("generation", "52:54:00:00:03:01", "172.30.0.201", "172.30.0.1")
OPEN = MachineIdentity("open", "52:54:00:00:03:02", "172.30.0.202", "172.30.0.1")
LOGGING = MachineIdentity("logging", "52:54:00:00:03:03", "172.30.0.203", "172.30.0.1")
OPEN_PORT = 5443
SYSLOG_SECONDS = 60.0
END_SECONDS = 120.0
LOGGED_SECONDS = 30.0
OUTPUT = "output-of-the-action"

WAITS_IMAGE = "waits:latest"


@pytest.fixture(scope="module", params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> World:
    """Servers and worker of one generation."""
    kind = GENERATIONS[request.param]
    found: World = request.getfixturevalue("world" if kind == "newest" else kind)
    return found


def _parameters(world: World, host: str) -> dict[str, str]:
    """Return the parameters that find the generation's worker by its usual name in a registry."""
    folder = f"/{OLDER}" if world.worker_image == WORKER_IMAGE else ""
    return {"tink_worker_image": "", "docker_registry": f"{host}{folder}"}


def _has_v0_6(world: World) -> bool:
    """Return whether its worker ends with an action that fails, and always needs a password."""
    return world.worker_image == OLDEST_IMAGE


@pytest.fixture(scope="module")
def box(generation: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    parameters = _parameters(generation, generation.registry.host)
    folder = tmp_path_factory.mktemp("generation")
    with machines.machine(generation, folder, IDENTITY, **parameters) as machine:
        machine.wait_for_worker()
        yield machine


def _end(box: Machine, name: str, script: str, image: str = "", **fields: object) -> Status:
    world = box.world
    image = world.image(image or ACTIONS_IMAGE)
    return world.start_action(box.identity, name, script, image, **fields).end(END_SECONDS)


def test_the_worker_is_found_by_its_usual_name(box: Machine) -> None:
    image = box.engine.inspect(WORKER)["Config"]["Image"]
    assert image.rpartition("/")[2] == box.world.worker_image.rpartition("/")[2]
    assert _end(box, "first", "true").state == "SUCCESS"


def test_a_failed_action_is_reported_and_the_worker_goes_on(box: Machine) -> None:
    worker = box.wait_for_worker()
    assert _end(box, "fails", "exit 7").state == "FAILED"
    wait_for("exit code 7", lambda: _is_logged(box, "exit code 7"), seconds=LOGGED_SECONDS)
    assert _end(box, "after-failure", "true").state == "SUCCESS"
    assert (box.wait_for_worker() == worker) is not _has_v0_6(box.world)


def _is_logged(box: Machine, error: str) -> bool:
    return any(event["error"] == error for event in box.events(box.bootkit, "action.failed"))


def test_an_action_that_takes_too_long_is_ended(box: Machine) -> None:
    # The time includes the pull and the start: too short for them, and the state is FAILED.
    assert _end(box, "slow", "sleep 60", timeout=15).state == "TIMEOUT"
    assert _end(box, "after-timeout", "true").state == "SUCCESS"


def test_a_missing_image_fails_only_its_workflow(box: Machine) -> None:
    assert _end(box, "lacks", "true", "nobody-has-it:1").state == "FAILED"
    assert _end(box, "after-lack", "true").state == "SUCCESS"


def test_the_output_of_an_action_is_in_the_workers_log(box: Machine) -> None:
    assert _end(box, "writes", f"echo {OUTPUT}").state == "SUCCESS"
    assert OUTPUT in box.engine.logs(WORKER)


def test_an_action_sees_the_machines_processes_if_it_asks_for_them(box: Machine) -> None:
    look = "grep -qx dockerd /proc/[0-9]*/comm"
    assert _end(box, "without", look).state == "FAILED"
    assert _end(box, "with", look, pid="host").state == "SUCCESS"


def test_volumes_are_the_machines_folders(box: Machine) -> None:
    volumes = ["/worker:/worker", "/var/run/docker.sock:/var/run/docker.sock"]
    command = "test -S /var/run/docker.sock && echo kept >/worker/kept"
    assert _end(box, "keeps", command, volumes=volumes).state == "SUCCESS"
    assert (box.folder / "worker" / "kept").read_text() == "kept\n"


def test_an_action_leaves_a_container_behind_as_waitdaemon_does(
    box: Machine, tmp_path: Path
) -> None:
    archive = tmp_path / "waits.tar"
    box.world.docker("save", "--output", str(archive), BOOTKIT)  # it has Python and the library
    for name in (WAITS_IMAGE, f"{OLDER}/{WAITS_IMAGE}"):
        box.world.registry.push(archive, name)
    fields = waits("pathlib.Path('/worker/late').touch()")
    assert _end(box, "waits", "", WAITS_IMAGE, **fields).state == "SUCCESS"
    late = box.folder / "worker" / "late"
    assert not late.exists()
    wait_for("what was left behind", late.exists, seconds=LOGGED_SECONDS)


def test_a_registry_without_a_password(
    generation: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, store = tmp_path_factory.mktemp("open"), generation.registry
    with registry(
        folder / "registry",
        generation.network,
        generation.ca,
        store.credentials,
        port=OPEN_PORT,
        images=store.folder / IMAGES,
        password=False,
    ) as serves_all:
        words = _parameters(generation, serves_all.host)
        if not _has_v0_6(generation):
            words |= {"registry_username": "", "registry_password": ""}
        with machines.machine(generation, folder, OPEN, **words):
            generation.prove(OPEN, "open", serves_all.host)


def test_the_output_of_an_action_is_sent_by_syslog(
    generation: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = _parameters(generation, generation.registry.host)
    words["syslog_host"] = generation.network.address
    folder = tmp_path_factory.mktemp("logging")
    network = generation.network
    server = syslog(network, network.address, SYSLOG_SECONDS)
    with server as port, machines.machine(generation, folder, LOGGING, **words) as box:
        assert _end(box, "logs", f"echo {OUTPUT}").state == "SUCCESS"
        assert b" container/" in _packet_with_output(port)


def _packet_with_output(port: socket.socket) -> bytes:
    while OUTPUT.encode() not in (packet := port.recv(65536)):
        pass
    return packet


def test_tink_agent_is_taken_where_the_registry_has_no_tink_worker(
    start_machine: StartMachine,
) -> None:
    with start_machine(tink_worker_image="") as machine:
        machine.wait_for_worker()
        assert machine.engine.inspect(WORKER)["Config"]["Image"].endswith(f"/{AGENT_IMAGE}")
        machine.world.prove(machine.identity, "no-name")


def test_after_a_worker_was_killed_another_one_goes_on(box: Machine) -> None:
    first = box.wait_for_worker()
    box.engine.kill(WORKER)
    box.wait_for_worker(other_than=first)
    assert _end(box, "after-death", "true").state == "SUCCESS"


def test_an_action_of_tink_agent_is_in_the_machines_network_if_it_asks_for_it(
    start_machine: StartMachine,
) -> None:
    look = "grep -q br0: /proc/net/dev"
    with start_machine() as machine:
        machine.wait_for_worker()
        assert _end(machine, "apart", look).state == "FAILED"
        assert _end(machine, "joined", look, namespaces={"network": "host"}).state == "SUCCESS"
