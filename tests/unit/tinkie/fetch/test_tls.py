"""Which servers the fetcher trusts, with real certificates on the loopback."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest

from sandbox.certificates import CA
from tests.fakes.tls import HOST, serving
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("loopback")

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CA:
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def ours(ca: CA) -> Fetcher:
    """Return a fetcher that trusts this CA besides the system's."""
    return Fetcher(cas=(ca.certificate,))


def test_a_server_with_a_certificate_of_the_given_ca_is_trusted(ca: CA, ours: Fetcher) -> None:
    with serving(ca.issue("good", [HOST])) as server:
        server.answers["/x"] = (200, {}, b"body")
        assert ours.get(f"{server.url}/x") == b"body"


def refused(
    fetcher: Fetcher,
    ca: CA,
    host: str = HOST,
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
) -> BootError:
    pair = ca.issue("refused", [host], not_before=not_before, not_after=not_after)
    with serving(pair) as server:
        server.answers["/"] = (200, {}, b"body")
        with pytest.raises(BootError) as caught:
            fetcher.get(f"{server.url}/")
        assert server.asked == []
    return caught.value


def test_a_certificate_of_an_unknown_ca_is_not_trusted(ca: CA) -> None:
    assert refused(Fetcher(), ca).kind is ErrorKind.CERTIFICATE_UNTRUSTED


def test_a_certificate_of_another_ca_is_not_trusted(ours: Fetcher, tmp_path: Path) -> None:
    other = CA(tmp_path)
    assert refused(ours, other).kind is ErrorKind.CERTIFICATE_UNTRUSTED


def test_the_systems_cas_may_count_for_nothing(
    ca: CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CA(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.certificate))
    with serving(ca.issue("system", [HOST])) as server:
        server.answers["/x"] = (200, {}, b"body")
        assert Fetcher(cas=(other.certificate,)).get(f"{server.url}/x") == b"body"
        assert Fetcher(cas=(ca.certificate,), only_cas=True).get(f"{server.url}/x") == b"body"
    for cas in ((other.certificate,), (tmp_path / "missing",)):
        error = refused(Fetcher(cas=cas, only_cas=True), ca)
        assert error.kind is ErrorKind.CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize("host", ["127.0.0.2", "other.example"])
def test_the_name_counts_if_the_systems_cas_do_not(ca: CA, host: str) -> None:
    pinned = Fetcher(cas=(ca.certificate,), only_cas=True)
    assert refused(pinned, ca, host).kind is ErrorKind.CERTIFICATE_NAME


def test_an_expired_certificate_is_not_trusted(ca: CA, ours: Fetcher) -> None:
    error = refused(ours, ca, not_before=NOW - 2 * DAY, not_after=NOW - DAY)
    assert error.kind is ErrorKind.CERTIFICATE_TIME


def test_a_certificate_that_is_not_valid_yet_is_not_trusted(ca: CA, ours: Fetcher) -> None:
    error = refused(ours, ca, not_before=NOW + DAY, not_after=NOW + 2 * DAY)
    assert error.kind is ErrorKind.CERTIFICATE_TIME


@pytest.mark.parametrize("host", ["127.0.0.2", "other.example"])
def test_a_certificate_of_another_host_is_not_trusted(ca: CA, ours: Fetcher, host: str) -> None:
    assert refused(ours, ca, host).kind is ErrorKind.CERTIFICATE_NAME


def test_an_answer_that_is_only_shown_needs_no_trust(ca: CA) -> None:
    yesterday = ca.issue("shown", ["other.example"], not_after=NOW - DAY)
    with serving(yesterday) as server:
        assert Fetcher(unverified=True).ask(f"{server.url}/").status == 404


def test_a_server_without_tls_has_its_own_kind_of_error() -> None:
    with serving() as server, pytest.raises(PermanentError) as caught:
        Fetcher().get(f"https://{server.endpoint}/")
    assert caught.value.kind is ErrorKind.PLAIN_HTTP


def client_certificate_needed(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED


def tls_1_2_and_a_client_certificate(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED


def ciphers_of_others(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")  # its key is for ECDSA


def tls_of_2006(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


@pytest.mark.parametrize(
    ("configure", "kind"),
    [
        (client_certificate_needed, ErrorKind.CLIENT_CERTIFICATE),
        # By TLS 1.2 OpenSSL's server says no more than that the handshake failed.
        (tls_1_2_and_a_client_certificate, ErrorKind.TLS_MISMATCH),
        (ciphers_of_others, ErrorKind.TLS_MISMATCH),
        (tls_of_2006, ErrorKind.TLS_MISMATCH),
    ],
)
def test_a_server_that_demands_other_tls(
    ca: CA,
    ours: Fetcher,
    configure: Callable[[ssl.SSLContext], None],
    kind: ErrorKind,
) -> None:
    with (
        serving(ca.issue("other", [HOST]), configure) as server,
        pytest.raises(PermanentError) as caught,
    ):
        ours.get(f"{server.url}/")
    assert caught.value.kind is kind
    assert server.asked == []


def test_a_redirect_from_https_to_http_is_refused(ca: CA, ours: Fetcher) -> None:
    with serving(ca.issue("leads", [HOST])) as server, serving() as plain:
        server.answers["/"] = (302, {"Location": f"{plain.url}/x"}, b"")
        plain.answers["/x"] = (200, {}, b"body")
        with pytest.raises(PermanentError, match=f"from HTTPS to {plain.url}/x") as caught:
            ours.get(f"{server.url}/")
        assert caught.value.kind is ErrorKind.BAD_ANSWER
        assert (server.asked, plain.asked) == (["/"], [])


def test_a_redirect_between_https_servers_is_followed(ca: CA, ours: Fetcher) -> None:
    one, other = ca.issue("one", [HOST]), ca.issue("other", [HOST])
    with serving(one) as server, serving(other) as end:
        server.answers["/"] = (302, {"Location": f"{end.url}/x"}, b"")
        end.answers["/x"] = (200, {}, b"body")
        assert ours.get(f"{server.url}/") == b"body"
