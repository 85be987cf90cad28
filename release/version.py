"""The version: in file names, in /etc/os-release and in every timestamp."""

import tomllib
from pathlib import Path

from release.process import run

PROJECT = Path(__file__).parent.parent


def version() -> str:
    """Return the version in pyproject.toml, such as "0.1.0"."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return str(settings["project"]["version"])


def commit() -> str:
    """Return the checked-out commit, twelve hexadecimal digits."""
    return _git("rev-parse", "--short=12", "HEAD")


def source_date_epoch() -> int:
    """Return the commit's time in seconds since 1970, the time of every file.

    It is also the earliest time that a machine's clock may show.
    """
    return int(_git("log", "-1", "--format=%ct"))


def _git(*words: str) -> str:
    return run("reading the commit", ["git", "-C", PROJECT, *words]).text
