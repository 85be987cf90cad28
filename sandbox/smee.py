"""smee v0.15.2: DHCP, TFTP, iPXE scripts, CD images, a syslog receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release import gotools
from sandbox.network import BRIDGE, Network, is_listening
from sandbox.processes import Program, running
from sandbox.tink import GRPC_PORT
from sandbox.tinkerbell import Settings
from sandbox.waiting import wait_for

READY_SECONDS = 30.0
HTTP_PORT = 7171  # its default, 8080, is the file server's here


@dataclass(frozen=True)
class Smee:
    """A running smee."""

    network: Network
    program: Program

    def iso_url(self, mac: str) -> str:
        """Return the URL of a machine's CD image."""
        return f"http://{self.network.address}:{HTTP_PORT}/iso/{mac}/tinkie.iso"


@contextmanager
def smee(folder: Path, network: Network, kubeconfig: Path, settings: Settings) -> Iterator[Smee]:
    """Run it until the end of the with block; the kubeconfig leads it to the Hardware objects.

    settings: only artifacts, kernel_args and iso are used.
    Raises ReportedError, with its last lines, if it does not serve in time.
    """
    flags = _flags(network, kubeconfig, settings)
    command: list[str | Path] = [gotools.build("smee"), *flags]
    with running("smee", command, log=folder / "smee.log", network=network) as program:
        found = Smee(network, program)
        wait_for("smee", lambda: _serves(found), seconds=READY_SECONDS)
        yield found


def _flags(network: Network, kubeconfig: Path, settings: Settings) -> list[str]:
    address = network.address
    flags = {
        "backend-kube-config": kubeconfig,
        "backend-kube-namespace": "default",
        "dhcp-iface": BRIDGE,
        **dict.fromkeys(("dhcp-ip-for-packet", "dhcp-syslog-ip", "dhcp-tftp-ip"), address),
        **dict.fromkeys(("dhcp-http-ipxe-binary-host", "dhcp-http-ipxe-script-host"), address),
        **dict.fromkeys(("dhcp-http-ipxe-binary-port", "dhcp-http-ipxe-script-port"), HTTP_PORT),
        **dict.fromkeys(("http-addr", "tftp-addr", "syslog-addr"), address),
        "http-port": HTTP_PORT,
        "osie-url": settings.artifacts,
        "tink-server": f"{address}:{GRPC_PORT}",
        "extra-kernel-args": settings.kernel_args,
        "iso-enabled": "true",
        "iso-url": settings.iso,
        "iso-static-ipam-enabled": "true",
    }
    return [f"-{name}={value}" for name, value in flags.items()]


def _serves(found: Smee) -> bool:
    found.program.check()
    return is_listening(found.network, HTTP_PORT)
