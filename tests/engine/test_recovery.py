"""Whatever is killed, the machine returns to one worker that is connected to its server."""

import os
import signal
import time

import httpx

from sandbox.waiting import wait_for
from tests.engine.machine import WORKER, Machine
from tests.engine.world import ACTIONS_IMAGE, WORKFLOW_SECONDS

REQUESTS_END = 5.0  # of programs/dockerd/main.go, for those that do not end by themselves

# dockerd finds it before the real one. It refuses the bridge's rules, and dockerd's second try with
# all rules of the table.
REFUSING = """#!/usr/bin/python3
import pathlib, subprocess, sys
rules, seen = sys.stdin.buffer.read(), pathlib.Path("/refused")
if b"docker0" in rules and (not seen.exists() or seen.stat().st_size < 2):
    sys.exit(seen.open("a").write("."))
sys.exit(subprocess.run(["/usr/sbin/nft", *sys.argv[1:]], input=rules).returncode)
"""


def test_a_workflow_succeeds(machine: Machine) -> None:
    _assert_works(machine, "sees")


def test_a_killed_worker_is_started_again(machine: Machine) -> None:
    first = machine.wait_for_worker()
    machine.engine.kill(WORKER)
    machine.wait_for_worker(other_than=first)
    _assert_works(machine, "worker-killed")


def test_all_containers_outlive_dockerd(machine: Machine) -> None:
    _assert_works(machine, "dockerd-lives")
    image = f"{machine.world.registry.host}/{ACTIONS_IMAGE}"
    # As waitdaemon does: an action's own container, which no worker watches.
    machine.engine("run", "--detach", "--name", "daemon", image, "sleep", "300")
    before = [_identity(machine, name) for name in (WORKER, "daemon")]
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)
    assert [_identity(machine, name) for name in (WORKER, "daemon")] == before
    machine.engine.remove("daemon")
    _assert_works(machine, "dockerd-killed")


def test_what_ends_without_dockerd_is_started_again_by_its_restart_policy(
    machine: Machine,
) -> None:
    _assert_works(machine, "dockerd-stops")
    image = f"{machine.world.registry.host}/{ACTIONS_IMAGE}"
    options = ["--restart", "always", "--name", "daemon"]
    machine.engine("run", "--detach", *options, image, "sleep", "300")
    (dockerd,) = machine.world.docker.processes(machine.tink_docker, "dockerd")
    before = machine.engine.inspect("daemon")["State"]["StartedAt"]
    end = ["kill", "-9", str(machine.engine.pid("daemon"))]  # of tink-docker's PID namespace
    os.kill(dockerd, signal.SIGSTOP)  # it sees no end
    machine.world.docker("exec", machine.tink_docker, "sh", "-c", " ".join(end))
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)

    def runs_again() -> bool:
        state = machine.engine.inspect("daemon")["State"]
        return bool(state["Running"]) and state["StartedAt"] != before

    wait_for("the container", runs_again, seconds=30)
    machine.engine.remove("daemon")


def test_a_broken_network_database_is_reset(machine: Machine) -> None:
    """A dockerd that is killed while it starts, before any container runs, leaves such a one."""
    machine.wait_for_worker()
    machine.world.docker.kill(machine.bootkit)
    machine.engine.remove(WORKER)
    path = "Path('/var/lib/docker/network/files/local-kv.db')"
    program = f"from pathlib import Path; {path}.unlink(); {path}.write_text('no database')"
    machine.world.docker("exec", machine.tink_docker, "python3", "-c", program)
    machine.kill_dockerd()
    machine.wait_for_event(machine.tink_docker, "networks.reset")
    machine.world.docker("start", machine.bootkit)
    _assert_works(machine, "networks-anew")
    image = f"{machine.world.registry.host}/{ACTIONS_IMAGE}"
    machine.engine("run", "--rm", "--network", "bridge", image, "true")


def test_an_engine_without_its_bridge_is_started_again(machine: Machine) -> None:
    """nft refuses the bridge's rules twice, while the worker runs."""
    worker = machine.wait_for_worker()
    path = "Path('/usr/local/sbin/nft')"
    program = f"from pathlib import Path; {path}.write_text({REFUSING!r}); {path}.chmod(0o755)"
    machine.world.docker("exec", machine.tink_docker, "python3", "-c", program)
    machine.kill_dockerd()
    failed = machine.wait_for_event(machine.tink_docker, "networks.incomplete")
    assert "dockerd runs without its bridge network" in failed["error"]
    machine.wait_for_worker(other_than=worker)
    _assert_works(machine, "bridge-is-back")


def test_who_waits_for_events_delays_no_end_of_an_engine(machine: Machine) -> None:
    machine.world.docker.kill(machine.bootkit)
    machine.engine.remove(WORKER)
    (pid,) = machine.world.docker.processes(machine.tink_docker, "dockerd")
    transport = httpx.HTTPTransport(uds=str(machine.folder / "docker" / "docker.sock"))
    with (
        httpx.Client(base_url="http://engine", transport=transport) as client,
        client.stream("GET", "/events", timeout=60) as events,
    ):
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        for _ in events.iter_raw():
            pass
        seconds = time.monotonic() - began
    assert seconds < REQUESTS_END
    machine.wait_for_event(machine.tink_docker, "engine.ready", count=2)


def test_the_worker_and_its_action_outlive_bootkit(machine: Machine) -> None:
    given = machine.start_lasting_action("bootkit-killed")
    (action,) = set(machine.running()) - {WORKER}
    before = [_identity(machine, name) for name in (WORKER, action)]
    _restart_bootkit(machine)
    machine.wait_for_event(machine.bootkit, "worker.adopted")
    assert [_identity(machine, name) for name in (WORKER, action)] == before
    machine.end_lasting_action("bootkit-killed")
    assert given.end(WORKFLOW_SECONDS).state == "SUCCESS"
    assert _identity(machine, WORKER) == before[0]


def test_all_three_killed_at_once(machine: Machine) -> None:
    first = machine.wait_for_worker()
    machine.engine.kill(WORKER)
    machine.kill_dockerd()
    _restart_bootkit(machine)
    machine.wait_for_worker(other_than=first)
    _assert_works(machine, "all-killed")


def test_a_requested_reboot_waits_for_the_end_of_the_action(machine: Machine) -> None:
    command = "touch /worker/reboot; sleep 3"
    given = machine.world.start_workflow(machine.identity, "reboot", command, "/worker:/worker")
    # PID 1 of this machine is tink-docker, which ends at the signal.
    assert machine.world.docker("wait", machine.tink_docker) == "0"
    assert given.status().state == "SUCCESS"
    assert machine.events(machine.tink_docker, "reboot.started")


def _restart_bootkit(machine: Machine) -> None:
    """Kill it, and start it again as containerd does."""
    machine.world.docker.kill(machine.bootkit)
    machine.world.docker("start", machine.bootkit)


def _identity(machine: Machine, container: str) -> tuple[str, str]:
    """Return a container's id and start time, which differ once it was started again."""
    about = machine.engine.inspect(container)
    return about["Id"], about["State"]["StartedAt"]


def _assert_works(machine: Machine, workflow: str) -> None:
    machine.world.prove(machine.identity, workflow)
    assert machine.worker()
