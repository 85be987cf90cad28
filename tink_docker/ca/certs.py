"""The registries' CA certificates: checked, and put where dockerd looks for them.

dockerd reads `/etc/docker/certs.d/<host[:port]>/*.crt` at each pull: a file that comes late needs
no restart.
"""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.files import write_atomically
from tinkie.parameters.table import (
    DOCKER_REGISTRY,
    PACKET_BASE_URL,
    REGISTRY_CA_SHA256,
    REGISTRY_CA_URL,
    TINK_WORKER_IMAGE,
)
from tinkie.paths import CERTIFICATES

if TYPE_CHECKING:
    from pathlib import Path

    from tinkie.parameters.parameter import Parameter, Parameters
    from tinkie.parameters.types import Url

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_NEEDED = (DOCKER_REGISTRY.name, REGISTRY_CA_URL.name, REGISTRY_CA_SHA256.name)


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """Where the certificates come from, for which registries (host[:port]), and which are wanted.

    `parameter` is the one that gave the URL. `pins` are SHA-256 sums of DER certificates, in
    lower-case hexadecimal; without any, every certificate is taken.
    """

    parameter: str
    url: str
    registries: tuple[str, ...]
    pins: tuple[str, ...] = ()
    folder: Path = CERTIFICATES

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files to write."""
        return tuple(self.folder / registry / "ca.crt" for registry in self.registries)

    def as_json(self) -> dict[str, Any]:
        """Return the plan for people."""
        return {"url": self.url, "paths": [str(path) for path in self.paths], "pins": self.pins}


def plan_certificates(parameters: Parameters) -> CertificatePlan | None:
    """Return what to get, or None if no CA is given, or no registry to use it for.

    Raises:
        PermanentError: a parameter that this needs is bad: all of it is trusted, or nothing.
    """
    bad = [name for name in _NEEDED if name in parameters.problems]
    ca_url, base_url = parameters[REGISTRY_CA_URL], parameters[PACKET_BASE_URL]
    if bad and (ca_url or base_url or REGISTRY_CA_URL.name in bad):
        message = f"no CA certificate is fetched, because of {', '.join(bad)}"
        raise PermanentError(message, kind=ErrorKind.BAD_PARAMETER)
    registry, image = parameters[DOCKER_REGISTRY], parameters[TINK_WORKER_IMAGE]
    domains = [registry.domain] if registry else []
    if ca_url:
        domains += [image.domain] if image else []
        return _plan(REGISTRY_CA_URL, ca_url, domains, parameters)
    if base_url:
        return _plan(PACKET_BASE_URL, base_url.rstrip("/") + "/ca.pem", domains, parameters)
    return None


def _plan(
    parameter: Parameter[Url | None], url: str, domains: list[str], parameters: Parameters
) -> CertificatePlan | None:
    if not domains:
        return None
    registries = tuple(dict.fromkeys(domains))
    return CertificatePlan(parameter.name, url, registries, parameters[REGISTRY_CA_SHA256])


def wanted_certificates(pem: bytes, pins: tuple[str, ...]) -> dict[str, str]:
    """Return the certificates in `pem` as PEM by SHA-256 sum; with pins only those.

    Raises:
        PermanentError: there is none, one of them cannot be read, or none is pinned.
    """
    found = dict(map(_checked, _PEM.findall(pem)))
    if not found:
        raise PermanentError("the answer holds no PEM certificate", kind=ErrorKind.BAD_ANSWER)
    wanted = {digest: text for digest, text in found.items() if not pins or digest in pins}
    if not wanted:
        raise PermanentError(
            f"refused, since registry_ca_sha256 names none of it: {', '.join(found)}",
            kind=ErrorKind.CERTIFICATE_UNTRUSTED,
            hint="correct registry_ca_sha256, or put the right certificate on the server",
        )
    return wanted


def _checked(body: bytes) -> tuple[str, str]:
    """Return a certificate's SHA-256 sum and its PEM; `body` is the base64 between the lines."""
    try:
        der = base64.b64decode(b"".join(body.split()), validate=True)
        context = _holding(der)
    except (ValueError, ssl.SSLError) as error:
        raise _unreadable(str(error)) from error
    # dockerd ignores a block with two certificates, without a message.
    if context.cert_store_stats()["x509"] != 1:
        raise _unreadable("it is more than one")
    return hashlib.sha256(der).hexdigest(), ssl.DER_cert_to_PEM_cert(der)


def _holding(certificate: bytes | str) -> ssl.SSLContext:
    """Return a context that has loaded a certificate, DER or PEM; raise SSLError if it cannot."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    return context


def _unreadable(why: str) -> PermanentError:
    message = f"one of the answer's certificates cannot be read: {why}"
    return PermanentError(message, kind=ErrorKind.BAD_ANSWER)


def check_time(found: dict[str, str], now: datetime) -> None:
    """Refuse certificates that have all expired.

    If only some have, install all: dockerd ignores expired ones, and if the clock is wrong, all are
    there when it is right. A certificate that is not valid yet only means a clock that is behind.

    Raises:
        PermanentError: all have expired, by the machine's clock.
    """
    ends = {digest: _end(pem) for digest, pem in found.items()}
    if all(end is not None and end < now for end in ends.values()):
        over = ", ".join(f"{digest} on {end}" for digest, end in ends.items())
        raise PermanentError(
            f"refused, since all of it has expired: {over}; this machine's clock: {now}",
            kind=ErrorKind.CERTIFICATE_TIME,
        )


def _end(pem: str) -> datetime | None:
    """Return when a certificate expires; None if it is not a CA's (ssl has no date of others)."""
    certificates = _holding(pem).get_ca_certs()
    if not certificates:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificates[0]["notAfter"])), UTC)


def install(plan: CertificatePlan, pem: bytes, now: datetime) -> list[str]:
    """Write the wanted certificates for each registry; return their SHA-256 sums.

    now: by the machine's clock. What was written before stays if this raises.

    Raises:
        PermanentError: as `wanted_certificates` and `check_time`, or a file cannot be written.
    """
    wanted = wanted_certificates(pem, plan.pins)
    check_time(wanted, now)
    for path in plan.paths:
        try:
            write_atomically(path, "".join(wanted.values()).encode())
        except OSError as error:
            raise PermanentError(f"writing {path}: {error.strerror}") from error
    return list(wanted)
