"""The device trees of a release: those of the kernel that its LinuxKit files name."""

import os
import tarfile
from pathlib import PurePosixPath

from release import images, linuxkit_files
from release.arch import Architecture
from release.errors import ReportedError

INSIDE = "dtbs.tar.gz"  # in a kernel's image (images/kernel/make-kernel-tar)


def read(host: str, target: Architecture) -> bytes:
    """Return the archive of them, of the kernel's image in the engine at host (a DOCKER_HOST).

    Raises ReportedError if the image has none.
    """
    kernel = linuxkit_files.load().kernel
    with images.exported(kernel, target, os.environ | {"DOCKER_HOST": host}) as tar:
        found = _archive(tar)
    if found is None:
        raise ReportedError(
            f"the kernel image {kernel!r} has no {INSIDE}, the device trees of a release for "
            f"{target.name}: the release is not complete; add the file to that image, as an "
            "archive without files if no machine needs one"
        )
    return found


def _archive(tar: tarfile.TarFile) -> bytes | None:
    for entry in tar:
        if str(PurePosixPath(entry.name)) == INSIDE and entry.isreg():
            file = tar.extractfile(entry)
            return file.read() if file else None
    return None
