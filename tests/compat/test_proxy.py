"""A machine that reaches its registry only through a proxy with a password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.certificates import CA
from sandbox.network import SUBNET, is_listening
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running
from sandbox.registry import IMAGES, registry
from sandbox.waiting import wait_for
from sandbox.world import WORKER_IMAGE, World, new_password
from tests.boot.machines import Lab, booted, measure
from tests.compat.cd_boot import WORKFLOW_SECONDS
from tests.matrix.packets import nft_in, refused

BEHIND = f"{SUBNET}.77"
PORT = 3128
USER = "CORP\\somebody"
READY_SECONDS = 30.0
CLOSED_SECONDS = 200.0  # a client keeps an idle one for a while


@pytest.mark.parametrize(("parameter", "safe"), [("HTTPS_PROXY", ""), ("https_proxy", "\\%/@")])
def test_the_engine_pulls_through_the_proxy_and_tinkerbell_is_reached_directly(
    lab: Lab, parameter: str, safe: str
) -> None:
    sandbox, folder = lab.sandbox, lab.folder
    number = 15 + parameter.islower()
    mac, address = f"52:54:00:00:01:{number:02x}", f"{SUBNET}.{100 + number}"
    identity = MachineIdentity(f"proxy{number}", mac, address, f"{SUBNET}.1")
    password = f"50%-{new_password()}/@\\"
    user_info = f"{quote(USER, safe)}:{quote(password, safe)}"
    proxy = f"http://{user_info}@{sandbox.network.address}:{PORT}"
    words = (
        f"{parameter}={proxy} docker_registry={BEHIND} tink_worker_image={BEHIND}/{WORKER_IMAGE}"
        f" registry_ca_url={sandbox.files.url}/behind.pem"
    )
    with (
        _registry_behind(sandbox, folder),
        refused(
            nft_in(sandbox.network.name), "behind", f"ip saddr {address} ip daddr {BEHIND} drop"
        ),
        _proxy(sandbox, folder, password) as program,
        booted(lab, identity, words=words) as box,
    ):
        status = measure(lab.sandbox, box, identity.name, WORKFLOW_SECONDS, registry=BEHIND)
        assert status.state == "SUCCESS"
        endpoints = wait_for(
            "a closed connection", lambda: _endpoints(program), seconds=CLOSED_SECONDS
        )
    assert endpoints == {f"{BEHIND}:443"}


def _endpoints(program: Program) -> set[str]:
    """Return what the proxy connected to; it logs a connection when that ends."""
    return set(re.findall(r" CONNECT (\S+) ", program.log.read_text()))


@contextmanager
def _registry_behind(sandbox: World, folder: Path) -> Iterator[None]:
    """Serve the sandbox's images at an address that the machine cannot reach directly."""
    sandbox.network.add_address(BEHIND)
    ca = CA(folder / "certificates")
    store, network = sandbox.registry, replace(sandbox.network, address=BEHIND)
    with registry(
        folder / "behind", network, ca, store.credentials, images=store.folder / IMAGES
    ) as found:
        sandbox.files.publish(found.ca, "behind.pem")
        yield


@contextmanager
def _proxy(sandbox: World, folder: Path, password: str) -> Iterator[Program]:
    command = [".venv/bin/proxy", "--hostname", sandbox.network.address, "--port", str(PORT)]
    command += ["--basic-auth", f"{USER}:{password}", "--num-workers", "1", "--threaded"]
    command += ["--data-dir", str(folder / "proxy")]
    log = folder / "proxy.log"
    with running("proxy", command, log=log, network=sandbox.network) as program:
        wait_for("the proxy", lambda: is_listening(sandbox.network, PORT), seconds=READY_SECONDS)
        yield program
