"""The matrix's outcomes as JSON, for `make faults` to make a table of."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.engine.matrix.case import Outcome


def write(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write one row for each outcome."""
    rows = [
        {
            "fault": outcome.case.name,
            "when": str(outcome.case.when),
            "said": outcome.said,
            "seconds": round(outcome.seconds, 1),
        }
        for outcome in outcomes
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n")
