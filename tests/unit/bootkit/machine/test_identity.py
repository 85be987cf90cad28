from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from bootkit.machine.identity import MachineFinder
from bootkit.machine.metadata import MetadataService
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path


@pytest.mark.parametrize(("asked", "waits"), [(None, (1, 6)), ("30", (30, 60))])
def test_optional_metadata_is_requested_again_after_the_back_off_or_retry_after(
    events: list[MutableMapping[str, object]], asked: str | None, waits: tuple[int, int]
) -> None:
    headers = {"Retry-After": asked} if asked else {}
    busy = httpx.MockTransport(lambda _: httpx.Response(503, headers=headers))
    service = MetadataService("http://tb/metadata", Fetcher(transport=busy))
    clock = [0.0]
    finder = MachineFinder(lambda: clock[0])
    finder.find(service, needed=False)
    assert _seen(finder, clock, events, up_to=waits[0] - 1) == 1
    assert _seen(finder, clock, events, up_to=waits[1] + 1) == 2


def test_a_bond_is_written_for_the_network_service(
    tmp_path: Path, events: list[MutableMapping[str, object]]
) -> None:
    nics = [{"dhcp": {"mac": f"52:54:00:ab:00:0{at}"}} for at in (1, 2)]
    record = {"id": "i", "metadata": {"bonding_mode": 1}, "network": {"interfaces": nics}}
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json=record))
    service = MetadataService("http://tb/metadata", Fetcher(transport=answers))
    finder = MachineFinder(lambda: 0.0, bond_file=tmp_path / "bond")
    finder.find(service, needed=True)
    text = "bond0:52-54-00-ab-00-01,52-54-00-ab-00-02:mode=active-backup,miimon=100\n"
    assert (tmp_path / "bond").read_text() == text
    (tmp_path / "file").touch()
    MachineFinder(lambda: 0.0, bond_file=tmp_path / "file/bond").find(service, needed=True)
    names = [event["event"] for event in events]
    assert names == ["machine.found", "machine.found", "bond.unwritable"]


def _seen(
    finder: MachineFinder,
    clock: list[float],
    events: list[MutableMapping[str, object]],
    up_to: float,
) -> int:
    clock[0] = up_to
    finder.tick()
    return [event["event"] for event in events].count("metadata.missing")
