"""Known vulnerabilities in OSV's format, and which of them concern the packages of an SBOM.

Data is what osv.dev publishes: JSON records, in a folder or in zip archives. Versions are compared
as each ecosystem compares its own (https://ossf.github.io/osv-schema/#evaluation).
"""

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from debian.debian_support import NativeVersion
from packageurl import PackageURL
from packaging.utils import canonicalize_name
from packaging.version import Version
from semver import Version as SemanticVersion

from release.errors import ReportedError
from release.sbom import IMAGE

PYPI, GO = "PyPI", "Go"
FIRST = ("introduced", "0")  # before every version, also before those of Go that sort below 0
Record = Mapping[str, Any]
_GO_PRERELEASE = re.compile(r"(\d+\.\d+)(rc|beta)(\d+)")


@dataclass(frozen=True)
class Package:
    """What vulnerability data names: of Debian a source package, with the components made of it."""

    ecosystem: str
    name: str
    version: str
    components: tuple[str, ...]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a package. fixed: the first version without it, or empty."""

    identity: str
    package: Package
    fixed: str
    problem: str = ""

    def __str__(self) -> str:
        """Return one line."""
        package = self.package
        also = [one for one in package.components if one != package.name]
        parts = f" ({', '.join(also)})" if also else ""
        remedy = f"fixed in {self.fixed}" if self.fixed else self.problem or "no fixed version"
        where = ", ".join(package.images)
        return f"{self.identity}: {package.name} {package.version}{parts}: {remedy}; in {where}"


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


Key = Callable[[str], _Ordered]


def packages(sbom: Mapping[str, Any]) -> list[Package]:
    """Return the packages of an SBOM that OSV's ecosystems have, each once, sorted."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for component in sbom.get("components", []):
        if identity := _identity(component):
            found[identity].append(component)
    return [
        Package(
            *identity,
            tuple(sorted({one["name"] for one in same})),
            tuple(sorted({image for one in same for image in _images(one)})),
        )
        for identity, same in sorted(found.items())
    ]


def search(data: Path, wanted: Iterable[Package]) -> tuple[list[Finding], set[str]]:
    """Return what a folder or file has about packages, and of which ecosystems it has records.

    Raises ReportedError if it cannot be read.
    """
    by_name: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for package in wanted:
        by_name[package.ecosystem, package.name].append(package)
    found, ecosystems = set(), set()
    for record in records(data):
        for affected in record.get("affected", []):
            named = affected.get("package", {})
            ecosystem = named.get("ecosystem", "")
            ecosystems.add(ecosystem)
            for package in by_name.get((ecosystem, _name(ecosystem, named.get("name", ""))), []):
                if not record.get("withdrawn") and (one := finding(record, affected, package)):
                    found.add(one)
    return sorted(found, key=str), ecosystems


def records(data: Path) -> Iterator[Record]:
    """Yield all records: of a .json file, of a .zip archive, of all of these in a folder.

    Raises ReportedError if one cannot be read.
    """
    if not data.exists():
        raise ReportedError(f"DATA={data}: no such file or folder; name data in OSV's format")
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    for path in files:
        try:
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        if name.endswith(".json"):
                            yield from _parsed(archive.read(name))
            elif path.suffix == ".json":
                yield from _parsed(path.read_bytes())
        except (ValueError, zipfile.BadZipFile) as error:
            raise ReportedError(
                f"{path} has no records in OSV's format: {error}; fetch it again"
            ) from None


def finding(record: Record, affected: Record, package: Package) -> Finding | None:
    """Return what one element of a record's `affected` means for the package that it names."""
    identity = ", ".join([record["id"], *record.get("aliases", record.get("upstream", []))])
    try:
        key = _keys(package.ecosystem)
        current = key(package.version)
        hits = [
            one for one in affected.get("ranges", []) if one.get("type") in ("ECOSYSTEM", "SEMVER")
        ]
        is_affected = any(_contains(one.get("events", []), current, key) for one in hits)
        if not is_affected and package.version not in affected.get("versions", []):
            return None
        fixes = [
            event["fixed"] for one in hits for event in one.get("events", []) if "fixed" in event
        ]
        later = [version for version in fixes if current < key(version)]
    except ValueError as error:  # also of the three libraries
        return Finding(identity, package, "", f"its versions cannot be compared: {error}")
    return Finding(identity, package, min(later, key=key) if later else "")


def first_fix(package: Package, versions: Iterable[str]) -> str:
    """Return the lowest of versions that is later than the package's, or nothing."""
    key = _keys(package.ecosystem)
    later = [one for one in versions if key(package.version) < key(one)]
    return min(later, key=key) if later else ""


def _parsed(content: bytes) -> Iterator[Record]:
    read = json.loads(content)
    for record in read if isinstance(read, list) else [read]:
        if not isinstance(record, dict) or "id" not in record:
            raise ValueError("a record has no id")
        yield record


def _contains(events: Sequence[Mapping[str, str]], current: _Ordered, key: Key) -> bool:
    """Return whether a range holds a version: the last event that it has reached decides."""
    pairs = [pair for event in events for pair in event.items()]
    reached = FIRST in pairs
    others = [pair for pair in pairs if pair != FIRST]
    for kind, version in sorted(others, key=lambda pair: key(pair[1])):
        is_behind = key(version) < current
        if is_behind or (kind != "last_affected" and not current < key(version)):
            reached = kind == "introduced"
    return reached


def _keys(ecosystem: str) -> Key:
    if ecosystem == GO:
        return _semantic
    return Version if ecosystem == PYPI else NativeVersion


def _semantic(version: str) -> SemanticVersion:
    plain = version.removeprefix("v").removesuffix("+incompatible")
    plain = _GO_PRERELEASE.sub(r"\1.0-\2.\3", plain)  # Go's own, 1.27rc1
    return SemanticVersion.parse(plain, optional_minor_and_patch=True)


def _name(ecosystem: str, name: str) -> str:
    return canonicalize_name(name) if ecosystem == PYPI else name


def _identity(component: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return ecosystem, name and version of a component in vulnerability data."""
    if "purl" not in component:
        return None
    purl = PackageURL.from_string(component["purl"])
    name, version = component["name"], component["version"]
    if purl.type == "golang":
        return GO, name, version
    if purl.type == "pypi":
        return PYPI, canonicalize_name(name), version
    if purl.type == "deb":
        source, _, source_version = purl.qualifiers.get("upstream", name).partition("@")
        distribution = purl.qualifiers.get("distro", "").removeprefix("debian-")
        return f"Debian:{distribution}", source, source_version or version
    return None


def _images(component: Mapping[str, Any]) -> list[str]:
    return [one["value"] for one in component.get("properties", []) if one["name"] == IMAGE]
