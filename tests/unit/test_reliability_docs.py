"""docs/reliability.md has a row for each fault that the matrix injects; `make faults` writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.matrix.containers.table import TABLE as CONTAINERS
from tests.matrix.machine.table import TABLE as MACHINE

DOCUMENT = Path(__file__).parents[2] / "docs/reliability.md"
TITLES = {
    "make faults": [(case.name, str(case.when)) for case in CONTAINERS],
    "make faults, whole machines": [(case.name, str(case.when)) for case in MACHINE],
}


@pytest.mark.parametrize("name", TITLES)
def test_each_fault_has_a_row(name: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition(f"<!-- table of {name} -->")[2].partition("<!-- end of table -->")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| `", table, re.MULTILINE)
    assert rows == TITLES[name]
