"""Memory that actions fill: the machine goes on."""

import pytest

from tests.boot.stressed_machine import MEMORY_MIB
from tests.boot.stressed_machine import Seen as Stressed

pytestmark = pytest.mark.long


def test_an_action_that_eats_all_memory_ends_and_nothing_that_the_machine_needs(
    stressed: Stressed,
) -> None:
    assert stressed.eaten.state == "FAILED"
    for name, (before, after) in stressed.needed.items():
        assert before, name
        assert after == before, name
    assert stressed.after.state == "SUCCESS"


def test_an_action_that_fills_its_folder_fills_nothing_else(stressed: Stressed) -> None:
    assert stressed.run_left > MEMORY_MIB / 10


def test_a_program_that_crashes_leaves_no_core_file(stressed: Stressed) -> None:
    assert stressed.cores == "none"
