"""Debian's engine in place of ours: one image of linuxkit.yml is another (docs/adr/0019)."""

from pathlib import Path

from release import images
from sandbox.objects import MachineIdentity
from tests.engine.machine import machine
from tests.engine.world import World

IMAGE = "tink-docker-debian"


def test_a_workflow_succeeds(world: World, tmp_path: Path) -> None:
    with images.locked_names():
        images.build([IMAGE])
    identity = MachineIdentity("debian", "52:54:00:00:03:01", "172.30.0.250", world.network.address)
    with machine(world, tmp_path / "machine", identity, engine_image=IMAGE) as box:
        ready = box.wait_for_event(box.tink_docker, "engine.ready")
        assert "dfsg" in ready["version"]  # of Debian's package
        box.wait_for_worker()
        world.prove(identity, "debian")
