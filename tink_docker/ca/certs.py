"""CA certificates: checked, and put where dockerd, bootkit and the worker look for them."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, PermanentError
from tinkie.files import read_file, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tink_docker.ca.plan import CertificatePlan

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


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
    except (*NONSENSE, ssl.SSLError) as error:
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
    """Return when a certificate expires, None if that is unknown.

    ssl has no date of one that is not a CA's. Of some that OpenSSL loads it can show nothing: with
    a byte in a name that is not ASCII, with a date that does not exist.
    """
    try:
        certificates = _holding(pem).get_ca_certs()
        ends = [ssl.cert_time_to_seconds(str(one["notAfter"])) for one in certificates]
        return datetime.fromtimestamp(ends[0], UTC) if ends else None
    except (*NONSENSE, OSError):  # SSLError is an OSError
        return None


def install(plan: CertificatePlan, pem: bytes, now: datetime) -> tuple[list[str], bool]:
    """Write the wanted certificates to each of the plan's files.

    Return their SHA-256 sums, and whether a file has changed. now: by the machine's clock. What was
    written before stays if this raises.

    Raises:
        PermanentError: as `wanted_certificates` and `check_time`, or a file cannot be written.
    """
    wanted = wanted_certificates(pem, plan.pins)
    check_time(wanted, now)
    content = "".join(wanted.values()).encode()
    changed = [path for path in plan.paths if not _has(path, content)]
    for path in changed:
        try:
            write_atomically(path, content)
        except OSError as error:
            raise PermanentError(f"writing {path}: {error.strerror}") from error
    return list(wanted), bool(changed)


def _has(path: Path, content: bytes) -> bool:
    try:
        return read_file(path, len(content)) == content
    except OSError:
        return False
