from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import ssl
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import outcome
from tests.unit.tink_docker.conftest import HOST, make_certificate, with_bytes
from tink_docker.ca.certs import check_time, install, wanted_certificates
from tink_docker.ca.plan import CertificatePlan
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Certificate

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def test_all_certificates_are_taken_without_pins(ca: Certificate, other_ca: Certificate) -> None:
    pem = b"# a comment\n" + ca.pem.replace(b"\n", b"\r\n") + other_ca.pem
    found = wanted_certificates(pem, ())
    assert list(found) == [ca.sha256, other_ca.sha256]
    assert "".join(found.values()).encode() == ca.pem + other_ca.pem


def test_certificates_without_a_pin_are_dropped(ca: Certificate, other_ca: Certificate) -> None:
    found = wanted_certificates(ca.pem + other_ca.pem, (other_ca.sha256,))
    assert list(found) == [other_ca.sha256]


def test_none_pinned_is_a_refusal_that_names_what_was_found(ca: Certificate) -> None:
    with pytest.raises(PermanentError, match=f"refused.*{ca.sha256}") as raised:
        wanted_certificates(ca.pem, ("00" * 32,))
    assert raised.value.kind is ErrorKind.CERTIFICATE_UNTRUSTED


def test_what_has_expired_is_taken_beside_what_has_not(ca: Certificate) -> None:
    old = make_certificate("old", days=30)
    check_time(wanted_certificates(old.pem + ca.pem, ()), NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (HOST.encode(), b"\xe9ost.example"),
        (b"351230000000Z", b"991331000000Z"),
        (b"351230000000Z", b"35123000000\xffZ"),
        (b"351230000000Z", b"3512300000000"),
    ],
)
def test_a_certificate_whose_end_cannot_be_read_is_taken(
    ca: Certificate, old: bytes, new: bytes, tmp_path: Path
) -> None:
    odd = with_bytes(ca, old, new)
    plan = CertificatePlan("registry_ca_url", "http://tb/", ("a",), folder=tmp_path)
    over = make_certificate("over", days=30)
    for pem in (ca.pem + odd.pem, odd.pem + over.pem, odd.pem):
        assert install(plan, pem, NOW)[1]
        assert (tmp_path / "a" / "ca.crt").read_bytes() == pem


def test_all_expired_is_a_refusal_that_tells_when_and_the_machines_own_time() -> None:
    old = make_certificate("old", days=30)
    with pytest.raises(PermanentError, match=r"2026-01-31.*clock: 2026-11-23") as raised:
        check_time(wanted_certificates(old.pem, ()), NOW)
    assert raised.value.kind is ErrorKind.CERTIFICATE_TIME


