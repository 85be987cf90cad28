"""Whom the fetcher believes, with real servers and certificates on the loopback."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from bootkit.shared.errors import BootError, PermanentError
from bootkit.shared.faults import Fault
from bootkit.shared.fetch import Fetcher
from sandbox.certificates import CA
from tests.fakes.tls import HOST, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("loopback")

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CA:
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def ours(ca: CA) -> Fetcher:
    """Trusts this one CA beside the system's."""
    return Fetcher(authority=ca.certificate)


def test_a_server_of_a_given_authority_is_believed(ca: CA, ours: Fetcher) -> None:
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


def test_one_of_an_unknown_authority_is_not(ca: CA) -> None:
    assert refused(Fetcher(), ca).fault is Fault.CERTIFICATE_UNTRUSTED


def test_nor_one_of_another_authority(ours: Fetcher, tmp_path: Path) -> None:
    other = CA(tmp_path)
    assert refused(ours, other).fault is Fault.CERTIFICATE_UNTRUSTED


def test_nor_one_of_yesterday(ca: CA, ours: Fetcher) -> None:
    error = refused(ours, ca, not_before=NOW - 2 * DAY, not_after=NOW - DAY)
    assert error.fault is Fault.CERTIFICATE_TIME


def test_nor_one_of_tomorrow(ca: CA, ours: Fetcher) -> None:
    error = refused(ours, ca, not_before=NOW + DAY, not_after=NOW + 2 * DAY)
    assert error.fault is Fault.CERTIFICATE_TIME


@pytest.mark.parametrize("host", ["127.0.0.2", "other.example"])
def test_nor_one_of_another_name(ca: CA, ours: Fetcher, host: str) -> None:
    assert refused(ours, ca, host).fault is Fault.CERTIFICATE_NAME


def test_an_answer_that_is_only_shown_may_come_from_anybody(ca: CA) -> None:
    yesterday = ca.issue("shown", ["other.example"], not_after=NOW - DAY)
    with serving(yesterday) as server:
        assert Fetcher(unverified=True).ask(f"{server.url}/").status == 404


def test_a_server_without_tls_is_told_as_such() -> None:
    with serving() as server, pytest.raises(PermanentError) as caught:
        Fetcher().get(f"https://{server.place}/")
    assert caught.value.fault is Fault.PLAIN_HTTP


def test_nobody_leads_from_https_to_http(ca: CA, ours: Fetcher) -> None:
    with serving(ca.issue("leads", [HOST])) as server, serving() as plain:
        server.answers["/"] = (302, {"Location": f"{plain.url}/x"}, b"")
        plain.answers["/x"] = (200, {}, b"body")
        with pytest.raises(PermanentError, match=f"from HTTPS to {plain.url}/x") as caught:
            ours.get(f"{server.url}/")
        assert caught.value.fault is Fault.BAD_ANSWER
        assert (server.asked, plain.asked) == (["/"], [])


def test_from_one_https_server_to_another_is_fine(ca: CA, ours: Fetcher) -> None:
    one, other = ca.issue("one", [HOST]), ca.issue("other", [HOST])
    with serving(one) as server, serving(other) as end:
        server.answers["/"] = (302, {"Location": f"{end.url}/x"}, b"")
        end.answers["/x"] = (200, {}, b"body")
        assert ours.get(f"{server.url}/") == b"body"
