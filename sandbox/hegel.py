"""hegel v0.14.2: the metadata service of 2022 to 2024, with a file of machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from release import gotools
from sandbox.network import Network
from sandbox.processes import Program, running

HEGEL_PORT = 50061


@contextmanager
def hegel(
    folder: Path, network: Network, address: str, worker_id: str, hostname: str
) -> Iterator[Program]:
    """Run it until the end of the with block; address: by which it knows the one machine."""
    addresses = {"local": address, "public": address}
    metadata = {"id": worker_id, "hostname": hostname, "ipv4": addresses}
    path = folder / "hegel.yml"
    path.write_text(yaml.safe_dump([{"metadata": metadata}]))
    command: list[str | Path] = [gotools.build("hegel"), "--backend", "flatfile"]
    command += ["--flatfile-path", path, "--http-addr", f"{network.address}:{HEGEL_PORT}"]
    with running("hegel", command, log=folder / "hegel.log", network=network) as program:
        yield program
