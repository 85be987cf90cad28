from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tink_docker import policy
from tink_docker.ca.fetching import CaFetcher
from tink_docker.ca.late_trust import LateTrust
from tink_docker.ca.plan import CertificatePlan
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

    def __post_init__(self) -> None:
        self.began = self.clock.now()
        url = "http://tb/company.pem"
        fetcher = Fetcher(transport=httpx.MockTransport(self.serve), now=self.clock.now)
        plan = CertificatePlan(
            "trusted_ca_url", url, (), everywhere=self.everywhere, folder=self.folder
        )
        self.fetcher = CaFetcher(plan, fetcher, self.clock.now)
        self.trust = LateTrust((self.fetcher,))

    def serve(self, _request: httpx.Request) -> httpx.Response:
        is_there = self.clock.now() - self.began >= self.late
        return httpx.Response(200, content=self.ca) if is_there else httpx.Response(503)

    def asks_for_a_start(self, open_since: float | None, seconds: float = 120.0) -> bool:
        """Return whether it does, as the keeper would let time pass."""
        self.trust.open_since = open_since
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.fetcher.tick()
            if self.trust.reason():
                return True
            self.clock.wait(0.5)
        return False


@pytest.fixture
def machine(clock: Clock, ca: Certificate, tmp_path: Path) -> Machine:
    return Machine(clock, ca.pem, tmp_path)


def test_an_engine_that_clients_could_use_before_starts_again(machine: Machine) -> None:
    assert machine.asks_for_a_start(machine.clock.now() + policy.CA_START_SECONDS)


def test_one_that_opens_later_does_not(machine: Machine) -> None:
    assert not machine.asks_for_a_start(None)
    assert machine.fetcher.changed_at is not None
    assert not machine.asks_for_a_start(machine.clock.now())
    assert not machine.asks_for_a_start(machine.fetcher.changed_at)


def test_certificates_that_were_there_before_need_no_start(machine: Machine) -> None:
    (machine.folder / ".trusted").mkdir()
    (machine.folder / ".trusted" / "ca.crt").write_bytes(machine.ca)
    assert not machine.asks_for_a_start(machine.clock.now())
    assert machine.fetcher.installed


def test_certificates_of_registries_need_no_start(
    clock: Clock, ca: Certificate, tmp_path: Path
) -> None:
    machine = Machine(clock, ca.pem, tmp_path, everywhere=False)
    assert not machine.asks_for_a_start(clock.now())
