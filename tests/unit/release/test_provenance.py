"""The provenance is an in-toto statement whose digests are those of the files."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import ParseDict, ParseError
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from release import gotools, pack, provenance, verify
from release.arch import AARCH64, X86_64
from release.filenames import Names
from tests.fakes.release import digest, manifest_of, stand_in

if TYPE_CHECKING:
    from pathlib import Path

HEX = {"sha256": 64, "sha512": 128, "gitCommit": 40, "dirHash": 64}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packed release."""
    stand_in(tmp_path, monkeypatch)
    pack.pack(tmp_path)
    return tmp_path


def read(root: Path, names: Names) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / names.provenance).read_text())
    return found


X86 = Names(X86_64)


def check(statement: dict[str, Any]) -> None:
    """Apply the rules of in-toto's Statement v1 and of SLSA's provenance v1."""
    Statement.copy_from_pb(ParseDict(statement, StatementMessage())).validate()
    predicate = ParseDict(statement["predicate"], Provenance())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    definition = predicate.build_definition
    for uri in (definition.build_type, predicate.run_details.builder.id):
        assert re.match(r"[a-z][a-z0-9+.-]*:.", uri)
    assert len(definition.external_parameters) > 0
    assert not {*definition.external_parameters} & {*definition.internal_parameters}
    for one in definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(one).validate()
    found = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    for one in [*statement["subject"], *found]:
        for algorithm, value in one.get("digest", {}).items():
            assert re.fullmatch(f"[0-9a-f]{{{HEX[algorithm]}}}", value)


def test_it_keeps_the_rules_of_its_formats(root: Path) -> None:
    check(read(root, X86))


@pytest.mark.parametrize("field", ["subject", "predicateType", "predicate"])
def test_the_check_of_these_rules_finds_what_is_missing(root: Path, field: str) -> None:
    statement = read(root, X86)
    del statement[field]
    with pytest.raises((ValueError, KeyError)):
        check(statement)
    with pytest.raises(ParseError):
        check(read(root, X86) | {"invented": 1})


def test_its_subjects_are_the_files_of_the_release(root: Path) -> None:
    subjects = {one["name"]: one["digest"] for one in read(root, X86)["subject"]}
    written = {path.name for path in root.iterdir() if path.is_file()}
    alone = {X86.provenance, verify.CHECKSUMS, X86.osie_sum}  # these hold its digest, or sum only
    assert set(subjects) == written - alone - {X86.dtbs} | {"vmlinuz-x86_64", "initramfs-x86_64"}
    for name, digests in subjects.items():
        path = root / name if (root / name).exists() else root / "out" / name
        for algorithm, value in digests.items():
            assert hashlib.new(algorithm, path.read_bytes()).hexdigest() == value


def test_both_architectures_attest_the_oci_image_that_they_share(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    total = hashlib.sha256((root / X86.oci).read_bytes()).hexdigest()
    for names in (X86, Names(AARCH64)):
        statement = read(root, names)
        check(statement)
        subjects = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
        assert subjects[names.oci] == total
    subprocess.run(["sha512sum", "--check", verify.CHECKSUMS], cwd=root, check=True)


def test_every_input_is_named_with_its_digest(root: Path) -> None:
    definition = read(root, X86)["predicate"]["buildDefinition"]
    found = {one["name"]: one for one in definition["resolvedDependencies"]}
    assert len(found) == len(definition["resolvedDependencies"])
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    expected = {
        "tinkie": {"gitCommit": commit},
        "linuxkit.yml": {"sha256": digest("linuxkit.yml")},
        "base image: Debian trixie": {"sha256": digest("base")},
        "libc6": {"sha256": digest("libc6.deb")},
        "busybox-static": {"sha256": digest("busybox.deb")},
        "httpx-0.28.1-py3-none-any.whl": {"sha256": digest("httpx.whl")},
        "registry.example:5000/tink-agent:v1": {"sha256": digest("agent")},
    }
    assert {name: found[name]["digest"] for name in expected} == expected
    assert found["go"]["uri"] == "pkg:golang/stdlib@1.26.8"
    assert found["glibc"]["uri"].startswith("pkg:deb/debian/glibc@2.41-12?arch=source")
    module, version, _ = gotools.locked("linuxkit")
    assert found[module]["uri"].endswith(f"@{version}")
    assert len(found[module]["digest"]["dirHash"]) == HEX["dirHash"]


def test_a_go_modules_digest_is_written_as_the_specification_shows() -> None:
    go_sum = "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48="
    hexadecimal = "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f"
    assert provenance.dir_hash(go_sum) == hexadecimal


@pytest.mark.parametrize("name", ["linuxkit", "govulncheck", "tink-worker-v0.6"])
def test_a_tools_locked_version_is_found(name: str) -> None:
    module, version, total = gotools.locked(name)
    assert gotools.TOOLS[name].package.startswith(module)
    assert version.startswith("v")
    assert total.startswith("h1:")


def test_it_tells_how_to_build_the_release_again() -> None:
    manifest = manifest_of(X86_64)
    manifest["parameters"] |= {"EMBED": "a:1,b=oci:x", "LINUXKIT_FILES": "linuxkit.yml more.yml"}
    definition = json.loads(provenance.statement([], manifest))["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == manifest["parameters"]
    assert definition["internalParameters"] == {
        "command": (
            "make dist ARCH=x86_64 EMBED=a:1,b=oci:x LINUXKIT_FILES='linuxkit.yml more.yml'"
        ),
        "SOURCE_DATE_EPOCH": str(manifest["time"]),
    }


def test_a_build_of_changed_files_is_called_modified() -> None:
    manifest = manifest_of(X86_64)
    found = []
    for modified in (False, True):
        statement = json.loads(provenance.statement([], manifest | {"modified": modified}))
        found.append(statement["predicate"]["buildDefinition"]["resolvedDependencies"][0])
    assert "annotations" not in found[0]
    assert "modified" in found[1]["annotations"]


def test_the_programs_that_packed_it_are_the_builders_version(root: Path) -> None:
    builder = read(root, X86)["predicate"]["runDetails"]["builder"]
    made = manifest_of(X86_64)
    assert builder["version"] == made["packers"] | made["host"]
    assert builder["version"]["cpio"]


def test_it_has_no_time_but_the_commits(root: Path) -> None:
    text = (root / X86.provenance).read_text()
    (root / X86.provenance).unlink()
    pack.pack(root)
    assert (root / X86.provenance).read_text() == text
    assert not re.search(r"\d{4}-\d{2}-\d{2}T", text)
