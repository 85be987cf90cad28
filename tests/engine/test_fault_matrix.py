"""Every fault of the containers' matrix is named while it lasts, and repaired the machine works."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.engine.world import World
from tests.matrix import report
from tests.matrix.case import Case, selected
from tests.matrix.containers.backend import Containers
from tests.matrix.containers.site import Site
from tests.matrix.containers.table import TABLE
from tests.matrix.driver import run
from tests.matrix.report import Row

AT_ONCE = 6  # most of a case is waiting


@pytest.fixture(scope="module")
def outcomes(
    world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Row]]]:
    """Run the selected cases, each on its own machine; out/faults-engine.json gets the rows."""
    sites = (
        (case, Site(world, number, tmp_path_factory.mktemp(f"fault{number}")))
        for number, case in enumerate(selected(TABLE, request.session), 1)
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {case.title: pool.submit(run, case, Containers(site)) for case, site in sites}
        yield found
    rows = (future.result() for future in found.values() if not future.exception())
    report.write(rows, report.ENGINE)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.title)
def test_fault_is_named_and_heals(case: Case[Site], outcomes: dict[str, Future[Row]]) -> None:
    assert outcomes[case.title].result().message
