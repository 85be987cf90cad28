"""`python3 -m release.wheels`: what the two agents' images install with Python.

out/wheels/<image>/ has the wheels that requirements/<image>.txt locks, for the image's Python and
not for the build host's; out/wheels/own/ has ours. The locked ones stay in the cache, so that the
network is needed once for each state of the lock.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from release.cache import cache, digest
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT, source_date_epoch

IMAGES = ("bootkit", "tink-docker")
PYTHON = "3.13"
# Debian trixie has glibc 2.41; a wheel for an older glibc runs on it as well.
GLIBC = ("2_28", "2_17", "2_12", "2_5")
WHEELS = PROJECT / "out" / "wheels"


def build() -> None:
    """Fills out/wheels; folders whose content is the same already are left alone.

    Raises ReportedError.
    """
    WHEELS.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        _replace(WHEELS / image, fetch(image))
    with tempfile.TemporaryDirectory(dir=WHEELS) as made:
        _build_own(Path(made))
        _replace(WHEELS / "own", Path(made))


def fetch(lock: str) -> Path:
    """The cached folder of the wheels that requirements/<lock>.txt locks, for the images."""
    requirements = PROJECT / "requirements" / f"{lock}.txt"
    folder = cache() / "wheels" / f"{lock}-{digest([requirements], PYTHON, *GLIBC)}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{lock}-", dir=folder.parent))
        try:
            _download(requirements, partial)
            _rename(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def for_image() -> list[str]:
    """Options of pip for wheels that run in our images."""
    platforms = [f"--platform=manylinux_{version}_x86_64" for version in GLIBC]
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    return [*options, *platforms, "--platform=manylinux2014_x86_64", "--no-deps"]


def _download(requirements: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    command += ["--require-hashes", *for_image(), "--dest", str(folder), "-r", str(requirements)]
    run(f"fetching the wheels of {requirements.name}", command, seconds=None)


def _build_own(folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    run("building our own wheel", [*command, folder], cwd=PROJECT, env=environment, seconds=None)


def _replace(folder: Path, source: Path) -> None:
    """Makes folder hold what source holds."""
    if folder.exists() and _contents(folder) == _contents(source):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)


def _contents(folder: Path) -> str:
    return digest(sorted(folder.iterdir()))


def _rename(partial: Path, folder: Path) -> None:
    """Somebody else may have fetched the same wheels meanwhile."""
    try:
        partial.rename(folder)
    except OSError:
        if not folder.exists():
            raise


if __name__ == "__main__":
    with reported_errors():
        build()
