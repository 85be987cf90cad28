from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.certificates import CA

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_server_certificate_names_its_hosts_and_is_signed(tmp_path: Path) -> None:
    ca = CA(tmp_path)
    certificate = read(ca.issue("registry", ["172.30.0.1", "localhost"]).certificate)
    certificate.verify_directly_issued_by(read(ca.certificate))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["172.30.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_another_ca_did_not_sign_it(tmp_path: Path) -> None:
    certificate = read(CA(tmp_path / "one").issue("registry", ["172.30.0.1"]).certificate)
    other = read(CA(tmp_path / "two").certificate)
    assert certificate.issuer != other.subject
    key = other.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    algorithm = ec.ECDSA(hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, algorithm)


def test_a_client_certificate_carries_its_group_and_loads(tmp_path: Path) -> None:
    pair = CA(tmp_path).issue("client", organization="system:masters")
    assert "O=system:masters" in read(pair.certificate).subject.rfc4514_string()
    ssl.create_default_context().load_cert_chain(pair.certificate, pair.key)


def test_a_machine_whose_clock_is_years_late_trusts_it_still(tmp_path: Path) -> None:
    begins = read(CA(tmp_path).certificate).not_valid_before_utc
    assert begins < dt.datetime.now(dt.UTC) - dt.timedelta(days=3000)


def test_validity_can_be_chosen_for_tests_of_faults(tmp_path: Path) -> None:
    past = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    pair = CA(tmp_path).issue("old", not_before=past, not_after=past.replace(year=2002))
    assert read(pair.certificate).not_valid_after_utc.year == 2002


def test_a_ca_that_has_expired_is_like_any_other_but_for_that(tmp_path: Path) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = CA(tmp_path, not_after=past)
    certificate = read(expired.certificate)
    assert certificate.not_valid_after_utc == past
    certificate.verify_directly_issued_by(certificate)
    read(expired.issue("registry").certificate).verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_certificate_is_never_without_alternative_names(tmp_path: Path) -> None:
    certificate = read(CA(tmp_path).issue("client").certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["client"]


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    ca = CA(tmp_path)
    ca.write_signing_key(tmp_path / "signing.key")
    for key in (ca.issue("registry").key, tmp_path / "signing.key"):
        assert key.stat().st_mode & 0o077 == 0
    assert b"BEGIN RSA PRIVATE KEY" in (tmp_path / "signing.key").read_bytes()
