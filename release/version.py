"""The version: in file names, in /etc/os-release and in every timestamp."""

import os
import re
import tomllib
from pathlib import Path

from release.errors import ReportedError
from release.process import run

PROJECT = Path(__file__).parent.parent
VARIABLE = "VERSION"
# Semantic Versioning without build metadata: its + is in no tag of an image.
NUMBER = "(0|[1-9][0-9]*)"  # \d is any digit of Unicode
FORM = re.compile(rf"{NUMBER}(\.{NUMBER}){{2}}(?P<pre>-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?")
CHANGELOG = "CHANGELOG.md"


def given() -> str:
    """Return the version that VERSION gives; nothing if VERSION is not set.

    Raises ReportedError if VERSION is no version: one that is empty is a mistake of a script.
    """
    value = os.environ.get(VARIABLE)
    if value is not None and not FORM.fullmatch(value):
        raise ReportedError(
            f"{VARIABLE}={value} is no version; give one such as 1.2.3 or 1.2.3-rc.1 (Semantic"
            f" Versioning, without +), or leave {VARIABLE} out"
        )
    return value or ""


def version() -> str:
    """Return the version that VERSION gives, else that of pyproject.toml, such as "0.1.0".

    Raises ReportedError if VERSION is none.
    """
    if found := given():
        return found
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return str(settings["project"]["version"])


def check_changelog(project: Path = PROJECT) -> None:
    """Raise ReportedError if VERSION is a version that the changelog has no section for.

    A pre-release needs none: its changes are still those of "Unreleased".
    """
    found = FORM.fullmatch(given())
    if not found or found["pre"]:
        return
    headings = re.findall(r"^## \[?([^\s\]]+)", (project / CHANGELOG).read_text(), re.MULTILINE)
    if found[0] not in headings:
        raise ReportedError(
            f"{VARIABLE}={found[0]}: {CHANGELOG} has no section `## {found[0]}`; make one from"
            f" `## Unreleased`, or build a pre-release ({VARIABLE}={found[0]}-rc.1)"
        )


def commit() -> str:
    """Return the checked-out commit, twelve hexadecimal digits."""
    return _git("rev-parse", "--short=12", "HEAD")


def full_commit() -> str:
    """Return the checked-out commit, all forty digits."""
    return _git("rev-parse", "HEAD")


def is_modified() -> bool:
    """Return whether a file that git tracks or would track differs from the commit."""
    return bool(_git("status", "--porcelain"))


def source_date_epoch() -> int:
    """Return the commit's time in seconds since 1970, the time of every file.

    It is also the earliest time that a machine's clock may show.
    """
    return int(_git("log", "-1", "--format=%ct"))


def _git(*words: str) -> str:
    return run("reading the commit", ["git", "-C", PROJECT, *words]).text
