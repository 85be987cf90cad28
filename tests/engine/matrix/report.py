"""The matrix's outcomes: as JSON when they come, and `make faults` makes a table of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from release.version import PROJECT
from tests.engine.matrix.case import Outcome

OUTCOMES = PROJECT / "out" / "faults-engine.json"
DOCUMENT = PROJECT / "docs" / "reliability.md"
HEAD = "| fault | when | what is said of it | seconds |\n|---|---|---|---|"
LONGEST = 160


def write(outcomes: Iterable[Outcome], path: Path = OUTCOMES) -> None:
    """Write one row for each outcome; seconds are from healed to a workflow that has succeeded."""
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


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: Mapping[str, Any]) -> str:
    said = row["said"].replace("|", "\\|").replace("\n", " ")
    short = said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
    return f"| {row['fault']} | {row['when']} | `{short}` | {row['seconds']} |"


def put(document: str, name: str, text: str) -> str:
    """Return the document with the text between the two marks of a table's name."""
    begin, end = f"<!-- table of {name} -->", "<!-- end of table -->"
    before, _, rest = document.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def replace(name: str, text: str) -> None:
    """Put a table of this name into docs/reliability.md."""
    DOCUMENT.write_text(put(DOCUMENT.read_text(), name, text))


def main() -> None:
    """Put the newest outcomes into the document."""
    rows = json.loads(OUTCOMES.read_text())
    replace("make faults", table(rows))


if __name__ == "__main__":
    main()
