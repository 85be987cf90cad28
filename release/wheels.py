"""`python -m release.wheels`: the Python packages in the two agents' images.

out/wheels/<amd64 or arm64>/<image>/ has the wheels that requirements/<image>.txt locks, for the
image's Python and not for the build host's; out/wheels/own/ has ours. The locked ones are cached,
so that each state of the lock is downloaded once.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name, canonicalize_version, parse_wheel_filename

from release import arch
from release.arch import Architecture
from release.cache import cache, copy_to, digest, keep
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT, source_date_epoch

IMAGES = ("bootkit", "tink-docker")
PYTHON = "3.13"
# Debian trixie has glibc 2.41; a wheel for an older glibc runs on it as well.
GLIBC = ("2_28", "2_17", "2_12", "2_5")
REMEDY = "check that this machine reaches a Python package index (pip config list)"
WHEELS = PROJECT / "out" / "wheels"


def build(target: Architecture) -> None:
    """Fill out/wheels; folders that have the right content already are not touched.

    Raises ReportedError.
    """
    WHEELS.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        copy_to(WHEELS / target.debian / image, fetch(image, target))
    with tempfile.TemporaryDirectory(dir=WHEELS) as made:
        _build_own(Path(made))
        copy_to(WHEELS / "own", Path(made))


def fetch(lock: str, target: Architecture) -> Path:
    """Return the cached folder of the wheels that requirements/<lock>.txt locks, for the images."""
    requirements = PROJECT / "requirements" / f"{lock}.txt"
    folder = cache() / "wheels" / f"{lock}-{digest([requirements], PYTHON, *GLIBC, target.name)}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{lock}-", dir=folder.parent))
        try:
            _download(requirements, target, partial)
            keep(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def digests(target: Architecture) -> dict[tuple[str, str], dict[str, str]]:
    """Return file name and SHA-256 of each wheel in out/wheels that the images have, by its key."""
    folders = [*(WHEELS / target.debian / image for image in IMAGES), WHEELS / "own"]
    found = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.whl"))):
        name, number, _, _ = parse_wheel_filename(path.name)
        total = hashlib.sha256(path.read_bytes()).hexdigest()
        found[key(name, str(number))] = {"wheel": path.name, "sha256": total}
    return found


def key(name: str, number: str) -> tuple[str, str]:
    """Return name and version of a Python package as any spelling of them is compared."""
    return canonicalize_name(name), canonicalize_version(number)


def for_image(target: Architecture) -> list[str]:
    """Return pip's options for wheels that run in our images."""
    platforms = [f"--platform=manylinux_{version}_{target.name}" for version in GLIBC]
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    return [*options, *platforms, f"--platform=manylinux2014_{target.name}", "--no-deps"]


def _download(requirements: Path, target: Architecture, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    command += [
        "--require-hashes",
        *for_image(target),
        "--dest",
        str(folder),
        "-r",
        str(requirements),
    ]
    run(f"downloading the wheels of {requirements.name}", command, seconds=None, remedy=REMEDY)


def _build_own(folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    run("building our own wheel", [*command, folder], cwd=PROJECT, env=environment, seconds=None)


if __name__ == "__main__":
    with reported_errors():
        build(arch.wanted())
