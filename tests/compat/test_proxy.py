"""A machine whose registry is reached by a proxy only, which wants a password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.accelerator import Accelerator
from sandbox.certificates import CA
from sandbox.network import SUBNET, is_listening
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running
from sandbox.registry import IMAGES, registry
from sandbox.waiting import wait_for
from sandbox.world import WORKER_IMAGE, World, new_password
from tests.boot.machines import booted, measure
from tests.compat.cds import WORKFLOW_SECONDS
from tests.engine.matrix.packets import refused

BEHIND = f"{SUBNET}.77"
PORT = 3128
USER = "somebody"
READY_SECONDS = 30.0
CLOSED_SECONDS = 200.0  # a client keeps one for a while that it has no need of


@pytest.mark.parametrize("parameter", ["HTTPS_PROXY", "https_proxy"])
def test_engine_pulls_by_the_proxy_and_tinkerbell_is_reached_without(
    here: World, accelerator: Accelerator, tmp_path: Path, parameter: str
) -> None:
    number = 15 + parameter.islower()
    mac, address = f"52:54:00:00:01:{number:02x}", f"{SUBNET}.{100 + number}"
    identity = MachineIdentity(f"proxy{number}", mac, address, f"{SUBNET}.1")
    password = new_password()
    proxy = f"http://{USER}:{quote(password, safe='')}@{here.network.address}:{PORT}"
    words = (
        f"{parameter}={proxy} docker_registry={BEHIND} tink_worker_image={BEHIND}/{WORKER_IMAGE}"
        f" registry_ca_url={here.files.url}/behind.pem"
    )
    with (
        _registry_behind(here, tmp_path),
        refused(here.network.name, "behind", f"ip saddr {address} ip daddr {BEHIND} drop"),
        _proxy(here, tmp_path, password) as program,
        booted(here, accelerator, tmp_path, identity, words=words) as box,
    ):
        status = measure(here, box, identity.name, WORKFLOW_SECONDS, registry=BEHIND)
        assert status.state == "SUCCESS"
        asked = wait_for("a closed connection", lambda: _asked(program), seconds=CLOSED_SECONDS)
    assert asked == {f"{BEHIND}:443"}


def _asked(program: Program) -> set[str]:
    """Return what the proxy was asked to connect with; it tells when the connection ends."""
    return set(re.findall(r" CONNECT (\S+) ", program.log.read_text()))


@contextmanager
def _registry_behind(here: World, folder: Path) -> Iterator[None]:
    """Serve the sandbox's images at an address that the machine itself does not reach."""
    here.network.add_address(BEHIND)
    ca = CA(folder / "certificates")
    store, network = here.registry, replace(here.network, address=BEHIND)
    with registry(
        folder / "behind", network, ca, store.credentials, images=store.folder / IMAGES
    ) as found:
        here.files.publish(found.ca, "behind.pem")
        yield


@contextmanager
def _proxy(here: World, folder: Path, password: str) -> Iterator[Program]:
    command = [".venv/bin/proxy", "--hostname", here.network.address, "--port", str(PORT)]
    command += ["--basic-auth", f"{USER}:{password}", "--num-workers", "1", "--threaded"]
    command += ["--data-dir", str(folder / "proxy")]
    log = folder / "proxy.log"
    with running("proxy", command, log=log, network=here.network) as program:
        wait_for("the proxy", lambda: is_listening(here.network, PORT), seconds=READY_SECONDS)
        yield program
