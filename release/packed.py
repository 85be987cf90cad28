"""What packing wrote, by name and SHA-512 (out/packed-<arch>): nothing else is signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release import arch, assemble, embed, verify
from release.arch import Architecture
from release.errors import ReportedError
from release.filenames import Names
from release.version import version

RECORDS = "the record of packing (out/packed-*)"
REMEDY = (
    "delete what was changed or is not of this release, pack it again by `make dist` (with ARCH for"
    " the other architecture), and then sign"
)


@dataclass(frozen=True)
class Packed:
    """A release for one architecture.

    made_from: the key of its inputs. sums: the SHA-512 of each file by its name.
    """

    names: Names
    made_from: str
    sums: Mapping[str, str]


def read(target: Architecture) -> Packed | None:
    """Return what was packed for an architecture; None if nothing was, or not to the end."""
    path = _path(target)
    text = path.read_text(errors="replace") if path.exists() else ""
    made_from, *lines = text.splitlines() or [""]
    sums = {name: total for total, _, name in (line.partition("  ") for line in lines)}
    names = Names(target, has_uki=Names(target).uki in sums)
    return Packed(names, made_from, sums) if sums.keys() == set(_recorded(names)) else None


def write(one: Packed) -> None:
    """Keep what was packed for an architecture."""
    lines = [one.made_from, *(f"{total}  {name}" for name, total in one.sums.items())]
    _path(one.names.target).write_text("".join(f"{line}\n" for line in lines))


def forget(target: Architecture) -> None:
    """Let nothing be packed for an architecture."""
    _path(target).unlink(missing_ok=True)


def sums(root: Path, names: Names) -> dict[str, str]:
    """Return the SHA-512 of each file in a folder that was packed just now.

    Raises ReportedError if `make verify` would refuse one for its size.
    """
    for name in _recorded(names):
        if (root / name).stat().st_size > verify.FILE_BYTES:
            message = f"packing failed: {name!r} is too large: it has {verify.TOO_LARGE}"
            raise ReportedError(f"{message}; embed fewer images ({embed.VARIABLE})")
    return {name: verify.sha512(root / name) for name in _recorded(names)}


def check(root: Path, together: list[Packed]) -> None:
    """Raise ReportedError unless the release in a folder is as it was packed, and no file more.

    Files of an architecture that is not among them may lie there: they are not signed.
    """
    wanted = {name: total for one in together for name, total in one.sums.items()}
    refuse(root, [*verify.faults(root, wanted, RECORDS), *_strangers(root, together)])


def check_strangers(root: Path) -> None:
    """Raise ReportedError if a file lies in a folder that no release of this version has."""
    refuse(root, _strangers(root, []))


def _strangers(root: Path, together: list[Packed]) -> list[str]:
    of_packed = {one.names.target: one.names for one in together}
    names = [of_packed.get(target, Names(target, has_uki=True)) for target in arch.ALL]
    known = {name for one in names for name in (*one.results, *one.of_key)}
    return list(verify.strangers(root, known, f"version {version()}"))


def refuse(root: Path, found: list[str]) -> None:
    """Raise ReportedError if there are faults for which a release is not signed."""
    if found:
        raise ReportedError("\n  ".join([f"{root}: the release is not signed", *found, REMEDY]))


def _path(target: Architecture) -> Path:
    return assemble.OUT / f"packed-{target.name}"


def _recorded(names: Names) -> tuple[str, ...]:
    """Return all files but checksum.txt, which is written from their sums."""
    return (*names.summed, names.osie) if names.has_osie else names.summed
