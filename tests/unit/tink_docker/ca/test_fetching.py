from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import tink_docker.ca.fetching
from tink_docker.ca.certs import CertificatePlan
from tink_docker.ca.fetching import RegistryAuthority
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Certificate, Clock

    Events = list[MutableMapping[str, Any]]

REFUSED = httpx.ConnectError("[Errno 111] Connection refused")


class Server:
    """Gives one outcome after the other; the last one stays."""

    def __init__(self, *outcomes: bytes | int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0
        self.headers: dict[str, str] = {}
        self.timeouts: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.timeouts.append(request.extensions["timeout"]["read"])
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, int):
            return httpx.Response(outcome, headers=self.headers)
        return httpx.Response(200, content=outcome)


@pytest.fixture
def asking(clock: Clock, tmp_path: Path) -> Callable[..., RegistryAuthority]:
    def make(server: Server, *pins: str) -> RegistryAuthority:
        fetcher = Fetcher(transport=httpx.MockTransport(server), now=clock.now)
        url = "http://user:pw@tb/ca.pem"
        plan = CertificatePlan("registry_ca_url", url, ("reg:5000",), pins, tmp_path)
        return RegistryAuthority(plan, fetcher, clock.now)

    return make


def pass_time(authority: RegistryAuthority, clock: Clock, seconds: float) -> None:
    end = clock.now() + seconds
    while clock.now() < end:
        authority.tick()
        clock.wait(0.5)


def test_the_first_tick_gets_it(
    asking: Callable[..., RegistryAuthority],
    clock: Clock,
    tmp_path: Path,
    authority: Certificate,
    events: Events,
) -> None:
    server = Server(authority.pem)
    ours = asking(server)
    pass_time(ours, clock, 60)
    assert ours.settled
    assert server.asked == 1
    assert (tmp_path / "reg:5000/ca.crt").read_bytes() == authority.pem
    (event,) = events
    assert event["event"] == "ca.installed"
    assert event["sha256"] == authority.sha256
    assert "pw" not in event["url"]


def test_a_network_that_comes_up_late_costs_no_error(
    asking: Callable[..., RegistryAuthority],
    clock: Clock,
    authority: Certificate,
    events: Events,
) -> None:
    ours = asking(Server(REFUSED, REFUSED, 503, REFUSED, authority.pem))
    pass_time(ours, clock, 5)
    assert ours.installed
    assert {event["log_level"] for event in events} == {"debug", "info"}


def test_after_ten_seconds_the_boot_goes_on_and_so_does_the_try(
    asking: Callable[..., RegistryAuthority],
    clock: Clock,
    tmp_path: Path,
    authority: Certificate,
    events: Events,
) -> None:
    server = Server(REFUSED)
    ours = asking(server)
    started = clock.now()
    while not ours.settled:
        pass_time(ours, clock, 0.5)
    assert 9 < clock.now() - started < 12.5
    assert not (tmp_path / "reg:5000").exists()
    failed = [event for event in events if event["event"] == "ca.failed"]
    assert len(failed) == 1
    assert failed[0]["kind"] == "refused"
    assert "the engine works without it; trying again in" in failed[0]["next"]
    server.outcomes = [authority.pem]
    pass_time(ours, clock, 10)
    assert ours.installed
    assert (tmp_path / "reg:5000/ca.crt").exists()


def test_the_waits_after_the_start_begin_with_a_short_one(
    asking: Callable[..., RegistryAuthority], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for policy in ("AT_THE_START", "LATER"):
        at_the_bound = replace(getattr(tink_docker.ca.fetching, policy), chance=lambda: 1.0)
        monkeypatch.setattr(tink_docker.ca.fetching, policy, at_the_bound)
    server = Server(REFUSED)
    ours = asking(server)
    pass_time(ours, clock, 12.5)
    before = server.asked
    pass_time(ours, clock, 5)
    assert server.asked == before + 1


def test_the_first_try_may_take_the_whole_start_and_a_later_one_two_seconds(
    asking: Callable[..., RegistryAuthority], clock: Clock
) -> None:
    server = Server(REFUSED)
    pass_time(asking(server), clock, 60)
    assert server.timeouts[0] == pytest.approx(10)
    assert server.timeouts[-1] == pytest.approx(2)
    assert max(server.timeouts) <= 10


def test_later_tries_come_slower_but_never_more_than_a_minute_apart(
    asking: Callable[..., RegistryAuthority], clock: Clock
) -> None:
    server = Server(404)
    ours = asking(server)
    times = []
    while clock.now() < 2000:
        before = server.asked
        ours.tick()
        times += [clock.now()] * (server.asked - before)
        clock.wait(0.5)
    apart = [later - earlier for earlier, later in pairwise(times)]
    assert 1 < apart[0] < 6
    assert 30 <= max(apart) <= 61


@pytest.mark.parametrize("outcome", [404, 403, b"<html>", b"x" * 300_000])
def test_what_a_person_must_repair_does_not_hold_the_boot(
    asking: Callable[..., RegistryAuthority], clock: Clock, events: Events, outcome: int | bytes
) -> None:
    ours = asking(Server(outcome))
    ours.tick()
    assert ours.settled
    assert not ours.installed
    (event,) = events
    assert event["log_level"] == "error"
    assert event["hint"] == "check registry_ca_url and what the server has there"
    assert clock.waits == []


def test_a_wrong_pin_is_refused_for_ever(
    asking: Callable[..., RegistryAuthority],
    clock: Clock,
    tmp_path: Path,
    authority: Certificate,
    events: Events,
) -> None:
    ours = asking(Server(authority.pem), "00" * 32)
    pass_time(ours, clock, 3600)
    assert ours.settled
    assert not list(tmp_path.iterdir())
    assert all("refused" in event["error"] for event in events)
    assert "registry_ca_sha256" in events[0]["hint"]


def test_a_server_that_asks_for_patience_keeps_nobody_waiting_longer(
    asking: Callable[..., RegistryAuthority], clock: Clock, events: Events
) -> None:
    server = Server(503)
    server.headers = {"Retry-After": "3600"}
    ours = asking(server)
    pass_time(ours, clock, 11)
    assert ours.settled
    assert [event["event"] for event in events] == ["ca.waiting", "ca.failed"]
    pass_time(ours, clock, 3000)
    assert server.asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----",
    ],
)
def test_a_certificate_that_is_none_is_told_and_kept_out(
    asking: Callable[..., RegistryAuthority], clock: Clock, events: Events, answer: bytes
) -> None:
    ours = asking(Server(answer))
    pass_time(ours, clock, 2)
    assert ours.settled
    assert events[-1]["event"] == "ca.failed"


@pytest.mark.parametrize("location", ["//[", "http://["])
def test_a_redirect_to_nowhere_is_told(
    asking: Callable[..., RegistryAuthority], clock: Clock, events: Events, location: str
) -> None:
    server = Server(302)
    server.headers = {"Location": location}
    pass_time(asking(server), clock, 2)
    assert "invalid URL" in events[-1]["error"]
