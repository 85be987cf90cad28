"""A machine as boots started it in 2021: its command line, its servers and its worker.

boots itself cannot be built any more, so the command line is written from its source (that of
tests/data/2021-boots), QEMU starts the kernel with it, and smee gives the machine its address.
"""

import re
from pathlib import Path

from release import gotools
from sandbox.accelerator import Accelerator
from sandbox.certificates import CA
from sandbox.follow import Follower
from sandbox.hegel import WHOLE, hegel_v07
from sandbox.images import worker_archive
from sandbox.objects import MachineIdentity
from sandbox.tink_server_v06 import TinkServerV06, tink_server_v06, worker_id
from sandbox.waiting import wait_for
from sandbox.world import World
from tests.boot.machines import booted
from tests.compat.cds import REBOOT_SECONDS, WORKFLOW_SECONDS

DATA = Path(__file__).parents[1] / "data" / "2021-boots"
TEMPLATE = Path(__file__).parent / "tink-worker.yml"
IDENTITY = MachineIdentity("of-2021", "52:54:00:00:01:14", "172.30.0.120", "172.30.0.1")
GRPC, HTTP = 42213, 42214  # the sandbox's Tinkerbell has the usual ones
LOOK = "test $(cat /workflow/data) = {}"  # what tink-worker keeps there from the first action on


def test_a_machine_of_2021(here: World, accelerator: Accelerator, tmp_path: Path) -> None:
    ca = CA(tmp_path / "certificates")
    _serve(here, tmp_path)
    with (
        tink_server_v06(tmp_path / "tink", here.network, ca, GRPC, HTTP) as server,
        hegel_v07(tmp_path, server, ca, WHOLE) as metadata,
    ):
        server.enroll(IDENTITY)
        run = server.give(IDENTITY, "of-2021", TEMPLATE.read_text(), {"look": LOOK})
        line = _line(here, server)
        with booted(here, accelerator, tmp_path, IDENTITY, line=line) as box:
            programs = (server.program, metadata)
            status = Follower(here, box, run, print, programs).wait_for_success(WORKFLOW_SECONDS)
            wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
            said = box.console.log.read_text(errors="replace")
    assert status.state == "SUCCESS"
    assert f"machine.found id={worker_id(IDENTITY)}" in said
    assert here.registry.credentials.password not in said
    assert (tmp_path / "disk.img").read_bytes().startswith(b"written-by-tink-worker\n")


def _serve(here: World, folder: Path) -> None:
    """Have tink-worker where the registry of 2021 had it, and the certificate where nginx did."""
    binary = gotools.build("tink-worker-v0.6")
    worker = worker_archive(folder / "worker.tar", binary, "usr/bin/tink-worker")
    here.registry.push(worker, "tink-worker:latest")
    (here.files.root / "workflow").mkdir()
    here.files.publish(here.registry.ca, "workflow/ca.pem")


def _line(here: World, server: TinkServerV06) -> str:
    """Return the line of 2021 with the addresses and secrets of the sandbox."""
    values = {
        "docker_registry": here.registry.host,
        **here.registry.credentials.parameters,
        "packet_bootdev_mac": IDENTITY.mac,
        **server.parameters(IDENTITY),
    }
    line = (DATA / "cmdline").read_text().strip().replace("192.168.50.4", here.network.address)
    for name, value in values.items():
        line, found = re.subn(rf"(?<!\S){name}=\S*", f"{name}={value}", line)
        assert found == 1, name
    return f"{line} console=ttyS0,115200 quiet"
