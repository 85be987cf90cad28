"""Every fault of the table is named while it lasts, and the machine works when it has healed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.engine.matrix.case import Case, Outcome
from tests.engine.matrix.driver import run
from tests.engine.matrix.site import Site
from tests.engine.matrix.table import TABLE
from tests.engine.world import World

AT_ONCE = 4  # most of a case is waiting


@pytest.fixture(scope="module")
def outcomes(
    world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """Run all cases that were selected."""
    cases = [
        item.callspec.params["case"]
        for item in request.session.items
        if hasattr(item, "callspec") and "case" in item.callspec.params
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            case.name + case.when: pool.submit(
                run, case, Site(world, number, tmp_path_factory.mktemp(f"fault{number}"))
            )
            for number, case in enumerate(cases, 1)
        }


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.name}, {case.when}")
def test_fault_is_named_and_heals(case: Case, outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes[case.name + case.when].result()
    assert outcome.said
