"""The command line of 2021 with tink-server and tink-worker v0.6.0, and hegel v0.7.0.

hegel v0.7.0 is the oldest one that can be built; its `/metadata` is the same as in 2021.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.hegel import INSTANCE, WHOLE, hegel_v07
from sandbox.objects import MachineIdentity
from sandbox.tink_server_v06 import TinkServerV06, worker_id
from tests.engine import machine as machines
from tests.engine.machine import WORKER, Machine
from tests.engine.servers import OLDEST_IMAGE
from tests.engine.world import World

# The address is the one that hegel sees: all machines here share the network's.
KNOWN = MachineIdentity("known", "52:54:00:00:03:12", "172.30.0.1", "172.30.0.1")
LEFT = MachineIdentity("left", "52:54:00:00:03:13", "172.30.0.213", "172.30.0.1")
ID = "0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94"
NAMED = {"id": ID, "hostname": "m1"}
# What hegel shows, its record of the instance, and what the machine reads: id, host name.
SHAPES = {
    "whole record": (WHOLE, NAMED, (worker_id(KNOWN), "m1")),
    "instance": (INSTANCE, NAMED, (ID, "m1")),
    "empty": (INSTANCE, {}, (None, None)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_metadata_and_the_workers_environment(oldest: World, tmp_path: Path, shape: str) -> None:
    shown, instance, (machine_id, hostname) = SHAPES[shape]
    assert isinstance(oldest.servers, TinkServerV06)
    servers = replace(oldest.servers, instance=instance)
    world = replace(oldest, servers=servers)
    with (
        hegel_v07(tmp_path, servers, oldest.ca, shown),
        machines.machine(world, tmp_path / "machine", KNOWN) as machine,
    ):
        machine.wait_for_worker()
        found = machine.events(machine.bootkit, "machine.found")
        assert [(one.get("id"), one.get("hostname")) for one in found] == [(machine_id, hostname)]
        assert machine.events(machine.tink_docker, "ca.installed")
        _check_worker(machine, machine_id)
        world.prove(KNOWN, shape.replace(" ", "-"))


def _check_worker(machine: Machine, machine_id: str | None) -> None:
    about = machine.engine.inspect(WORKER)["Config"]
    environment = dict(word.split("=", 1) for word in about["Env"])
    store, servers = machine.world.registry, machine.world.servers
    assert isinstance(servers, TinkServerV06)
    assert about["Image"] == f"{store.host}/{OLDEST_IMAGE}"
    assert environment["ID"] == environment["WORKER_ID"] == worker_id(machine.identity)
    assert environment["TINKERBELL_CERT_URL"] == servers.certificate_url
    assert environment["DOCKER_REGISTRY"] == store.host
    assert environment["REGISTRY_USERNAME"] == store.credentials.username
    assert environment["REGISTRY_PASSWORD"] == store.credentials.password
    assert environment.get("container_uuid") == machine_id
    assert environment["TIMEOUT"] == "0"


def test_a_worker_that_ends_when_its_server_is_away_is_started_until_it_is_back(
    oldest: World, tmp_path: Path
) -> None:
    assert isinstance(oldest.servers, TinkServerV06)
    server = oldest.servers.program
    with machines.machine(oldest, tmp_path / "machine", LEFT) as machine:
        machine.wait_for_worker()
        server.stop()
        try:
            ended = machine.wait_for_event(machine.bootkit, "worker.ended", count=2)
        finally:
            server.start()
            oldest.servers.wait_until_it_serves()
        assert "connection refused" in ended.get("last_line", "")
        oldest.prove(LEFT, "server-is-back")
