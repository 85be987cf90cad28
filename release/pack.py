"""`python -m release.pack`: write a release to the project's root.

It has the same kernel and initramfs in each form that an installer needs (README.md), and
manifest, licences and checksums.
"""

import hashlib
import time
from pathlib import Path

from release import archive, assemble, base, engine, images, iso, manifest, oci
from release.assemble import ARCH, INITRAMFS, KERNEL, OUT
from release.cache import digest
from release.errors import reported_errors
from release.progress import Progress
from release.version import PROJECT, version

GO_ARCH = "amd64"
NAME = f"tinkie-{version()}-{ARCH}"
FLAT, ISO, OCI = f"{NAME}.tar.gz", f"{NAME}.iso", f"{NAME}.oci.tar"
# By default Hook's installer downloads two kernels: the unnamed one and this one.
LTS = "latest-lts-"
FLAT_LTS = f"tinkie-{version()}-{LTS}{ARCH}.tar.gz"
# Hook's installer unpacks each .tar.gz in checksum.txt, so the licences have another suffix.
LICENCES, MANIFEST, CHECKSUMS = f"{NAME}-licences.tgz", f"manifest-{ARCH}.json", "checksum.txt"
OSIE = f"osie-{version()}.tar.gz"
OSIE_SUM = f"{OSIE}.sha512sum"
SUMMED = (FLAT, FLAT_LTS, ISO, OCI, LICENCES, MANIFEST)
STEPS = assemble.STEPS + images.STEPS + 3  # of pack
RESULTS = (*SUMMED, CHECKSUMS, OSIE, OSIE_SUM)
# setup.sh of Tinkerbell's 2021 sandbox moves these two to its web server, and fails without them.
HELPERS = ("workflow-helper.sh", "workflow-helper-rc")
HELPER = b"#!/bin/sh\n# Tinkie does not use this file; Tinkerbell's 2021 sandbox requires it.\n"


def pack(root: Path = PROJECT, progress: Progress | None = None) -> bool:
    """Build the release; False if it was up to date. Raises ReportedError."""
    progress = progress or Progress()
    stamp = OUT / "packed"
    assemble.assemble("release", progress)
    key = digest([KERNEL, INITRAMFS])
    packed = stamp.exists() and stamp.read_text() == key
    if packed and all((root / name).exists() for name in RESULTS):
        return False
    stamp.unlink(missing_ok=True)
    with progress.step("archives"):
        _pack_files(root)
    _pack_contents(root, progress)
    _sum(root)
    stamp.write_text(key)
    return True


def _pack_files(root: Path) -> None:
    files = {path.name: path.read_bytes() for path in (KERNEL, INITRAMFS)}
    archive.tar_gz(root / FLAT, files)
    named = {name.replace(ARCH, f"{LTS}{ARCH}"): content for name, content in files.items()}
    archive.tar_gz(root / FLAT_LTS, named)
    oci.write(root / OCI, files, GO_ARCH)
    folder = OSIE.removesuffix(".tar.gz")
    helpers = dict.fromkeys(HELPERS, HELPER)
    as_osie = {f"{folder}/{name}": content for name, content in (files | helpers).items()}
    archive.tar_gz(root / OSIE, as_osie)


def _pack_contents(root: Path, progress: Progress) -> None:
    """Write manifest, licences and CD image; first retag: another clone may have built since."""
    with engine.running() as host, images.locked_names():
        images.build([], progress)
        with progress.step("manifest and licences"):
            contents = manifest.contents(host)
        with progress.step("CD image"):
            iso.write(root / ISO, {"vmlinuz": KERNEL, "initramfs": INITRAMFS})
    (root / MANIFEST).write_text(manifest.describe(contents))
    archive.tar_gz(root / LICENCES, contents.licences)


def _sum(root: Path) -> None:
    sums = (f"{_sha512(root / name)}  {name}\n" for name in SUMMED)
    (root / CHECKSUMS).write_text("".join(sums))
    (root / OSIE_SUM).write_text(f"SHA512 ({OSIE}) = {_sha512(root / OSIE)}\n")


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        if not pack(PROJECT, Progress(STEPS)):
            print("nothing has changed: the release is up to date")
        if message := base.age_message(time.time()):
            print(message)
        for name in RESULTS:
            print(f"{(PROJECT / name).stat().st_size / 1e6:8.1f} MB  {name}")


if __name__ == "__main__":
    main()
