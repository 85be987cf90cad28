from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from bootkit.machine.identity import MachineFinder
from bootkit.machine.metadata import MetadataService
from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import MutableMapping


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


def _seen(
    finder: MachineFinder,
    clock: list[float],
    events: list[MutableMapping[str, object]],
    up_to: float,
) -> int:
    clock[0] = up_to
    finder.tick()
    return [event["event"] for event in events].count("metadata.missing")
