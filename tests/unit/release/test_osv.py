"""Which records of vulnerability data concern a package, by its ecosystem's order of versions."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release import osv, sbom
from release.arch import X86_64
from release.errors import ReportedError
from tests.fakes.release import manifest_of

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN = "Debian:13"


def package(ecosystem: str, name: str, version: str) -> osv.Package:
    return osv.Package(ecosystem, name, version, (name,), ("r/init:1",))


def affected(ecosystem: str, name: str, *events: tuple[str, str], **more: Any) -> dict[str, Any]:
    kind = "SEMVER" if ecosystem == osv.GO else "ECOSYSTEM"
    ranges = [{"type": kind, "events": [{event: version} for event, version in events]}]
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}


def record(*parts: dict[str, Any], identity: str = "X-1", **more: Any) -> dict[str, Any]:
    return {"id": identity, "affected": list(parts), **more}


FROM_0 = ("introduced", "0")


@pytest.mark.parametrize(
    ("ecosystem", "version", "events", "fixed"),
    [
        # fixed: None if the version is not affected.
        (DEBIAN, "2.41-12+deb13u4", [FROM_0, ("fixed", "2.41-12+deb13u5")], "2.41-12+deb13u5"),
        (DEBIAN, "2.41-12+deb13u5", [FROM_0, ("fixed", "2.41-12+deb13u5")], None),
        (DEBIAN, "1:0.9-1", [FROM_0, ("fixed", "2.0-1")], None),  # the epoch counts
        (DEBIAN, "2.0~rc1-1", [FROM_0, ("fixed", "2.0-1")], "2.0-1"),  # before 2.0
        (DEBIAN, "1.10-1", [FROM_0, ("fixed", "1.9-1")], None),  # numbers, not letters
        (DEBIAN, "1.0-1", [FROM_0], ""),
        (DEBIAN, "1.0-1", [("introduced", "1.1-1")], None),
        (DEBIAN, "1.0-1", [FROM_0, ("last_affected", "1.0-1")], ""),
        (DEBIAN, "1.0-2", [FROM_0, ("last_affected", "1.0-1")], None),
        (osv.PYPI, "0.28.1", [FROM_0, ("fixed", "0.29")], "0.29"),
        (osv.PYPI, "1.0.post1", [FROM_0, ("fixed", "1.0")], None),
        (osv.PYPI, "1.0rc1", [FROM_0, ("fixed", "1.0")], "1.0"),
        (osv.PYPI, "2.5", [FROM_0, ("fixed", "1.2"), ("introduced", "2.0")], ""),
        (
            osv.PYPI,
            "2.5",
            [FROM_0, ("fixed", "1.2"), ("introduced", "2.0"), ("fixed", "2.6")],
            "2.6",
        ),
        (osv.GO, "v0.15.0-rc.4", [FROM_0, ("fixed", "0.15.0")], "0.15.0"),
        (osv.GO, "v1.2.3+incompatible", [FROM_0, ("fixed", "1.2.3")], None),
        (osv.GO, "v0.0.0-20240101000000-abcdef", [FROM_0, ("fixed", "0.1.0")], "0.1.0"),
        (osv.GO, "1.26.8", [("introduced", "1.26.0-0"), ("fixed", "1.26.9")], "1.26.9"),
        (osv.GO, "1.27rc1", [("introduced", "1.27.0-0"), ("fixed", "1.27.0-rc.2")], "1.27.0-rc.2"),
        (osv.GO, "1.25.9", [("introduced", "1.26.0-0"), ("fixed", "1.26.9")], None),
    ],
)
def test_a_version_is_compared_as_its_ecosystem_compares(
    ecosystem: str, version: str, events: list[tuple[str, str]], fixed: str | None
) -> None:
    wanted, part = package(ecosystem, "x", version), affected(ecosystem, "x", *events)
    for order in (part, affected(ecosystem, "x", *reversed(events))):
        found = osv.finding(record(order), order, wanted)
        assert (found and (found.fixed, found.problem)) == (None if fixed is None else (fixed, ""))


@given(st.lists(st.integers(0, 9), unique=True, min_size=1).map(sorted), st.integers(0, 9))
def test_a_range_of_any_length_is_what_its_pairs_say(borders: list[int], current: int) -> None:
    kinds = [("introduced", "fixed")[number % 2] for number in range(len(borders))]
    events = [(kind, str(border)) for kind, border in zip(kinds, borders, strict=True)]
    is_affected = sum(border <= current for border in borders) % 2 == 1
    part = affected(DEBIAN, "x", *events)
    found = osv.finding(record(part), part, package(DEBIAN, "x", str(current)))
    assert (found is not None) == is_affected


def test_a_version_that_is_listed_is_affected() -> None:
    part = affected(osv.PYPI, "x", ("introduced", "9"), versions=["1.0"])
    assert osv.finding(record(part), part, package(osv.PYPI, "x", "1.0"))
    assert not osv.finding(record(part), part, package(osv.PYPI, "x", "1.1"))


@pytest.mark.parametrize("ecosystem", [osv.PYPI, osv.GO, DEBIAN])
def test_a_version_that_cannot_be_compared_is_a_finding(ecosystem: str) -> None:
    part = affected(ecosystem, "x", FROM_0, ("fixed", "not, a version"))
    found = osv.finding(record(part), part, package(ecosystem, "x", "1.0.0"))
    assert found
    assert "cannot be compared" in str(found)


DATA = [
    record(affected(DEBIAN, "glibc", FROM_0, ("fixed", "2.41-13")), identity="D-1"),
    record(affected(DEBIAN, "busybox", FROM_0), identity="D-2", upstream=["CVE-1"]),
    record(affected("Debian:12", "glibc", FROM_0), identity="of another release"),
    record(affected(DEBIAN, "glibc", FROM_0), identity="withdrawn", withdrawn="2026-01-01"),
    record(affected(DEBIAN, "libc6", FROM_0), identity="of a binary package's name"),
    record(affected(osv.PYPI, "HTTPX", FROM_0, ("fixed", "0.29")), identity="P-1"),
    record(affected(osv.PYPI, "tinkie", FROM_0), identity="of a namesake of ours"),
    record(affected(osv.GO, "stdlib", FROM_0, ("fixed", "1.26.9")), identity="G-1"),
    {"id": "of no package", "affected": [{"ranges": [{"type": "GIT", "events": []}]}]},
]


def write_folder(path: Path) -> Path:
    (path / "sub").mkdir(parents=True)
    for number, one in enumerate(DATA):
        (path / "sub" / f"{number}.json").write_text(json.dumps(one))
    (path / "README").write_text("no data")
    return path


def write_list(path: Path) -> Path:
    path.with_suffix(".json").write_text(json.dumps(DATA))
    return path.with_suffix(".json")


def write_archive(path: Path) -> Path:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        for number, one in enumerate(DATA):
            archive.writestr(f"{number}.json", json.dumps(one))
    return path.with_suffix(".zip")


def write_archives(path: Path) -> Path:
    path.mkdir()
    write_archive(path / "all")
    return path


@pytest.mark.parametrize("write", [write_folder, write_list, write_archive, write_archives])
def test_data_in_each_form_is_searched_for_the_packages_of_an_sbom(
    tmp_path: Path, write: Any
) -> None:
    wanted = osv.packages(json.loads(sbom.document(manifest_of(X86_64), {})))
    found, ecosystems = osv.search(write(tmp_path / "data"), wanted)
    assert [str(one) for one in found] == [
        "D-1: glibc 2.41-12 (libc6): fixed in 2.41-13; in r/agent:1, r/init:1",
        "D-2, CVE-1: busybox 1:1.37.0-6 (busybox-static): no fixed version; in r/init:1",
        "G-1: stdlib 1.26.8: fixed in 1.26.9; in r/agent:1",
        "P-1: httpx 0.28.1: fixed in 0.29; in r/agent:1",
    ]
    assert ecosystems >= {DEBIAN, osv.PYPI, osv.GO}


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.json", b"{"), ("x.json", b'{"affected": []}'), ("x.json", b"[1]"), ("x.zip", b"no zip")],
)
def test_data_that_cannot_be_read_is_reported(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReportedError, match=r"x\.\w+ has no records"):
        list(osv.records(tmp_path))


def test_data_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReportedError, match="no such file"):
        list(osv.records(tmp_path / "none"))
