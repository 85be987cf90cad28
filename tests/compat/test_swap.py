"""Each kind of component is replaced as the README describes, and the machine boots with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from release import engine, images
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot.machines import Lab, booted, measure
from tests.compat.builds import BUILD_SECONDS, built, copied
from tests.compat.cd_boot import WORKFLOW_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


ADDED = "added: service.runs"
ADDED_SECONDS = 180.0  # it starts when the machine has nothing better to do
IDENTITY = MachineIdentity("swapped", "52:54:00:00:01:0d", "172.30.0.113", "172.30.0.1")
CLIENT = r"""
FROM tinkie/dhcp:build
COPY client /usr/lib/tinkie/dhcp
"""
# busybox's, which asks once for each lease and runs its script for what comes.
SCRIPT = r"""#!/bin/sh
if [ -z "$1" ]; then
    until [ -e /sys/class/net/eth0 ]; do sleep 1; done
    ip link set eth0 up
    exec udhcpc -f -i eth0 -s /usr/lib/tinkie/dhcp
fi
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev eth0
ip route replace default via "$router"
/usr/lib/tinkie/announce dhcp address.bound "by=udhcpc address=$ip"
"""
# The same as Tinkie's own image of the kernel, of Debian's kernel for clouds.
KERNEL = (
    "$(apt-cache depends linux-image-$TARGETARCH:$TARGETARCH |",
    "$(apt-cache depends linux-image-cloud-$TARGETARCH:$TARGETARCH |",
)
MORE = """
kernel:
  image: example/kernel:1
services:
  - name: added
    image: example/client:1
    command: ["sh", "-c", "/usr/lib/tinkie/announce added service.runs; exec sleep 99999"]
    binds:
      - /run/init/console:/run/init/console:ro
      - /usr/lib/tinkie/announce:/usr/lib/tinkie/announce:ro
files:
  - path: etc/added
    contents: "a file of ours"
"""


def _prepared(folder: Path) -> Path:
    """Return a copy of the project with two LinuxKit files, whose images the build's engine has."""
    project = copied(folder / "tinkie")
    file = (project / "linuxkit.yml").read_text()
    assert file.count("tinkie/dhcp:build") == 1
    (project / "mine.yml").write_text(file.replace("tinkie/dhcp:build", "example/client:1"))
    (project / "more.yml").write_text(MORE)
    with engine.running() as host, images.locked_names():
        images.build([])
        _image(host, "example/client:1", _client(folder / "client"))
        _image(host, "example/kernel:1", _kernel(project / "images/kernel", folder / "kernel"))
    return project


def _client(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(CLIENT)
    (folder / "client").write_text(SCRIPT)
    (folder / "client").chmod(0o755)
    return folder


def _kernel(ours: Path, folder: Path) -> Path:
    shutil.copytree(ours, folder)
    text = (folder / "Dockerfile").read_text()
    assert KERNEL[0] in text
    (folder / "Dockerfile").write_text(text.replace(*KERNEL))
    return folder


def _image(host: str, name: str, folder: Path) -> None:
    command = ["docker", "buildx", "build", "--quiet", "--network=host", "--tag", name, str(folder)]
    environment = os.environ | {"DOCKER_HOST": host}
    subprocess.run(command, env=environment, check=True, timeout=BUILD_SECONDS)


def test_replaced_components_are_in_use(lab: Lab) -> None:
    there = built(_prepared(lab.folder), lab, "LINUXKIT_FILES=mine.yml more.yml")
    with booted(there, IDENTITY) as box, box.shell() as shell:
        assert measure(there.sandbox, box, "swapped", WORKFLOW_SECONDS).state == "SUCCESS"
        assert shell.run("uname -r").endswith("-cloud-amd64")
        assert shell.run("cat /etc/added") == "a file of ours"
        assert shell.run("pidof udhcpc")
        assert shell.run("pidof dhcpcd || echo none") == "none"
        wait_for("what was added", partial(box.console.poll_for, ADDED), seconds=ADDED_SECONDS)
        console = box.console.log.read_text(errors="replace")
    assert f"dhcp: address.bound by=udhcpc address={IDENTITY.address}" in console
