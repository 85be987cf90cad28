"""A time server: chronyd from Tinkie's image, since Debian's package would set the host's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release import engine, images
from release.process import read_from, run
from sandbox.network import Network
from sandbox.processes import Program, running

IMAGE = "tinkie/ntp:build"
# It serves the host's clock and does not change it.
CONFIG = """\
local stratum 1
allow all
bindaddress {address}
cmdport 0
pidfile /server.pid
"""


@contextmanager
def time_server(folder: Path, network: Network) -> Iterator[Program]:
    """Run a time server until the end of the with block."""
    root = folder / "time-server"
    _unpack(root)
    (root / "server.conf").write_text(CONFIG.format(address=network.address))
    command = ["chroot", str(root), "chronyd", "-d", "-x", "-u", "root", "-f", "/server.conf"]
    with running("chronyd", command, log=folder / "time-server.log", network=network) as program:
        yield program


def _unpack(root: Path) -> None:
    root.mkdir()
    with engine.running() as host, images.locked_names():
        images.build(["ntp"])
        docker = ["docker", "--host", host]
        container = run("creating a container", [*docker, "create", IMAGE]).text
        try:
            with read_from(f"reading {IMAGE}", [*docker, "export", container]) as tar:
                run(f"unpacking {IMAGE}", ["tar", "-x", "-C", root], stdin=tar)
        finally:
            run("removing the container", [*docker, "rm", container])
