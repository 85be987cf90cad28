from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tink_docker import policy
from tink_docker.ca.fetching import CaFetcher
from tink_docker.ca.plan import CertificatePlan
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Certificate, Clock

    Events = list[MutableMapping[str, Any]]

REFUSED = httpx.ConnectError("[Errno 111] Connection refused")
REFUSED.__cause__ = ConnectionRefusedError(111, "Connection refused")


class Server:
    """Gives one outcome after the other; the last one stays."""

    def __init__(self, *outcomes: bytes | int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.requests = 0
        self.headers: dict[str, str] = {}
        self.timeouts: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.timeouts.append(request.extensions["timeout"]["read"])
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, int):
            return httpx.Response(outcome, headers=self.headers)
        return httpx.Response(200, content=outcome)


@pytest.fixture
def fetching(clock: Clock, tmp_path: Path) -> Callable[..., CaFetcher]:
    def make(server: Server, *pins: str) -> CaFetcher:
        fetcher = Fetcher(transport=httpx.MockTransport(server), now=clock.now)
        url = "http://user:pw@tb/ca.pem"
        plan = CertificatePlan("registry_ca_url", url, ("reg:5000",), pins=pins, folder=tmp_path)
        return CaFetcher(plan, fetcher, clock.now)

    return make


def pass_time(fetcher: CaFetcher, clock: Clock, seconds: float) -> None:
    end = clock.now() + seconds
    while clock.now() < end:
        fetcher.tick()
        clock.wait(0.5)


def test_the_first_tick_gets_it(
    fetching: Callable[..., CaFetcher],
    clock: Clock,
    tmp_path: Path,
    ca: Certificate,
    events: Events,
) -> None:
    server = Server(ca.pem)
    ours = fetching(server)
    pass_time(ours, clock, 60)
    assert ours.settled
    assert server.requests == 1
    assert (tmp_path / "reg:5000/ca.crt").read_bytes() == ca.pem
    (event,) = events
    assert event["event"] == "ca.installed"
    assert event["sha256"] == ca.sha256
    assert "pw" not in event["url"]


def test_a_network_that_comes_up_late_costs_no_error(
    fetching: Callable[..., CaFetcher],
    clock: Clock,
    ca: Certificate,
    events: Events,
) -> None:
    ours = fetching(Server(REFUSED, REFUSED, 503, REFUSED, ca.pem))
    pass_time(ours, clock, 5)
    assert ours.installed
    assert {event["log_level"] for event in events} == {"debug", "info"}


def test_after_ten_seconds_the_boot_goes_on_and_so_does_the_try(
    fetching: Callable[..., CaFetcher],
    clock: Clock,
    tmp_path: Path,
    ca: Certificate,
    events: Events,
) -> None:
    server = Server(REFUSED)
    ours = fetching(server)
    started = clock.now()
    while not ours.settled:
        pass_time(ours, clock, 0.5)
    assert 9 < clock.now() - started < 12.5
    assert not (tmp_path / "reg:5000").exists()
    failed = [event for event in events if event["event"] == "ca.failed"]
    assert len(failed) == 1
    assert failed[0]["kind"] == "refused"
    assert "registry_ca_url" in failed[0]["hint"]
    assert "the engine works without it; trying again in" in failed[0]["next"]
    server.outcomes = [ca.pem]
    pass_time(ours, clock, 10)
    assert ours.installed
    assert (tmp_path / "reg:5000/ca.crt").exists()


def test_the_waits_after_the_start_begin_with_a_short_one(
    fetching: Callable[..., CaFetcher], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CA_RETRIES_AT_START", "CA_RETRIES_LATER"):
        at_the_bound = replace(getattr(policy, name), chance=lambda: 1.0)
        monkeypatch.setattr(policy, name, at_the_bound)
    server = Server(REFUSED)
    ours = fetching(server)
    pass_time(ours, clock, 12.5)
    before = server.requests
    pass_time(ours, clock, 5)
    assert server.requests == before + 1


def test_the_first_try_may_take_the_whole_start_and_a_later_one_two_seconds(
    fetching: Callable[..., CaFetcher], clock: Clock
) -> None:
    server = Server(REFUSED)
    pass_time(fetching(server), clock, 60)
    assert server.timeouts[0] == pytest.approx(10)
    assert server.timeouts[-1] == pytest.approx(2)
    assert max(server.timeouts) <= 10


def test_later_tries_come_slower_but_never_more_than_a_minute_apart(
    fetching: Callable[..., CaFetcher], clock: Clock
) -> None:
    server = Server(404)
    ours = fetching(server)
    times = []
    while clock.now() < 2000:
        before = server.requests
        ours.tick()
        times += [clock.now()] * (server.requests - before)
        clock.wait(0.5)
    apart = [later - earlier for earlier, later in pairwise(times)]
    assert 1 < apart[0] < 6
    assert 30 <= max(apart) <= 61


@pytest.mark.parametrize("outcome", [404, 403, b"<html>", b"x" * 300_000])
def test_an_error_that_needs_a_person_does_not_delay_the_boot(
    fetching: Callable[..., CaFetcher], clock: Clock, events: Events, outcome: int | bytes
) -> None:
    ours = fetching(Server(outcome))
    ours.tick()
    assert ours.settled
    assert not ours.installed
    (event,) = events
    assert event["log_level"] == "error"
    assert event["hint"] == "check registry_ca_url, and the file at that URL"
    assert clock.waits == []


def test_a_wrong_pin_is_refused_for_ever(
    fetching: Callable[..., CaFetcher],
    clock: Clock,
    tmp_path: Path,
    ca: Certificate,
    events: Events,
) -> None:
    ours = fetching(Server(ca.pem), "00" * 32)
    pass_time(ours, clock, 3600)
    assert ours.settled
    assert not list(tmp_path.iterdir())
    assert all("refused" in event["error"] for event in events)
    assert "registry_ca_sha256" in events[0]["hint"]


def test_a_long_retry_after_does_not_delay_the_boot(
    fetching: Callable[..., CaFetcher], clock: Clock, events: Events
) -> None:
    server = Server(503)
    server.headers = {"Retry-After": "3600"}
    ours = fetching(server)
    pass_time(ours, clock, 11)
    assert ours.settled
    assert [event["event"] for event in events] == ["ca.waiting", "ca.failed"]
    pass_time(ours, clock, 3000)
    assert server.requests == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----",
    ],
)
def test_an_unreadable_certificate_is_logged_and_not_installed(
    fetching: Callable[..., CaFetcher], clock: Clock, events: Events, answer: bytes
) -> None:
    ours = fetching(Server(answer))
    pass_time(ours, clock, 2)
    assert ours.settled
    assert events[-1]["event"] == "ca.failed"


@pytest.mark.parametrize("location", ["//[", "http://["])
def test_a_redirect_to_an_invalid_url_is_logged(
    fetching: Callable[..., CaFetcher], clock: Clock, events: Events, location: str
) -> None:
    server = Server(302)
    server.headers = {"Location": location}
    pass_time(fetching(server), clock, 2)
    assert "invalid URL" in events[-1]["error"]
