"""hegel, the metadata service before tootles: v0.14.2 with a file, v0.7.0 with tink-server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from release import gotools
from sandbox.certificates import CA
from sandbox.network import Network, is_listening
from sandbox.processes import Program, running
from sandbox.tink_server_v06 import TinkServerV06
from sandbox.waiting import wait_for

HEGEL_PORT = 50061
READY_SECONDS = 30.0
# The part of a machine's record that `/metadata` returns, as a jq filter.
WHOLE, INSTANCE = "", ".metadata.instance"


@contextmanager
def hegel_v014(
    folder: Path, network: Network, address: str, worker_id: str, hostname: str
) -> Iterator[Program]:
    """Run v0.14.2 until the end of the with block; address: that of the only machine."""
    addresses = {"local": address, "public": address}
    metadata = {"id": worker_id, "hostname": hostname, "ipv4": addresses}
    path = folder / "hegel.yml"
    path.write_text(yaml.safe_dump([{"metadata": metadata}]))
    command: list[str | Path] = [gotools.build("hegel"), "--backend", "flatfile"]
    command += ["--flatfile-path", path, "--http-addr", f"{network.address}:{HEGEL_PORT}"]
    with running("hegel", command, log=folder / "hegel.log", network=network) as program:
        yield program


@contextmanager
def hegel_v07(
    folder: Path, server: TinkServerV06, ca: CA, shown: str = INSTANCE
) -> Iterator[Program]:
    """Run v0.7.0, which reads from tink-server, until the end of the with block.

    shown: the jq filter for `/metadata`. It also serves EC2 style metadata.
    """
    network, endpoints = server.network, json.dumps({"/metadata": shown})
    command: list[str | Path] = [gotools.build("hegel-v0.7"), "--http-custom-endpoints", endpoints]
    command += ["--http-port", str(HEGEL_PORT), "--grpc-use-tls=false"]
    env = {
        "TINKERBELL_GRPC_AUTHORITY": server.grpc_endpoint,
        "SSL_CERT_FILE": str(ca.certificate),
    }
    log = folder / "hegel.log"
    with running("hegel", command, log=log, network=network, env=env) as program:
        wait_for("hegel", lambda: is_listening(network, HEGEL_PORT), seconds=READY_SECONDS)
        yield program
