"""What somebody else wrote into a manifest or an archive is refused before anything is built."""

from __future__ import annotations

import copy
import gzip
import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from release import archive, clone, published
from release.arch import ALL, X86_64
from release.differences import PARTS
from release.errors import ReportedError
from release.filenames import HELPER, Names, in_archives
from release.version import commit, version
from tests.fakes.release import BOTH, manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VMLINUZ, AGENT = "vmlinuz-x86_64", "r/agent:1"
NO_TEXT: list[Any] = [None, [], {}]
TOP = [(name, value) for name in ("version", "commit", "arch", "time") for value in NO_TEXT]
NEEDED = ("version", "commit", "files")
CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    *((lambda m, n=name, v=value: m.update({n: v}), f"'{name}' is") for name, value in TOP),
    *(
        (lambda m, n=name: m.pop(n), f"'{name}' is missing")
        for name in ("version", "commit", "files")
    ),
    (lambda m: m.update(version="1.2"), "'version' is '1.2'"),
    (lambda m: m.update(commit="0123456789ab; reboot"), "'commit' is '0123456789ab; reboot'"),
    (lambda m: m.update(commit="x" * 1000), "'commit' is 'x{59}…"),
    (lambda m: m.update(arch="../x86"), "'arch' is"),
    (lambda m: m.update(arch=json.loads("[" * 900 + "]" * 900)), "'arch' is a list"),
    (lambda m: m.update(time=True), "'time' is True"),
    (lambda m: m.update(files=[]), "'files' is a list"),
    (lambda m: m["files"].update({VMLINUZ: "x"}), f"'files.{VMLINUZ}' is 'x'"),
    (lambda m: m["files"][VMLINUZ].update(size=-1), f"'files.{VMLINUZ}.size' is -1"),
    (lambda m: m["files"][VMLINUZ].update(size=10**12), f"'files.{VMLINUZ}.size' is 10"),
    (lambda m: m["files"][VMLINUZ].update(sha512="00"), f"'files.{VMLINUZ}.sha512' is '00'"),
    (lambda m: m["files"].update({"\x1b[2J": m["files"][VMLINUZ]}), r"is '\\x1b\[2J'"),
    (lambda m: m["images"].update(x=1), "'images.x' is 1"),
    (lambda m: m["images"][AGENT].update(go={}), f"'images.{AGENT}.go' is an object"),
    *(
        (
            lambda m, k=kind, n=name: m["images"][AGENT].update({k: [{n: []}]}),
            f"{kind}.0.{name}' is a",
        )
        for kind, names in PARTS.items()
        for name in (*names, "sum")
    ),
    (lambda m: m["images"][AGENT]["go"][1].pop("module"), r"go\.1\.module' is missing"),
    (lambda m: m["images"][AGENT]["python"][0].update(version="\x9b"), r"is '\\x9b'"),
    (lambda m: m.update(debian={"trixie": 1}), "'debian.trixie' is 1"),
    (lambda m: m.update(embedded=[1]), r"'embedded.0' is 1"),
    (lambda m: m.update(files={str(n): 1 for n in range(100)}), "; and 95 more; give the manifest"),
]


@pytest.mark.parametrize("target", ALL)
def test_a_manifest_of_a_release_is_read(tmp_path: Path, target: Any) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest_of(target)))
    assert published.read(path) == manifest_of(target)


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_a_manifest_of_another_form_is_refused_with_the_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    changed = copy.deepcopy(manifest_of(X86_64))
    change(changed)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(ReportedError, match=message) as error:
        clone.wanted(path)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_manifest_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ReportedError, match="reading the manifest"):
        clone.wanted(path)


X86 = Names(X86_64)
ARCHIVES = in_archives(X86, BOTH, HELPER)


def write(folder: Path, change: Callable[[dict[str, bytes]], object] = dict) -> Path:
    """Write the archives of a release with a change, and the manifest of BOTH."""
    for name, held in in_archives(X86, BOTH, HELPER).items():
        change(held)
        archive.tar_gz(folder / name, held)
    path = folder / X86.manifest
    own = {"version": version(), "commit": commit()}
    path.write_text(json.dumps(manifest_of(X86_64) | own))
    return path


@pytest.fixture(autouse=True)
def _for_x86_64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCH", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The manifest of a release, beside its archives."""
    return write(tmp_path)


