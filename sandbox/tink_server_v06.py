"""tink-server v0.6.0: with PostgreSQL, always with TLS, used by its HTTP API.

Source: the module's http-server, grpc-server and docker-compose.yaml.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release import gotools
from release.process import run
from sandbox.certificates import CA
from sandbox.http_client import SECONDS, answers, request, send
from sandbox.network import Network
from sandbox.objects import MachineIdentity
from sandbox.postgres import postgres
from sandbox.processes import Program, running
from sandbox.waiting import wait_for
from sandbox.workflow import Run, Status, plain_state

READY_SECONDS = 30.0
CERTIFICATE_PORT = 42114  # also of its HTTP API
FACILITY = "onprem"


@dataclass(frozen=True)
class TinkServerV06:
    """A running tink-server.

    grpc, http: its two ports. instance: the instance in the metadata of machines.
    """

    network: Network
    program: Program
    grpc: int
    http: int
    instance: Mapping[str, str] = field(default_factory=dict)

    @property
    def grpc_endpoint(self) -> str:
        """The endpoint that workers connect to, with TLS."""
        return f"{self.network.address}:{self.grpc}"

    @property
    def certificate_url(self) -> str:
        """The URL from which workers download the certificate to trust."""
        return f"http://{self.network.address}:{self.http}/cert"

    def enroll(self, machine: MachineIdentity, /) -> None:
        """Add a machine's record, or replace it."""
        self._send("hardware", _hardware(machine, self.instance))

    def give(
        self, machine: MachineIdentity, name: str, data: str, values: Mapping[str, str]
    ) -> Run:
        """Give a machine a workflow; data: the template's YAML; values: of its variables."""
        template = self._send("templates", {"name": name, "data": data})
        devices = json.dumps({**values, "device_1": machine.mac})
        made = self._send("workflows", {"template": template["id"], "hardware": devices})
        return TinkServerRun(name, self, made["id"])

    def parameters(self, machine: MachineIdentity) -> dict[str, str]:
        """Return the kernel parameters that boots adds for this tink-server."""
        return {
            "worker_id": worker_id(machine),
            "grpc_authority": self.grpc_endpoint,
            "grpc_cert_url": self.certificate_url,
            "tinkerbell": f"http://{self.network.address}",
            "instance_id": "",
            "facility": FACILITY,
        }

    def state(self, workflow: str) -> dict[str, Any]:
        """Return a workflow's state, as tink's WorkflowContext."""
        return self._request("GET", f"workflows/{workflow}/state")

    def wait_until_it_serves(self) -> None:
        """Wait until its HTTP part answers, and has connected to the gRPC part.

        Raises ReportedError, with its last lines, if it ends or takes too long.
        """
        wait_for("tink-server", self._serves, seconds=READY_SECONDS)

    def _serves(self) -> bool:
        self.program.check()
        if not answers(self.network, self._url("hardware"), seconds=SECONDS):
            return False
        # That list is a stream, which begins with 200 whatever happens. This call says more: for a
        # while after a start, the HTTP part only repeats that it could not connect.
        nobody = self._url(f"templates/{uuid.uuid4()}")
        return "Unavailable" not in send(self.network, "GET", nobody, seconds=SECONDS).text

    def _send(self, kind: str, thing: Mapping[str, Any]) -> dict[str, Any]:
        return self._request("POST", kind, thing)

    def _request(
        self, method: str, path: str, thing: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        response = request("tink-server", self.network, method, self._url(path), body=thing)
        found: dict[str, Any] = response.json()
        return found

    def _url(self, path: str) -> str:
        return f"http://{self.network.address}:{self.http}/v1/{path}"


@dataclass(frozen=True)
class TinkServerRun(Run):
    """A workflow of tink-server, by its id."""

    server: TinkServerV06
    id: str

    def status(self) -> Status:
        """Return the current state, with the current action only."""
        context = self.server.state(self.id)
        action, state = context["current_action"], plain_state(context["current_action_state"])
        done = int(context["current_action_index"]) + 1
        more = state == "SUCCESS" and done < int(context["total_number_of_actions"])
        return Status("RUNNING" if more else state, {action: state} if action else {})


def worker_id(machine: MachineIdentity) -> str:
    """Return the id of a machine's hardware record, which is its worker's id."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, machine.mac))


def _hardware(machine: MachineIdentity, instance: Mapping[str, str]) -> dict[str, Any]:
    """Return the record as `tink hardware push` takes it."""
    address = {
        "address": machine.address,
        "netmask": machine.netmask,
        "gateway": machine.gateway,
    }
    lease = {"mac": machine.mac, "arch": machine.arch, "ip": address}
    netboot = {"allow_pxe": True, "allow_workflow": True}
    extra = {"instance": dict(instance)} if instance else {}
    return {
        "id": worker_id(machine),
        "metadata": {"facility": {"facility_code": FACILITY}, "state": "provisioning", **extra},
        "network": {"interfaces": [{"dhcp": lease, "netboot": netboot}]},
    }


@contextmanager
def tink_server_v06(
    folder: Path, network: Network, ca: CA, grpc: int, http: int
) -> Iterator[TinkServerV06]:
    """Run it with an empty database until the end of the with block, on these two ports.

    Raises ReportedError, with its last lines, if it does not serve in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificates = _bundle(folder / "certs", ca, network.address)
    program = str(gotools.build("tink-server-v0.6"))
    command = [program, "--grpc-authority", f"{network.address}:{grpc}"]
    command += ["--http-authority", f"{network.address}:{http}"]
    with postgres(folder, network) as database:
        env = {**database, "PGSSLMODE": "disable", "FACILITY": FACILITY}
        env |= {"TINKERBELL_CERTS_DIR": str(certificates)}
        run("creating tink-server's tables", [program, "--only-migration"], env=env)
        log = folder / "tink-server.log"
        with running("tink-server", command, log=log, network=network, env=env) as server:
            found = TinkServerV06(network, server, grpc, http)
            found.wait_until_it_serves()
            yield found


def _bundle(folder: Path, ca: CA, address: str) -> Path:
    """Write the certificate chain that tink-server serves: its own, then its CA's."""
    pair = ca.issue("tink-server-v0.6", [address])
    folder.mkdir(exist_ok=True)
    chain = pair.certificate.read_bytes() + ca.certificate.read_bytes()
    (folder / "bundle.pem").write_bytes(chain)
    (folder / "server-key.pem").write_bytes(pair.key.read_bytes())
    return folder
