from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.herd.figures import Figures, Load, bound, metadata_load, registry_load

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = 'http.request.useragent="docker/26.1.5 (simulated)"'
REGISTRY_LOG = f"""\
time="2026-11-23T13:10:48.500000001Z" level=warning msg="error" http.request.id=a {ENGINE} x
time="2026-11-23T13:10:48.700000001Z" level=info msg="authorized" http.request.id=b {ENGINE} x
time="2026-11-23T13:10:48.900000001Z" level=info msg="response" http.request.id=b {ENGINE} x
time="2026-11-23T13:10:49.100000001Z" level=info http.request.id=d http.request.useragent=bootkit
time="2026-11-23T13:10:48.900000001Z" level=info http.request.id=c useragent="python-httpx" x
172.30.0.1 - - [23/Nov/2026:13:10:48 +0000] "GET /v2/ HTTP/1.1" 401 87 "docker/26.1.5 (simulated)"
"""
TINKERBELL_LOG = """\
{"level":"1","msg":"published local member"}
{"time":"2026-11-23T12:55:22.325276623Z","msg":"response","client":"172.30.16.7","code":200}
{"time":"2026-11-23T12:55:21.325276623Z","msg":"response","client":"172.30.17.7","code":404}
{"time":"2026-11-23T12:55:21.325276623Z","msg":"response","client":"172.30.0.7","code":200}
"""


def figures(recovered: list[float], stranded: list[str], times: tuple[float, ...]) -> Figures:
    return Figures(200, 60.0, 0.0, recovered, stranded, Load(()), Load(times), 1)


def test_each_request_of_a_machine_is_counted_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(REGISTRY_LOG)
    first, second, bootkit = registry_load(log).times
    assert second - first == pytest.approx(0.2)
    assert bootkit - first == pytest.approx(0.6)


def test_each_answer_to_a_machine_of_the_herd_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(TINKERBELL_LOG)
    first, second = metadata_load(log).times
    assert second - first == pytest.approx(1.0)


def test_the_busiest_second_may_begin_at_any_time() -> None:
    assert Load.of([0.0, 1.9, 1.8, 2.5, 2.7, 9.0]).peak == 4
    assert Load(()).peak == 0


def test_requests_are_counted_by_second() -> None:
    assert Load.of([10.1, 10.9, 12.0]).by_second(10.0) == [2, 0, 1]


def test_the_bound_grows_slower_than_the_herd_and_is_less_than_all_at_once() -> None:
    assert round(bound(200, 60, 2)) == 45
    assert round(bound(200, 60, 3)) == 68
    assert bound(200, 600, 2) == bound(200, 60, 2)
    assert bound(1000, 60, 2) < 5 * bound(200, 60, 2)
    assert bound(20, 10, 2) < 2 * 20


def test_a_peak_above_the_bound_is_a_problem_and_so_is_a_machine_without_a_worker() -> None:
    assert figures([1.0], [], (0.0,) * 67).problems() == []
    too_many, stranded = figures([1.0], [], (0.0,) * 68), figures([], ["pull: EOF"], ())
    assert too_many.problems() == ["the registry had 68 requests in one second, more than 68"]
    assert stranded.problems() == ["a machine has no worker: pull: EOF"]
