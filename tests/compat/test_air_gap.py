"""A machine whose initramfs brings its images along, where no registry is."""

import hashlib
from pathlib import Path

from sandbox.accelerator import Accelerator
from sandbox.objects import MachineIdentity
from sandbox.world import ACTIONS_IMAGE, WORKER_IMAGE, World
from tests.boot.machines import booted, measure
from tests.compat.builds import built, copied
from tests.compat.cds import WORKFLOW_SECONDS
from tests.engine.matrix.packets import refused

IDENTITY = MachineIdentity("air-gap", "52:54:00:00:01:0e", "172.30.0.114", "172.30.0.1")


def test_workflow_succeeds_without_a_registry(
    here: World, accelerator: Accelerator, tmp_path: Path
) -> None:
    worker = f"{here.registry.host}/{WORKER_IMAGE.split(':')[0]}@{_digest(here, tmp_path)}"
    archives = here.registry.folder.parent / "images"
    images = {worker: "agent.tar", f"{here.registry.host}/{ACTIONS_IMAGE}": "actions.tar"}
    embedded = (f"{name}=docker-archive:{archives / tar}" for name, tar in images.items())
    there = built(copied(tmp_path / "tinkie"), here, f"EMBED={','.join(embedded)}")
    words = f"tink_worker_image={worker}"
    with (
        refused(here.network.name, "registry", "tcp dport 443 reject with tcp reset"),
        booted(there, accelerator, tmp_path, IDENTITY, words=words) as box,
    ):
        assert measure(there, box, "air-gap", WORKFLOW_SECONDS).state == "SUCCESS"
        said = box.console.log.read_text(errors="replace")
    assert "tink-docker: embedded.loaded" in said
    assert "bootkit: image.present" in said
    assert "image.pulling" not in said


def _digest(here: World, folder: Path) -> str:
    """Return what the registry calls the worker's image."""
    here.registry.fetch(WORKER_IMAGE, folder / "image")
    manifest = (folder / "image" / "manifest.json").read_bytes()
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
