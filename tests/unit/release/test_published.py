"""What somebody else wrote into a manifest or an archive is refused before anything is built."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tracemalloc
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from release import archive, clone, published
from release.arch import ALL, X86_64
from release.differences import PARTS
from release.errors import ReportedError
from release.filenames import HELPER, Names, in_archives
from release.version import commit, source_date_epoch, version
from tests.fakes.release import BOTH, manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VMLINUZ, AGENT = "vmlinuz-x86_64", "r/agent:1"
NO_TEXT: list[Any] = [None, [], {}]
TOP = [(name, value) for name in ("version", "commit", "arch", "time") for value in NO_TEXT]
NEEDED = ("version", "commit", "time", "arch", "files", "images")
MANY: dict[str, Any] = dict.fromkeys(map(str, range(10_000)))
CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    *((lambda m, n=name, v=value: m.update({n: v}), f"'{name}' is") for name, value in TOP),
    *((lambda m, n=name: m.pop(n), f"'{name}' is missing") for name in NEEDED),
    (lambda m: m.update(version="1.2"), "'version' is '1.2'"),
    (lambda m: m.update(commit="0123456789ab; reboot"), "'commit' is '0123456789ab; reboot'"),
    (lambda m: m.update(commit="x" * 1000), "'commit' is 'x{59}…"),
    (lambda m: m.update(arch="../x86"), "'arch' is"),
    (lambda m: m.update(arch=json.loads("[" * 900 + "]" * 900)), "'arch' is a list"),
    (lambda m: m.update(time=True), "'time' is True"),
    (lambda m: m.update(time=-1), "'time' is -1"),
    (lambda m: m.update(time=1 << 40), "'time' is 1099511627776"),
    (lambda m: m.update(files=[]), "'files' is a list"),
    (lambda m: m["files"].update({VMLINUZ: "x"}), f"'files.{VMLINUZ}' is 'x'"),
    (lambda m: m["files"][VMLINUZ].update(size=-1), f"'files.{VMLINUZ}.size' is -1"),
    (lambda m: m["files"][VMLINUZ].update(size=10**12), f"'files.{VMLINUZ}.size' is 10"),
    (lambda m: m["files"][VMLINUZ].update(sha512="00"), f"'files.{VMLINUZ}.sha512' is '00'"),
    (lambda m: m["files"][VMLINUZ].update(sha256="00"), f"'files.{VMLINUZ}.sha256' is '00'"),
    (lambda m: m["files"].update({"\x1b[2J": m["files"][VMLINUZ]}), r"is '\\x1b\[2J'"),
    (lambda m: m["images"].update(x=1), "'images.x' is 1"),
    (lambda m: m["images"][AGENT].update(content="0"), f"'images.{AGENT}.content' is '0'"),
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
    (lambda m: m.update(packers={"gzip": 1}), "'packers.gzip' is 1"),
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
    return write_manifest(folder, BOTH)


def write_manifest(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / X86.manifest
    own = {"version": version(), "commit": commit(), "time": source_date_epoch()}
    named = {
        name: {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "sha512": hashlib.sha512(content).hexdigest(),
        }
        for name, content in files.items()
    }
    path.write_text(json.dumps(manifest_of(X86_64) | own | {"files": named}))
    return path


@pytest.fixture(autouse=True)
def _for_x86_64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCH", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The manifest of a release, beside its archives."""
    return write(tmp_path)


def test_archives_beside_the_manifest_are_opened(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.wanted(path)
    printed = capsys.readouterr().out
    assert printed == "".join(f"{name}: {clone.OPENED}\n" for name in ARCHIVES)


def test_archives_that_are_not_beside_the_manifest_are_named(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (X86.flat, X86.osie):
        (tmp_path / name).unlink()
    (tmp_path / X86.flat).mkdir()
    (tmp_path / X86.osie).symlink_to("none")
    clone.wanted(path)
    assert capsys.readouterr().out.splitlines() == [
        f"{X86.flat}: {clone.ABSENT}",
        f"{X86.flat_lts}: {clone.OPENED}",
        f"{X86.osie}: {clone.ABSENT}",
    ]


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
    "change",
    [
        lambda held: held.update({first(held): b"of somebody"}),
        lambda held: held.update({first(held): bytes(len(held[first(held)]))}),
        lambda held: held.pop(first(held)),
        lambda held: held.pop(max(held)),
        lambda held: held.update({"vmlinuz": b""}),
        lambda held: held.update({f"x/{first(held)}": held[first(held)]}),
        lambda held: held.update({"x": b"x" * 200_000}),
    ],
)
def test_an_archive_that_holds_anything_else_is_refused(
    tmp_path: Path, name: str, change: Callable[[dict[str, bytes]], object]
) -> None:
    path = write(tmp_path, change)
    for other in ARCHIVES.keys() - {name}:
        (tmp_path / other).unlink()
    with pytest.raises(ReportedError, match=f"{name} does not hold .*, at .*: do not use"):
        clone.wanted(path)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "change", [{"size": 1}, {"sha256": "0" * 64}, {"sha512": "0" * 128}], ids=str
)
def test_size_and_both_digests_of_the_manifest_are_compared(
    path: Path, name: str, change: dict[str, Any]
) -> None:
    changed = json.loads(path.read_text())
    changed["files"][name].update(change)
    path.write_text(json.dumps(changed))
    with pytest.raises(ReportedError, match=f"does not hold .*, at '{name}'"):
        clone.wanted(path)


