"""Tinkerbell v0.25 in one program, from DHCP and iPXE scripts to the API server and etcd."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sandbox.certificates import CA, Pair
from sandbox.http_client import request
from sandbox.kubernetes import Api, trust, write_kubeconfig
from sandbox.network import Network, is_listening
from sandbox.objects import MachineIdentity, hardware, template, workflow
from sandbox.processes import Program, running
from sandbox.tink import GRPC_PORT, tink
from sandbox.waiting import wait_for
from sandbox.workflow import WorkflowRun

READY_SECONDS = 90.0  # 6 s on an idle machine
API_PORT = 6443
HTTP_PORT = 7080


@dataclass(frozen=True)
class Settings:
    """The settings of the all-in-one program.

    artifacts: URL of the folder that has kernel and initramfs.
    kernel_args: appended to every machine's kernel command line, so they override the others.
    dhcp_interface: empty: no DHCP, TFTP and syslog servers.
    tls: its gRPC server has a certificate of the sandbox's CA.
    older: tink-server and tink-controller v0.12.2 run the workflows, for tink-worker.
    iso: URL of the CD image, into which smee writes a machine's command line, with its addresses
    as `ipam`; may be empty.
    """

    artifacts: str = "http://127.0.0.1"
    kernel_args: str = ""
    dhcp_interface: str = ""
    iso: str = ""
    tls: bool = False
    older: bool = False


@dataclass(frozen=True)
class Tinkerbell:
    """A running Tinkerbell."""

    api: Api
    network: Network
    program: Program

    @property
    def grpc_endpoint(self) -> str:
        """The endpoint that workers connect to, without TLS."""
        return f"{self.network.address}:{GRPC_PORT}"

    @property
    def metadata_url(self) -> str:
        """The URL of EC2-style metadata, for the client's machine."""
        return f"http://{self.network.address}:{HTTP_PORT}/2009-04-04"

    def enroll(self, machine: MachineIdentity, *others: MachineIdentity) -> None:
        """Add a machine's Hardware, with its other NICs."""
        self.api.create("hardware", hardware(machine, *others))

    def give(
        self, machine: MachineIdentity, name: str, data: str, values: Mapping[str, str]
    ) -> WorkflowRun:
        """Give a machine a workflow; data: the template's YAML; values: of its variables."""
        self.api.create("templates", template(name, data))
        self.api.create("workflows", workflow(name, name, machine.name, values))
        return WorkflowRun(name, self.api)

    def parameters(self, machine: MachineIdentity) -> dict[str, str]:
        """Return the kernel parameters with which a machine connects to this Tinkerbell."""
        return {
            "worker_id": machine.mac,
            "grpc_authority": self.grpc_endpoint,
            "tinkerbell_tls": "false",
            "metadata_url": self.metadata_url,
        }

    def wait_until_it_serves(self) -> None:
        """Wait for its API, and for its HTTP server, which starts later.

        Raises ReportedError, with its last lines, if it ends or takes too long.
        """
        wait_for("Tinkerbell", self._serves, seconds=READY_SECONDS)

    def _serves(self) -> bool:
        self.program.check()
        kinds = ("hardware", "templates", "workflows")
        return all(map(self.api.serves, kinds)) and is_listening(self.network, HTTP_PORT)

    def iso_url(self, mac: str) -> str:
        """Return the URL of a machine's CD image."""
        return f"http://{self.network.address}:{HTTP_PORT}/iso/{mac}/tinkie.iso"

    def script(self, mac: str) -> str:
        """Return the iPXE script for a machine."""
        url = f"http://{self.network.address}:{HTTP_PORT}/ipxe/script/{mac}/auto.ipxe"
        return request("Tinkerbell", self.network, "GET", url).text


@contextmanager
def tinkerbell(
    folder: Path, network: Network, ca: CA, binary: Path, settings: Settings
) -> Iterator[Tinkerbell]:
    """Run the all-in-one with an empty database until the end of the with block.

    binary: tinkerbell, built with the tag "embedded".
    Raises ReportedError, with its last lines, if it does not serve its API in time.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    hosts = [network.address, "127.0.0.1", "localhost"]
    server = ca.issue("apiserver", hosts)
    client = ca.issue("client", organization="system:masters")
    url = f"https://{network.address}:{API_PORT}"
    kubeconfig = write_kubeconfig(folder, url, ca, client)
    ca.write_signing_key(folder / "signing.key")
    command: list[str | Path] = [
        binary,
        *_api_flags(folder, network.address, ca, server, kubeconfig),
        *_service_flags(network.address, settings),
        *(_tls_flags(server) if settings.tls else ()),
    ]
    log = folder / "tinkerbell.log"
    with running("tinkerbell", command, log=log, network=network) as program:
        api = Api(url, network, trust(ca, client))
        found = Tinkerbell(api, network, program)
        found.wait_until_it_serves()
        with tink(folder, api, network, kubeconfig) if settings.older else nullcontext():
            yield found


def _api_flags(folder: Path, address: str, ca: CA, server: Pair, kubeconfig: Path) -> list[str]:
    signing = folder / "signing.key"
    return [
        "--etcd-servers=http://localhost:2379",
        f"--etcd-dir={folder / 'etcd'}",
        f"--cert-dir={folder / 'apiserver'}",
        f"--advertise-address={address}",
        f"--kube-apiserver-bind-address={address}",
        f"--kube-apiserver-tls-cert-file={server.certificate}",
        f"--kube-apiserver-tls-private-key-file={server.key}",
        f"--client-ca-file={ca.certificate}",
        "--service-account-issuer=api",
        f"--service-account-key-file={signing}",
        f"--service-account-signing-key-file={signing}",
        f"--backend-kube-config={kubeconfig}",
        "--logging-format=json",
    ]


def _tls_flags(server: Pair) -> list[str]:
    return [f"--tls-cert-file={server.certificate}", f"--tls-key-file={server.key}"]


def _service_flags(address: str, settings: Settings) -> list[str]:
    flags = [
        f"--bind-address={address}",
        f"--public-ipv4={address}",
        f"--tink-server-bind-addr={address}",
        f"--ipxe-http-script-osie-url={settings.artifacts}",
        f"--ipxe-script-tink-server-addr-port={address}:{GRPC_PORT}",
        "--enable-rufio-controller=false",
        "--enable-secondstar=false",
        "--enable-ui=false",
    ]
    # Tinkerbell refuses an empty value.
    if settings.kernel_args:
        flags.append(f"--ipxe-http-script-extra-kernel-args={settings.kernel_args}")
    if settings.older:
        flags += ["--enable-tink-server=false", "--enable-tink-controller=false"]
    if settings.iso:
        flags += ["--iso-enabled=true", f"--iso-upstream-url={settings.iso}"]
        flags.append("--iso-static-ipam-enabled=true")
    if not settings.dhcp_interface:
        off = ("dhcp-enabled", "tftp-server-enabled", "syslog-enabled")
        return [*flags, *(f"--{name}=false" for name in off)]
    return [
        *flags,
        f"--dhcp-bind-interface={settings.dhcp_interface}",
        f"--tftp-server-bind-addr={address}",
        f"--syslog-bind-addr={address}",
    ]
