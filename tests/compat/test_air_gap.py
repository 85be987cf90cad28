"""A machine without a registry: its initramfs contains the images."""

import hashlib

from sandbox.objects import MachineIdentity
from sandbox.world import ACTIONS_IMAGE, WORKER_IMAGE
from tests.boot.machines import Lab, booted, measure
from tests.compat.builds import built, copied
from tests.compat.cd_boot import WORKFLOW_SECONDS
from tests.matrix.packets import nft_in, refused

NO_REGISTRY = "tcp dport 443 reject with tcp reset"
IDENTITY = MachineIdentity("air-gap", "52:54:00:00:01:0e", "172.30.0.114", "172.30.0.1")


def test_workflow_succeeds_without_a_registry(lab: Lab) -> None:
    registry = lab.sandbox.registry
    worker = f"{registry.host}/{WORKER_IMAGE.split(':')[0]}@{_digest(lab)}"
    archives = registry.folder.parent / "images"
    images = {worker: "agent.tar", f"{registry.host}/{ACTIONS_IMAGE}": "actions.tar"}
    embedded = (f"{name}=docker-archive:{archives / tar}" for name, tar in images.items())
    there = built(copied(lab.folder / "tinkie"), lab, f"EMBED={','.join(embedded)}")
    words = f"tink_worker_image={worker}"
    with (
        refused(nft_in(lab.sandbox.network.name), "registry", NO_REGISTRY),
        booted(there, IDENTITY, words=words) as box,
    ):
        assert measure(there.sandbox, box, "air-gap", WORKFLOW_SECONDS).state == "SUCCESS"
        console = box.console.log.read_text(errors="replace")
    assert "tink-docker: embedded.loaded" in console
    assert "bootkit: image.present" in console
    assert "image.pulling" not in console


def _digest(lab: Lab) -> str:
    """Return the digest of the worker's image in the registry."""
    lab.sandbox.registry.fetch(WORKER_IMAGE, lab.folder / "image")
    manifest = (lab.folder / "image" / "manifest.json").read_bytes()
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
