"""The documents name files that exist, and have lines that fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
HISTORY = {"0012-one-library-and-plain-words.md"}  # names what it moved, too
FOLDERS = (
    "bootkit|tink_docker|tinkie|network|settings|images|release|sandbox|tests|docs|tools"
    "|requirements"
)
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)[`:]")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_each_path_in_a_document_exists(path: Path) -> None:
    named = PATH.findall(path.read_text(encoding="utf-8")) if path.name not in HISTORY else []
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_paths_are_found() -> None:
    text = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
    assert "tests/boot/test_netboot.py" in PATH.findall(text)


def test_no_list_of_the_changelog_is_torn() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^(?:- |  ).*\n\n- .*", text, re.MULTILINE) == []


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=name)
def test_prose_wraps_at_100_columns(path: Path) -> None:
    """Rows of tables and code have the length that they need."""
    text = re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    prose = [line for line in text.splitlines() if not line.startswith(("|", "    "))]
    assert [line for line in prose if len(line) > 100] == []
