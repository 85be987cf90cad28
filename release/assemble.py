"""`python -m release.assemble`: images -> out/vmlinuz-<arch>, out/initramfs-<arch> (ARCH=name).

Does nothing if no input has changed since they were built. An image of another registry counts as
changed unless its name contains its digest.
"""

import argparse
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import yaml

from release import (
    arch,
    base,
    convert,
    embed,
    engine,
    gotools,
    images,
    linuxkit_files,
    needs,
    packers,
)
from release.arch import Architecture
from release.cache import cache, digest
from release.errors import reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT, commit, source_date_epoch, version

OUT = PROJECT / "out"
STEPS = images.STEPS + 4  # of assemble
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


def kernel(target: Architecture) -> Path:
    """Return the path of the built kernel."""
    return OUT / target.kernel


def initramfs(target: Architecture) -> Path:
    """Return the path of the built initramfs."""
    return OUT / target.initramfs


def embedded(target: Architecture) -> Path:
    """Return the path of the list of embedded images; there is no file if there are none."""
    return OUT / f"embedded-{target.name}.json"


def assemble(
    level: str,
    progress: Progress | None = None,
    *,
    target: Architecture | None = None,
    refresh: bool = False,
) -> bool:
    """Build kernel and initramfs at a level of convert.LEVELS; False if they were up to date.

    target: arch.wanted() if it is not given.

    Raises ReportedError.
    """
    progress, target = progress or Progress(), target or arch.wanted()
    with convert.held(OUT):
        return assemble_held(level, progress, target, refresh=refresh)


def assemble_held(level: str, progress: Progress, target: Architecture, *, refresh: bool) -> bool:
    """Do as assemble does, inside convert.held(OUT)."""
    sources = _sources(level, target)  # now: a file that changes meanwhile needs another build
    if _is_built(_key(sources, base.identity()), target) and not refresh:
        progress.skip(STEPS)
        return False
    needs.check()
    # Until the build has succeeded, out/ may hold anything.
    convert.stamp(OUT, target).unlink(missing_ok=True)
    base_built_on = _build(level, progress, target, refresh=refresh)
    convert.stamp(OUT, target).write_text(_key(sources, base_built_on))
    return True


def _is_built(key: str, target: Architecture) -> bool:
    stamp, files = convert.stamp(OUT, target), (kernel(target), initramfs(target))
    if not stamp.exists() or stamp.read_text() != key or not all(path.exists() for path in files):
        return False
    return not _moving_images() and not embed.may_have_changed()


def _build(level: str, progress: Progress, target: Architecture, *, refresh: bool) -> str:
    """Write the files to out/, and return the identity of the base that they were built on."""
    files = kernel(target), initramfs(target)
    with ExitStack() as needed, tempfile.TemporaryDirectory(dir=OUT) as folder:
        host = needed.enter_context(engine.running())
        needed.enter_context(images.locked_names())
        environment = os.environ | {"DOCKER_HOST": host}
        images.build([], progress, target=target, refresh=refresh)
        built_on = base.identity()  # now: without the images' lock another build may renew it
        tools = packers.provide(environment, progress)
        linuxkit = gotools.build("linuxkit", progress)
        with progress.step("root file system (LinuxKit)"):
            tar = _linuxkit(linuxkit, target, Path(folder), environment)
        with progress.step(f"initramfs (level: {level})"), ThreadPoolExecutor(1) as beside:
            stopped = beside.submit(needed.close)  # an engine takes a second to stop
            epoch = source_date_epoch()
            convert.convert(tar, *files, target=target, packers=tools, level=level, epoch=epoch)
            stopped.result()
    return built_on


def built_level() -> str:
    """Return the level at which the files in out/ were built from this folder as it is, or ""."""
    target = arch.wanted()
    stamp = convert.stamp(OUT, target)
    built = stamp.read_text() if stamp.exists() else ""
    identity = base.identity()
    levels = convert.LEVELS
    return next((one for one in levels if built == _key(_sources(one, target), identity)), "")


def _key(sources: str, base_identity: str) -> str:
    """Return what identifies a build."""
    return digest([], sources, base_identity)


def _sources(level: str, target: Architecture) -> str:
    files = linuxkit_files.load()
    inputs = [*files.paths, *files.sources, *(PROJECT / name for name in INPUTS)]
    names = [
        *(path.name for path in files.paths),
        *(f"{image.name}={image.source}" for image in embed.wanted()),
    ]
    return digest(inputs, level, target.name, version(), commit(), *names)


def _moving_images() -> list[str]:
    """Return the images of other registries that are named by a tag, which may have moved."""
    names = filter(None, [*linuxkit_files.load().images, base.other()])
    return [name for name in names if not OURS.fullmatch(name) and "@sha256:" not in name]


def _linuxkit(
    program: Path, target: Architecture, folder: Path, environment: dict[str, str]
) -> Path:
    images = embed.files(folder, embedded(target), target)
    generated = {"version.yml": _version_file(), "embedded.yml": images}
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
    command += ["--arch", target.debian]
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


def os_release() -> str:
    """Return the content of os-release(5)."""
    release = {
        "NAME": "Tinkie",
        "ID": "tinkie",
        "PRETTY_NAME": f'"Tinkie {version()}"',
        "VERSION_ID": version(),
        "BUILD_ID": commit(),
        "SOURCE_DATE_EPOCH": source_date_epoch(),
    }
    return "".join(f"{name}={value}\n" for name, value in release.items())


def _version_file() -> dict[str, object]:
    """Return a LinuxKit file with /etc/os-release, from which rc also reads the earliest time."""
    return {"files": [{"path": "etc/os-release", "mode": "0644", "contents": os_release()}]}


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.assemble", description=__doc__)
    parser.add_argument("--level", choices=convert.LEVELS, default="quick")
    parser.add_argument("--refresh", action="store_true", help="install Debian's newest packages")
    arguments = parser.parse_args()
    with reported_errors():
        if not assemble(arguments.level, Progress(STEPS), refresh=arguments.refresh):
            print("nothing has changed: out/ is up to date")
        if message := base.warning(time.time()):
            print(message)


if __name__ == "__main__":
    main()
