"""A release that somebody else built: its manifest, and what its archives hold.

Neither is trusted: sizes are bounded, and each field that is compared or printed has its form.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, NamedTuple, Self

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

from release import archive
from release.arch import Architecture
from release.archive import Entry
from release.differences import Manifest
from release.errors import ReportedError
from release.filenames import HELPER, Names, in_archives
from release.verify import read_manifest
from release.version import FORM

MOST_BYTES = 1_000_000_000  # of a kernel or an initramfs
MOST_ENTRIES = 1000  # of an object: files, images, suites
CHUNK_BYTES = 1_000_000
SHOWN = 5  # problems
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


def check_archives(folder: Path, found: Manifest, target: Architecture) -> dict[str, bool]:
    """Return a release's archives by name: whether it is in the folder, and then good.

    Raises ReportedError if one is not, to the byte, what release.archive makes of the files of this
    manifest: nothing else is unpacked from it, whichever program does that. Raises OSError.
    """
    files = found["files"]
    if files.keys() != {target.kernel, target.initramfs}:
        message = f"the manifest names other files than {target.kernel} and {target.initramfs}"
        raise ReportedError(f"{message}: do not use this release")
    expected = {name: _Expected.named(file) for name, file in files.items()}
    archives = in_archives(Names(target), expected, _Expected.of(HELPER))
    present = {name: (folder / name).is_file() for name in archives}
    for name, held in archives.items():
        if present[name]:
            _check_archive(folder / name, held, found["time"])
    return present


class _Expected(NamedTuple):
    """A file in an archive: its header's fields and its digests."""

    entry: Entry
    sha256: str
    sha512: str

    @classmethod
    def of(cls, content: bytes) -> Self:
        sha256, sha512 = (hashlib.new(name, content).hexdigest() for name in ("sha256", "sha512"))
        return cls(Entry.of(content), sha256, sha512)

    @classmethod
    def named(cls, file: Mapping[str, Any]) -> Self:
        """Return kernel or initramfs, neither of which is a script, of a manifest."""
        return cls(Entry(file["size"]), file["sha256"], file["sha512"])


def _check_archive(path: Path, wanted: Mapping[str, _Expected], time: int) -> None:
    try:
        with path.open("rb") as file:
            wrong = _first_difference(_Unpacked(file), wanted, time)
    except (_DamagedError, zlib.error) as error:
        raise ReportedError(f"reading {path} failed: {error}; download it again") from None
    if wrong:
        message = f"{path} does not hold what its manifest names, at {wrong}"
        raise ReportedError(f"{message}: do not use this release")


class _DamagedError(Exception):
    """A file is not one whole gzip stream."""


class _Unpacked:
    """What a file unpacks to that is one gzip stream, and nothing after it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._stream = zlib.decompressobj(wbits=31)  # gzip's form; checks its CRC and size
        self._held = b""

    def read(self, size: int) -> Iterator[bytes]:
        """Yield the next bytes, fewer at the end. Raises _DamagedError, zlib.error, OSError."""
        while size and (self._held or self._fill()):
            piece, self._held = self._held[:size], self._held[size:]
            size -= len(piece)
            yield piece

    def _fill(self) -> bool:
        """Unpack some more; return whether there was more."""
        while not self._held and not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._file.read(CHUNK_BYTES)
            if not packed:
                raise _DamagedError("it is truncated")
            self._held = self._stream.decompress(packed, CHUNK_BYTES)
        if not self._held and (self._stream.unused_data or self._file.read(1)):
            raise _DamagedError("data follows its end")
        return bool(self._held)


def _first_difference(unpacked: _Unpacked, wanted: Mapping[str, _Expected], time: int) -> str:
    """Return where an archive is not as wanted, or ""."""
    entries = {name: one.entry for name, one in wanted.items()}
    for before, name in archive.layout(entries, time):
        if b"".join(unpacked.read(len(before))) != before:
            return repr(name) if name else "its end"
        if name and _digests(unpacked.read(entries[name].size)) != wanted[name][1:]:
            return repr(name)
    return "its end" if any(unpacked.read(1)) else ""


def _digests(pieces: Iterable[bytes]) -> tuple[str, str]:
    sha256, sha512 = hashlib.sha256(), hashlib.sha512()
    for piece in pieces:
        sha256.update(piece)
        sha512.update(piece)
    return sha256.hexdigest(), sha512.hexdigest()
