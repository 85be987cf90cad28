"""A machine as boots started it in 2021: its command line, tink-server v0.6.0 and its worker.

boots itself cannot be built any more, so the command line is written from its source (that of
tests/data/2021-boots), QEMU starts the kernel with it, and smee gives the machine its address.
"""

import re
from pathlib import Path

from release import gotools
from sandbox.certificates import CA
from sandbox.follow import Follower
from sandbox.hegel import WHOLE, hegel_v07
from sandbox.images import worker_archive
from sandbox.objects import MachineIdentity
from sandbox.tink_server_v06 import TinkServerV06, tink_server_v06, worker_id
from sandbox.waiting import wait_for
from sandbox.world import World
from tests.boot.machines import Lab, booted
from tests.compat.cd_boot import REBOOT_SECONDS, WORKFLOW_SECONDS

DATA = Path(__file__).parents[1] / "data" / "2021-boots"
TEMPLATE = Path(__file__).parent / "tink-worker.yml"
IDENTITY = MachineIdentity("tink-v0-6", "52:54:00:00:01:14", "172.30.0.120", "172.30.0.1")
GRPC, HTTP = 42213, 42214  # the sandbox's Tinkerbell has the usual ones
LOOK = "test $(cat /workflow/data) = {}"  # what tink-worker keeps there from the first action on


def test_a_machine_started_by_boots_works(lab: Lab) -> None:
    sandbox, folder = lab.sandbox, lab.folder
    ca = CA(folder / "certificates")
    _serve(sandbox, folder)
    with (
        tink_server_v06(folder / "tink", sandbox.network, ca, GRPC, HTTP) as server,
        hegel_v07(folder, server, ca, WHOLE) as metadata,
    ):
        server.enroll(IDENTITY)
        run = server.give(IDENTITY, "tink-v0-6", TEMPLATE.read_text(), {"look": LOOK})
        line = _line(sandbox, server)
        with booted(lab, IDENTITY, line=line) as box:
            programs = (server.program, metadata)
            status = Follower(sandbox, box, run, print, programs).wait_for_success(WORKFLOW_SECONDS)
            wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
            console = box.console.log.read_text(errors="replace")
    assert status.state == "SUCCESS"
    assert f"machine.found id={worker_id(IDENTITY)}" in console
    assert sandbox.registry.credentials.password not in console
    assert (folder / "disk.img").read_bytes().startswith(b"written-by-tink-worker\n")


def _serve(sandbox: World, folder: Path) -> None:
    """Serve tink-worker and the certificate where v0.5 of the sandbox had them."""
    binary = gotools.build("tink-worker-v0.6")
    worker = worker_archive(folder / "worker.tar", binary, "usr/bin/tink-worker")
    sandbox.registry.push(worker, "tink-worker:latest")
    (sandbox.files.root / "workflow").mkdir()
    sandbox.files.publish(sandbox.registry.ca, "workflow/ca.pem")


def _line(sandbox: World, server: TinkServerV06) -> str:
    """Return the command line of that version with our addresses and secrets."""
    values = {
        "docker_registry": sandbox.registry.host,
        "registry_username": sandbox.registry.credentials.username,
        "registry_password": sandbox.registry.credentials.password,
        "packet_bootdev_mac": IDENTITY.mac,
        **server.parameters(IDENTITY),
    }
    line = (DATA / "cmdline").read_text().strip().replace("192.168.50.4", sandbox.network.address)
    for name, value in values.items():
        line, found = re.subn(rf"(?<!\S){name}=\S*", f"{name}={value}", line)
        assert found == 1, name
    return f"{line} console=ttyS0,115200 quiet"