def test_the_time_of_the_manifest_is_compared(path: Path) -> None:
    changed = json.loads(path.read_text())
    changed["time"] += 1
    path.write_text(json.dumps(changed))
    with pytest.raises(ReportedError, match="at 'initramfs-x86_64': do not use"):
        clone.wanted(path)


def tar(
    change: Callable[[tarfile.TarInfo], object] = str,
    form: int = tarfile.GNU_FORMAT,
    files: dict[str, bytes] = BOTH,
    **options: Any,
) -> bytes:
    """Return what release.archive writes of these files, with a change of their headers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w|", format=form, **options) as written:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), source_date_epoch()
            change(entry)
            written.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def change(form: int = tarfile.GNU_FORMAT, **fields: Any) -> bytes:
    def apply(entry: tarfile.TarInfo) -> None:
        for name, value in fields.items():
            setattr(entry, name, value)

    return tar(apply, form)


def pax(headers: dict[str, str]) -> bytes:
    return change(tarfile.PAX_FORMAT, pax_headers=headers)


def nested(kind: bytes, content: bytes = b"x", many: int = 2000) -> bytes:
    """Return a tar that begins with many headers about the next one."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = kind, len(content)
    header = entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)
    return header * many + tar()


FILES_END = 2048  # in a tar of BOTH: two headers, two blocks of content
EVIL = {VMLINUZ: b"EVIL"}
FORGED: dict[str, Callable[[], bytes]] = {
    "kernel after a zero block": lambda: tar()[:FILES_END] + bytes(512) + tar(files=EVIL),
    "kernel after the end marker": lambda: tar()[:FILES_END] + bytes(1024) + tar(files=EVIL),
    "kernel after the end": lambda: tar() + tar(files=EVIL),
    "the same kernel twice": lambda: tar()[:FILES_END] + tar()[1024:],
    "content in the padding": lambda: tar().replace(b"kernel\0", b"kernelx"),
    "no end marker": lambda: tar()[:FILES_END],
    "half an end marker": lambda: tar()[: FILES_END + 512],
    "part of a record": lambda: tar()[: FILES_END + 1024],
    "zeros after the end": lambda: tar() + bytes(20_000_000),
    "cut in a header": lambda: tar()[:1100],
    "cut in content": lambda: tar()[:1540],
    "nothing": lambda: b"",
    "no tar": lambda: b"no tar",
    "another order": lambda: tar()[1024:FILES_END] + tar()[:1024] + tar()[FILES_END:],
    "mode": lambda: change(mode=0o6777),
    "executable": lambda: change(mode=0o755),
    "time": lambda: change(mtime=1),
    "user": lambda: change(uid=1),
    "user's name": lambda: change(uname="x"),
    "link": lambda: change(type=tarfile.SYMTYPE, linkname="none"),
    "link to the kernel": lambda: change(type=tarfile.SYMTYPE, linkname=VMLINUZ),
    "hard link": lambda: change(type=tarfile.LNKTYPE, linkname=VMLINUZ),
    "folder": lambda: change(type=tarfile.DIRTYPE),
    "device": lambda: change(type=tarfile.BLKTYPE),
    "older type": lambda: change(type=tarfile.AREGTYPE),
    "sparse": lambda: change(type=tarfile.GNUTYPE_SPARSE),
    "ustar": lambda: tar(form=tarfile.USTAR_FORMAT),
    "path of pax": lambda: pax({"path": "/etc/passwd"}),
    "size of pax": lambda: pax({"size": "1"}),
    "sparse of pax": lambda: pax({"GNU.sparse.major": "1", "GNU.sparse.realsize": "1" + "0" * 12}),
    "large header of pax": lambda: pax({"comment": "x" * 1_000_000}),
    "header of all": lambda: tar(form=tarfile.PAX_FORMAT, pax_headers={"path": "/etc/passwd"}),
    "header of digits": lambda: nested(tarfile.XHDTYPE, b"1" * 90_000, 1),
    **{
        f"nested {kind!r}": partial(nested, kind)
        for kind in (
            *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
            *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        )
    },
}