def test_a_clock_that_is_behind_refuses_nothing(ca: Certificate) -> None:
    found = wanted_certificates(ca.pem, ())
    check_time(found, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def test_what_was_written_stays_when_rubbish_comes(ca: Certificate, tmp_path: Path) -> None:
    plan = CertificatePlan("registry_ca_url", "http://tb/ca.pem", ("a.b",), folder=tmp_path)
    install(plan, ca.pem, NOW)
    for rubbish in (b"<html>", make_certificate("old", days=30).pem, ca.pem[:-40]):
        with pytest.raises(PermanentError):
            install(plan, rubbish, NOW)
    assert (tmp_path / "a.b" / "ca.crt").read_bytes() == ca.pem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>login</html>",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_not_taken(body: bytes) -> None:
    with pytest.raises(PermanentError, match="certificate") as raised:
        wanted_certificates(body, ())
    assert raised.value.kind is ErrorKind.BAD_ANSWER


def test_a_file_that_is_cut_off_is_not_taken(ca: Certificate) -> None:
    with pytest.raises(PermanentError):
        wanted_certificates(ca.pem[:-40], ())


def test_it_is_written_for_each_registry(ca: Certificate, tmp_path: Path) -> None:
    plan = CertificatePlan("registry_ca_url", "http://tb/", ("a:5000", "b"), folder=tmp_path)
    assert install(plan, b"text before\n" + ca.pem, NOW) == ([ca.sha256], True)
    assert install(plan, ca.pem, NOW) == ([ca.sha256], False)
    for name in ("a:5000", "b"):
        path = tmp_path / name / "ca.crt"
        assert path.read_bytes() == ca.pem
        assert path.stat().st_mode & 0o777 == 0o644


def test_what_an_action_put_in_its_place_is_replaced(ca: Certificate, tmp_path: Path) -> None:
    plan = CertificatePlan("registry_ca_url", "http://tb/", ("a", "b"), folder=tmp_path)
    for path in plan.paths:
        path.parent.mkdir()
    (tmp_path / "right").write_bytes(ca.pem)
    os.mkfifo(plan.paths[0])
    plan.paths[1].symlink_to(tmp_path / "right")
    assert install(plan, ca.pem, NOW) == ([ca.sha256], True)
    assert [path.is_symlink() or path.read_bytes() for path in plan.paths] == [ca.pem] * 2


def test_what_everything_trusts_is_written_beside_a_registrys_own(
    ca: Certificate, other_ca: Certificate, tmp_path: Path
) -> None:
    own = CertificatePlan("registry_ca_url", "http://tb/", ("a",), folder=tmp_path)
    trusted = CertificatePlan(
        "trusted_ca_url", "http://tb/", ("a",), everywhere=True, folder=tmp_path
    )
    install(own, ca.pem, NOW)
    install(trusted, other_ca.pem, NOW)
    written = {
        str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.crt")
    }
    assert written == {
        "a/ca.crt": ca.pem,
        "a/trusted.crt": other_ca.pem,
        ".trusted/ca.crt": other_ca.pem,
    }


def test_a_folder_that_cannot_be_written_is_named(ca: Certificate, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("in the way")
    plan = CertificatePlan("registry_ca_url", "http://tb/", ("a",), folder=tmp_path)
    with pytest.raises(PermanentError, match=r"writing .*/a/ca\.crt"):
        install(plan, ca.pem, NOW)


ONE, OTHER = make_certificate("one"), make_certificate("other")
KNOWN = {known.sha256: known.pem for known in (ONE, OTHER)}
DER = [ssl.PEM_cert_to_DER_cert(known.pem.decode()) for known in (ONE, OTHER)]


def block(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


def test_two_in_one_block_are_refused_since_the_engine_would_pass_them_over() -> None:
    with pytest.raises(PermanentError, match="more than one"):
        wanted_certificates(block(DER[0] + DER[1]), ())


DAMAGED = st.builds(
    lambda at, change: DER[0][:at] + change + DER[0][at + len(change) :],
    st.integers(0, len(DER[0])),
    st.binary(max_size=3),
)
PEM = st.lists(
    st.sampled_from([ONE.pem, OTHER.pem, ONE.pem.replace(b"\n", b"\r\n"), b"# text\n"])
    | DAMAGED.map(block)
    | st.binary(max_size=30)
    | st.binary(max_size=9).map(block),
    max_size=4,
).map(b"".join)


@given(PEM, st.sampled_from([(), (ONE.sha256,), (OTHER.sha256, "00" * 32)]))
@example(block(b""), ())
@example(block(DER[0] + b"x"), ())
def test_any_answer_is_whole_certificates_that_are_wanted_or_refused(
    pem: bytes, pins: tuple[str, ...]
) -> None:
    wanted = outcome(lambda: wanted_certificates(pem, pins))
    if isinstance(wanted, BootError):
        assert "certificate" in str(wanted) or "registry_ca_sha256" in str(wanted)
        return
    assert not pins or set(wanted) <= set(pins)
    assert wanted_certificates("".join(wanted.values()).encode(), pins) == wanted
    for digest, text in wanted.items():
        assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest() == digest
        assert text.count("BEGIN") == 1
        assert digest not in KNOWN or text.encode() == KNOWN[digest]
