"""The LinuxKit files that describe the OS: linuxkit.yml, or those that LINUXKIT_FILES names.

LinuxKit merges them in their order: lists grow, and the last kernel image counts.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from release.errors import ReportedError
from release.version import PROJECT

VARIABLE = "LINUXKIT_FILES"
_SECTIONS = ("onboot", "onshutdown", "services", "volumes")  # lists of entries with an image
_PACKAGE = "@pkg:"  # LinuxKit replaces it with a name that it computes from a folder and from git


class _Loader(yaml.SafeLoader):
    """Reads what LinuxKit reads where PyYAML differs: `on` is a string, tabs separate words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, words) for tag, words in resolvers if tag.endswith((":merge", ":null"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t":
            self.forward()
            super().scan_to_next_token()


@dataclass(frozen=True)
class LinuxKitFiles:
    """All the files, merged: the parts that the build uses.

    images: each image once, sorted; that of the kernel is one of them, unless no file names any.
    sources: the files that `files: source:` takes from this machine; an optional one need not
    exist.
    """

    paths: tuple[Path, ...]
    images: tuple[str, ...]
    sources: tuple[Path, ...]
    kernel: str = ""


def load() -> LinuxKitFiles:
    """Read the LinuxKit files; ReportedError if one is missing or is not a LinuxKit file."""
    paths = tuple(PROJECT / name for name in os.environ.get(VARIABLE, "linuxkit.yml").split())
    contents = [_read(path) for path in paths]
    try:
        kernels = [image for one in contents if (image := (one.get("kernel") or {}).get("image"))]
        images = {*kernels[-1:], *(image for one in contents for image in _images(one))}
        sources = tuple(source for one in contents for source in _sources(one))
    except (AttributeError, KeyError, TypeError) as error:
        names = ", ".join(path.name for path in paths)
        raise ReportedError(f"{names}: not in LinuxKit's schema: {error}") from None
    _refuse_packages(images)
    return LinuxKitFiles(paths, tuple(sorted(images)), sources, *kernels[-1:])


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ReportedError(
            f"LINUXKIT_FILES names {path}: no such file; name LinuxKit files that exist"
        )
    try:
        # LinuxKit reads the first document of a file.
        content = next(iter(yaml.load_all(path.read_text(), _Loader)), None)
    except yaml.YAMLError as error:
        raise ReportedError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise ReportedError(f"{path} is not a LinuxKit file: it has no sections such as `services`")
    return content


def _images(content: dict[str, Any]) -> Iterator[str]:
    yield from content.get("init") or []
    for section in _SECTIONS:
        for entry in content.get(section) or []:
            if image := entry.get("image"):  # a volume may have none
                yield image


def _sources(content: dict[str, Any]) -> Iterator[Path]:
    for entry in content.get("files") or []:
        if source := entry.get("source"):
            home = source.startswith("~/")
            path = Path(source).expanduser() if home else PROJECT / source
            if not path.is_file() and entry.get("optional", "").lower() != "true":
                raise ReportedError(
                    f"`files:` names {source} as the source of {entry['path']}: no such file; "
                    "create it, or mark the entry `optional: true`"
                )
            yield path


def _refuse_packages(images: set[str]) -> None:
    packages = sorted(name for name in images if name.startswith(_PACKAGE))
    if packages:
        raise ReportedError(
            f"{packages[0]}: LinuxKit packages are not supported; "
            "build the package's image with `linuxkit pkg build`, then name that image"
        )
