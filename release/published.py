"""A release that somebody else built: its manifest, and what its archives hold.

Neither is trusted: sizes are bounded, and each field that is compared or printed has its form.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    ValidationError,
)

from release.arch import Architecture
from release.differences import Manifest
from release.errors import ReportedError
from release.filenames import HELPER, Names, in_archives
from release.verify import read_manifest
from release.version import FORM

MOST_BYTES = 1_000_000_000  # of a kernel or an initramfs
MOST_ENTRIES = 1000  # of an object: files, images, suites
MORE_BYTES = 100_000  # of an archive besides these two: its headers, and osie's helpers
ENTRIES = 10  # of an archive, more than any has
CHUNK_BYTES = 1_000_000
SHOWN = 5  # problems, or files
SHOWN_CHARACTERS = 60


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


Text = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_printable)]


def _few(entries: object) -> object:
    if isinstance(entries, dict) and len(entries) > MOST_ENTRIES:
        raise ValueError
    return entries


FEW = BeforeValidator(_few)  # pydantic keeps an error for each entry
FIRST = FailFast()  # the same for lists, which may be long


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _File(_Strict):
    size: Annotated[int, Field(ge=0, le=MOST_BYTES)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    sha512: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]


class _Row(_Strict):
    sum: Text = ""


class _Package(_Row):
    package: Text
    version: Text


class _Source(_Row):
    source: Text
    source_version: Text


class _Module(_Row):
    module: Text
    version: Text


class _Image(_Strict):
    """Its lists have the fields that release.differences names (PARTS)."""

    content: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    debian: Annotated[list[_Package], FIRST] = []
    linked: Annotated[list[_Source], FIRST] = []
    python: Annotated[list[_Package], FIRST] = []
    go: Annotated[list[_Module], FIRST] = []


class _Manifest(_Strict):
    """The fields that are compared; there are more."""

    version: Annotated[str, Field(pattern=f"^(?:{FORM.pattern})$")]
    commit: Annotated[str, Field(pattern="^[0-9a-f]{12,40}$")]
    time: Annotated[int, Field(ge=0, lt=1 << 40)]
    arch: Annotated[str, Field(pattern="^[a-z0-9_]{1,20}$")]
    debian: Annotated[dict[Text, Text], FEW] = {}
    packers: Annotated[dict[Text, Text], FEW] = {}
    files: Annotated[dict[Text, _File], FEW]
    images: Annotated[dict[Text, _Image], FEW]
    embedded: Annotated[list[Annotated[dict[Text, Text], FEW]], FIRST] = []


def read(path: Path) -> Manifest:
    """Return a manifest whose compared fields have their form. Raises ReportedError, OSError."""
    found = read_manifest(path)
    try:
        _Manifest.model_validate(found)
    except ValidationError as error:
        problems = list(_problems(error))
        shown = problems[:SHOWN]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more")
        message = f"{path} is no manifest that `make dist` writes: {'; '.join(shown)}"
        raise ReportedError(f"{message}; give the manifest-<arch>.json of a release") from None
    return found


def _problems(error: ValidationError) -> Iterator[str]:
    """Yield a line for each field: pydantic's own repeat what was read, of any length."""
    for one in error.errors(include_url=False, include_context=False):
        place = _short(".".join(map(str, one["loc"])))
        is_missing = one["type"] == "missing"
        yield f"{place} is missing" if is_missing else f"{place} is {_short(one['input'])}"


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def check_archives(folder: Path, found: Manifest, target: Architecture) -> list[str]:
    """Return the archives in a folder that hold the files of this manifest.

    Raises ReportedError if one of them holds anything else, OSError.
    """
    files = found["files"]
    if files.keys() != {target.kernel, target.initramfs}:
        message = f"the manifest names other files than {target.kernel} and {target.initramfs}"
        raise ReportedError(f"{message}: do not use this release")
    sums = {name: file["sha512"] for name, file in files.items()}
    helper = hashlib.sha512(HELPER).hexdigest()
    archives = in_archives(Names(target), sums, helper)
    present = {name: held for name, held in archives.items() if (folder / name).is_file()}
    most = sum(file["size"] for file in files.values()) + MORE_BYTES
    for name, held in present.items():
        _check_archive(folder / name, held, most)
    return list(present)


def _check_archive(path: Path, wanted: Mapping[str, str], most: int) -> None:
    try:
        held = _sums(path, most)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise ReportedError(f"reading {path} failed: {error}; download it again") from None
    if wrong := sorted({*wanted.items()} ^ {*held}):
        names = ", ".join(repr(name) for name in sorted({name for name, _ in wrong})[:SHOWN])
        message = f"{path} does not hold what its manifest names, at {names}"
        raise ReportedError(f"{message}: do not use this release")
    if len(held) != len(wanted):
        raise ReportedError(f"{path} holds a file twice: do not use this release")


def _sums(path: Path, most: int) -> list[tuple[str, str]]:
    """Return path and SHA-512 of each entry of an archive; none of what is no file."""
    try:
        with (
            gzip.open(path) as packed,
            tarfile.open(fileobj=_Limited(packed, most), mode="r|") as tar,
        ):
            return [(entry.name, _sum(tar, entry)) for entry in islice(tar, ENTRIES)]
    except _TooLargeError:
        message = f"{path} has larger files than its manifest names"
        raise ReportedError(f"{message}: do not use this release") from None


class _TooLargeError(Exception):
    """More was read than is allowed."""


class _Limited(io.RawIOBase):
    """A stream of which no more than some bytes can be read."""

    def __init__(self, file: gzip.GzipFile, most: int) -> None:
        self._file, self._left = file, most

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise _TooLargeError
        return content


def _sum(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    # A link would be followed, and a sparse file can be of any size.
    is_plain = entry.isreg() and not entry.issparse()
    file = tar.extractfile(entry) if is_plain else None
    digest = hashlib.sha512()
    while file and (content := file.read(CHUNK_BYTES)):
        digest.update(content)
    return digest.hexdigest() if file else ""
