"""`python3 -m release.pack`: what a release consists of, in the project's root.

tinkie-<version>-<arch>.tar.gz (flat), manifest-<arch>.json, the licences, and checksum.txt
(SHA-512, as `sha512sum -c` reads it) for all three.
"""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from release import assemble, engine, images, manifest
from release.assemble import ARCH, INITRAMFS, KERNEL, OUT
from release.cache import digest
from release.errors import told
from release.version import PROJECT, source_date_epoch, version

TARBALL = PROJECT / f"tinkie-{version()}-{ARCH}.tar.gz"
LICENCES = PROJECT / f"tinkie-{version()}-{ARCH}-licences.tar.gz"
MANIFEST = PROJECT / f"manifest-{ARCH}.json"
CHECKSUMS = PROJECT / "checksum.txt"


def pack() -> bool:
    """Makes the release; False if it was up to date. Raises BuildError, CalledProcessError."""
    stamp, results = OUT / "packed", (TARBALL, LICENCES, MANIFEST, CHECKSUMS)
    assemble.assemble("release")
    key = digest([KERNEL, INITRAMFS])
    packed = stamp.exists() and stamp.read_text() == key
    if packed and all(path.exists() for path in results):
        return False
    stamp.unlink(missing_ok=True)
    _tar(TARBALL, {KERNEL.name: KERNEL.read_bytes(), INITRAMFS.name: INITRAMFS.read_bytes()})
    contents = _contents()
    MANIFEST.write_text(manifest.describe(contents))
    _tar(LICENCES, contents.licences)
    sums = (f"{_sha512(path)}  {path.name}\n" for path in (TARBALL, LICENCES, MANIFEST))
    CHECKSUMS.write_text("".join(sums))
    stamp.write_text(key)
    return True


def _contents() -> manifest.Contents:
    """Of this clone's images, whatever has been built since under their names."""
    with engine.running() as host, images.kept():
        images.build([])
        return manifest.contents(host)


def _tar(path: Path, files: dict[str, bytes]) -> None:
    """A flat tar.gz whose bytes depend on nothing but the files."""
    partial = path.with_suffix(".partial")
    with (
        partial.open("wb") as raw,
        # What is inside is compressed already; the level costs time and gains nothing.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=source_date_epoch()) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name, content in sorted(files.items()):
            _add(tar, name, content)
    partial.rename(path)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o644, source_date_epoch()
    tar.addfile(entry, io.BytesIO(content))


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def main() -> None:
    """The command line of this module."""
    with told():
        if not pack():
            print("nothing has changed: the release is up to date")
        for path in (TARBALL, LICENCES, MANIFEST, CHECKSUMS):
            print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
