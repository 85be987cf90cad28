"""The base image of all others: Debian's smallest system, or another image with apt (BASE).

Debian's package index is left in, so that all images are made from one state of Debian and no
later step asks for the index again.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from release.cache import cache, digest
from release.process import run
from release.progress import Progress
from release.version import PROJECT, source_date_epoch

SUITE = "trixie"
DAY_SECONDS = 86400
OLD_DAYS = 7  # Debian publishes security updates every few days
NAME = "tinkie/base:build"
FOLDER = PROJECT / "images" / "base"
MKROOT = FOLDER / "mkroot"
MMDEBSTRAP = ("--variant=apt", "--components=main,non-free-firmware", "--skip=cleanup/apt/lists")


def other() -> str:
    """The image that the environment's BASE names instead of ours, as `docker` names images."""
    return os.environ.get("BASE", "")


def identity() -> str:
    """What our own base is now, or BASE's name; nothing if it is yet to be made."""
    return other() or (digest([_tar()]) if _tar().exists() else "")


def age_in_days(now: float) -> int | None:
    """Return how old the cached Debian packages are at a time in seconds since 1970.

    None if there are none, or if another base image is in use.
    """
    if other() or not _tar().exists():
        return None
    return int((now - _tar().stat().st_mtime) // DAY_SECONDS)


def age_message(now: float) -> str:
    """Return a line about the age of the cached Debian packages; empty if there are none."""
    days = age_in_days(now)
    if days is None:
        return ""
    age = f"the Debian packages are {days} day{'s' * (days != 1)} old"
    return f"{age}: `make refresh` renews them" if days >= OLD_DAYS else age


def provide(environment: Mapping[str, str], progress: Progress, *, refresh: bool) -> None:
    """Has the engine call the right image tinkie/base:build. Raises ReportedError."""
    if other():
        with progress.step(f"base image from {other()}"):
            _build_on_other(environment, refresh=refresh)
        return
    if not refresh and _tar().exists() and _label(environment) == identity():
        progress.skip()
        return
    with progress.step(f"base image from Debian {SUITE}"):
        if refresh or not _tar().exists():
            _bootstrap(_tar())
        change = f"LABEL tinkie.base={identity()}"
        command = ["docker", "import", "--change", change, str(_tar()), NAME]
        run("importing the base image", command, env=environment, seconds=None)


def _build_on_other(environment: Mapping[str, str], *, refresh: bool) -> None:
    """What the engine has is taken as it is; with refresh the registry is asked for its newest."""
    newest = ["--pull", "--no-cache"] if refresh else []
    command = ["docker", "buildx", "build", "--network=host", "--quiet", *newest]
    command += ["--build-arg", f"FROM={other()}", "--tag", NAME, str(FOLDER)]
    run(f"building on {other()}", command, env=environment, seconds=None)


def _tar() -> Path:
    return cache() / f"base-{digest([MKROOT], SUITE, *MMDEBSTRAP)}.tar"


def _bootstrap(tar: Path) -> None:
    partial = tar.with_suffix(f".{os.getpid()}.tar")
    hook = f"--customize-hook=copy-in {shlex.quote(str(MKROOT))} /usr/local/bin"
    command = ["mmdebstrap", "--quiet", *MMDEBSTRAP, hook, SUITE, str(partial)]
    # Users' password dates and the like take this time instead of today's.
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    run("making the base image", command, env=environment, seconds=None)
    partial.rename(tar)


def _label(environment: Mapping[str, str]) -> str:
    written = '{{index .Config.Labels "tinkie.base"}}'
    command = ["docker", "image", "inspect", NAME, "--format", written]
    return run("asking the engine for the base image", command, env=environment, check=False).text
