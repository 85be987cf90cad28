"""make audit fails if something can be repaired, and if it could not look."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from release import audit, osv, sbom
from release.arch import X86_64
from release.errors import ReportedError
from release.progress import Progress
from tests.fakes.release import manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Client = Callable[[Mapping[str, tuple[int, Any]]], httpx.Client]

URL = "https://index.example/root/pypi/httpx/0.28.1/json"
HTTPX = osv.Package(osv.PYPI, "httpx", "0.28.1", ("httpx",), ("r/agent:1",))


def a_record(ecosystem: str, name: str, *fixed: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, *({"fixed": version} for version in fixed)]
    part = {"package": {"ecosystem": ecosystem, "name": name}}
    affected = part | {"ranges": [{"type": "SEMVER", "events": events}]}
    return {"id": f"{name}-1", "affected": [affected]}


HARMLESS = [a_record(ecosystem, "none") for ecosystem in ("Debian:13", "PyPI", "Go")]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of data, which a test fills; it is about the SBOM of the sample release."""
    path = tmp_path / "sbom.cdx.json"
    path.write_text(sbom.document(manifest_of(X86_64), {}))
    monkeypatch.setenv("SBOM", str(path))
    monkeypatch.setenv("DATA", str(tmp_path / "data.json"))
    return tmp_path / "data.json"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a client of a package index that has these answers by URL, and no others."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/root/simple/")

    def with_answers(answers: Mapping[str, tuple[int, Any]]) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            status, content = answers.get(str(request.url), (404, {}))
            return httpx.Response(status, json=content)

        return httpx.Client(transport=httpx.MockTransport(answer))

    return with_answers


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ([], 0),
        ([a_record("Debian:13", "glibc")], 0),  # nothing can be done yet
        ([a_record("Debian:13", "glibc", "2.41-13")], 1),
        ([a_record("PyPI", "httpx", "0.29")], 1),
        ([a_record("Go", "stdlib", "1.26.9")], 1),
        ([a_record("Go", "stdlib", "1.26.7")], 0),
    ],
)
def test_it_finds_what_an_update_repairs(
    data: Path, more: list[Any], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text(json.dumps([*HARMLESS, *more]))
    assert audit.audit(Progress()) == bool(status)
    printed = capsys.readouterr().out
    for ecosystem, number in (("Debian:13", 2), ("PyPI", 1), ("Go", 2)):
        assert f"{ecosystem}: {number} packages were compared\n" in printed
    if status:
        assert f"{more[0]['id']}: " in printed
        assert "fixed in " in printed


@pytest.mark.parametrize("other", ["Debian:12", "Ubuntu", "npm"])
def test_without_data_of_a_kind_it_fails_after_it_has_printed_the_rest(
    data: Path, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = a_record("Go", "stdlib", "1.26.9")
    data.write_text(json.dumps([*HARMLESS[1:], found, a_record(other, "glibc", "9")]))
    with pytest.raises(ReportedError, match=r"^no vulnerability data of Debian:13: set DATA"):
        audit.audit(Progress())
    assert "stdlib-1: stdlib 1.26.8: fixed in 1.26.9" in capsys.readouterr().out


def test_without_any_data_each_kind_is_named(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_arguments: object) -> bool:
        raise ReportedError("unreachable")

    assert not data.exists()
    monkeypatch.delenv("DATA")
    for name in ("check_programs", "from_index"):
        monkeypatch.setattr(audit, name, unreachable)
    with pytest.raises(ReportedError, match=r"no vulnerability data of Debian:13, Go, PyPI: set "):
        audit.audit(Progress())
    printed = capsys.readouterr().out
    assert "PyPI: 1 packages were not compared: unreachable\n" in printed
    assert "were compared" not in printed


def test_the_package_index_of_pips_configuration_is_asked(client: Client) -> None:
    known = [
        {"id": "P-1", "aliases": ["CVE-1"], "fixed_in": ["0.27.9", "1.0", "0.29"]},
        {"id": "P-2", "fixed_in": []},
        {"id": "P-3", "withdrawn": "2026-01-01T00:00:00Z"},
    ]
    answers = {URL: (200, {"vulnerabilities": known})}
    assert [str(one) for one in audit.from_index([HTTPX], client(answers))] == [
        "P-1, CVE-1: httpx 0.28.1: fixed in 0.29; in r/agent:1",
        "P-2: httpx 0.28.1: no fixed version; in r/agent:1",
    ]


@pytest.mark.parametrize("answer", [(404, {}), (500, {}), (200, {}), (200, [])], ids=str)
def test_an_index_without_that_api_is_no_data(client: Client, answer: tuple[int, Any]) -> None:
    with pytest.raises(ReportedError, match=r"asked for httpx 0\.28\.1: "):
        audit.from_index([HTTPX], client({URL: answer}))


@pytest.mark.parametrize("content", [None, "", "[]", '{"bomFormat": "SPDX"}'])
def test_without_an_sbom_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "x.cdx.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SBOM", str(path))
    with pytest.raises(ReportedError, match=r"x\.cdx\.json.*SBOM="):
        audit.audit(Progress())


def test_an_sbom_without_packages_is_no_clean_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.write_text("[]")
    (tmp_path / "empty.cdx.json").write_text('{"bomFormat": "CycloneDX"}')
    monkeypatch.setenv("SBOM", str(tmp_path / "empty.cdx.json"))
    with pytest.raises(ReportedError, match="the SBOM has no package"):
        audit.audit(Progress())


def test_no_package_index_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(ReportedError, match="set PIP_INDEX_URL"):
        audit._index()
