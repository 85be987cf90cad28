"""What a release was built from, and how: an in-toto statement with SLSA's provenance, version 1.

It depends on the release's files, its manifest and the commit only, so that a second build of the
same bytes makes the same statement. docs/sbom.md explains its fields.
"""

import base64
import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from release import gotools
from release.sbom import OWN, debian_purl, go_purl
from release.version import full_commit

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:tinkie:make-dist:v1"
# Whoever runs `make dist`; the signature of checksum.txt tells who that was.
BUILDER = "urn:tinkie:builder"
Descriptor = dict[str, Any]  # in-toto's ResourceDescriptor


def statement(files: Iterable[Path], manifest: Mapping[str, Any]) -> str:
    """Return the statement about files that were built as in a manifest (manifest.describe)."""
    parameters = manifest["parameters"]
    content = {
        "_type": STATEMENT,
        "subject": [_subject(path) for path in files],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters,
                "internalParameters": {
                    "command": " ".join(["make dist", *map(_variable, parameters.items())]),
                    "SOURCE_DATE_EPOCH": str(manifest["time"]),
                },
                "resolvedDependencies": list(_dependencies(manifest)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": manifest["packers"] | manifest["host"]}
            },
        },
    }
    return json.dumps(content, indent=1) + "\n"


def dir_hash(go_sum: str) -> str:
    """Return a digest of go.sum as in-toto's dirHash: without "h1:", and hexadecimal."""
    return base64.b64decode(go_sum.removeprefix("h1:"), validate=True).hex()


def _subject(path: Path) -> Descriptor:
    digests = {}
    for name in ("sha256", "sha512"):
        with path.open("rb") as file:
            digests[name] = hashlib.file_digest(file, name).hexdigest()
    return {"name": path.name, "digest": digests}


def _variable(item: tuple[str, str]) -> str:
    name, value = item
    return f"{name}={shlex.quote(value)}"


def _dependencies(manifest: Mapping[str, Any]) -> Iterator[Descriptor]:
    """Yield each input once: sources, base image, packages, modules, embedded images."""
    yield _source(manifest)
    for row in manifest["linuxkit_files"]:
        yield {"name": row["file"], "digest": {"sha256": row["sha256"]}}
    base = manifest["base"]
    yield {"name": f"base image: {base['name']}", "digest": _digest(base)}
    module, version, total = gotools.locked("linuxkit")
    yield _uri(module, go_purl(module, version), dirHash=dir_hash(total))
    found = {}
    for image in manifest["images"].values():
        for one in _packages(image):
            found[one["uri"]] = one
    yield from (found[uri] for uri in sorted(found))
    for row in manifest["embedded"]:
        yield {"name": row["name"], "digest": {"sha256": row["digest"].removeprefix("sha256:")}}


def _source(manifest: Mapping[str, Any]) -> Descriptor:
    found: Descriptor = {"name": OWN, "digest": {"gitCommit": full_commit()}}
    if manifest["modified"]:
        found["annotations"] = {"modified": "files differed from this commit"}
    return found


def _packages(image: Mapping[str, list[dict[str, str]]]) -> Iterator[Descriptor]:
    for row in image["debian"]:
        name, version = row["package"], row["version"]
        yield _uri(name, debian_purl(name, version, arch=row["architecture"]), sha256=row["sha256"])
    for row in image["linked"]:
        name, version = row["source"], row["source_version"]
        yield _uri(name, debian_purl(name, version, arch="source"))
    for row in image["python"]:
        if row["package"] != OWN:  # made from the commit
            purl = PackageURL("pypi", None, row["package"], row["version"])
            yield _uri(row.get("wheel", row["package"]), purl, **_digest(row))
    for row in image["go"]:
        if row["module"] == "go":
            yield _uri("go", go_purl("stdlib", row["version"].removeprefix("go")))
        else:
            purl = go_purl(row["module"], row["version"])
            yield _uri(row["module"], purl, dirHash=dir_hash(row["sum"]))


def _uri(name: str, purl: PackageURL, **digest: str) -> Descriptor:
    found: Descriptor = {"name": name, "uri": purl.to_string()}
    return found | {"digest": digest} if digest else found


def _digest(row: Mapping[str, str]) -> dict[str, str]:
    return {"sha256": row["sha256"]} if row.get("sha256") else {}