def test_archives_beside_the_manifest_are_opened(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.wanted(path)
    printed = capsys.readouterr().out
    assert printed == "".join(f"{name}: {clone.OPENED}\n" for name in ARCHIVES)
    for name in ARCHIVES:
        (tmp_path / name).unlink()
    clone.wanted(path)
    assert capsys.readouterr().out == f"no archive beside {path}: {clone.NOT_OPENED}\n"


@pytest.mark.parametrize("names", [[], ["vmlinuz-x86_64"], [*BOTH, "x"], ["vmlinuz-x86_64", "x"]])
def test_a_manifest_of_other_files_is_refused(path: Path, names: list[str]) -> None:
    changed = json.loads(path.read_text())
    changed["files"] = dict.fromkeys(names, changed["files"][VMLINUZ])
    path.write_text(json.dumps(changed))
    with pytest.raises(ReportedError, match="names other files than vmlinuz-x86_64 and"):
        clone.wanted(path)


def first(held: dict[str, bytes]) -> str:
    return min(held)


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: held.update({first(held): b"of somebody"}), "does not hold .* at '.*'"),
        (lambda held: held.pop(first(held)), "does not hold"),
        (lambda held: held.update({"vmlinuz": b""}), "does not hold .* at 'vmlinuz'"),
        (lambda held: held.update({f"x/{first(held)}": held[first(held)]}), "does not hold"),
        (lambda held: held.update({"x": b"x" * 200_000}), "has larger files than its manifest"),
    ],
)
def test_an_archive_that_holds_anything_else_is_refused(
    tmp_path: Path,
    name: str,
    change: Callable[[dict[str, bytes]], object],
    message: str,
) -> None:
    path = write(tmp_path, change)
    for other in ARCHIVES.keys() - {name}:
        (tmp_path / other).unlink()
    with pytest.raises(ReportedError, match=f"{name} {message}"):
        clone.wanted(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
@pytest.mark.parametrize("target", ["none", "vmlinuz-x86_64"])
def test_a_link_in_an_archive_is_not_followed(
    tmp_path: Path, path: Path, kind: bytes, target: str
) -> None:
    with tarfile.open(tmp_path / X86.flat, "w:gz") as tar:
        entry = tarfile.TarInfo("vmlinuz-x86_64")
        entry.type, entry.linkname = kind, target
        tar.addfile(entry)
    with pytest.raises(ReportedError, match="does not hold"):
        clone.wanted(path)


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_sparse_file_of_any_size_is_not_read(tmp_path: Path, path: Path, form: str) -> None:
    with (tmp_path / "vmlinuz-x86_64").open("wb") as file:
        file.truncate(1 << 40)
    packed = ["tar", "-czSf", X86.flat, f"--format={form}", "vmlinuz-x86_64"]
    subprocess.run(packed, cwd=tmp_path, check=True)
    with pytest.raises(ReportedError, match="does not hold"):
        clone.wanted(path)


def test_a_header_of_any_size_is_not_read(tmp_path: Path, path: Path) -> None:
    with tarfile.open(tmp_path / X86.flat, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("vmlinuz-x86_64")
        entry.pax_headers = {"comment": "x" * 2 * published.MORE_BYTES}
        tar.addfile(entry)
    with pytest.raises(ReportedError, match="has larger files"):
        clone.wanted(path)


def test_of_many_entries_only_the_first_are_read(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = BOTH | {f"x{number:03}": b"" for number in range(150)}
    archive.tar_gz(tmp_path / X86.flat, kept)
    monkeypatch.setattr(published, "SHOWN", 1000)
    with pytest.raises(ReportedError, match="does not hold") as error:
        clone.wanted(path)
    assert str(error.value).count("'x") < 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["images"][AGENT].update(go=[{}] * 10_000), r"go\.0\.\w+' is missing; give"),
        (lambda m: m.update(debian=dict.fromkeys(map(str, range(10_000)))), "'debian' is an obj"),
    ],
)
def test_of_many_problems_few_are_kept(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    changed = copy.deepcopy(manifest_of(X86_64))
    change(changed)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(ReportedError, match=message):
        clone.wanted(path)


def test_no_file_may_be_in_an_archive_twice(tmp_path: Path, path: Path) -> None:
    with tarfile.open(tmp_path / X86.flat, "w:gz") as tar:
        for name, content in (*BOTH.items(), *BOTH.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(ReportedError, match="holds a file twice"):
        clone.wanted(path)


@pytest.mark.parametrize("content", [b"", b"x", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b"])
def test_an_archive_that_cannot_be_read_is_an_error(
    tmp_path: Path, path: Path, content: bytes
) -> None:
    (tmp_path / X86.osie).write_bytes(content)
    with pytest.raises(ReportedError, match=f"reading .*{X86.osie} failed"):
        clone.wanted(path)
