"""`python3 -m release.assemble`: images -> out/vmlinuz-x86_64, out/initramfs-x86_64.

Does nothing if nothing that goes in has changed since they were made. An image of elsewhere may
have changed if it is not named by its digest.
"""

import argparse
import os
import re
import tempfile
from pathlib import Path

from release import base, convert, embed, engine, gotools, images, needs
from release.cache import cache, digest
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT, commit, source_date_epoch, version

ARCH = "x86_64"
OUT = PROJECT / "out"
KERNEL = OUT / f"vmlinuz-{ARCH}"
INITRAMFS = OUT / f"initramfs-{ARCH}"
EMBEDDED = OUT / "embedded.json"
OURS = re.compile(r"tinkie/[\w-]+:build")
INPUTS = (
    *("bootkit", "tink_docker", "images", "release", "requirements", "tools/linuxkit"),
    *("docker-bake.hcl", "Dockerfile.bootkit", "Dockerfile.tink-docker", "pyproject.toml"),
)


def assemble(level: str, *, refresh: bool = False) -> bool:
    """Makes kernel and initramfs at a level of convert.LEVELS; False if they were up to date.

    Raises ReportedError.
    """
    OUT.mkdir(exist_ok=True)
    stamp, key = OUT / "inputs", _key(level)
    made = stamp.exists() and KERNEL.exists() and INITRAMFS.exists()
    known = made and not refresh and not _moving_images() and not embed.may_have_changed()
    if known and stamp.read_text() == key:
        return False
    needs.check()
    stamp.unlink(missing_ok=True)  # until it is whole again, out/ is of nothing in particular
    with (
        engine.running() as host,
        images.kept(),
        tempfile.TemporaryDirectory(dir=OUT) as folder,
    ):
        environment = os.environ | {"DOCKER_HOST": host}
        images.build([], refresh=refresh)
        tar = _linuxkit(Path(folder), environment)
        convert.convert(tar, KERNEL, INITRAMFS, level=level, epoch=source_date_epoch())
    stamp.write_text(_key(level))  # the base may have been made only now
    return True


def _key(level: str) -> str:
    pages = images.pages()
    inputs = [*pages, *(PROJECT / name for name in INPUTS)]
    names = [
        *(path.name for path in pages),
        *(f"{image.name}={image.source}" for image in embed.wanted()),
    ]
    return digest(inputs, level, commit(), base.identity(), *names)


def _moving_images() -> list[str]:
    """Images of elsewhere whose name says nothing about their content: it may be another by now."""
    names = filter(None, [*images.named(), base.other()])
    return [name for name in names if not OURS.fullmatch(name) and "@sha256:" not in name]


def _linuxkit(folder: Path, environment: dict[str, str]) -> Path:
    made = {"version.yml": _version_page(), "embedded.yml": embed.page(folder, EMBEDDED)}
    more = [folder / name for name, text in made.items() if text]
    for page in more:
        page.write_text(made[page.name])
    home = cache() / "linuxkit"  # it writes to .moby in its home, and keeps images in its cache
    home.mkdir(exist_ok=True)
    command = [str(gotools.build("linuxkit")), "--cache", str(home / "cache"), "build"]
    command += [
        "--docker",
        "--no-sbom",
        "--format",
        "tar",
        "--name",
        "tinkie",
        "--dir",
        str(folder),
    ]
    command += map(str, [*images.pages(), *more])
    run(
        "linuxkit build",
        command,
        cwd=PROJECT,
        env=environment | {"HOME": str(home)},
        log=cache() / "linuxkit.log",
        seconds=None,
    )
    return folder / "tinkie.tar"


def _version_page() -> str:
    """A second page for linuxkit.yml: /etc/os-release, where rc finds the clock's floor as well."""
    release = {
        "NAME": "Tinkie",
        "ID": "tinkie",
        "PRETTY_NAME": f'"Tinkie {version()}"',
        "VERSION_ID": version(),
        "BUILD_ID": commit(),
        "SOURCE_DATE_EPOCH": source_date_epoch(),
    }
    lines = "".join(f"      {name}={value}\n" for name, value in release.items())
    return f'files:\n  - path: etc/os-release\n    mode: "0644"\n    contents: |\n{lines}'


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="release.assemble", description=__doc__)
    parser.add_argument("--level", choices=convert.LEVELS, default="quick")
    parser.add_argument("--refresh", action="store_true", help="take Debian's newest packages")
    arguments = parser.parse_args()
    with reported_errors():
        if not assemble(arguments.level, refresh=arguments.refresh):
            print("nothing has changed: out/ is up to date")


if __name__ == "__main__":
    main()
