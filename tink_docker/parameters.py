"""The kernel parameters that tink-docker reads (design, section 4)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from tinkie.parameters.image_reference import is_domain
from tinkie.parameters.table import (
    Base,
    CommaList,
    Image,
    Parameters,
    Port,
    Registry,
    Url,
    check_port,
    check_url,
)
from tinkie.parameters.types import is_address
from tinkie.paths import SYSLOG_PORT

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_MIRROR = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def _host(value: str) -> str:
    """Take a name or an address, an IPv6 one with or without brackets, but none with a zone."""
    bare = value.removeprefix("[").removesuffix("]") if value.startswith("[") else value
    name = bare == value and _HOST.fullmatch(value)
    if not name and ("%" in bare or not is_address(bare)):
        raise ValueError("not a host name or an address")
    return bare


def _fingerprints(values: tuple[str, ...]) -> tuple[str, ...]:
    """Write SHA-256 sums as hashlib does; `openssl x509 -fingerprint` has colons and upper case."""
    sums = tuple(value.lower().removeprefix("sha256:").replace(":", "") for value in values)
    if not sums or not all(map(_FINGERPRINT.fullmatch, sums)):
        raise ValueError("not a comma list of SHA-256 sums of 64 hexadecimal digits")
    return sums


def _insecure(values: tuple[str, ...]) -> tuple[str, ...]:
    """Leave the scheme out, as dockerd does; it takes hosts with ports, and networks."""
    hosts = tuple(re.sub("^https?://", "", value).rstrip("/") for value in values)
    for value in hosts:
        if not _is_network(value):
            _check_host_and_port(value)
    return hosts


def _mirrors(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what dockerd would refuse to start with."""
    for value in values:
        parts = check_url(value)
        more = parts.path.strip("/") or parts.query or parts.fragment
        if more or not _MIRROR.fullmatch(parts.netloc):
            raise ValueError("dockerd takes a mirror only as http[s]://host[:port]")
    return values


def _check_host_and_port(value: str) -> None:
    name, colon, port = value.rpartition(":")
    host = name if colon and not value.endswith("]") else value
    if not is_domain(host):
        raise ValueError("not a comma list of host[:port] or address/bits")
    if host != value:
        check_port(port)


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


Host = Annotated[str, AfterValidator(_host)]


class EngineParams(Parameters):
    """Which registries the engine trusts and how, and where its containers' logs go."""

    docker_registry: Registry | None = Field(None, alias="docker_registry")
    tink_worker_image: Image | None = Field(None, alias="tink_worker_image")
    packet_base_url: Base | None = Field(None, alias="packet_base_url")
    registry_ca_url: Url | None = Field(None, alias="registry_ca_url")
    registry_ca_sha256: Annotated[CommaList, AfterValidator(_fingerprints)] | None = Field(
        None, alias="registry_ca_sha256"
    )
    insecure_registries: Annotated[CommaList, AfterValidator(_insecure)] = Field(
        (), alias="insecure_registries"
    )
    registry_mirrors: Annotated[CommaList, AfterValidator(_mirrors)] = Field(
        (), alias="registry_mirrors"
    )
    syslog_host: Host | None = Field(None, alias="syslog_host")
    syslog_port: Port = Field(SYSLOG_PORT, alias="syslog_port")
