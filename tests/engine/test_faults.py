"""Whatever is killed, the machine comes back to one worker that asks its server."""

from tests.engine.machine import WORKER, Machine


def test_the_server_sees_the_worker(machine: Machine) -> None:
    _assert_works(machine, "sees")


def test_a_killed_worker_is_started_again(machine: Machine) -> None:
    first = machine.wait_for_worker()
    machine.engine.kill(WORKER)
    machine.wait_for_worker(other_than=first)
    _assert_works(machine, "worker-killed")


def test_the_worker_outlives_dockerd(machine: Machine) -> None:
    first, before = machine.wait_for_worker(), _started(machine)
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)
    assert machine.wait_for_worker() == first
    assert _started(machine) == before
    _assert_works(machine, "dockerd-killed")


def test_the_worker_outlives_bootkit(machine: Machine) -> None:
    first, before = machine.wait_for_worker(), _started(machine)
    machine.world.docker.kill(machine.bootkit)
    machine.world.docker("start", machine.bootkit)
    machine.wait_for_event(machine.bootkit, "worker.adopted")
    assert machine.wait_for_worker() == first
    assert _started(machine) == before
    _assert_works(machine, "bootkit-killed")


def _started(machine: Machine) -> str:
    return str(machine.engine.inspect(WORKER)["State"]["StartedAt"])


def _assert_works(machine: Machine, workflow: str) -> None:
    status = machine.world.prove(machine.identity, workflow)
    assert status.state == "SUCCESS", status
    assert machine.worker()
