"""A release that somebody else built: its manifest, and what its archives hold.

Neither is trusted: sizes are bounded, and each field that is compared or printed has its form.
"""

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from release import forms
from release.arch import Architecture
from release.differences import PARTS, Manifest
from release.errors import ReportedError
from release.filenames import LTS, Names
from release.forms import TEXT
from release.verify import read_manifest
from release.version import FORM

MOST_BYTES = 1_000_000_000  # of a kernel or an initramfs
MORE_BYTES = 100_000  # of an archive besides these two: its headers, and osie's helpers
SHOWN_PROBLEMS = 5
ROWS = {
    kind: [{name: TEXT, version: TEXT, "sum?": TEXT}] for kind, (name, version) in PARTS.items()
}
FILE = {
    "size": range(MOST_BYTES + 1),
    "sha256": re.compile("[0-9a-f]{64}"),
    "sha512": re.compile("[0-9a-f]{128}"),
}
IMAGE = {"content": re.compile("sha256:[0-9a-f]{64}")} | {f"{kind}?": ROWS[kind] for kind in ROWS}
MANIFEST: dict[str, Any] = {  # release.forms
    "version": FORM,
    "commit": re.compile("[0-9a-f]{12}"),
    "time": range(1 << 40),
    "arch": re.compile(r"[a-z0-9_]{1,20}"),
    "debian?": {"": TEXT},
    "files": {"": FILE},
    "images": {"": IMAGE},
    "embedded?": [{"": TEXT}],
}


def read(path: Path) -> Manifest:
    """Return a manifest whose compared fields have their form. Raises ReportedError, OSError."""
    found = read_manifest(path)
    problems = list(forms.problems(found, MANIFEST))
    if problems:
        shown = problems[:SHOWN_PROBLEMS]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more")
        message = f"{path} is no manifest that `make dist` writes: {'; '.join(shown)}"
        raise ReportedError(f"{message}; give the manifest-<arch>.json of a release")
    return found


def check_archives(folder: Path, found: Manifest, target: Architecture) -> list[str]:
    """Return the archives in a folder that hold the files of this manifest.

    Raises ReportedError if one of them holds anything else, OSError.
    """
    names = Names(target)
    archives = (names.flat, names.flat_lts, *((names.osie,) if names.has_osie else ()))
    present = [name for name in archives if (folder / name).is_file()]
    for name in present:
        _check_archive(folder / name, found["files"])
    return present


def _check_archive(path: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    try:
        held = _sums(path, sum(file["size"] for file in files.values()) + MORE_BYTES)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ReportedError(f"reading {path} failed: {error}; download it again") from None
    for name, file in files.items():
        if held.get(name) != file["sha512"]:
            state = "another" if name in held else "no"
            message = f"{path} has {state} {name} than its manifest names"
            raise ReportedError(f"{message}: do not use this release")


def _sums(path: Path, most: int) -> dict[str, str]:
    """Return the SHA-512 of each file in an archive, by its name without folder and kernel."""
    with gzip.open(path) as packed:
        content = packed.read(most + 1)
    if len(content) > most:
        raise ReportedError(f"{path} has larger files than its manifest names: do not use it")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar}
        return {
            PurePosixPath(name).name.replace(LTS, ""): hashlib.sha512(file.read()).hexdigest()
            for name, file in files.items()
            if file
        }
