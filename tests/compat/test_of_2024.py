"""A machine of 2024: started by smee v0.15.2, with tink-server and tink-worker v0.12.2."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from release import gotools, iso
from sandbox.accelerator import Accelerator
from sandbox.certificates import CA
from sandbox.disk import empty_disk
from sandbox.files import Files, files
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.images import actions_archive, worker_archive
from sandbox.machine import machine
from sandbox.network import namespace
from sandbox.objects import MachineIdentity
from sandbox.registry import Credentials, Registry, registry
from sandbox.smee import Smee, smee
from sandbox.tinkerbell import Settings, tinkerbell
from sandbox.waiting import wait_for
from sandbox.world import CD, World, worker_words
from tests.boot.conftest import MEMORY_MIB
from tests.compat.cds import REBOOT_SECONDS, WORKFLOW_SECONDS

IDENTITY = MachineIdentity("of-2024", "52:54:00:00:01:16", "172.30.0.122", "172.30.0.1")
CD_ONLY = MachineIdentity("cd-2024", "52:54:00:00:01:17", "172.30.0.123", "172.30.0.1")
WORKER_IMAGE = "tink-worker:v0.12.2"
TEMPLATE = Path(__file__).parent / "tink-worker.yml"


@dataclass(frozen=True)
class Of2024:
    """A sandbox with the servers of 2024; its Tinkerbell is there for the API server's sake."""

    world: World
    smee: Smee


@pytest.fixture(scope="module")
def there(here: World, cd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Of2024]:
    folder, parts = tmp_path_factory.mktemp("of-2024"), here.ingredients
    with ExitStack() as stack:
        network = stack.enter_context(namespace(f"of-2024-{os.getpid()}"))
        ca = CA(folder / "certificates")
        # That smee writes a "+" as HTML does, so no machine of then had such a password.
        credentials = Credentials("tinkie", secrets.token_hex())
        store = stack.enter_context(registry(folder / "registry", network, ca, credentials))
        served = stack.enter_context(files(folder / "files", network))
        _publish(folder, store, served, (parts.kernel, parts.initramfs, cd))
        servers = tinkerbell(
            folder / "tinkerbell", network, ca, parts.tinkerbell, Settings(older=True)
        )
        world = World(parts, network, store, served, stack.enter_context(servers), {})
        kubeconfig = folder / "tinkerbell" / "kubeconfig"
        words = worker_words(store, served, WORKER_IMAGE)
        settings = Settings(served.url, words, iso=f"{served.url}/{CD}")
        boots = smee(folder, network, kubeconfig, settings)
        yield Of2024(world, stack.enter_context(boots))


def _publish(folder: Path, store: Registry, served: Files, boots: Iterable[Path]) -> None:
    worker = gotools.build("tink-worker")
    archive = worker_archive(folder / "worker.tar", worker, "usr/bin/tink-worker")
    store.push(archive, WORKER_IMAGE)
    store.push(actions_archive(folder / "actions.tar"), "actions:latest")
    served.publish(store.ca, "ca.pem")
    for file in boots:
        served.publish(file)


def test_it_netboots_and_its_workflow_succeeds(
    there: Of2024, accelerator: Accelerator, tmp_path: Path
) -> None:
    world, disk = there.world, empty_disk(tmp_path / "disk.img", 64)
    world.enroll(IDENTITY)
    values = {"look": "test -d /workflow"}
    run = world.start_workflow("of-2024", TEMPLATE.read_text(), IDENTITY, **values)
    hardware = Hardware(IDENTITY, disk, "network", accelerator, MEMORY_MIB, stop_at_reboot=True)
    with machine(tmp_path, world.network, hardware, "tap0") as box:
        Follower(world, box, run, print, (there.smee.program,)).wait_for_success(WORKFLOW_SECONDS)
        wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
        said = box.console.log.read_text(errors="replace")
    assert disk.read_bytes().startswith(b"written-by-tink-worker\n")
    assert "bootkit: server.connected" in said
    assert world.registry.credentials.password not in said


def test_its_cd_image_is_patched(there: Of2024) -> None:
    there.world.enroll(CD_ONLY)
    with there.world.network.inside():
        answer = httpx.get(there.smee.iso_url(CD_ONLY.mac), trust_env=False, timeout=60)
    answer.raise_for_status()
    assert iso.PLACEHOLDER.encode() not in answer.content
    assert f"worker_id={CD_ONLY.mac}".encode() in answer.content
    assert f"ipam={CD_ONLY.mac.replace(':', '-')}::{CD_ONLY.address}".encode() in answer.content
