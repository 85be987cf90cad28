"""The bill of materials of a release: CycloneDX JSON, made from its manifest and its licences.

The same manifest gives the same bytes: the serial number comes from the content, and the time is
that of the commit.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from debian.debian_support import NativeVersion
from packageurl import PackageURL

from release import base, programs
from release.errors import ReportedError
from release.licences import is_spdx, of_debian

DISTRIBUTION = "debian"
OWN = "tinkie"  # our Python package, which no index has
IMAGE, PROGRAM, GO_SUM, LICENCES, KIND = (
    f"tinkie:{name}" for name in ("image", "program", "go.sum", "licences", "kind")
)
LINKED = "source of a statically linked library"
SHA256 = HashAlgorithm.SHA_256
FILE_HASHES = {"sha256": SHA256, "sha512": HashAlgorithm.SHA_512}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Part:
    """A component, as one row of the manifest has it. Rows with the same purl are one component.

    licence: an SPDX expression, or empty. text: the name of a file in the archive of licences, or
    empty. properties: pairs of name and value.
    """

    name: str
    version: str
    purl: PackageURL
    sha256: str = ""
    licence: str = ""
    text: str = ""
    cpe: str | None = None
    kind: ComponentType = ComponentType.LIBRARY
    properties: tuple[tuple[str, str], ...] = ()


def document(manifest: Mapping[str, Any], licences: Mapping[str, bytes]) -> str:
    """Return the SBOM of a manifest (manifest.describe) and its licences by file name.

    Raises ReportedError if it is not valid CycloneDX.
    """
    bom = Bom(
        metadata=BomMetaData(
            component=_release(manifest), timestamp=datetime.fromtimestamp(manifest["time"], UTC)
        ),
        components=[_distribution(), *_components(_parts(manifest, licences))],
        serial_number=uuid.UUID(int=0),
    )
    assert bom.metadata.component  # noqa: S101 - set above
    bom.register_dependency(bom.metadata.component, bom.components)
    content = JsonV1Dot6(bom).output_as_string(indent=1)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, content)
    text = JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
    validate(text)
    return text


def validate(text: str) -> None:
    """Raise ReportedError unless a text is CycloneDX 1.6, without any field of another format."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        raise ReportedError(f"the SBOM is not valid CycloneDX: {error}; please report this")


def debian_purl(name: str, version: str, **qualifiers: str) -> PackageURL:
    """Return the purl of a Debian package, or with arch="source" of a source package."""
    distro = f"{DISTRIBUTION}-{base.DEBIAN}"
    return PackageURL("deb", "debian", name, version, {**qualifiers, "distro": distro})


def go_purl(module: str, version: str) -> PackageURL:
    """Return the purl of a Go module, or of stdlib."""
    namespace, _, name = module.rpartition("/")
    return PackageURL("golang", namespace or None, name, version)


def _release(manifest: Mapping[str, Any]) -> Component:
    """Return the OS. It is no component of the kind OPERATING_SYSTEM: see _distribution."""
    files = [
        Component(
            name=name,
            type=ComponentType.FILE,
            bom_ref=name,
            hashes=[HashType(alg=alg, content=file[key]) for key, alg in FILE_HASHES.items()],
        )
        for name, file in manifest["files"].items()
    ]
    name, version, arch = OWN, manifest["version"], manifest["arch"]
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"{name}-{version}-{arch}",
        components=files,
        properties=[
            Property(name=f"tinkie:{key}", value=manifest[key]) for key in ("arch", "commit")
        ],
    )


def _distribution() -> Component:
    """Return Debian. Scanners expect one operating system, that of the Debian packages."""
    return Component(
        name=DISTRIBUTION,
        version=base.DEBIAN,
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref=f"{DISTRIBUTION}-{base.DEBIAN}",
        description="the distribution that the Debian packages come from",
    )


def _components(parts: Iterator[Part]) -> Iterator[Component]:
    same: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        same[part.purl.to_string()].append(part)
    for purl, rows in same.items():
        first = rows[0]
        yield Component(
            name=first.name,
            version=first.version,
            type=first.kind,
            bom_ref=purl,
            purl=first.purl,
            cpe=first.cpe,
            hashes=[HashType(alg=SHA256, content=first.sha256)] if first.sha256 else [],
            licenses=[_licence(first)],
            properties=[
                Property(name=name, value=value)
                for name, value in {pair for part in rows for pair in part.properties}
            ],
        )


