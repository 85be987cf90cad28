"""What tink-docker's tests share: a clock that only they move, and certificates."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = "host.example"


@dataclass
class Clock:
    """Time passes only by `wait`; `then` is called each time, after it has passed."""

    seconds: float = 1000.0
    waits: list[float] = field(default_factory=list)
    then: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float, _files: Sequence[int] = ()) -> None:
        self.waits.append(seconds)
        self.seconds += seconds
        self.then()


@dataclass(frozen=True)
class Certificate:
    pem: bytes
    sha256: str


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_certificate(name: str, *, days: int = 3650) -> Certificate:
    """A CA certificate that is valid from the beginning of 2026."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Certificate(pem, hashlib.sha256(der).hexdigest())


def with_bytes(certificate: Certificate, old: bytes, new: bytes) -> Certificate:
    """The same with other bytes in it; its signature is wrong then, which OpenSSL loads."""
    der = ssl.PEM_cert_to_DER_cert(certificate.pem.decode())
    assert der.count(old) == 1
    der = der.replace(old, new)
    return Certificate(ssl.DER_cert_to_PEM_cert(der).encode(), hashlib.sha256(der).hexdigest())


@pytest.fixture(scope="session")
def ca() -> Certificate:
    return make_certificate("one")


@pytest.fixture(scope="session")
def other_ca() -> Certificate:
    return make_certificate("other")


_REAL_POPEN = subprocess.Popen


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this test start processes: what a child inherits cannot be shown without one."""
    monkeypatch.setattr(subprocess, "Popen", _REAL_POPEN)
