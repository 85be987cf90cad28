"""What the worker's container should be, without any IO (contracts, sections 4.2 and 4.3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinkie.parameters.image_reference import ImageReference, registry_domain, same_registry
from tinkie.paths import ENGINE_SOCKET, WORKER_NAME

if TYPE_CHECKING:
    from bootkit.machine.metadata import MachineMetadata
    from bootkit.plan.parameters import WorkerParams
    from tinkie.parameters.proxy import Proxies

SPEC_LABEL = "tinkie.spec"
ENGINE_LABEL = "tinkie.engine-socket"
# tink-worker up to v0.6.0 ends after an hour if not told so, in the middle of an action, too.
NO_TIMEOUT = "0"
BINDS = (
    "/worker:/worker",
    f"{ENGINE_SOCKET}:{ENGINE_SOCKET}",
    "/dev:/dev",
    "/host_root/run:/run",
    # The engine's own copy would not follow a lease that changes.
    "/etc/resolv.conf:/etc/resolv.conf:ro",
)
# Learned late and of no use to any worker: it must not make a running worker look like another.
# Secrets cannot change without a boot, and a digest of one could be guessed at.
_NOT_IN_THE_DIGEST = ("CONTAINER_UUID", "REGISTRY_PASSWORD", "HTTP_PROXY", "HTTPS_PROXY")


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password for one registry."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """The worker's container: the images to try in order, its environment, and who it is.

    The rest never changes: name `tink-worker`, the host's network, privileged, the binds of BINDS.
    """

    worker_id: str
    images: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    registry: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Return a digest that changes whenever another container would have to be made."""
        told = {k: v for k, v in self.environment.items() if k.upper() not in _NOT_IN_THE_DIGEST}
        text = json.dumps([WORKER_NAME, BINDS, self.images, told], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def credentials_for(self, image: str) -> Credentials | None:
        """Return the credentials if `image` comes from exactly docker_registry's host."""
        if self.credentials is None or self.registry is None:
            return None
        try:
            same = same_registry(ImageReference.parse(image).domain, self.registry)
        except ValueError:
            return None
        return self.credentials if same else None

    def as_json(self) -> dict[str, Any]:
        """Return the plan for people; secrets are still in it, see redaction.REDACTOR."""
        return {
            "worker_id": self.worker_id,
            "name": WORKER_NAME,
            "images": list(self.images),
            "credentials_for": [image for image in self.images if self.credentials_for(image)],
            "network": "host",
            "privileged": True,
            "binds": list(BINDS),
            "environment": dict(sorted(self.environment.items())),
            "labels": {SPEC_LABEL: self.digest},
        }

    def as_command(self) -> list[str]:
        """Return an equivalent `docker run`; secrets are still in it, see redaction.REDACTOR."""
        binds = [part for bind in BINDS for part in ("--volume", bind)]
        pairs = sorted(self.environment.items())
        variables = [part for name, value in pairs for part in ("--env", f"{name}={value}")]
        label = ["--label", f"{SPEC_LABEL}={self.digest}"]
        start = ["docker", "run", "--detach", "--name", WORKER_NAME]
        rights = ["--network", "host", "--privileged"]
        return [*start, *rights, *binds, *variables, *label, self.images[0]]


def plan_worker(
    params: WorkerParams, machine: MachineMetadata, proxies: Proxies, worker_id: str
) -> WorkerSpec:
    """Decide what the worker's container should be."""
    return WorkerSpec(
        worker_id=worker_id,
        images=candidate_images(params),
        environment=environment(params, machine, proxies, worker_id),
        registry=registry_domain(params.docker_registry) if params.docker_registry else None,
        credentials=_credentials(params),
    )


def _credentials(params: WorkerParams) -> Credentials | None:
    username, password = params.registry_username, params.registry_password
    if username is None or password is None:
        return None
    return Credentials(username, password.get_secret_value())


def candidate_images(params: WorkerParams) -> tuple[str, ...]:
    """Return the images to try: tink_worker_image, or the two names in docker_registry."""
    if params.tink_worker_image:
        return (params.tink_worker_image,)
    registry = params.docker_registry
    return (f"{registry}/tink-worker:latest", f"{registry}/tink-agent:latest")


def environment(
    params: WorkerParams, machine: MachineMetadata, proxies: Proxies, worker_id: str
) -> dict[str, str]:
    """Return the union of what all generations of workers read.

    What was not given is not in it, and the worker takes its own default; but for NO_TIMEOUT.
    """
    password = params.registry_password
    variables = {
        "TIMEOUT": NO_TIMEOUT,
        "ID": worker_id,
        "WORKER_ID": worker_id,
        "container_uuid": params.instance_id or machine.id,
        "DOCKER_REGISTRY": params.docker_registry,
        "REGISTRY_USERNAME": params.registry_username,
        "REGISTRY_PASSWORD": password.get_secret_value() if password else None,
        "TINKERBELL_GRPC_AUTHORITY": params.grpc_authority,
        "TINKERBELL_CERT_URL": params.grpc_cert_url,
        "TINKERBELL_TLS": params.tinkerbell_tls,
        "TINKERBELL_INSECURE_TLS": params.tinkerbell_insecure_tls,
    }
    return {name: value for name, value in variables.items() if value} | proxies.environment()
