"""Whatever is killed, the machine comes back to one worker that asks its server."""

from sandbox.waiting import wait_for
from tests.engine.machine import READY_SECONDS, WORKER, Machine


def test_the_server_sees_the_worker(machine: Machine) -> None:
    _assert_works(machine, "sees")


def test_a_killed_worker_is_started_again(machine: Machine) -> None:
    first = machine.wait_for_worker()
    machine.engine.kill(WORKER)
    machine.wait_for_worker(other_than=first)
    _assert_works(machine, "worker-killed")


def test_the_worker_outlives_dockerd(machine: Machine) -> None:
    first, before = machine.wait_for_worker(), _started(machine, WORKER)
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)
    assert machine.wait_for_worker() == first
    assert _started(machine, WORKER) == before
    _assert_works(machine, "dockerd-killed")


def test_the_worker_outlives_bootkit(machine: Machine) -> None:
    first, before = machine.wait_for_worker(), _started(machine, WORKER)
    _restart_bootkit(machine)
    machine.wait_for_event(machine.bootkit, "worker.adopted")
    assert machine.wait_for_worker() == first
    assert _started(machine, WORKER) == before
    _assert_works(machine, "bootkit-killed")


def test_all_three_killed_at_once(machine: Machine) -> None:
    first = machine.wait_for_worker()
    machine.engine.kill(WORKER)
    machine.kill_dockerd()
    _restart_bootkit(machine)
    machine.wait_for_worker(other_than=first)
    _assert_works(machine, "all-killed")


def test_an_action_outlives_dockerd_and_bootkit(machine: Machine) -> None:
    machine.world.start_workflow(machine.identity, "under-way", "sleep 45")
    (action,) = wait_for("the action", lambda: _actions(machine), seconds=READY_SECONDS)
    before = _started(machine, action)
    _restart_bootkit(machine)
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)
    import time; time.sleep(5)
    print(machine.engine("ps","-a")); print(machine.engine("logs", WORKER))
    print(machine.engine("logs", action))
    print(machine.world.docker.logs(machine.bootkit)[-3000:])
    assert _started(machine, action) == before


def test_the_wish_to_reboot_is_granted_once_the_action_is_over(machine: Machine) -> None:
    command = "touch /worker/reboot; sleep 3"
    given = machine.world.start_workflow(machine.identity, "reboot", command, "/worker:/worker")
    # PID 1 of this machine is tink-docker, which takes the signal for the end of its work.
    assert machine.world.docker("wait", machine.tink_docker) == "0"
    assert given.status().state == "SUCCESS"
    assert machine.events(machine.tink_docker, "reboot.started")


def _restart_bootkit(machine: Machine) -> None:
    """Kill it, and start it again as containerd does."""
    machine.world.docker.kill(machine.bootkit)
    machine.world.docker("start", machine.bootkit)


def _started(machine: Machine, container: str) -> str:
    return str(machine.engine.inspect(container)["State"]["StartedAt"])


def _actions(machine: Machine) -> list[str] | None:
    running = machine.engine("ps", "--format", "{{.Names}}").splitlines()
    return [name for name in running if name != WORKER] or None


def _assert_works(machine: Machine, workflow: str) -> None:
    machine.world.prove(machine.identity, workflow)
    assert machine.worker()
