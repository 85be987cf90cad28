"""What the worker's container should be, without any IO."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bootkit.plan.credentials import Credentials, DockerConfig
from tinkie.parameters.image_reference import ImageReference, same_registry
from tinkie.parameters.table import (
    DOCKER_REGISTRY,
    GRPC_AUTHORITY,
    GRPC_CERT_URL,
    INSTANCE_ID,
    REGISTRY_AUTH_URL,
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    TINK_WORKER_IMAGE,
    TINKERBELL_INSECURE_TLS,
    TINKERBELL_TLS,
    TRUSTED_CA_URL,
)
from tinkie.parameters.types import shown
from tinkie.paths import ENGINE_SOCKET, GO_CERTIFICATE_FOLDERS, TRUSTED_CERTIFICATES, WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootkit.machine.metadata import MachineMetadata
    from tinkie.parameters.parameter import Parameters
    from tinkie.parameters.proxy import Proxies

_NAMES = ("tink-worker", "tink-agent")  # in docker_registry, in this order
SPEC_LABEL = "tinkie.spec"
ENGINE_LABEL = "tinkie.engine-socket"
# Otherwise tink-worker up to v0.6.0 ends after an hour, even in the middle of an action.
NO_TIMEOUT = "0"
BINDS = (
    "/worker:/worker",
    f"{ENGINE_SOCKET}:{ENGINE_SOCKET}",
    "/dev:/dev",
    "/host_root/run:/run",
    # The engine's own copy would not follow a lease that changes.
    "/etc/resolv.conf:/etc/resolv.conf:ro",
)
_TRUSTED_BIND = f"{TRUSTED_CERTIFICATES}:{TRUSTED_CERTIFICATES}:ro"
PAIR = ("REGISTRY_USERNAME", "REGISTRY_PASSWORD")
# CONTAINER_UUID may come late, and no worker uses it: a running worker must not look like another
# because of it. A digest of secrets would help to guess them: those of the command line change only
# with a boot, and for the others bootkit/watch/password.py compares what the worker has.
_NOT_IN_THE_DIGEST = ("CONTAINER_UUID", *PAIR, "HTTP_PROXY", "HTTPS_PROXY")


@dataclass(frozen=True, slots=True, eq=False)
class WorkerSpec:
    """The worker's container: the images to try in order, its environment, and who it is.

    The rest never changes: name `tink-worker`, the host's network, privileged. The left sides of
    the binds are paths in tink-docker's container. The environment includes the proxy's variables,
    HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in both cases.

    `credentials` are the command line's, for `registry` only; `config` has those of
    registry_auth_url.
    """

    worker_id: str
    images: tuple[ImageReference, ...]
    environment: dict[str, str] = field(repr=False)
    registry: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)
    binds: tuple[str, ...] = BINDS
    config: DockerConfig = field(default_factory=DockerConfig, repr=False)
    auth_url: str | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Return a digest that changes whenever another container would have to be made."""
        variables = {
            name: value
            for name, value in self.environment.items()
            if name.upper() not in _NOT_IN_THE_DIGEST
        }
        images = list(map(str, self.images))
        text = json.dumps([WORKER_NAME, self.binds, images, variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def credentials_for(self, image: ImageReference) -> Credentials | None:
        """Return the credentials of the host of `image`, and of no other.

        For docker_registry's host the command line's are used if they are given.
        """
        ours = self.registry is not None and same_registry(image.domain, self.registry)
        return (ours and self.credentials) or self.config.credentials_for(image.domain)

    @property
    def worker_credentials(self) -> Credentials | None:
        """Return the credentials of docker_registry: workers take those of one registry."""
        if self.registry is None:
            return self.credentials
        return self.credentials or self.config.credentials_for(self.registry)

    def with_config(self, config: DockerConfig) -> WorkerSpec:
        """Return it with the credentials of a file, and the worker's among them."""
        made = replace(self, config=config)
        found = made.worker_credentials
        if self.credentials or found is None or not found.password:
            return made
        pair = dict(zip(PAIR, (found.username, found.password), strict=True))
        return replace(made, environment=self.environment | pair)

    def without_password(self) -> WorkerSpec:
        """Return the same for a worker that gets no user and password."""
        rest = {name: text for name, text in self.environment.items() if name not in PAIR}
        return replace(self, environment=rest)

    def as_json(self) -> dict[str, Any]:
        """Return the plan for people; secrets are still in it, see redaction.REDACTOR."""
        return {
            "worker_id": self.worker_id,
            "name": WORKER_NAME,
            "images": list(map(str, self.images)),
            "credentials_for": [str(one) for one in self.images if self.credentials_for(one)],
            "registry_auth": {"url": self.auth_url, "registries": list(self.config.auths)},
            "network": "host",
            "privileged": True,
            "binds": list(self.binds),
            "environment": dict(sorted(self.environment.items())),
            "labels": {SPEC_LABEL: self.digest},
        }

    def as_command(self, environment: Mapping[str, str]) -> list[str]:
        """Return an equivalent `docker run` with these variables instead of its own.

        Secrets may still be in it, see redaction.REDACTOR.
        """
        binds = [part for bind in self.binds for part in ("--volume", bind)]
        pairs = sorted(environment.items())
        variables = [part for name, value in pairs for part in ("--env", f"{name}={value}")]
        label = ["--label", f"{SPEC_LABEL}={self.digest}"]
        start = ["docker", "run", "--detach", "--name", WORKER_NAME]
        rights = ["--network", "host", "--privileged"]
        return [*start, *rights, *binds, *variables, *label, str(self.images[0])]


def plan_worker(
    parameters: Parameters, machine: MachineMetadata, proxies: Proxies, worker_id: str
) -> WorkerSpec:
    """Decide what the worker's container should be."""
    registry, auth_url = parameters[DOCKER_REGISTRY], parameters[REGISTRY_AUTH_URL]
    return WorkerSpec(
        worker_id=worker_id,
        images=candidate_images(parameters),
        environment=environment(parameters, machine, proxies, worker_id),
        registry=registry.domain if registry else None,
        credentials=given_credentials(parameters),
        binds=(*BINDS, _TRUSTED_BIND) if parameters[TRUSTED_CA_URL] else BINDS,
        auth_url=shown(auth_url) if auth_url else None,
    )


def given_credentials(parameters: Parameters) -> Credentials | None:
    """Return user and password of the command line; one without the other is used for nothing."""
    username, password = parameters[REGISTRY_USERNAME], parameters[REGISTRY_PASSWORD]
    if username is None or password is None:
        return None
    return Credentials(username, password.reveal())


def candidate_images(parameters: Parameters) -> tuple[ImageReference, ...]:
    """Return the images to try: tink_worker_image, or the two names in docker_registry."""
    if image := parameters[TINK_WORKER_IMAGE]:
        return (image,)
    names = (f"{parameters[DOCKER_REGISTRY]}/{name}:latest" for name in _NAMES)
    return tuple(map(ImageReference.parse, names))


def environment(
    parameters: Parameters, machine: MachineMetadata, proxies: Proxies, worker_id: str
) -> dict[str, str]:
    """Return the union of what all generations of workers read.

    What is not given is left out, so that the worker uses its default. The exception is TIMEOUT.
    """
    credentials = given_credentials(parameters)
    variables = {
        "TIMEOUT": NO_TIMEOUT,
        "ID": worker_id,
        "WORKER_ID": worker_id,
        "container_uuid": parameters[INSTANCE_ID] or machine.id,
        "DOCKER_REGISTRY": parameters[DOCKER_REGISTRY],
        "REGISTRY_USERNAME": credentials and credentials.username,
        "REGISTRY_PASSWORD": credentials and credentials.password,
        "TINKERBELL_GRPC_AUTHORITY": parameters[GRPC_AUTHORITY],
        "TINKERBELL_CERT_URL": parameters[GRPC_CERT_URL],
        "TINKERBELL_TLS": parameters[TINKERBELL_TLS],
        "TINKERBELL_INSECURE_TLS": parameters[TINKERBELL_INSECURE_TLS],
        "SSL_CERT_DIR": GO_CERTIFICATE_FOLDERS if parameters[TRUSTED_CA_URL] else None,
    }
    given = {name: str(value) for name, value in variables.items() if value}
    return given | proxies.environment()
