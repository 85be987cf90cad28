"""The values that bootkit reads, and the worker's container, planned from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bootkit.machine.metadata import MachineMetadata, MetadataService, metadata_url
from bootkit.plan.worker import WorkerSpec, given_credentials, plan_worker
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BadParameters, PermanentError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.image_reference import same_registry
from tinkie.parameters.parameter import Parameters, Reader, Stops
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.table import (
    BOOTIF,
    DOCKER_REGISTRY,
    GRPC_AUTHORITY,
    HW_ADDR,
    INSTANCE_ID,
    REGISTRY_AUTH_URL,
    REGISTRY_CA_SHA256,
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    TABLE,
    TINK_WORKER_IMAGE,
    WORKER_ID,
    problems_for,
    read_parameters,
)

if TYPE_CHECKING:
    from tinkie.parameters.cmdline import Cmdline
    from tinkie.parameters.parameter import Parameter

_GIVING_ID = {HW_ADDR.name, BOOTIF.name, GRPC_AUTHORITY.name}  # a bad one is reported by itself
_GIVING_IMAGE = {TINK_WORKER_IMAGE.name, DOCKER_REGISTRY.name}
_NO_SERVER = "not given: most workers end without it"
_CLEAR_TEXT = "without TLS, anybody in between can read and change the passwords: use https://"
_NO_ID = (
    "not given, nor are hw_addr and BOOTIF, and none of metadata_url, tinkerbell and "
    "grpc_authority gives the address of a metadata service"
)


class Inputs(NamedTuple):
    """The values of the command line, the reason for each bad one, and the proxies."""

    parameters: Parameters
    problems: dict[str, str]
    proxies: Proxies

    @classmethod
    def from_cmdline(cls, cmdline: Cmdline) -> Inputs:
        """Read all that bootkit reads."""
        parameters = read_parameters(cmdline)
        bad = problems_for(Reader.BOOTKIT, parameters)
        problems = _missing_id(parameters, bad) | bad | _contradictions(parameters, bad)
        return cls(parameters, problems, Proxies.given_by(parameters))

    @property
    def known_id(self) -> str | None:
        """Return the worker's id if the parameters give it."""
        return known_id(self.parameters)

    @property
    def notices(self) -> dict[str, str]:
        """Return, by name, what people should know of a parameter that is not bad."""
        found = {
            GRPC_AUTHORITY.name: _server_notice(self.parameters),
            REGISTRY_USERNAME.name: (
                _half_pair_notice(self.parameters, REGISTRY_USERNAME, REGISTRY_PASSWORD)
                or _credentials_notice(self.parameters)
            ),
            REGISTRY_PASSWORD.name: (
                _half_pair_notice(self.parameters, REGISTRY_PASSWORD, REGISTRY_USERNAME)
            ),
            REGISTRY_AUTH_URL.name: _auth_url_notice(self.parameters),
        }
        return {name: message for name, message in found.items() if message}

    @property
    def stopping(self) -> dict[str, str]:
        """Return the problems with which the worker cannot be started."""
        with_id = {Stops.WITHOUT_ID} if self.known_id else set()
        with_image = {Stops.WITHOUT_IMAGE} if self.parameters[TINK_WORKER_IMAGE] else set()
        harmless = {Stops.NEVER} | with_id | with_image
        names = {parameter.name for parameter in TABLE if parameter.stops in harmless}
        return {name: why for name, why in self.problems.items() if name not in names}

    def check(self) -> None:
        """Raise BadParameters with every problem if one of them stops the worker."""
        if self.stopping:
            raise BadParameters(self.problems)

    def metadata(self, fetcher: Fetcher) -> MetadataService | None:
        """Return the service to ask, or None if there is none or it can add nothing."""
        url = metadata_url(self.parameters)
        nothing_new = self.known_id and self.parameters[INSTANCE_ID]
        return None if url is None or nothing_new else MetadataService(url, fetcher)

    def fetcher(self) -> Fetcher:
        """Return what makes requests."""
        return Fetcher(user_agent="bootkit", proxies=self.proxies)

    def pinned(self, fetcher: Fetcher) -> Fetcher:
        """Return what fetches passwords: given registry_ca_sha256, it trusts what that names only.

        Those are the certificates that tink-docker installs. If one of the sums is bad, it installs
        none, and nobody is trusted.
        """
        is_given = REGISTRY_CA_SHA256.name in self.parameters.texts
        return replace(fetcher, only_cas=is_given)


def _server_notice(parameters: Parameters) -> str | None:
    server, text = parameters[GRPC_AUTHORITY], parameters.texts.get(GRPC_AUTHORITY.name)
    if text is None:
        return _NO_SERVER
    if server and text in (server.host, server.host.in_url):
        return f"it has no port: using Tinkerbell's, {server.port}"
    return None


def _half_pair_notice(
    parameters: Parameters, row: Parameter[Any], other: Parameter[Any]
) -> str | None:
    """Return what it means that only the other of user and password is given."""
    if row.name in parameters.texts or other.name not in parameters.texts:
        return None
    return f"not given: {other.name} alone is used for nothing, and not handed to the worker"


def _credentials_notice(parameters: Parameters) -> str | None:
    """Return why user and password are used for no pull, if both are given and that is so."""
    image, registry = parameters[TINK_WORKER_IMAGE], parameters[DOCKER_REGISTRY]
    given = given_credentials(parameters)
    if not given or not image or (registry and same_registry(image.domain, registry.domain)):
        return None
    theirs = (
        f"docker_registry names {registry.domain}" if registry else "docker_registry is missing"
    )
    return (
        f"not used to pull tink_worker_image from {image.domain}, because {theirs}; the worker "
        "gets user and password all the same"
    )


def _auth_url_notice(parameters: Parameters) -> str | None:
    url = parameters[REGISTRY_AUTH_URL]
    return _CLEAR_TEXT if url and url.scheme == "http" else None


def known_id(parameters: Parameters) -> str | None:
    """Return the worker's id if the parameters give it."""
    return parameters[WORKER_ID] or parameters[HW_ADDR] or parameters[BOOTIF]


def _missing_id(parameters: Parameters, bad: dict[str, str]) -> dict[str, str]:
    if known_id(parameters) or metadata_url(parameters) or _GIVING_ID & bad.keys():
        return {}
    return {WORKER_ID.name: _NO_ID}


def _contradictions(parameters: Parameters, bad: dict[str, str]) -> dict[str, str]:
    """Return what is missing, and what Docker would take for something else."""
    registry = parameters[DOCKER_REGISTRY]
    if not (parameters[TINK_WORKER_IMAGE] or registry or _GIVING_IMAGE & bad.keys()):
        return {TINK_WORKER_IMAGE.name: "neither this nor docker_registry is given"}
    if registry and registry.is_docker_hub_user and given_credentials(parameters):
        reason = f"Docker takes {str(registry)!r} for a user of Docker Hub, "
        return {DOCKER_REGISTRY.name: reason + "where no password goes: add the port, as :443"}
    return {}


def plan(inputs: Inputs, machine: MachineMetadata) -> WorkerSpec:
    """Decide what the worker should be.

    Raises:
        PermanentError: neither the parameters nor the metadata give the worker's id.
    """
    worker_id = inputs.known_id or machine.id
    if worker_id is None:
        raise PermanentError(
            "the metadata service answered, but has no id of this machine",
            kind=ErrorKind.NOT_FOUND,
            hint="give worker_id, or enter this machine's hardware with its addresses",
        )
    return plan_worker(inputs.parameters, machine, inputs.proxies, worker_id)
