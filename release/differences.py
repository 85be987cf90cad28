"""What is different in two manifests: the inputs that moved, and what came of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

# The lists of an image by the field that names a part, and the one that has its version.
PARTS = {
    "debian": ("package", "version"),
    "linked": ("source", "source_version"),
    "python": ("package", "version"),
    "go": ("module", "version"),
}
KINDS = {
    "debian": "Debian package",
    "linked": "statically linked source",
    "python": "Python package",
    "go": "Go module",
}
FACTS = ("version", "commit", "time", "arch", "embedded")
ABSENT = "none"

Manifest = Mapping[str, Any]


def inputs(one: Manifest, other: Manifest) -> list[str]:
    """Return a line for each input that has another value in the second manifest.

    An image whose content differs is named even if all its parts are the same: then a file of this
    repository, or a step of its build, made the difference.
    """
    lines = [f"{name}: {_of(one, name)} -> {_of(other, name)}" for name in _moved(one, other)]
    lines += _changes("packer", one.get("packers", {}), other.get("packers", {}))
    lines += _changes("Debian suite", one.get("debian", {}), other.get("debian", {}))
    for kind, title in KINDS.items():
        lines += _changes(title, _parts(one, kind), _parts(other, kind))
    return lines + list(_images(one, other))


def results(one: Manifest, other: Manifest) -> list[str]:
    """Return the names of the files (kernel, initramfs) that have other bytes."""
    names = {**one["files"], **other["files"]}
    return [name for name in names if one["files"].get(name) != other["files"].get(name)]


def _moved(one: Manifest, other: Manifest) -> list[str]:
    return [name for name in FACTS if one.get(name) != other.get(name)]


def _of(manifest: Manifest, name: str) -> str:
    return json.dumps(manifest.get(name, ABSENT)).strip('"')


def _parts(manifest: Manifest, kind: str) -> dict[str, str]:
    """Return the versions of all images' parts of a kind by name; a part may have several."""
    name, version = PARTS[kind]
    found: dict[str, set[str]] = {}
    for image in manifest["images"].values():
        for part in image.get(kind, []):
            found.setdefault(part[name], set()).add(_version(part, version))
    return {part: ", ".join(sorted(versions)) for part, versions in found.items()}


def _version(part: Mapping[str, str], field: str) -> str:
    """Return a part's version, and its digest where the manifest has one."""
    return " ".join(filter(None, (part[field], part.get("sum", ""))))


def _changes(title: str, one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    names = sorted({*one, *other})
    return [
        f"{title} {name}: {one.get(name, ABSENT)} -> {other.get(name, ABSENT)}"
        for name in names
        if one.get(name) != other.get(name)
    ]


def _images(one: Manifest, other: Manifest) -> Iterator[str]:
    for name in sorted({*one["images"], *other["images"]}):
        before, after = (manifest["images"].get(name, {}) for manifest in (one, other))
        contents = [image.get("content", ABSENT) for image in (before, after)]
        if contents[0] != contents[1]:
            is_same = all(before.get(kind) == after.get(kind) for kind in PARTS)
            note = " (of the same packages)" if is_same else ""
            yield f"image {name}: {' -> '.join(contents)}{note}"
