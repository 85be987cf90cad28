"""`python3 -m release.images [TARGET...]`: the images of docker-bake.hcl.

The base is Debian's smallest system with its package index left in, so that all images are made
from one state of Debian and no later step asks for the index again. `--refresh` takes the newest.
"""

import argparse
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release import engine, needs, wheels
from release.cache import alone, cache, digest
from release.errors import BuildError, told
from release.version import PROJECT, source_date_epoch

SUITE = "trixie"
BASE = "tinkie/base:build"
BAKE_FILES = ("--file=images/network.yml", "--file=docker-bake.hcl")
MMDEBSTRAP = ("--variant=apt", "--components=main,non-free-firmware", "--skip=cleanup/apt/lists")


def build(targets: list[str], *, refresh: bool = False) -> None:
    """Makes the base if needed, then the targets of docker-bake.hcl (all if empty).

    The environment's BASE names another base image, of a registry for example.
    Raises BuildError, subprocess.CalledProcessError.
    """
    needs.check()
    with engine.running() as host:
        environment = os.environ | {"DOCKER_HOST": host}
        _provide_base(environment, refresh=refresh)
        plain_modes(PROJECT / "images")
        wheels.build()
        command = ["docker", "buildx", "bake", *BAKE_FILES, "--progress=plain", *targets]
        _run_quietly(command, environment, cache() / "bake.log")


@contextmanager
def kept() -> Iterator[None]:
    """Until the end of the with block no other build, of a clone too, names its images as these.

    All clones that build with one engine give their images the same names.
    """
    with alone(cache() / "images.lock"):
        yield


def _provide_base(environment: dict[str, str], *, refresh: bool) -> None:
    if other := environment.get("BASE"):
        subprocess.run(["docker", "pull", other], env=environment, check=True)
        subprocess.run(["docker", "tag", other, BASE], env=environment, check=True)
        return
    mkroot = PROJECT / "images" / "base" / "mkroot"
    key = digest([mkroot], SUITE, *MMDEBSTRAP)
    tar = cache() / f"base-{key}.tar"
    if refresh or not tar.exists():
        _bootstrap(tar, mkroot)
    if refresh or _label(environment) != key:
        command = ["docker", "import", "--change", f"LABEL tinkie.base={key}", str(tar), BASE]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _bootstrap(tar: Path, mkroot: Path) -> None:
    print(f"making the base image from Debian {SUITE}", flush=True)
    partial = tar.with_suffix(f".{os.getpid()}.tar")
    command = [
        "mmdebstrap",
        "--quiet",
        *MMDEBSTRAP,
        f"--customize-hook=copy-in {shlex.quote(str(mkroot))} /usr/local/bin",
    ]
    # Users' password dates and the like take this time instead of today's.
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date_epoch())}
    subprocess.run([*command, SUITE, str(partial)], env=environment, check=True)
    partial.rename(tar)


def plain_modes(folder: Path) -> None:
    """Gives files the modes that git means: the umask of whoever cloned must not reach an image."""
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


def _label(environment: dict[str, str]) -> str:
    command = [
        "docker",
        "image",
        "inspect",
        BASE,
        "--format",
        '{{index .Config.Labels "tinkie.base"}}',
    ]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _run_quietly(command: list[str], environment: dict[str, str], log: Path) -> None:
    """The builder's long output is for when it fails."""
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        last = "\n".join(log.read_text().splitlines()[-25:])
        raise BuildError(
            f"building the images failed, the end of {log}:\n{last}\n"
            "If a package is not found, Debian has moved on: `make refresh` takes its newest state."
        )


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="release.images", description=__doc__)
    parser.add_argument("target", nargs="*", help="of docker-bake.hcl; all if none is given")
    parser.add_argument("--refresh", action="store_true", help="take Debian's newest packages")
    arguments = parser.parse_args()
    with told(), kept():
        build(arguments.target, refresh=arguments.refresh)


if __name__ == "__main__":
    main()
