"""Which version this is: in file names, in /etc/os-release and in every timestamp."""

import tomllib
from pathlib import Path

from release.process import run

PROJECT = Path(__file__).parent.parent


def version() -> str:
    """The version of pyproject.toml, "0.1.0"."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return str(settings["project"]["version"])


def commit() -> str:
    """The commit that is checked out, twelve hexadecimal digits."""
    return _git("rev-parse", "--short=12", "HEAD")


def source_date_epoch() -> int:
    """The commit's time in seconds since 1970: every file's, and the floor of a machine's clock."""
    return int(_git("log", "-1", "--format=%ct"))


def _git(*words: str) -> str:
    return run("asking git for the commit", ["git", "-C", PROJECT, *words]).text
