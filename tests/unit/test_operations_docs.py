"""docs/operations.md has each line that a person may find on the console."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = r"([a-z]+\.[a-z_]+)"
LOGGED = re.compile(rf'\blog(?:\.get_logger\(\))?\.(?:info|warning|error|exception)\(\s*"{NAME}"')
SAID = re.compile(rf"\b(?:(?:say|announce)(?: init| dhcp)?|to_consoles) {NAME}")


def told() -> set[str]:
    """Return the names of all events that go to the consoles."""
    python = (path for name in ("bootkit", "tink_docker") for path in (ROOT / name).rglob("*.py"))
    scripts = (path for path in (ROOT / "images").rglob("*") if path.is_file())
    return {
        name
        for pattern, paths in ((LOGGED, python), (SAID, scripts))
        for path in paths
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }


def explained() -> set[str]:
    """Return the names that the document has."""
    return set(re.findall(NAME, (ROOT / "docs/operations.md").read_text(encoding="utf-8")))


def test_each_is_explained() -> None:
    assert told() - explained() == set()


def test_both_ways_to_tell_are_looked_at() -> None:
    assert {"worker.started", "boot.started", "host.unreached", "reboot.failed"} <= told()
