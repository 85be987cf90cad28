from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from sandbox.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_server_certificate_names_its_hosts_and_is_signed(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    certificate = read(authority.issue("registry", ["172.30.0.1", "localhost"]).certificate)
    certificate.verify_directly_issued_by(read(authority.pair.certificate))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["172.30.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_another_authority_did_not_sign_it(tmp_path: Path) -> None:
    pair = Authority.make(tmp_path / "one").issue("registry", ["172.30.0.1"])
    other = Authority.make(tmp_path / "two")
    with pytest.raises(InvalidSignature):
        read(pair.certificate).verify_directly_issued_by(other.certificate)


def test_a_client_certificate_carries_its_group_and_loads(tmp_path: Path) -> None:
    pair = Authority.make(tmp_path).issue("client", organization="system:masters")
    assert "O=system:masters" in read(pair.certificate).subject.rfc4514_string()
    ssl.create_default_context().load_cert_chain(pair.certificate, pair.key)


def test_a_machine_whose_clock_is_years_late_trusts_it_still(tmp_path: Path) -> None:
    begins = read(Authority.make(tmp_path).pair.certificate).not_valid_before_utc
    assert begins < dt.datetime.now(dt.UTC) - dt.timedelta(days=3000)


def test_validity_can_be_chosen_for_tests_of_faults(tmp_path: Path) -> None:
    past = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    pair = Authority.make(tmp_path).issue("old", not_before=past, not_after=past.replace(year=2002))
    assert read(pair.certificate).not_valid_after_utc.year == 2002


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    pair = Authority.make(tmp_path).issue("registry")
    assert pair.key.stat().st_mode & 0o077 == 0