def _licence(part: Part) -> License:
    if part.licence:
        return LicenseExpression(part.licence)
    name = f"{UNKNOWN}; see {part.text} in the archive of licences" if part.text else UNKNOWN
    return DisjunctiveLicense(name=name)


def _parts(manifest: Mapping[str, Any], licences: Mapping[str, bytes]) -> Iterator[Part]:
    declared = {name: of_debian(text.decode(errors="replace")) for name, text in licences.items()}
    for name, image in manifest["images"].items():
        inside = (IMAGE, name)
        for row in image["debian"]:
            yield _debian(row, declared, inside)
        for row in image["linked"]:
            yield _linked(row, inside)
        for row in image["python"]:
            yield _python(row, inside)
        for row in image["go"]:
            yield _go(row, licences, inside)
    for row in manifest["embedded"]:
        yield _embedded(row)


def _debian(row: Mapping[str, str], declared: Mapping[str, str], inside: tuple[str, str]) -> Part:
    name, version, text = row["package"], row["version"], f"{row['package']}.copyright"
    source, source_version = row["source"], row["source_version"]
    upstream = source if source_version == version else f"{source}@{source_version}"
    qualifiers = {} if upstream == name else {"upstream": upstream}
    files = ((LICENCES, text),) if text in declared else ()
    return Part(
        name,
        version,
        debian_purl(name, version, arch=row["architecture"], **qualifiers),
        sha256=row["sha256"],
        licence=declared.get(text, ""),
        text=text if files else "",
        properties=(inside, *files, *_for_trivy(source, source_version)),
    )


def _for_trivy(source: str, version: str) -> Iterator[tuple[str, str]]:
    """Yield the source package as Trivy's properties: it does not read the purl's `upstream`."""
    parsed = NativeVersion(version)
    values = {
        "SrcName": source,
        "SrcEpoch": parsed.epoch,
        "SrcVersion": parsed.upstream_version,
        "SrcRelease": parsed.debian_revision,
    }
    for name, value in values.items():
        if value:
            yield f"aquasecurity:trivy:{name}", value


def _linked(row: Mapping[str, str], inside: tuple[str, str]) -> Part:
    name, version = row["source"], row["source_version"]
    purl = debian_purl(name, version, arch="source")
    return Part(name, version, purl, properties=(inside, (KIND, LINKED)))


def _python(row: Mapping[str, str], inside: tuple[str, str]) -> Part:
    name, version = row["package"], row["version"]
    kind = "generic" if name == OWN else "pypi"
    licence, sha256 = row["licence"], row.get("sha256", "")
    assert not licence or is_spdx(licence)  # noqa: S101 - the manifest has no others
    purl = PackageURL(kind, None, name, version)
    return Part(name, version, purl, sha256=sha256, licence=licence, properties=(inside,))


def _go(row: Mapping[str, str], licences: Mapping[str, bytes], inside: tuple[str, str]) -> Part:
    """Return a module; Go itself is the module stdlib, as Go's vulnerability database names it."""
    module, version, cpe = row["module"], row["version"], None
    properties = [inside, (PROGRAM, row["program"])]
    if module == "go":
        module, version = "stdlib", version.removeprefix("go")
        cpe = f"cpe:2.3:a:golang:go:{version}:*:*:*:*:*:*:*"
    else:
        properties.append((GO_SUM, row["sum"]))
    text = _go_licences(row["program"])
    if text in licences:
        properties.append((LICENCES, text))
    return Part(
        module,
        version,
        go_purl(module, version),
        cpe=cpe,
        text=text if text in licences else "",
        properties=tuple(properties),
    )


def _go_licences(program: str) -> str:
    """Return the file with the licences of a program of release/programs.py, if it is one."""
    for module, made in programs.PROGRAMS.items():
        if program in {PurePosixPath(one.path).name for one in made}:
            return f"{module}.copyright"
    return ""


def _embedded(row: Mapping[str, str]) -> Part:
    """Return a container image, by the digest of its manifest in its registry."""
    bare = row["name"].partition("@")[0]
    repository, _, tag = bare.rpartition(":") if ":" in bare.rpartition("/")[2] else (bare, "", "")
    qualifiers = {"repository_url": repository} | ({"tag": tag} if tag else {})
    name = repository.rpartition("/")[2]
    purl = PackageURL("oci", None, name, row["digest"], qualifiers)
    sha256 = row["digest"].removeprefix("sha256:")
    kind, inside = ComponentType.CONTAINER, (IMAGE, "embedded")
    return Part(bare, row["digest"], purl, sha256=sha256, kind=kind, properties=(inside,))
