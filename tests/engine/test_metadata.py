"""The metadata services of 2021 to 2024, and what else a boot server of 2021 says.

hegel v0.14.2 is the real one. Of 2021 none can be built any more: a server gives the answers that
its source says, and tink-server v0.12.2 stands for that of 2021.
"""

import json
from pathlib import Path

import pytest

from sandbox.hegel import HEGEL_PORT, hegel
from sandbox.objects import MachineIdentity
from tests.engine import machine as machines
from tests.engine.machine import WORKER, Machine
from tests.engine.matrix.answers import Answer, answering
from tests.engine.world import OLDER, World

HEGEL = MachineIdentity("hegel", "52:54:00:00:03:11", "172.30.0.211", "172.30.0.1")
ID = "0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94"
WHOLE = {
    "id": ID,
    "metadata": {"facility": {"facility_code": "onprem"}, "instance": {}, "state": "provisioning"},
    "network": {"interfaces": [{"dhcp": {"arch": "x86_64"}, "netboot": {"allow_pxe": True}}]},
}
SHAPES = {
    "whole record": (json.dumps(WHOLE).encode(), ID),
    "instance": (json.dumps({"id": ID, "hostname": "m1"}).encode(), ID),
    "empty": (b"", None),
}


def test_hegel_tells_a_machine_who_it_is(world: World, tmp_path: Path) -> None:
    url = f"http://{world.network.address}:{HEGEL_PORT}/2009-04-04"
    with (
        hegel(tmp_path, world.network, world.network.address, HEGEL.mac, "known-by-hegel"),
        machines.machine(
            world, tmp_path / "machine", HEGEL, worker_id="", metadata_url=url
        ) as machine,
    ):
        found = machine.wait_for_event(machine.bootkit, "machine.found")
        assert (found["id"], found["hostname"]) == (HEGEL.mac, "known-by-hegel")
        world.prove(HEGEL, "hegel")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_boot_server_of_2021(older: World, tmp_path: Path, shape: str) -> None:
    record, expected = SHAPES[shape]
    number = 12 + list(SHAPES).index(shape)
    mac, address = f"52:54:00:00:03:{number}", f"172.30.0.{200 + number}"
    identity = MachineIdentity(f"of-2021-{number}", mac, address, older.network.address)
    with (
        answering(older.network, HEGEL_PORT, Answer(200, body=record)),
        machines.machine(older, tmp_path / "machine", identity, **_words(older)) as machine,
    ):
        machine.wait_for_worker()
        assert machine.events(machine.tink_docker, "ca.installed")
        _check_worker(machine, expected)
        older.prove(identity, shape.replace(" ", "-"))


def _words(older: World) -> dict[str, str]:
    """Return what boots v0.6 says; only TLS is off, as tink-server v0.12.2 has none."""
    return {
        "tinkerbell": f"http://{older.network.address}",
        "packet_base_url": older.files.url,
        "docker_registry": f"{older.registry.host}/{OLDER}",
        "grpc_cert_url": f"http://{older.network.address}:42114/cert",
        "instance_id": "",
        "facility": "onprem",
        **dict.fromkeys(("tink_worker_image", "registry_ca_url", "metadata_url"), ""),
    }


def _check_worker(machine: Machine, expected: str | None) -> None:
    about = machine.engine.inspect(WORKER)["Config"]
    given = dict(word.split("=", 1) for word in about["Env"])
    words = _words(machine.world)
    credentials = machine.world.registry.credentials
    assert about["Image"] == f"{words['docker_registry']}/tink-worker:latest"
    assert given["ID"] == given["WORKER_ID"] == machine.identity.mac
    assert given["TINKERBELL_CERT_URL"] == words["grpc_cert_url"]
    assert given["DOCKER_REGISTRY"] == words["docker_registry"]
    assert given["REGISTRY_USERNAME"] == credentials.username
    assert given["REGISTRY_PASSWORD"] == credentials.password
    assert given.get("container_uuid") == expected
