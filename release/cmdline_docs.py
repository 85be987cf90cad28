"""Print the tables of docs/cmdline.md from the table of kernel parameters.

`python -m release.cmdline_docs` (`make docs`) writes them into the file.
"""

import re
from pathlib import Path

from tinkie.parameters.parameter import Section
from tinkie.parameters.table import TABLE

DOCUMENT = Path(__file__).parents[1] / "docs" / "cmdline.md"
_HEAD = "| parameter | read by | value | meaning |\n|---|---|---|---|\n"
_TABLE = re.compile(r"(?P<title>^## (?P<section>.+)\n\n)\| parameter .*\n(?:\|.*\n)+", re.MULTILINE)


def table(section: Section) -> str:
    """Return the rows of a section as Markdown."""
    rows = (
        f"| `{row.name}` | {', '.join(reader.value for reader in row.read_by)} "
        f"| {row.value} | {row.meaning} |\n"
        for row in TABLE
        if row.section is section
    )
    return _HEAD + "".join(rows)


def written(document: str) -> str:
    """Return the document with its tables as they should be."""
    return _TABLE.sub(lambda found: found["title"] + table(Section(found["section"])), document)


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
