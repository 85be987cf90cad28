"""Images that do not fit: reported with sizes and removed, until an image that fits is pushed."""

import os
import re
import time
from pathlib import Path

import pytest

from release import gotools
from sandbox.images import ImageFile, write_archive
from sandbox.waiting import wait_for
from tests.engine.conftest import StartMachine
from tests.engine.machine import READY_SECONDS, WORKER, Machine
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import ACTIONS_IMAGE, WORKFLOW_SECONDS, World
from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.space import Space

MIB = 1024 * 1024
LARGE_MIB = 300


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of a good worker that is as large in the registry as on disk."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "ballast").open("wb") as file:
        for _ in range(LARGE_MIB):
            file.write(os.urandom(MIB))
    return _agent_with(folder / "ballast")


def test_a_worker_that_is_too_large_is_refused_until_a_smaller_one_is_there(
    world: World, start_machine: StartMachine, large: Path
) -> None:
    image = world.registry.push(large, f"refused/{AGENT_IMAGE}")
    with start_machine(disk="256m", tink_worker_image=image) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "out-of-space"
        sizes = re.search(r"has (\S+) MB compressed, and (\S+) MB of 268\.4 MB", failed["error"])
        assert sizes, failed
        assert float(sizes[1]) > LARGE_MIB
        assert 250 < float(sizes[2]) <= 268.4
        _wait_until_all_is_free(machine)
        world.registry.push(world.folder / "agent.tar", f"refused/{AGENT_IMAGE}")
        machine.wait_for_worker()
        world.prove(machine.identity, "fits")


def test_a_worker_that_only_unpacked_is_too_large_is_reported_and_nothing_stays(
    world: World, start_machine: StartMachine, tmp_path: Path
) -> None:
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(LARGE_MIB * MIB)
    image = world.registry.push(_agent_with(tmp_path / "zeros"), f"full/{AGENT_IMAGE}")
    with start_machine(disk="256m", tink_worker_image=image) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "out-of-space"
        assert "no space left on device" in failed["error"]
        sizes = re.search(r"is \S+ MB compressed, \S+ MB of 268\.4 MB were left", failed["error"])
        assert sizes, machine.events(machine.bootkit, "size.unknown")
        _wait_until_all_is_free(machine)


def test_an_action_that_does_not_fit_is_reported_and_the_next_one_runs(
    world: World, start_machine: StartMachine, large: Path
) -> None:
    world.registry.push(large, f"large/{ACTIONS_IMAGE}")
    with start_machine(disk="512m") as machine:
        machine.wait_for_worker()
        before = _free(machine)
        given = world.start_workflow(
            machine.identity, "too-large", registry=f"{world.registry.host}/large"
        )
        short = machine.wait_for_event(machine.tink_docker, "space.low")
        assert short["kind"] == "out-of-space"
        assert "MB of 536.9 MB free" in short["error"]
        assert short["largest"].startswith("images (")
        assert given.end(WORKFLOW_SECONDS).state != "SUCCESS"
        machine.wait_for_event(machine.tink_docker, "space.recovered")
        wait_for("the space", lambda: _free(machine) > before - MIB, seconds=READY_SECONDS)
        world.prove(machine.identity, "after-too-large")


def test_who_fills_another_file_system_is_reported_until_it_ends(
    world: World, machine: Machine
) -> None:
    script = "dd if=/dev/zero of=/x/big bs=1M count=60; while [ -e /x/big ]; do sleep 1; done"
    given = world.start_workflow(machine.identity, "fills-run", script, "/host_root/run:/x")
    low = machine.wait_for_event(machine.tink_docker, "space.low")
    assert low["path"] == "/run"
    assert re.fullmatch(r"only \S+ MB of 67\.1 MB free on /run", low["error"])
    assert low["largest"].startswith("/run/big (")
    (action,) = set(machine.running()) - {WORKER}
    machine.engine("exec", action, "rm", "/x/big")
    assert given.end(WORKFLOW_SECONDS).state == "SUCCESS"
    recovered = machine.wait_for_event(machine.tink_docker, "space.recovered")
    assert recovered["path"] == "/run"


def test_what_a_killed_engine_was_unpacking_is_removed(
    world: World, start_machine: StartMachine, large: Path
) -> None:
    image = world.registry.push(large, f"killed/{AGENT_IMAGE}")
    with start_machine(tink_worker_image=image) as machine:
        _wait_until_it_unpacks(machine)
        machine.kill_dockerd()
        machine.wait_for_event(machine.tink_docker, "layers.removed")
        machine.wait_for_worker()
        wait_for("the space", lambda: _used(machine) < 1.5 * LARGE_MIB * MIB, seconds=READY_SECONDS)


def _agent_with(ballast: Path) -> Path:
    agent = ImageFile("tink-agent", gotools.build("agent"))
    files = [agent, ImageFile("ballast", ballast)]
    return write_archive(ballast.with_suffix(".tar"), files, entrypoint=["/tink-agent"])


def _space(machine: Machine) -> Space:
    space = Space.read(machine.folder / "tinkie" / "tink-docker" / "space.json")
    assert space
    return space


def _free(machine: Machine) -> int:
    return _space(machine).free


def _used(machine: Machine) -> int:
    return _space(machine).size - _space(machine).free


def _wait_until_all_is_free(machine: Machine) -> None:
    wait_for("the space", lambda: _used(machine) < 4 * MIB, seconds=READY_SECONDS)


def _wait_until_it_unpacks(machine: Machine) -> None:
    """Look where dockerd writes: its event may come after a layer is complete."""
    docker = machine.world.docker
    (pid,) = wait_for(
        "dockerd",
        lambda: docker.processes(machine.tink_docker, "dockerd") or None,
        seconds=READY_SECONDS,
    )
    layers = Path(f"/proc/{pid}/root") / DATA_ROOT.relative_to("/") / "overlay2"

    def begun() -> bool:
        return any(layers.glob("*/diff/ballast"))

    wait_for("unpacking", begun, seconds=READY_SECONDS, pause=lambda _: time.sleep(0.01))
