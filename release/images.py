"""`python -m release.images [TARGET...]`: build the images of docker-bake.hcl.

`--refresh` installs Debian's newest packages.
"""

import argparse
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release import arch, base, engine, needs, programs, wheels
from release.arch import Architecture
from release.cache import cache, locked
from release.errors import reported_errors
from release.process import read_from, run
from release.progress import Progress
from release.version import PROJECT

STEPS = 3 + len(programs.PROGRAMS)  # of build
REMEDY = "if Debian no longer has a package, run `make refresh`, which installs its newest packages"
BAKE_FILES = ("--file=images/network.yml", "--file=docker-bake.hcl")


def build(
    targets: list[str],
    progress: Progress | None = None,
    *,
    target: Architecture | None = None,
    refresh: bool = False,
) -> None:
    """Build the base if needed, then the targets of docker-bake.hcl (all if empty).

    target: arch.wanted() if it is not given. An image has one name for all architectures, which the
    last build takes (locked_names).

    Raises ReportedError.
    """
    progress, target = progress or Progress(), target or arch.wanted()
    needs.check()
    with engine.running() as host:
        environment = os.environ | {"DOCKER_HOST": host}
        plain_modes(PROJECT / "images")
        base.provide(environment, progress, refresh=refresh)
        with progress.step("Python wheels"):
            wheels.build(target)
        programs.build(target, progress)
        plain_modes(programs.OUT)
        command = ["docker", "buildx", "bake", *BAKE_FILES, "--progress=plain"]
        command += [f"--set=*.platform=linux/{target.debian}", *targets]
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
def locked_names() -> Iterator[None]:
    """Let no other build tag its images until the end of the with block.

    All clones that use one engine give their images the same names.
    """
    with locked(cache() / "images.lock"):
        yield


@contextmanager
def exported(
    image: str, target: Architecture | None, environment: dict[str, str]
) -> Iterator[tarfile.TarFile]:
    """Read an image of the engine in environment, as a tar of its root, in a with block.

    target: None for the base, of which an engine has one and takes it for its own architecture's.
    """
    platform = [f"--platform=linux/{target.debian}"] if target else []
    create = ["docker", "create", *platform, image, "none"]
    what = f"reading {image}"
    container = run(what, create, env=environment, seconds=None).text
    try:
        export = read_from(what, ["docker", "export", container], env=environment)
        with export as pipe, tarfile.open(fileobj=pipe, mode="r|") as tar:
            yield tar
    finally:
        run(f"removing the container of {image}", ["docker", "rm", container], env=environment)


def plain_modes(folder: Path) -> None:
    """Give files the modes of git: no umask of a clone or a build must end up in an image."""
    for path in (folder, *folder.rglob("*")):
        is_executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_executable else 0o644)


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.images", description=__doc__)
    parser.add_argument("target", nargs="*", help="of docker-bake.hcl; all if none is given")
    parser.add_argument("--refresh", action="store_true", help="install Debian's newest packages")
    arguments = parser.parse_args()
    with reported_errors(), locked_names():
        build(arguments.target, Progress(STEPS), refresh=arguments.refresh)
        if message := base.warning(time.time()):
            print(message)


if __name__ == "__main__":
    main()
