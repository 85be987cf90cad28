"""A machine that smee v0.15.2 started, with tink-server and tink-worker v0.12.2 (2024)."""

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
from tests.boot.machines import MEMORY_MIB
from tests.compat.cd_boot import REBOOT_SECONDS, WORKFLOW_SECONDS

IDENTITY = MachineIdentity("smee-v0-15", "52:54:00:00:01:16", "172.30.0.122", "172.30.0.1")
CD_ONLY = MachineIdentity("cd-v0-15", "52:54:00:00:01:17", "172.30.0.123", "172.30.0.1")
WORKER_IMAGE = "tink-worker:v0.12.2"
TEMPLATE = Path(__file__).parent / "tink-worker.yml"


@dataclass(frozen=True)
class Smee015:
    """A sandbox with those servers; its Tinkerbell is there only for the API server."""

    world: World
    smee: Smee


@pytest.fixture(scope="module")
def there(sandbox: World, cd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smee015]:
    folder, parts = tmp_path_factory.mktemp("smee-v0-15"), sandbox.ingredients
    with ExitStack() as stack:
        network = stack.enter_context(namespace(f"smee-v0-15-{os.getpid()}"))
        ca = CA(folder / "certificates")
        # smee v0.15 escapes a "+" as HTML does, so no machine had such a password.
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
        yield Smee015(world, stack.enter_context(boots))


def _publish(folder: Path, store: Registry, served: Files, boots: Iterable[Path]) -> None:
    worker = gotools.build("tink-worker")
    archive = worker_archive(folder / "worker.tar", worker, "usr/bin/tink-worker")
    store.push(archive, WORKER_IMAGE)
    store.push(actions_archive(folder / "actions.tar"), "actions:latest")
    served.publish(store.ca, "ca.pem")
    for file in boots:
        served.publish(file)


def test_it_netboots_and_its_workflow_succeeds(
    there: Smee015, accelerator: Accelerator, tmp_path: Path
) -> None:
    world, disk = there.world, empty_disk(tmp_path / "disk.img", 64)
    world.enroll(IDENTITY)
    values = {"look": "test -d /workflow"}
    run = world.start_workflow("smee-v0-15", TEMPLATE.read_text(), IDENTITY, **values)
    hardware = Hardware(IDENTITY, disk, "network", accelerator, MEMORY_MIB, stop_at_reboot=True)
    with machine(tmp_path, world.network, hardware, "tap0") as box:
        Follower(world, box, run, print, (there.smee.program,)).wait_for_success(WORKFLOW_SECONDS)
        wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
        console = box.console.log.read_text(errors="replace")
    assert disk.read_bytes().startswith(b"written-by-tink-worker\n")
    assert "bootkit: server.connected" in console
    assert world.registry.credentials.password not in console


def test_its_cd_image_is_patched(there: Smee015) -> None:
    there.world.enroll(CD_ONLY)
    with there.world.network.inside():
        answer = httpx.get(there.smee.iso_url(CD_ONLY.mac), trust_env=False, timeout=60)
    answer.raise_for_status()
    assert iso.PLACEHOLDER.encode() not in answer.content
    assert f"worker_id={CD_ONLY.mac}".encode() in answer.content
    assert f"ipam={CD_ONLY.mac.replace(':', '-')}::{CD_ONLY.address}".encode() in answer.content
