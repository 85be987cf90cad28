"""`python -m release.assemble`: images -> out/vmlinuz-x86_64, out/initramfs-x86_64.

Does nothing if no input has changed since they were built. An image of another registry counts as
changed unless its name contains its digest.
"""

import argparse
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import yaml

from release import base, convert, embed, engine, gotools, images, linuxkit_files, needs
from release.cache import cache, digest
from release.errors import reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT, commit, source_date_epoch, version

ARCH = "x86_64"
OUT = PROJECT / "out"
KERNEL = OUT / f"vmlinuz-{ARCH}"
INITRAMFS = OUT / f"initramfs-{ARCH}"
EMBEDDED = OUT / "embedded.json"
STEPS = images.STEPS + 3  # of assemble
OURS = re.compile(r"tinkie/[\w-]+:build")
INPUTS = (
    *(
        "tinkie",
        "bootkit",
        "tink_docker",
        "settings",
        "network",
        "programs",
        "images",
        "release",
        "requirements",
        "tools/linuxkit",
    ),
    *("docker-bake.hcl", "Dockerfile.bootkit", "Dockerfile.tink-docker", "pyproject.toml"),
)


def assemble(level: str, progress: Progress | None = None, *, refresh: bool = False) -> bool:
    """Build kernel and initramfs at a level of convert.LEVELS; False if they were up to date.

    Raises ReportedError.
    """
    progress = progress or Progress()
    OUT.mkdir(exist_ok=True)
    stamp, key = OUT / "inputs", _key(level)
    built = stamp.exists() and KERNEL.exists() and INITRAMFS.exists()
    fixed = not refresh and not _moving_images() and not embed.may_have_changed()
    if built and fixed and stamp.read_text() == key:
        progress.skip(STEPS)
        return False
    needs.check()
    stamp.unlink(missing_ok=True)  # until the build has succeeded, out/ may hold anything
    with (
        engine.running() as host,
        images.locked_names(),
        tempfile.TemporaryDirectory(dir=OUT) as folder,
    ):
        environment = os.environ | {"DOCKER_HOST": host}
        images.build([], progress, refresh=refresh)
        linuxkit = gotools.build("linuxkit", progress)
        with progress.step("root file system (LinuxKit)"):
            tar = _linuxkit(linuxkit, Path(folder), environment)
        with progress.step(f"initramfs (level: {level})"):
            convert.convert(tar, KERNEL, INITRAMFS, level=level, epoch=source_date_epoch())
    stamp.write_text(_key(level))  # again: the base may be new
    return True


def built_level() -> str:
    """Return the level at which the files in out/ were built from this folder as it is, or ""."""
    stamp = OUT / "inputs"
    built = stamp.read_text() if stamp.exists() else ""
    return next((level for level in convert.LEVELS if built == _key(level)), "")


def _key(level: str) -> str:
    files = linuxkit_files.load()
    inputs = [*files.paths, *files.sources, *(PROJECT / name for name in INPUTS)]
    names = [
        *(path.name for path in files.paths),
        *(f"{image.name}={image.source}" for image in embed.wanted()),
    ]
    return digest(inputs, level, commit(), base.identity(), *names)


def _moving_images() -> list[str]:
    """Return the images of other registries that are named by a tag, which may have moved."""
    names = filter(None, [*linuxkit_files.load().images, base.other()])
    return [name for name in names if not OURS.fullmatch(name) and "@sha256:" not in name]


def _linuxkit(program: Path, folder: Path, environment: dict[str, str]) -> Path:
    generated = {"version.yml": _version_file(), "embedded.yml": embed.files(folder, EMBEDDED)}
    more = [folder / name for name, content in generated.items() if content]
    for path in more:
        path.write_text(yaml.safe_dump(generated[path.name]))
    # LinuxKit replaces the ~ of `files: source:` by the home, and makes an empty .moby there.
    home = Path.home()
    command: list[str | Path] = [
        program,
        "--cache",
        cache() / "linuxkit" / "cache",
        "build",
    ]
    command += ["--docker", "--no-sbom", "--format", "tar", "--name", "tinkie", "--dir", folder]
    command += [*linuxkit_files.load().paths, *more]
    try:
        run(
            "linuxkit build",
            command,
            cwd=PROJECT,
            env=environment | {"HOME": str(home)},
            log=cache() / "linuxkit.log",
            seconds=None,
        )
    finally:
        with suppress(OSError):  # the user has files there
            (home / ".moby" / "tmp").rmdir()
            (home / ".moby").rmdir()
    return folder / "tinkie.tar"


def _version_file() -> dict[str, object]:
    """Return a LinuxKit file with /etc/os-release, from which rc also reads the earliest time."""
    release = {
        "NAME": "Tinkie",
        "ID": "tinkie",
        "PRETTY_NAME": f'"Tinkie {version()}"',
        "VERSION_ID": version(),
        "BUILD_ID": commit(),
        "SOURCE_DATE_EPOCH": source_date_epoch(),
    }
    lines = "".join(f"{name}={value}\n" for name, value in release.items())
    return {"files": [{"path": "etc/os-release", "mode": "0644", "contents": lines}]}


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.assemble", description=__doc__)
    parser.add_argument("--level", choices=convert.LEVELS, default="quick")
    parser.add_argument("--refresh", action="store_true", help="install Debian's newest packages")
    arguments = parser.parse_args()
    with reported_errors():
        if not assemble(arguments.level, Progress(STEPS), refresh=arguments.refresh):
            print("nothing has changed: out/ is up to date")


if __name__ == "__main__":
    main()
