"""The programs that write an initramfs's bytes: the base image's Debian packages, run by the host.

Other versions make other bytes of the same content, and hosts differ. Go's toolchain, Python wheels
and the images' Debian packages are locked or recorded elsewhere.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release import arch, base, engine, images
from release.cache import cache, digest, keep
from release.errors import ReportedError
from release.process import run
from release.progress import Progress
from release.version import PROJECT

DOCKERFILE = PROJECT / "images" / "packers" / "Dockerfile"
PACKAGES = "usr/share/tinkie/packages"  # written by mkroot
# Variables of the host, as GZIP and SOURCE_DATE_EPOCH, would change the bytes.
CLEAN_ENVIRONMENT: tuple[str, ...] = ("env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C")


@dataclass(frozen=True)
class Packers:
    """A root of the host's architecture that has these programs, their libraries and loader."""

    root: Path

    def command(self, program: str) -> list[Path | str]:
        """Return the start of a command: its loader and libraries are those of the root too."""
        (loader,) = self.root.glob("usr/lib*/ld-linux*.so.*")
        libraries = os.pathsep.join(map(str, self.root.glob("usr/lib/*-linux-gnu")))
        path = self.root / "usr" / "bin" / program
        return [*CLEAN_ENVIRONMENT, loader, "--inhibit-cache", "--library-path", libraries, path]

    def versions(self) -> dict[str, str]:
        """Return the version of each of its Debian packages."""
        rows = [row.split() for row in (self.root / PACKAGES).read_text().splitlines()]
        return {name: version for name, version, *_ in rows}


def provide(environment: Mapping[str, str], progress: Progress) -> Packers:
    """Return them, from the cache or from the base image; inside images.locked_names().

    environment: with the DOCKER_HOST of an engine that has the base image.

    Raises ReportedError.
    """
    folder = (
        cache().resolve() / "packers" / digest([DOCKERFILE], arch.own().name, _base(environment))
    )
    if {":", ";", "="} & {*str(folder)}:
        message = f"{folder} cannot hold the programs that pack: to their loader : and ; end a path"
        raise ReportedError(
            f"{message}, and env sets what has a =; give TINKIE_CACHE another folder"
        )
    if folder.exists():
        progress.skip()
        return Packers(folder)
    folder.parent.mkdir(exist_ok=True)
    with (
        progress.step("programs that pack"),
        tempfile.TemporaryDirectory(dir=folder.parent) as name,
    ):
        made = Path(name) / "made"
        command = ["docker", "buildx", "build", "--progress=plain", "--network=host"]
        command += [f"--platform=linux/{arch.own().debian}"]
        command += [f"--output={engine.fields(type='local', dest=made)}", str(DOCKERFILE.parent)]
        what = "installing the programs that pack"
        log = cache() / "packers.log"
        run(what, command, env=environment, log=log, seconds=None, remedy=images.REMEDY)
        keep(made, folder)
    return Packers(folder)


def packers_of_the_base() -> Packers:
    """Return them for who has no engine and no base image yet. Raises ReportedError."""
    with engine.running() as host, images.locked_names():
        environment, progress = os.environ | {"DOCKER_HOST": host}, Progress()
        base.provide(environment, progress, refresh=False)
        return provide(environment, progress)


def _base(environment: Mapping[str, str]) -> str:
    """Return what the base image is: with BASE it depends on our scripts and the day as well."""
    if not base.other():
        return base.identity()
    command = ["docker", "image", "inspect", base.NAME, "--format", "{{.Id}}"]
    return run("reading the base image's digest", command, env=environment).text