@pytest.mark.parametrize("forged", FORGED)
def test_an_archive_of_any_other_form_is_refused(tmp_path: Path, path: Path, forged: str) -> None:
    (tmp_path / X86.flat).write_bytes(gzip.compress(FORGED[forged](), 1))
    places = f"('initramfs-x86_64'|'{VMLINUZ}'|its end)"
    with pytest.raises(ReportedError, match=f"{X86.flat} does not hold .*, at {places}: do not"):
        clone.wanted(path)


def test_a_sparse_file_of_any_size_is_not_read(tmp_path: Path, path: Path) -> None:
    with (tmp_path / VMLINUZ).open("wb") as file:
        file.truncate(1 << 40)
    for form in ("gnu", "posix"):
        packed = ["tar", "-czSf", X86.flat, f"--format={form}", VMLINUZ]
        subprocess.run(packed, cwd=tmp_path, check=True)
        with pytest.raises(ReportedError, match="does not hold"):
            clone.wanted(path)


def test_an_archive_compressed_by_another_program_is_accepted(tmp_path: Path, path: Path) -> None:
    (tmp_path / X86.flat).write_bytes(gzip.compress(tar(), 9))
    clone.wanted(path)


def test_a_large_archive_is_read_in_pieces(tmp_path: Path) -> None:
    files = {"initramfs-x86_64": os.urandom(20_000_000), VMLINUZ: bytes(20_000_000)}
    archive.tar_gz(tmp_path / X86.flat, files)
    path = write_manifest(tmp_path, files)
    tracemalloc.start()
    try:
        clone.wanted(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            (
                lambda m, k=kind: m["images"][AGENT].update({k: [1] * 10_000}),
                rf"'images.{AGENT}.{kind}\.0' is 1; give",
            )
            for kind in PARTS
        ),
        (lambda m: m.update(embedded=[1] * 10_000), r"'embedded\.0' is 1; give"),
        (lambda m: m.update(embedded=[MANY]), r"'embedded\.0' is an object; give"),
        *(
            (lambda m, n=name: m.update({n: MANY}), f"'{name}' is an object; give")
            for name in ("debian", "packers", "files", "images")
        ),
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


def damaged(packed: bytes, at: int) -> bytes:
    content = bytearray(packed)
    content[at] ^= 1
    return bytes(content)


TRUNCATED, FOLLOWED = "it is truncated", "data follows its end"
DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", TRUNCATED),
    "no gzip": (lambda _: b"x" * 100, "incorrect header check"),
    "zlib's form": (
        lambda packed: zlib.compress(gzip.decompress(packed)),
        "incorrect header check",
    ),
    "only a magic number": (lambda _: b"\x1f\x8b", TRUNCATED),
    "half": (lambda packed: packed[: len(packed) // 2], TRUNCATED),
    "without CRC": (lambda packed: packed[:-8], TRUNCATED),
    "without the last byte": (lambda packed: packed[:-1], TRUNCATED),
    "another CRC": (lambda packed: damaged(packed, -8), "incorrect data check"),
    "another size": (lambda packed: damaged(packed, -4), "incorrect length check"),
    "more after it": (lambda packed: packed + b"x", FOLLOWED),
    "zeros after it": (lambda packed: packed + bytes(512), FOLLOWED),
    "another archive after it": (lambda packed: packed * 2, FOLLOWED),
    "an empty one after it": (lambda packed: packed + gzip.compress(b""), FOLLOWED),
    "more after a whole chunk": (
        lambda packed: gzip_of(gzip.decompress(packed), published.CHUNK_BYTES) + b"x",
        FOLLOWED,
    ),
}


def gzip_of(content: bytes, size: int) -> bytes:
    """Return this content packed to so many bytes, by a comment in gzip's header."""
    packed = gzip.compress(content)
    comment = b"x" * (size - len(packed) - 1) + b"\0"
    return packed[:3] + b"\x10" + packed[4:10] + comment + packed[10:]


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_archive_is_an_error(tmp_path: Path, path: Path, kind: str, name: str) -> None:
    change, cause = DAMAGED[kind]
    (tmp_path / name).write_bytes(change((tmp_path / name).read_bytes()))
    with pytest.raises(ReportedError, match=f"reading .*{name} failed: .*{cause}; download it"):
        clone.wanted(path)
