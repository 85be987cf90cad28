"""The base image of all others: Debian's smallest system, or another image with apt (BASE).

It keeps Debian's package index, so that all images are built from one state of Debian and no later
step downloads the index again.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from release import arch
from release.cache import cache, digest
from release.process import run
from release.progress import Progress
from release.version import PROJECT, source_date_epoch

SUITE = "trixie"
DAY_SECONDS = 86400
REMEDY = "check that this machine reaches its Debian mirror (apt-get update)"
OLD_DAYS = 7  # Debian publishes security updates every few days
NAME = "tinkie/base:build"
FOLDER = PROJECT / "images" / "base"
SCRIPTS = tuple(FOLDER / name for name in ("mkapplets", "mkinstall", "mkroot", "mkunpack"))
MMDEBSTRAP = ("--variant=apt", "--components=main,non-free-firmware", "--skip=cleanup/apt/lists")
TOOLS = "pax-utils"  # of the scripts


def other() -> str:
    """Return the image that the environment variable BASE names instead of ours, or nothing."""
    return os.environ.get("BASE", "")


def identity() -> str:
    """Return a digest of our own base, or BASE's name; nothing if ours is not built yet."""
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
    """Build the base image if needed, and tag it tinkie/base:build. Raises ReportedError."""
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
    """Use the image that the engine has; with refresh, pull the newest one first."""
    newest = ["--pull", "--no-cache"] if refresh else []
    command = ["docker", "buildx", "build", "--network=host", "--quiet", *newest]
    command += ["--build-arg", f"FROM={other()}", "--tag", NAME, str(FOLDER)]
    run(f"building on {other()}", command, env=environment, seconds=None)


def _tar() -> Path:
    return cache() / f"base-{digest(SCRIPTS, SUITE, *_options())}.tar"


def _options() -> list[str]:
    """Return mmdebstrap's: the host's architecture runs, the lists are of all."""
    own = arch.own().debian
    others = [one.debian for one in arch.ALL if one.debian != own]
    return [*MMDEBSTRAP, f"--architectures={','.join([own, *others])}", f"--include={TOOLS}"]


def _bootstrap(tar: Path) -> None:
    partial = tar.with_suffix(f".{os.getpid()}.tar")
    scripts = shlex.join(map(str, SCRIPTS))
    hook = f"--customize-hook=copy-in {scripts} /usr/local/bin"
    command = ["mmdebstrap", "--quiet", *_options(), hook, SUITE, str(partial)]
    # Dates in files, such as those of passwords in /etc/shadow, get this time instead of today's.
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    run("building the base image", command, env=environment, seconds=None, remedy=REMEDY)
    partial.rename(tar)


def _label(environment: Mapping[str, str]) -> str:
    written = '{{index .Config.Labels "tinkie.base"}}'
    command = ["docker", "image", "inspect", NAME, "--format", written]
    return run("reading the base image's label", command, env=environment, check=False).text
