"""Every fault of the table is named while it lasts, and the machine works when it has healed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.engine.matrix import report
from tests.engine.matrix.case import Case
from tests.engine.matrix.driver import run
from tests.engine.matrix.report import Row
from tests.engine.matrix.site import Site
from tests.engine.matrix.table import TABLE
from tests.engine.world import World

AT_ONCE = 6  # most of a case is waiting


@pytest.fixture(scope="module")
def outcomes(
    world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Row]]]:
    """Run all cases that were selected; out/faults-engine.json has what came of them."""
    cases = [case for case in TABLE if _is_selected(case, request.session)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {
            case.title: pool.submit(
                run, case, Site(world, number, tmp_path_factory.mktemp(f"fault{number}"))
            )
            for number, case in enumerate(cases, 1)
        }
        yield found
    rows = (future.result() for future in found.values() if not future.exception())
    report.write(rows, report.ENGINE)


def _is_selected(case: Case, session: pytest.Session) -> bool:
    return any(f"[{case.title}]" in item.name for item in session.items)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.title)
def test_fault_is_named_and_heals(case: Case, outcomes: dict[str, Future[Row]]) -> None:
    assert outcomes[case.title].result().said
