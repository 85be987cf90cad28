"""A CA of the sandbox's own, and the certificates that it signs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ORGANIZATION = "Tinkie sandbox"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key as PEM files."""

    certificate: Path
    key: Path


class CA:
    """A CA; its folder gets ca.pem, and <name>.pem and <name>.key for each certificate it issues.

    certificate: the file that clients must trust.
    """

    def __init__(self, folder: Path, *, not_after: dt.datetime | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self._ca = trustme.CA(organization_name=ORGANIZATION)
        pem = _ending(self._ca, not_after) if not_after else self._ca.cert_pem.bytes()
        self.certificate.write_bytes(pem)

    def issue(
        self,
        name: str,
        hosts: Sequence[str] = (),
        *,
        organization: str = ORGANIZATION,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
    ) -> Pair:
        """Sign a certificate for a server or a client.

        name: common name, and name of the two files.
        hosts: host names and IP addresses for the subject alternative names; none: the name.
        organization: for the API server "system:masters" is an administrator.
        not_before, not_after: UTC; left out, valid since 2000 and for years: machines boot with
        the build's time as their clock.
        """
        # Go refuses a certificate whose list of alternative names is empty.
        leaf = self._ca.issue_cert(
            *(hosts or [name]),
            common_name=name,
            organization_name=organization,
            not_before=not_before,
            not_after=not_after,
        )
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        leaf.cert_chain_pems[0].write_to_path(pair.certificate)
        _write_key(pair.key, leaf)
        return pair

    def write_signing_key(self, path: Path) -> None:
        """Write an RSA key, with which the API server signs its service accounts' tokens."""
        _write_key(path, self._ca.issue_cert("signing", key_type=trustme.KeyType.RSA))


def _write_key(path: Path, leaf: trustme.LeafCert) -> None:
    path.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(path)


def _ending(ca: trustme.CA, not_after: dt.datetime) -> bytes:
    """Return a CA's certificate that ends at another time: trustme's CAs never expire."""
    certificate = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    key = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(not_after)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    ended = builder.sign(cast("EllipticCurvePrivateKey", key), hashes.SHA256())
    return ended.public_bytes(serialization.Encoding.PEM)
