"""tink-server and tink-controller v0.12.2, with the API server of a later Tinkerbell."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from release import gotools
from sandbox.kubernetes import Api
from sandbox.network import Network
from sandbox.processes import running

GRPC_PORT = 42113
METRICS_PORT = 42114
WORKFLOWS = "config/crd/bases/tinkerbell.org_workflows.yaml"


@contextmanager
def tink(folder: Path, api: Api, network: Network, kubeconfig: Path) -> Iterator[None]:
    """Run both until the end of the with block; replace the definition of workflows by theirs."""
    definition = (gotools.source("tink-server") / WORKFLOWS).read_text()
    api.redefine(yaml.safe_load(definition))
    # tink-controller v0.12.2 has a flag for this, but ignores it.
    environment = {"KUBECONFIG": str(kubeconfig)}
    control = [str(gotools.build("tink-controller"))]
    control += ["--metrics-bind-address=0", "--health-probe-bind-address=0"]
    serve = [str(gotools.build("tink-server")), "--kubeconfig", str(kubeconfig)]
    serve += ["--grpc-authority", f"{network.address}:{GRPC_PORT}"]
    serve += ["--http-authority", f"{network.address}:{METRICS_PORT}"]
    logs = folder / "tink-controller.log", folder / "tink-server.log"
    with (
        running("tink-controller", control, log=logs[0], network=network, env=environment),
        running("tink-server", serve, log=logs[1], network=network),
    ):
        yield
