"""A release that somebody else built: its manifest, and what its archives hold.

Neither is trusted: sizes are bounded, and each field that is compared or printed has its form.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from release.arch import Architecture
from release.differences import Manifest
from release.errors import ReportedError
from release.filenames import LTS, Names
from release.verify import read_manifest
from release.version import FORM

MOST_BYTES = 1_000_000_000  # of a kernel or an initramfs
MORE_BYTES = 100_000  # of an archive besides these two: its headers, and osie's helpers
SHOWN_PROBLEMS = 5
SHOWN_CHARACTERS = 60


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


Text = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_printable)]


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
    debian: list[_Package] = []
    linked: list[_Source] = []
    python: list[_Package] = []
    go: list[_Module] = []


class _Manifest(_Strict):
    """The fields that are compared; there are more."""

    version: Annotated[str, Field(pattern=f"^(?:{FORM.pattern})$")]
    commit: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
    time: Annotated[int, Field(ge=0, lt=1 << 40)]
    arch: Annotated[str, Field(pattern="^[a-z0-9_]{1,20}$")]
    debian: dict[Text, Text] = {}
    files: dict[Text, _File]
    images: dict[Text, _Image]
    embedded: list[dict[Text, Text]] = []


def read(path: Path) -> Manifest:
    """Return a manifest whose compared fields have their form. Raises ReportedError, OSError."""
    found = read_manifest(path)
    try:
        _Manifest.model_validate(found)
    except ValidationError as error:
        problems = list(_problems(error))
        shown = problems[:SHOWN_PROBLEMS]
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
