"""The programs that write an initramfs's bytes, from the base image, for the build host to run.

Other versions make other bytes of the same content, and hosts differ. Go's toolchain, Python wheels
and the images' Debian packages are locked or recorded elsewhere.
"""

import os
import platform
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release import arch, base, engine, images
from release.cache import cache, digest, keep
from release.process import run
from release.progress import Progress
from release.version import PROJECT

DOCKERFILE = PROJECT / "images" / "packers" / "Dockerfile"
PACKAGES = "usr/share/tinkie/packages"  # written by mkroot


@dataclass(frozen=True)
class Packers:
    """A root of the host's architecture that has these programs, their libraries and loader."""

    root: Path

    def command(self, program: str) -> list[Path | str]:
        """Return the start of a command: its loader and libraries are those of the root too."""
        (loader,) = self.root.glob("usr/lib*/ld-linux*.so.*")
        libraries = os.pathsep.join(map(str, self.root.glob("usr/lib/*-linux-gnu")))
        path = self.root / "usr" / "bin" / program
        return [loader, "--inhibit-cache", "--library-path", libraries, path]

    def versions(self) -> dict[str, str]:
        """Return the version of each of its Debian packages, and of what else writes bytes.

        The archives of a release are written by this Python and its zlib.
        """
        rows = [row.split() for row in (self.root / PACKAGES).read_text().splitlines()]
        debian = {name: version for name, version, *_ in rows}
        return debian | {"python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}


def provide(environment: Mapping[str, str], progress: Progress) -> Packers:
    """Return them, from the cache or from the base image; inside images.locked_names().

    environment: with the DOCKER_HOST of an engine that has the base image.

    Raises ReportedError.
    """
    folder = (
        cache().resolve() / "packers" / digest([DOCKERFILE], arch.own().name, _base(environment))
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
        command = ["docker", "buildx", "build", "--quiet", "--network=host"]
        command += [f"--platform=linux/{arch.own().debian}"]
        command += [f"--output={engine.fields(type='local', dest=made)}", str(DOCKERFILE.parent)]
        what = "installing the programs that pack"
        run(what, command, env=environment, seconds=None, remedy=images.REMEDY)
        keep(made, folder)
    return Packers(folder)


def packers_of_the_base() -> Packers:
    """Return them for who has no engine and no base image yet. Raises ReportedError."""
    with engine.running() as host, images.locked_names():
        environment, progress = os.environ | {"DOCKER_HOST": host}, Progress()
        base.provide(environment, progress, refresh=False)
        return provide(environment, progress)


def _base(environment: Mapping[str, str]) -> str:
    """Return what the base image is; BASE may name another one by a tag that moves."""
    return base.record(environment)["sha256"] if base.other() else base.identity()
