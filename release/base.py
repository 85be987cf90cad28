"""The base image of all others: Debian's smallest system, or another image with apt (BASE).

It keeps Debian's package index, so that all images are built from one state of Debian and no later
step downloads the index again.
"""

import hashlib
import os
import re
import shlex
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from release import arch
from release.cache import cache, digest
from release.errors import ReportedError
from release.process import run
from release.progress import Progress
from release.version import PROJECT, source_date_epoch

VARIABLE = "BASE"
SUITE = "trixie"
DEBIAN = "13"  # its number
DAY_SECONDS = 86400
REMEDY = "check that this machine reaches its Debian mirror (apt-get update)"
SNAPSHOT_REMEDY = "check that SNAPSHOT_MIRROR answers, and has that time (its URLs are above)"
NO_BASE = "no base image was made; check that SNAPSHOT_MIRROR keeps former states of Debian"
OLD_DAYS = 7  # Debian publishes security updates every few days
NAME = "tinkie/base:build"
FOLDER = PROJECT / "images" / "base"
SCRIPTS = tuple(FOLDER / name for name in ("mkapplets", "mkinstall", "mkroot", "mkunpack"))
COMPONENTS = ("main", "non-free-firmware")
MMDEBSTRAP = ("--variant=apt", f"--components={','.join(COMPONENTS)}", "--skip=cleanup/apt/lists")
SNAPSHOT, SNAPSHOT_MIRROR = "SNAPSHOT", "SNAPSHOT_MIRROR"  # variables
SNAPSHOT_FORM = "%Y%m%dT%H%M%SZ"  # as snapshot.debian.org writes a time
# The suites that a release is built from, by their archive.
ARCHIVES = {SUITE: "debian", f"{SUITE}-updates": "debian", f"{SUITE}-security": "debian-security"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"  # here and in the base
LIST = re.compile(r"(\./)?var/lib/apt/lists/[^/]+_(In)?Release")
TOOLS = "pax-utils"  # of the scripts


def other() -> str:
    """Return the image that the environment variable BASE names instead of ours, or nothing."""
    return os.environ.get(VARIABLE, "")


def identity() -> str:
    """Return a digest of our own base, or BASE's name; nothing if ours is not built yet.

    Raises ReportedError if SNAPSHOT cannot be used.
    """
    snapshot()
    return other() or (_digest(_tar(), _tar().stat().st_mtime_ns) if _tar().exists() else "")


def snapshot() -> str:
    """Return the time of Debian's state that SNAPSHOT names, or nothing.

    Raises ReportedError if it cannot be used.
    """
    wanted = os.environ.get(SNAPSHOT, "")
    if not wanted:
        return ""
    try:
        is_exact = _moment(wanted).strftime(SNAPSHOT_FORM) == wanted
    except ValueError:
        is_exact = False
    if not is_exact:
        raise ReportedError(f"{SNAPSHOT}={wanted} is no time; write it as 20261128T060000Z (UTC)")
    if other():
        message = f"{SNAPSHOT} has no effect on another base image"
        raise ReportedError(f"{message}; leave out {SNAPSHOT} or BASE")
    mirror = _snapshot_mirror()
    if not mirror:
        message = f"{SNAPSHOT}={wanted} needs a mirror that keeps former states of Debian"
        raise ReportedError(f"{message}; give {SNAPSHOT_MIRROR}=URL, in snapshot.debian.org's form")
    if re.search("[@?#]", mirror):  # the message must not repeat it
        message = f"{SNAPSHOT_MIRROR} has a user, a password, a query or a fragment (@, ? or #)"
        raise ReportedError(f"{message}, and the base image and messages keep it: leave that out")
    if not re.fullmatch(r"http://[^\s\[\]]+", mirror):
        message = f"{SNAPSHOT_MIRROR}={mirror} is no URL that begins with http://"
        raise ReportedError(f"{message}, which it must: the base image has no CA certificates")
    return wanted


def suites(tar: tarfile.TarFile) -> dict[str, str]:
    """Return the time of each suite's package lists in a base image, in SNAPSHOT's form.

    It is the `Date` of the suite's Release file, which Debian has signed.
    """
    found = {}
    for entry in tar:
        if LIST.fullmatch(entry.name) and (file := tar.extractfile(entry)):
            text = re.sub(rb"\A-----BEGIN PGP.*?\n\n", b"", file.read(), flags=re.DOTALL)
            fields = BytesParser().parsebytes(text, headersonly=True)
            date = parsedate_to_datetime(fields["Date"]).astimezone(UTC)
            found[str(fields["Codename"])] = date.strftime(SNAPSHOT_FORM)
    return dict(sorted(found.items()))


def record(environment: Mapping[str, str]) -> dict[str, str]:
    """Return name and SHA-256 of the base, for the manifest: of our tar or of BASE's configuration.

    Raises ReportedError if the engine does not have BASE.
    """
    if not other():
        with _tar().open("rb") as tar:
            total = hashlib.file_digest(tar, "sha256").hexdigest()
        return {"name": f"Debian {SUITE}", "sha256": total}
    command = ["docker", "image", "inspect", other(), "--format", "{{.Id}}"]
    found = run(f"reading the digest of {other()}", command, env=environment).text
    return {"name": other(), "sha256": found.removeprefix("sha256:")}


def age_in_days(now: float) -> int | None:
    """Return how old the cached Debian packages are at a time in seconds since 1970.

    None if there are none, or if another base image is in use.
    """
    if other() or not _tar().exists():
        return None
    wanted = snapshot()
    made = _moment(wanted).timestamp() if wanted else _tar().stat().st_mtime
    return int((now - made) // DAY_SECONDS)


def age_message(now: float) -> str:
    """Return a line about the age of the cached Debian packages; empty if there are none."""
    days = age_in_days(now)
    if days is None:
        return ""
    age = f"the Debian packages are {days} day{'s' * (days != 1)} old"
    return f"{age}: {_renewal()}" if days >= OLD_DAYS else age


def warning(now: float) -> str:
    """Return that line only if the packages are a week old: they lack security updates then."""
    days = age_in_days(now)
    return age_message(now) if days is not None and days >= OLD_DAYS else ""


def _renewal() -> str:
    return f"{SNAPSHOT} names their time" if snapshot() else "`make refresh` renews them"


def provide(environment: Mapping[str, str], progress: Progress, *, refresh: bool) -> None:
    """Build the base image if needed, and tag it tinkie/base:build. Raises ReportedError."""
    if other():
        with progress.step(f"base image from {other()}"):
            _build_on_other(environment, refresh=refresh)
        return
    if not refresh and _tar().exists() and _label(environment) == identity():
        progress.skip()
        return
    of = f" as of {snapshot()}" if snapshot() else ""
    with progress.step(f"base image from Debian {SUITE}{of}"):
        if refresh or not _tar().exists():
            _bootstrap(_tar())
        change = f"LABEL tinkie.base={identity()}"
        command = ["docker", "import", "--change", change, str(_tar()), NAME]
        run("importing the base image", command, env=environment, seconds=None)


def _build_on_other(environment: Mapping[str, str], *, refresh: bool) -> None:
    """Use the image that the engine has; pull it if it has none, and the newest one with refresh.

    A build would pull it to where only builds find it (record does not).
    """
    known = ["docker", "image", "inspect", other()]
    if refresh or run(f"looking for {other()}", known, env=environment, check=False).code:
        pull = ["docker", "pull", "--quiet", other()]
        run(f"pulling {other()}", pull, env=environment, seconds=None)
    newest = ["--no-cache"] if refresh else []
    command = ["docker", "buildx", "build", "--network=host", "--progress=plain", *newest]
    command += ["--build-arg", f"FROM={other()}", "--tag", NAME, str(FOLDER)]
    log = cache() / "base.log"
    run(f"building on {other()}", command, env=environment, log=log, seconds=None)


def _tar() -> Path:
    return cache() / f"base-{digest(SCRIPTS, SUITE, *_options(), *_sources())}.tar"


@lru_cache
def _digest(tar: Path, _changed: int) -> str:
    """Read a base once: it has 300 MB, and a build asks several times."""
    return digest([tar])


def _snapshot_mirror() -> str:
    return os.environ.get(SNAPSHOT_MIRROR, "").rstrip("/")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, SNAPSHOT_FORM).replace(tzinfo=UTC)


def _sources() -> list[str]:
    """Return apt's sources of the snapshot; none without one: then mmdebstrap knows Debian's.

    A former state is past the end of its validity by nature.
    """
    wanted = snapshot()
    if not wanted:
        return []
    archive = f"{_snapshot_mirror()}/archive"
    options = f"[check-valid-until=no signed-by={KEYRING}]"
    return [
        f"deb {options} {archive}/{name}/{wanted}/ {suite} {' '.join(COMPONENTS)}"
        for suite, name in ARCHIVES.items()
    ]


def _options() -> list[str]:
    """Return mmdebstrap's: the host's architecture runs, the lists are of all."""
    own = arch.own().debian
    others = [one.debian for one in arch.ALL if one.debian != own]
    return [*MMDEBSTRAP, f"--architectures={','.join([own, *others])}", f"--include={TOOLS}"]


def _bootstrap(tar: Path) -> None:
    partial = tar.with_suffix(f".{os.getpid()}.tar")
    scripts = shlex.join(map(str, SCRIPTS))
    hook = f"--customize-hook=copy-in {scripts} /usr/local/bin"
    command = ["mmdebstrap", "--quiet", *_options(), hook, SUITE, str(partial), *_sources()]
    # Dates in files, such as those of passwords in /etc/shadow, get this time instead of today's.
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    remedy = SNAPSHOT_REMEDY if snapshot() else REMEDY
    try:
        run("building the base image", command, env=environment, seconds=None, remedy=remedy)
        _check_times(partial)
        partial.rename(tar)
    finally:
        partial.unlink(missing_ok=True)


def _check_times(path: Path) -> None:
    """Raise ReportedError unless each suite of a base image is as old as SNAPSHOT, if it is given.

    A mirror may serve another state than that of the time in the URL; Debian signed it as well.
    """
    if not (wanted := snapshot()):
        return
    with tarfile.open(path) as tar:
        found = suites(tar)
    if missing := ARCHIVES.keys() - found:
        names = ", ".join(sorted(missing))
        raise ReportedError(f"{SNAPSHOT}={wanted}: the time of {names} is unknown; {NO_BASE}")
    # In this form, the later time is the greater text.
    if newer := [f"{suite} of {time}" for suite, time in found.items() if time > wanted]:
        message = f"{SNAPSHOT}={wanted}: the mirror served a newer state: {', '.join(newer)}"
        raise ReportedError(f"{message}; {NO_BASE}")


def _label(environment: Mapping[str, str]) -> str:
    written = '{{index .Config.Labels "tinkie.base"}}'
    command = ["docker", "image", "inspect", NAME, "--format", written]
    return run("reading the base image's label", command, env=environment, check=False).text
