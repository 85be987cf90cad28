"""`python3 -m release.images [TARGET...]`: the images of docker-bake.hcl.

`--refresh` takes Debian's newest packages.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release import base, engine, needs, wheels
from release.cache import alone, cache
from release.errors import reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT

STEPS = 3  # of build
REMEDY = (
    "if a package is not found, Debian has newer ones: `make refresh` takes its newest packages"
)
BAKE_FILES = ("--file=images/network.yml", "--file=docker-bake.hcl")


def build(targets: list[str], progress: Progress | None = None, *, refresh: bool = False) -> None:
    """Makes the base if needed, then the targets of docker-bake.hcl (all if empty).

    Raises ReportedError.
    """
    progress = progress or Progress()
    needs.check()
    with engine.running() as host:
        environment = os.environ | {"DOCKER_HOST": host}
        plain_modes(PROJECT / "images")
        base.provide(environment, progress, refresh=refresh)
        with progress.step("Python wheels"):
            wheels.build()
        command = ["docker", "buildx", "bake", *BAKE_FILES, "--progress=plain", *targets]
        log = cache() / "bake.log"
        with progress.step(f"container images {' '.join(targets)}".rstrip()):
            run(
                "building the images",
                command,
                cwd=PROJECT,
                env=environment,
                log=log,
                seconds=None,
                remedy=REMEDY,
            )


@contextmanager
def kept() -> Iterator[None]:
    """Until the end of the with block no other build, of a clone too, names its images as these.

    All clones that build with one engine give their images the same names.
    """
    with alone(cache() / "images.lock"):
        yield


def plain_modes(folder: Path) -> None:
    """Gives files the modes that git means: the umask of whoever cloned must not reach an image."""
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="release.images", description=__doc__)
    parser.add_argument("target", nargs="*", help="of docker-bake.hcl; all if none is given")
    parser.add_argument("--refresh", action="store_true", help="take Debian's newest packages")
    arguments = parser.parse_args()
    with reported_errors(), kept():
        build(arguments.target, Progress(STEPS), refresh=arguments.refresh)


if __name__ == "__main__":
    main()
