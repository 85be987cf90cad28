"""EC2-style metadata of hegel v0.14.2 (2024) gives a machine its id."""

from pathlib import Path

from sandbox.hegel import HEGEL_PORT, hegel_v014
from sandbox.objects import MachineIdentity
from tests.engine import machine as machines
from tests.engine.world import World

HEGEL = MachineIdentity("hegel", "52:54:00:00:03:11", "172.30.0.211", "172.30.0.1")


def test_a_machine_gets_its_id_from_hegel(world: World, tmp_path: Path) -> None:
    url = f"http://{world.network.address}:{HEGEL_PORT}/2009-04-04"
    with (
        hegel_v014(tmp_path, world.network, world.network.address, HEGEL.mac, "known-by-hegel"),
        machines.machine(
            world, tmp_path / "machine", HEGEL, worker_id="", metadata_url=url
        ) as machine,
    ):
        found = machine.wait_for_event(machine.bootkit, "machine.found")
        assert (found["id"], found["hostname"]) == (HEGEL.mac, "known-by-hegel")
        world.prove(HEGEL, "hegel")
