"""The SBOM is valid CycloneDX, depends on its manifest only, and names each package once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from packageurl import PackageURL

from release import sbom
from release.arch import AARCH64, ALL, X86_64, Architecture
from release.errors import ReportedError
from tests.fakes.release import digest, manifest_of

COPYRIGHT = (
    b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
    b"Files: *\nCopyright: x\nLicense: LGPL-2.1+\n text\n"
)
LICENCES = {
    "libc6.copyright": COPYRIGHT,
    "busybox-static.copyright": b"for people",
    "dockerd.copyright": b"texts",
}
LIBC6 = "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc"
BUSYBOX = (
    "pkg:deb/debian/busybox-static@1:1.37.0-6%2Bb9"
    "?arch=amd64&distro=debian-13&upstream=busybox%401:1.37.0-6"
)
GLIBC = "pkg:deb/debian/glibc@2.41-12?arch=source&distro=debian-13"
HELLO = "pkg:golang/github.com/marklodato/go-hello-world@v0.0.1"
PURLS = {LIBC6, BUSYBOX, GLIBC, HELLO, "pkg:golang/stdlib@1.26.8", "pkg:pypi/httpx@0.28.1"}
PURLS |= {"pkg:generic/tinkie@0.1.0"}


def document(target: Architecture = X86_64) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sbom.document(manifest_of(target), LICENCES))
    return found


def by_purl(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in found["components"] if "purl" in one}


def values(component: dict[str, Any], name: str) -> list[str]:
    return [one["value"] for one in component["properties"] if one["name"] == name]


def test_each_package_is_one_component_with_the_purl_that_scanners_read() -> None:
    components = by_purl(document())
    found = {PackageURL.from_string(purl) for purl in components}
    container = {one for one in found if one.type == "oci"}
    assert found - container == {PackageURL.from_string(purl) for purl in PURLS}
    assert [one.name for one in container] == ["tink-agent"]
    assert all(one["bom-ref"] == purl for purl, one in components.items())


def test_a_component_names_its_images_digest_and_licence() -> None:
    components = by_purl(document())
    libc6 = components[LIBC6]
    assert values(libc6, sbom.IMAGE) == ["r/agent:1", "r/init:1"]
    assert libc6["hashes"] == [{"alg": "SHA-256", "content": digest("libc6.deb")}]
    assert libc6["licenses"] == [{"expression": "LGPL-2.1-or-later"}]
    assert components["pkg:pypi/httpx@0.28.1"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert values(components[HELLO], sbom.GO_SUM)[0].startswith("h1:")
    assert values(components[GLIBC], sbom.KIND) == [sbom.LINKED]


def test_trivy_finds_the_source_package_in_properties_of_its_own() -> None:
    expected = {"SrcName": "busybox", "SrcEpoch": "1", "SrcVersion": "1.37.0", "SrcRelease": "6"}
    (busybox,) = (one for purl, one in by_purl(document()).items() if "busybox-static" in purl)
    for name, value in expected.items():
        assert values(busybox, f"aquasecurity:trivy:{name}") == [value]
    libc6 = by_purl(document())[LIBC6]
    assert values(libc6, "aquasecurity:trivy:SrcName") == ["glibc"]
    assert values(libc6, "aquasecurity:trivy:SrcEpoch") == []  # it has none


def test_an_unknown_licence_is_called_unknown_and_names_its_text() -> None:
    components = by_purl(document())
    (busybox,) = components[next(purl for purl in components if "busybox-static" in purl)][
        "licenses"
    ]
    assert busybox["license"]["name"].startswith("unknown; see busybox-static.copyright")
    (hello,) = components[HELLO]["licenses"]
    assert hello["license"]["name"].startswith("unknown; see dockerd.copyright")
    assert components[GLIBC]["licenses"] == [{"license": {"name": "unknown"}}]


@pytest.mark.parametrize("target", ALL, ids=lambda one: one.name)
def test_the_os_has_the_digests_of_its_files(target: Architecture) -> None:
    release = document(target)["metadata"]["component"]
    files = manifest_of(target)["files"]
    found = {
        one["name"]: {each["alg"]: each["content"] for each in one["hashes"]}
        for one in release["components"]
    }
    assert found == {
        name: {"SHA-256": file["sha256"], "SHA-512": file["sha512"]} for name, file in files.items()
    }


def test_scanners_find_one_operating_system_and_it_is_debian() -> None:
    found = document()
    everything = [found["metadata"]["component"], *found["components"]]
    systems = [one for one in everything if one["type"] == "operating-system"]
    assert [(one["name"], one["version"]) for one in systems] == [("debian", "13")]


def test_the_same_manifest_makes_the_same_bytes_in_any_order() -> None:
    first, other = manifest_of(X86_64), copy.deepcopy(manifest_of(X86_64))
    other["images"] = dict(reversed(list(other["images"].items())))
    for image in other["images"].values():
        for kind in ("debian", "python", "go"):
            image[kind] = image[kind][::-1]
    assert sbom.document(other, dict(reversed(LICENCES.items()))) == sbom.document(first, LICENCES)


def test_another_manifest_has_another_serial_number() -> None:
    numbers = {document(target)["serialNumber"] for target in ALL}
    changed = manifest_of(X86_64)
    changed["images"]["r/init:1"]["debian"][0]["sha256"] = digest("other")
    numbers.add(json.loads(sbom.document(changed, LICENCES))["serialNumber"])
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("invented", 1), ("serialNumber", "1"), ("bomFormat", "SPDX"), ("components", {})],
)
def test_a_document_that_breaks_the_schema_is_refused(field: str, value: object) -> None:
    found = document(AARCH64)
    sbom.validate(json.dumps(found))
    with pytest.raises(ReportedError, match="not valid CycloneDX"):
        sbom.validate(json.dumps(found | {field: value}))
