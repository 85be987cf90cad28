"""Print the tables of docs/cmdline.md from the table of kernel parameters.

`python -m release.cmdline_docs` (`make docs`) writes them into the file.
"""

import re
from pathlib import Path

from tinkie.parameters.parameter import Section, Stops
from tinkie.parameters.table import TABLE
from tinkie.parameters.tinkerbell import SERVER_PARAMETERS, TINKERBELL_PARAMETERS

DOCUMENT = Path(__file__).parents[1] / "docs" / "cmdline.md"
_HEAD = "| parameter | read by | value | meaning |\n|---|---|---|---|\n"
_GROUPS = re.compile(r"(?P<title>^## Which .+\n\n)\| property .*\n(?:\|.*\n)+", re.MULTILINE)
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


def groups() -> str:
    """Return which parameters share a property, as Markdown."""
    rows = {
        "secret: masked in logs, on consoles, in dry runs (of a URL: user, password, query)": [
            row for row in TABLE if row.secrets
        ],
        "names a host of Tinkerbell, for which no proxy is used": TINKERBELL_PARAMETERS,
        "names the Tinkerbell host that a NIC must reach; the first that is given counts": (
            SERVER_PARAMETERS
        ),
        **{
            f"a bad value stops the worker{'' if stops is Stops.ALWAYS else ', ' + stops.value}": [
                row for row in TABLE if row.stops is stops
            ]
            for stops in (Stops.ALWAYS, Stops.WITHOUT_ID, Stops.WITHOUT_IMAGE)
        },
    }
    lines = (
        f"| {title} | {', '.join(f'`{row.name}`' for row in found)} |\n"
        for title, found in rows.items()
    )
    return "| property | parameters |\n|---|---|\n" + "".join(lines)


def written(document: str) -> str:
    """Return the document with its tables as they should be."""
    document = _TABLE.sub(lambda found: found["title"] + table(Section(found["section"])), document)
    return _GROUPS.sub(lambda found: found["title"] + groups(), document)


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
