"""What came of the matrices: as JSON at first, and `make faults` makes tables of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.version import PROJECT

ENGINE = PROJECT / "out" / "faults-engine.json"
BOOT = PROJECT / "out" / "faults-boot.json"
DOCUMENT = PROJECT / "docs" / "reliability.md"
HEAD = "| fault | when | message | seconds |\n|---|---|---|---|"
LONGEST = 160


@dataclass(frozen=True)
class Row:
    """What came of a fault; seconds: from its repair to a workflow that has succeeded."""

    fault: str
    when: str
    message: str
    seconds: float


def write(rows: Iterable[Row], path: Path) -> None:
    """Write what came of a matrix."""
    found = [{**vars(row), "seconds": round(row.seconds, 1)} for row in rows]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: Mapping[str, Any]) -> str:
    message = row["message"].replace("|", "\\|").replace("\n", " ")
    short = message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
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
    replace("make faults", table(json.loads(ENGINE.read_text())))
    replace("make faults, whole machines", table(json.loads(BOOT.read_text())))


if __name__ == "__main__":
    main()
