"""Which CA certificates to fetch, from where, and which registries they are for.

dockerd reads `/etc/docker/certs.d/<host[:port]>/*.crt` of a registry or a mirror at each pull. It
never does so for Docker Hub itself, nor for a registry in `insecure_registries`
(`lookupV2Endpoints` and `newTLSConfig` in its package `registry`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.image_reference import DEFAULT_DOMAIN
from tinkie.parameters.insecure import InsecureRegistries
from tinkie.parameters.table import (
    DOCKER_REGISTRY,
    INSECURE_REGISTRIES,
    PACKET_BASE_URL,
    REGISTRY_CA_SHA256,
    REGISTRY_CA_URL,
    REGISTRY_MIRRORS,
    TINK_WORKER_IMAGE,
    TRUSTED_CA_URL,
)
from tinkie.paths import CERTIFICATES, TRUSTED_CA

if TYPE_CHECKING:
    from pathlib import Path

    from tinkie.parameters.parameter import Parameter, Parameters
    from tinkie.parameters.types import Url


class CertificatePlan(NamedTuple):
    """Where CA certificates come from, what they are for, and which are wanted.

    `parameter` is the one that gave the URL. `hosts` (host[:port]) are those of registries and
    mirrors; `everywhere`: also for whatever else the engine, bootkit and the worker connect to.
    `pins` are SHA-256 sums of DER certificates, in lower-case hexadecimal; without any, every
    certificate is taken.
    """

    parameter: str
    url: str
    hosts: tuple[str, ...]
    everywhere: bool = False
    pins: tuple[str, ...] = ()
    folder: Path = CERTIFICATES

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files to write."""
        name = "trusted.crt" if self.everywhere else "ca.crt"
        files = tuple(self.folder / host / name for host in self.hosts)
        trusted = self.folder / TRUSTED_CA.relative_to(CERTIFICATES)
        return (trusted, *files) if self.everywhere else files

    def as_json(self) -> dict[str, Any]:
        """Return the plan for people."""
        return {"url": self.url, "paths": [str(path) for path in self.paths], "pins": self.pins}


class CertificatePlans(NamedTuple):
    """What to fetch, and why the rest of what is given is not."""

    plans: tuple[CertificatePlan, ...] = ()
    refusals: tuple[PermanentError, ...] = ()


def plan_certificates(parameters: Parameters) -> CertificatePlans:
    """Return what to fetch; of a parameter that this needs and that is bad nothing is used."""
    plans: list[CertificatePlan] = []
    refusals: list[PermanentError] = []
    for plan in (_of_everything, _of_registries, _of_nothing):
        try:
            found = plan(parameters)
        except PermanentError as error:
            refusals.append(error)
        else:
            plans += [found] if found else []
    return CertificatePlans(tuple(plans), tuple(refusals))


def _of_everything(parameters: Parameters) -> CertificatePlan | None:
    if not _is_given(parameters, TRUSTED_CA_URL):
        return None
    _refuse_bad(parameters, TRUSTED_CA_URL, REGISTRY_CA_SHA256)
    return _plan(parameters, TRUSTED_CA_URL, str(parameters[TRUSTED_CA_URL]), _hosts(parameters))


def _of_registries(parameters: Parameters) -> CertificatePlan | None:
    needed = (REGISTRY_CA_URL, REGISTRY_CA_SHA256, DOCKER_REGISTRY)
    if _is_given(parameters, REGISTRY_CA_URL):
        _refuse_bad(parameters, *needed)
        return _plan(
            parameters, REGISTRY_CA_URL, str(parameters[REGISTRY_CA_URL]), _hosts(parameters)
        )
    base_url = parameters[PACKET_BASE_URL]
    if base_url:
        _refuse_bad(parameters, *needed)
        registry = parameters[DOCKER_REGISTRY]
        hosts = (registry.domain,) if registry else ()
        return _plan(parameters, PACKET_BASE_URL, base_url.rstrip("/") + "/ca.pem", hosts)
    return None


def _of_nothing(parameters: Parameters) -> None:
    """Refuse pins that pin nothing: who gave them believes that something is pinned."""
    urls = (TRUSTED_CA_URL, REGISTRY_CA_URL, PACKET_BASE_URL)
    if _is_given(parameters, REGISTRY_CA_SHA256) and not any(
        _is_given(parameters, one) for one in urls
    ):
        names = ", ".join(one.name for one in urls)
        message = f"{REGISTRY_CA_SHA256.name} has no effect: none of {names} is given"
        raise PermanentError(message, kind=ErrorKind.BAD_PARAMETER)


def _is_given(parameters: Parameters, parameter: Parameter[Any]) -> bool:
    return parameter.name in parameters.texts


def _refuse_bad(parameters: Parameters, *needed: Parameter[Any]) -> None:
    bad = [parameter.name for parameter in needed if parameter.name in parameters.problems]
    if bad:
        message = f"no CA certificate is fetched, because of {', '.join(bad)}"
        raise PermanentError(message, kind=ErrorKind.BAD_PARAMETER)


def _hosts(parameters: Parameters) -> tuple[str, ...]:
    """Return the host[:port] of each registry and of each mirror with TLS."""
    registry, image = parameters[DOCKER_REGISTRY], parameters[TINK_WORKER_IMAGE]
    mirrors = (one.host for one in parameters[REGISTRY_MIRRORS] if one.scheme == "https")
    return (*(one.domain for one in (registry, image) if one), *mirrors)


def _plan(
    parameters: Parameters, parameter: Parameter[Url | None], url: str, hosts: tuple[str, ...]
) -> CertificatePlan | None:
    """Return the plan.

    Raises:
        PermanentError: it would have no effect, since dockerd reads it for none of the hosts.
    """
    # A name in a network is not looked up: name servers may change.
    insecure = InsecureRegistries(parameters[INSECURE_REGISTRIES], addresses=lambda _host: [])
    read = tuple(
        dict.fromkeys(host for host in hosts if host != DEFAULT_DOMAIN and not insecure.has(host))
    )
    everywhere = parameter is TRUSTED_CA_URL
    if not read and not everywhere:
        raise _useless(parameter, hosts)
    return CertificatePlan(
        parameter.name, url, read, everywhere=everywhere, pins=parameters[REGISTRY_CA_SHA256]
    )


def _useless(parameter: Parameter[Url | None], hosts: tuple[str, ...]) -> PermanentError:
    """Return why: there is no host at all, or only Docker Hub and those in insecure_registries."""
    reason = "no registry is given for it"
    if hosts:
        reason = f"dockerd reads no CA certificate for {', '.join(dict.fromkeys(hosts))}"
    hints = []
    if insecure := [host for host in dict.fromkeys(hosts) if host != DEFAULT_DOMAIN]:
        them = ", ".join(insecure)
        reason += f" ({INSECURE_REGISTRIES.name} has {them}: any certificate is accepted there)"
        hints.append(f"take {them} out of {INSECURE_REGISTRIES.name}, or leave out this parameter")
    if DEFAULT_DOMAIN in hosts:
        hints.append(f"give {TRUSTED_CA_URL.name} to trust it for Docker Hub too")
    message = f"{parameter.name} has no effect: {reason}"
    hint = "; ".join(hints) or f"name a registry in {DOCKER_REGISTRY.name}"
    return PermanentError(message, kind=ErrorKind.BAD_PARAMETER, hint=hint)
