from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from tink_docker import policy
from tink_docker.ca.fetching import CaFetcher
from tink_docker.ca.late_trust import LateTrust
from tink_docker.ca.plan import CertificatePlan
from tinkie.errors import TransientError
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Certificate, Clock


@dataclass
class Machine:
    """A machine whose certificates come `late` seconds after the boot."""

    clock: Clock
    ca: bytes
    folder: Path
    everywhere: bool = True
    late: float = 20.0
    containers: list[str] = field(default_factory=list)
    error: Exception | None = None
    requests: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock.now()
        url = "http://tb/company.pem"
        fetcher = Fetcher(transport=httpx.MockTransport(self.serve), now=self.clock.now)
        plan = CertificatePlan(
            "trusted_ca_url", url, (), everywhere=self.everywhere, folder=self.folder
        )
        self.fetcher = CaFetcher(plan, fetcher, self.clock.now)
        self.trust = LateTrust((self.fetcher,), self.running, self.clock.now)

    def serve(self, _request: httpx.Request) -> httpx.Response:
        is_there = self.clock.now() - self.began >= self.late
        return httpx.Response(200, content=self.ca) if is_there else httpx.Response(503)

    def running(self) -> list[str]:
        self.requests += 1
        if self.error:
            raise self.error
        return self.containers

    def is_started_again(self, open_since: float | None, seconds: float = 120.0) -> bool:
        """Return whether dockerd is, as its keeper would let time pass."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.fetcher.tick()
            try:
                self.trust.check(open_since)
            except TransientError:
                return True
            self.clock.wait(0.5)
        return False


@pytest.fixture
def machine(clock: Clock, ca: Certificate, tmp_path: Path) -> Machine:
    return Machine(clock, ca.pem, tmp_path)


def test_an_engine_that_clients_could_use_before_starts_again(machine: Machine) -> None:
    machine.containers = ["tink-worker"]
    assert machine.is_started_again(machine.clock.now() + policy.CA_START_SECONDS)


def test_one_that_opens_later_does_not(machine: Machine) -> None:
    assert not machine.is_started_again(None)
    assert machine.fetcher.installed_at is not None
    assert not machine.is_started_again(machine.clock.now())
    assert not machine.is_started_again(machine.fetcher.installed_at)
    assert machine.requests == 0


def test_certificates_of_registries_need_no_start(
    clock: Clock, ca: Certificate, tmp_path: Path
) -> None:
    machine = Machine(clock, ca.pem, tmp_path, everywhere=False)
    assert not machine.is_started_again(clock.now())


def test_an_action_ends_first(machine: Machine) -> None:
    machine.containers = ["tink-worker", "action_stream"]
    began = machine.clock.now()
    assert not machine.is_started_again(began)
    assert 80 < machine.requests < 120, "asked more than once a second"
    machine.containers = []
    assert machine.is_started_again(began, seconds=2)


def test_an_engine_that_does_not_answer_is_not_ended_for_that(machine: Machine) -> None:
    machine.error = TransientError("no answer")
    assert not machine.is_started_again(machine.clock.now())
