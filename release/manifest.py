"""The contents of a release: every image with its digest, size, packages and their sources."""

import hashlib
import io
import json
import os
import platform
import re
import tarfile
import zlib
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import PurePosixPath

from release import arch, assemble, base, embed, images, linuxkit_files, packers, wheels
from release.arch import Architecture
from release.errors import ReportedError
from release.licences import of_wheel
from release.progress import Progress
from release.roottar import content_of
from release.version import VARIABLE, commit, is_modified, source_date_epoch, version

PACKAGES = "usr/share/tinkie/packages"
LINKED = "usr/share/tinkie/linked"
GO = "usr/share/tinkie/go/"
DEBIAN = ("package", "version", "source", "source_version", "architecture", "sha256")
LICENCE = re.compile(r"usr/share/doc/([^/]+)/copyright")
WHEEL = re.compile(r".*\.dist-info/METADATA")


@dataclass
class Image:
    """One image: its size in bytes, a digest of paths and contents, its packages.

    linked: the sources that are statically linked into its Debian packages. go: the modules of
    which its Go programs are built, and the toolchain, with the digests of go.sum.
    """

    size: int = 0
    content: str = ""
    debian: list[dict[str, str]] = field(default_factory=list)
    linked: list[dict[str, str]] = field(default_factory=list)
    python: list[dict[str, str]] = field(default_factory=list)
    go: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Contents:
    """All images by name, the licences by file name, and what the images were built on.

    A file of the release whose parts are in no image, as a CD image's boot loaders, is one more.

    suites: the time of each of Debian's suites whose packages are in them (base.suites).
    """

    suites: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    licences: dict[str, bytes] = field(default_factory=dict)
    base: dict[str, str] = field(default_factory=dict)
    packers: dict[str, str] = field(default_factory=dict)


def contents(host: str, target: Architecture) -> Contents:
    """Read every image that the LinuxKit files name from the engine at host (a DOCKER_HOST)."""
    environment = os.environ | {"DOCKER_HOST": host}
    found = Contents(base=base.record(environment))
    with images.exported(base.NAME, None, environment) as tar:
        found.suites = base.suites(tar)
    found.packers = packers.provide(environment, Progress()).versions()
    for name in linuxkit_files.load().images:
        with images.exported(name, target, environment) as tar:
            found.images[name] = _read(tar, found.licences)
    _add_wheels(found, target)
    return found


def add(found: Contents, name: str, root: bytes) -> None:
    """Add what a release's file has besides kernel and initramfs: a tar of what mkroot wrote."""
    with tarfile.open(fileobj=io.BytesIO(root)) as tar:
        found.images[name] = _read(tar, found.licences)


def describe(found: Contents, target: Architecture) -> str:
    """Return the manifest as JSON, the same for the same contents."""
    files = {
        path.name: {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "sha512": hashlib.sha512(content).hexdigest(),
        }
        for path in (assemble.kernel(target), assemble.initramfs(target))
        for content in [path.read_bytes()]
    }
    embedded, files_read = assemble.embedded(target), linuxkit_files.load()
    manifest = {
        "version": version(),
        "commit": commit(),
        "time": source_date_epoch(),
        "modified": is_modified(),
        "arch": target.name,
        "debian": found.suites,
        "parameters": parameters(target),
        "base": found.base,
        "packers": found.packers,
        "host": {"python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION},
        "linuxkit_files": [
            {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in (*files_read.paths, *files_read.sources)
            if path.exists()
        ],
        "files": files,
        "images": {name: vars(image) for name, image in found.images.items()},
        "embedded": json.loads(embedded.read_text()) if embedded.exists() else [],
    }
    return json.dumps(manifest, indent=1) + "\n"


def parameters(target: Architecture) -> dict[str, str]:
    """Return the make variables that decide what a build makes, those that are given."""
    given = {
        arch.VARIABLE: target.name,
        linuxkit_files.VARIABLE: os.environ.get(linuxkit_files.VARIABLE, ""),
        embed.VARIABLE: os.environ.get(embed.VARIABLE, ""),
        base.VARIABLE: base.other(),
        base.SNAPSHOT: base.snapshot(),
        VARIABLE: os.environ.get(VARIABLE, ""),
    }
    return {name: value for name, value in given.items() if value}


def _add_wheels(found: Contents, target: Architecture) -> None:
    """Add file name and digest of its wheel to each Python package that was installed from one."""
    known = wheels.digests(target)
    for image in found.images.values():
        for row in image.python:
            row.update(known.get(wheels.key(row["package"], row["version"]), {}))


# The engine adds these to every container; they are not part of an image.
ADDED = {".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}


def _read(tar: tarfile.TarFile, licences: dict[str, bytes]) -> Image:
    image, digests = Image(), []
    for entry in tar:
        path = str(PurePosixPath(entry.name))
        if path in ADDED or entry.isdir():
            continue
        content = _text(tar, entry) if _is_record(path) else None
        if content is not None:
            _record(path, content, image, licences)
        found = (
            hashlib.sha256(content).hexdigest()
            if content is not None
            else content_of(tar.extractfile, entry)
        )
        digests.append(f"{path} {found}\n")
        image.size += entry.size
    image.content = f"sha256:{hashlib.sha256(''.join(sorted(digests)).encode()).hexdigest()}"
    return image


def _is_record(path: str) -> bool:
    is_list = path in (PACKAGES, LINKED) or path.startswith(GO)
    return is_list or bool(LICENCE.fullmatch(path) or WHEEL.fullmatch(path))


def _text(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes | None:
    file = tar.extractfile(entry) if entry.isreg() else None
    return None if file is None else file.read()


def _record(path: str, content: bytes, image: Image, licences: dict[str, bytes]) -> None:
    if path == PACKAGES:
        image.debian = _table(content, *DEBIAN)
    elif path == LINKED:
        image.linked = _table(content, "source", "source_version")
    elif path.startswith(GO):
        image.go += _table(content, "program", "module", "version", "sum")
    elif licence := LICENCE.fullmatch(path):
        licences[f"{licence[1]}.copyright"] = content
    else:
        wheel = BytesParser().parsebytes(content)
        row = {"package": wheel["Name"], "version": wheel["Version"]}
        image.python.append(row | {"licence": of_wheel(wheel)})


def _table(content: bytes, *names: str) -> list[dict[str, str]]:
    rows = [line.split() for line in content.decode().splitlines()]
    if any(len(row) != len(names) for row in rows):
        raise ReportedError(
            f"an image lists its packages, and not with the columns {', '.join(names)}: "
            "it was built by another version of Tinkie; build it again"
        )
    return [dict(zip(names, row, strict=True)) for row in rows]
