"""A release is signed by real keys of ssh-keygen, and whatever was changed later is found."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from release import assemble, oci, pack, signing, verify
from release.arch import AARCH64, X86_64
from release.errors import ReportedError
from release.filenames import PEM, Names
from release.version import PROJECT
from tests.fakes.release import stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

X86 = Names(X86_64)
PASSPHRASE = "correct horse"


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "someone", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a release that needs no building. Neither an agent nor a terminal is there."""
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "VERSION", "SIGNERS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "release"
    folder.mkdir()
    stand_in(folder, monkeypatch)
    return folder


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = make_key(tmp_path / "key")
    monkeypatch.setenv("SIGN", str(path))
    return path


@pytest.fixture
def signers(root: Path, key: Path, tmp_path: Path) -> Path:
    """What a user of the release in root has from its publisher: the public key."""
    assert key.exists()
    pack.pack(root)
    return trusted(root, tmp_path)


def trusted(root: Path, folder: Path) -> Path:
    copy = folder / "signers"
    copy.write_bytes((root / verify.SIGNERS).read_bytes())
    return copy


def sign_with_another(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "other")))
    pack.pack(root)


def test_all_files_of_a_signed_release_are_good(root: Path, signers: Path) -> None:
    names = verify.verify(root, signers)
    files = {path.name for path in root.iterdir() if path.is_file()}
    assert sorted(names) == sorted(files)
    assert files == {*X86.results, *X86.of_key, verify.SIGNATURE}


def test_the_three_lines_of_the_readme_are_enough(root: Path, signers: Path) -> None:
    text = (PROJECT / "README.md").read_text()
    _, _, section = text.partition("### Verify a release")
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")][:3]
    assert [line.split()[0] for line in lines] == ["ssh-keygen", "sha512sum", "grep"]
    (root.parent / "allowed_signers").write_bytes(signers.read_bytes())
    (root / "osie-9.tar.gz").write_bytes(b"of somebody else")
    (root / "osie-9.tar.gz.sha512sum").write_text("not a list")
    command = ["sh", "-euc", "\n".join(lines)]
    assert subprocess.run(command, cwd=root, check=False).returncode == 0
    (root / X86.osie).write_bytes(b"another")
    assert subprocess.run(command, cwd=root, check=False).returncode != 0


def change(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes((root / name).read_bytes() + b"\n")


def remove(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).unlink()


SIGNED = (*X86.results, *X86.of_key)
FAULTS = [
    *((change(name), f"'{name}' was changed") for name in SIGNED if name != verify.CHECKSUMS),
    *((remove(name), f"'{name}' is missing") for name in SIGNED if name != verify.CHECKSUMS),
    (change(verify.CHECKSUMS), "checksum.txt.sig is not a signature of this checksum.txt"),
    (
        lambda root: (root / verify.SIGNATURE).write_text("nothing"),
        "checksum.txt.sig is not a signature of this checksum.txt",
    ),
    (remove(verify.SIGNATURE), "has no checksum.txt.sig: the release is not signed"),
    (remove(verify.CHECKSUMS), "has no checksum.txt"),
    (
        lambda root: (root / "tinkie-9.9.9-x86_64.iso").touch(),
        "'tinkie-9.9.9-x86_64.iso' is not of this release",
    ),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_fault_is_named(
    root: Path, signers: Path, fault: Callable[[Path], object], message: str
) -> None:
    fault(root)
    with pytest.raises(ReportedError, match=message):
        verify.verify(root, signers)


def test_all_faults_are_named_at_once(root: Path, signers: Path) -> None:
    (root / X86.iso).unlink()
    (root / X86.flat).write_bytes(b"another")
    with pytest.raises(ReportedError) as error:
        verify.verify(root, signers)
    assert len(str(error.value).splitlines()) == 3


def fill(name: str, size: int) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes(b"x" * size)


TOO_LARGE = [
    (verify.CHECKSUMS, verify.CHECKSUMS_BYTES),
    (verify.SIGNATURE, verify.SIGNATURE_BYTES),
    (verify.SIGNERS, verify.SIGNERS_BYTES),
]


@pytest.mark.parametrize(("name", "most"), TOO_LARGE)
def test_no_more_is_read_of_a_file_than_a_release_can_have(
    root: Path, signers: Path, name: str, most: int
) -> None:
    if name == verify.SIGNERS:
        signers = root / name
    fill(name, most)(root)
    with pytest.raises(ReportedError) as error:
        verify.verify(root, signers)
    assert "bytes" not in str(error.value)
    fill(name, most + 1)(root)
    with pytest.raises(ReportedError, match=f"{name} has more than {most} bytes"):
        verify.verify(root, signers)


def sign_again(root: Path, key: Path, version: str) -> None:
    """Sign what lies in a folder as its publisher would, with manifests of a version."""
    sums = {}
    for line in (root / verify.CHECKSUMS).read_text().splitlines():
        _, _, name = line.partition("  ")
        if verify.MANIFEST.fullmatch(name):
            (root / name).write_text(version)
        sums[name] = verify.sha512(root / name)
    (root / verify.CHECKSUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sums))
    with signing.signer(key) as signer:
        (root / verify.SIGNATURE).write_text(signer.sign_file(root / verify.CHECKSUMS))


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('{"version": "1.2.3"}', ""),
        ('{"version": "1.2.2"}', r"is of version '1\.2\.2', and not of VERSION=1\.2\.3"),
        ('{"version": "1.2.3-rc.1"}', "is of version '1.2.3-rc.1'"),
        ('{"version": "\\u001b[2J"}', r"is of version '\\x1b\[2J'"),
        ('{"version": ["1.2.3"]}', r"is of version \['1.2.3'\]"),
        ("{}", "is of version None"),
        ("[]", "it is not a JSON object"),
        ("{", "reading the manifest .* failed"),
        ("[" * 100_000, "reading the manifest .* failed"),
        (" " * (verify.MANIFEST_BYTES + 1), f"has more than {verify.MANIFEST_BYTES} bytes"),
    ],
    ids=range(10),
)
def test_another_version_than_the_one_that_is_asked_for_is_not_good(
    root: Path, signers: Path, key: Path, manifest: str, message: str
) -> None:
    sign_again(root, key, manifest)
    verify.verify(root, signers)  # any version
    if not message:
        verify.verify(root, signers, "1.2.3")
        return
    with pytest.raises(ReportedError, match=message):
        verify.verify(root, signers, "1.2.3")


def test_a_release_without_a_manifest_is_of_no_version(
    root: Path, signers: Path, key: Path
) -> None:
    lines = (root / verify.CHECKSUMS).read_text().splitlines(keepends=True)
    kept = [line for line in lines if X86.manifest not in line]
    (root / verify.CHECKSUMS).write_text("".join(kept))
    (root / X86.manifest).unlink()
    sign_again(root, key, "")
    verify.verify(root, signers)
    with pytest.raises(ReportedError, match="it has no manifest, so its version cannot be"):
        verify.verify(root, signers, "1.2.3")


def pack_both(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for architecture in ("x86_64", "aarch64"):
        monkeypatch.setenv("ARCH", architecture)
        pack.pack(root)


ARM = Names(AARCH64)
STRANGE = (X86.uki, ARM.uki, *(f"{prefix}9" for prefix in verify.PREFIXES))


def write(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes(b"of somebody else")


OF_X86 = sorted({*X86.results} - {*ARM.results})
NOT_PACKED = [
    *((change(name), f"'{name}' was changed") for name in OF_X86),  # ARM's are packed again
    *((remove(name), f"'{name}' is missing") for name in OF_X86),
    *((write(name), f"'{name}' is not of this release") for name in STRANGE),
]


@pytest.mark.parametrize(
    ("fault", "message"),
    [one for one in NOT_PACKED if verify.CHECKSUMS not in one[1]],  # it is written anew
)
def test_what_packing_did_not_write_is_not_signed(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Path], object],
    message: str,
) -> None:
    pack_both(root, monkeypatch)
    fault(root)
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    with pytest.raises(ReportedError, match=rf"is not signed\n  {message}"):
        pack.pack(root)
    assert not (root / verify.SIGNATURE).exists()


@pytest.mark.parametrize("name", ["tinkie-0.0.9-x86_64.iso", "tinkie-x.partial", "vmlinuz-x86_64"])
def test_files_of_another_version_are_refused_before_the_build_takes_its_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(name)(root)
    monkeypatch.setattr(assemble, "assemble_held", lambda *_, **__: pytest.fail("it builds"))
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    with pytest.raises(ReportedError, match=f"'{name}' is not of this release"):
        pack.pack(root)


@pytest.mark.parametrize("name", [X86.uki, ARM.uki])
def test_a_signed_efi_program_of_an_earlier_build_does_not_end_this_one_before_it_starts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(name)(root)
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    pack.pack(root)  # it deletes its own, and names the other
    assert name not in (root / verify.CHECKSUMS).read_text()


UNSIGNED = (
    "'.*x86_64.*' was not packed from what is in out/ now: no file for x86_64 is signed; `make dist"
    " ARCH=x86_64` packs them again"
)


@pytest.mark.parametrize("name", [X86.uki, X86.iso, X86.flat, X86.manifest])
def test_any_file_of_the_other_architecture_that_was_not_packed_is_named(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    write(name)(root)
    monkeypatch.setenv("ARCH", "aarch64")
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    pack.pack(root)
    found = re.findall(UNSIGNED, capsys.readouterr().out)
    assert len(found) == 1
    assert name in found[0]
    assert "x86_64" not in (root / verify.CHECKSUMS).read_text()


def test_if_nothing_else_lies_there_nothing_is_named(
    root: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert signers.exists()
    pack.pack(root)
    assert "was not packed" not in capsys.readouterr().out


def test_files_of_the_other_architecture_and_another_commit_are_not_signed_and_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack_both(root, monkeypatch)
    (root / "out" / "vmlinuz-x86_64").write_bytes(b"newer")
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    pack.pack(root)
    assert re.search(UNSIGNED, capsys.readouterr().out)
    assert "x86_64" not in (root / verify.CHECKSUMS).read_text()
    with pytest.raises(ReportedError, match=f"'{X86.iso}' is not of this release"):
        verify.verify(root, trusted(root, tmp_path))


def test_a_file_that_is_larger_than_any_of_a_release_is_not_read(root: Path, signers: Path) -> None:
    with (root / X86.iso).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ReportedError, match=f"'{X86.iso}' is too large: it has more than"):
        verify.verify(root, signers)


@pytest.mark.parametrize("name", [name for name in OF_X86 if name != X86.provenance])
def test_packing_the_other_architecture_takes_over_no_changed_file(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pack_both(root, monkeypatch)
    change(name)(root)
    (root / ARM.flat).unlink()
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    with pytest.raises(ReportedError, match=f"'{name}' was changed"):
        pack.pack(root)


@pytest.mark.parametrize("fault", [change, remove])
@pytest.mark.parametrize("name", X86.results)
def test_what_was_changed_or_lost_is_packed_again_and_then_signed(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[str], Callable[[Path], object]],
    name: str,
) -> None:
    pack_both(root, monkeypatch)
    fault(name)(root)
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key")))
    monkeypatch.setenv("ARCH", "x86_64")
    pack.pack(root)
    names = verify.verify(root, trusted(root, tmp_path))
    assert {*names} == {*X86.results, *ARM.results, *X86.of_key, verify.SIGNATURE}


def test_the_key_of_somebody_else_is_not_trusted(
    root: Path, signers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_with_another(root, tmp_path, monkeypatch)
    with pytest.raises(ReportedError, match=r"signed by a key that .* does not trust"):
        verify.verify(root, signers)
    verify.verify(root, root / verify.SIGNERS)


def test_a_signature_that_the_key_made_for_something_else_is_not_one_of_a_release(
    root: Path, signers: Path, key: Path
) -> None:
    (root / verify.SIGNATURE).unlink()
    of_file = ["-n", "file", str(root / verify.CHECKSUMS)]
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), *of_file], check=True)
    assert (root / verify.SIGNATURE).exists()
    with pytest.raises(ReportedError, match="is not a signature"):
        verify.verify(root, signers)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["SIGNERS={}"], 0, ""),
        (["SIGNERS={}", "VERSION=0.1.0"], 0, ""),  # of tests.fakes.release
        (["SIGNERS={}", "VERSION=0.0.9"], 1, "is of version '0.1.0', and not of VERSION=0.0.9"),
        (["SIGNERS={}", "VERSION="], 1, "VERSION= is no version"),
        (["SIGNERS={}", "VERSION=v0.1.0"], 1, "VERSION=v0.1.0 is no version"),
        ([], 1, "tinkie.allowed_signers lies beside the files"),
        (["SIGNERS=none"], 1, "SIGNERS=none is no file"),
    ],
)
def test_make_verify_needs_the_name_of_a_key_and_python_alone(
    root: Path, signers: Path, words: list[str], status: int, message: str
) -> None:
    given = [word.format(signers) for word in words]
    done = subprocess.run(
        ["make", "-C", PROJECT, "verify", f"RELEASE={root}", *given],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == (status != 0)
    assert message in done.stderr
    assert ("good  checksum.txt\n" in done.stdout) == (status == 0)


def test_the_fingerprint_of_the_releases_own_key_is_printed(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack.pack(root)
    monkeypatch.setattr(sys, "argv", ["verify", str(root)])
    with pytest.raises(SystemExit) as ended:
        verify.main()
    shown = subprocess.check_output(["ssh-keygen", "-l", "-f", key], text=True).split()[1]
    assert shown in str(ended.value)
    assert "good" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "tinkie {other} {own}\n",  # the own key as a comment
        'tinkie namespaces="tinkie-release" {other}\ntinkie namespaces="tinkie-release" {own}\n',
        'tinkie cert-authority,namespaces="tinkie-release" {own}\n',
        'tinkie namespaces="tinkie-release" {own} comment\n',
        'tinkie namespaces="tinkie-release" ssh-ed25519 AAAA\n',
        "# {own}\n",
        "",
        "\udcff",
    ],
)
def test_no_fingerprint_is_printed_of_a_file_that_would_trust_more(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    pack.pack(root)
    own = " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])
    other = own[:-4] + ("abcd" if own[-4:] != "abcd" else "dcba")
    content = text.format(own=own, other=other).encode(errors="surrogateescape")
    (root / verify.SIGNERS).write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["verify", str(root)])
    with pytest.raises(SystemExit) as ended:
        verify.main()
    assert "do not trust it" in str(ended.value)
    assert "SHA256:" not in str(ended.value)


@pytest.mark.parametrize("name", ["vmlinuz-x86_64", "initramfs-aarch64", "tinkie-9.iso"])
def test_what_a_boot_server_could_take_for_the_release_is_named(
    root: Path, signers: Path, name: str
) -> None:
    (root / name).symlink_to("nowhere")
    with pytest.raises(ReportedError, match=f"'{name}' is not of this release"):
        verify.verify(root, signers)


def test_the_same_key_signs_the_same_bytes(root: Path, signers: Path) -> None:
    before = {name: (root / name).read_bytes() for name in (*SIGNED, verify.SIGNATURE)}
    assert pack.pack(root)
    assert {name: (root / name).read_bytes() for name in before} == before
    verify.verify(root, signers)


def test_both_architectures_have_one_signature(
    root: Path, signers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    assert {X86.iso, Names(AARCH64).iso, X86.osie} <= set(verify.verify(root, signers))


def test_a_release_of_other_files_keeps_no_signature(
    root: Path, signers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signers.exists()
    monkeypatch.delenv("SIGN")
    assert not pack.pack(root)
    assert (root / verify.SIGNATURE).exists()
    (root / "out" / "initramfs-x86_64").write_bytes(b"newer")
    pack.pack(root)
    assert {path.name for path in root.iterdir() if path.is_file()} == set(X86.results)


def test_every_file_of_a_release_has_a_name_that_verify_looks_for() -> None:
    names = [name for one in (X86, Names(AARCH64)) for name in (*one.results, *one.of_key)]
    assert [name for name in names if not name.startswith(verify.PREFIXES)] == [
        verify.CHECKSUMS
    ] * 2


def _archive(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar}
        return {name: file.read() for name, file in files.items() if file}


def test_every_manifest_of_the_oci_image_is_signed_by_the_releases_key(
    root: Path, signers: Path
) -> None:
    assert signers.exists()
    image, found = _archive(root / X86.oci), _archive(root / X86.oci_signatures)
    (entry,) = json.loads(image["index.json"])["manifests"]
    index = json.loads(image[f"blobs/{entry['digest'].replace(':', '/')}"])
    digests = [entry["digest"], *(node["digest"] for node in index["manifests"])]
    public = load_pem_public_key((root / PEM).read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    signed = {}
    for one in json.loads(found["index.json"])["manifests"]:
        (layer,) = json.loads(found[f"blobs/{one['digest'].replace(':', '/')}"])["layers"]
        payload = found[f"blobs/{layer['digest'].replace(':', '/')}"]
        public.verify(b64decode(layer["annotations"][oci.SIGNATURE]), payload)
        signed[one["annotations"][oci.REF_NAME]] = json.loads(payload)["critical"]["image"]
    assert signed == {
        f"{digest.replace(':', '-')}.sig": {"docker-manifest-digest": digest} for digest in digests
    }


def test_no_file_of_a_release_has_the_private_key(root: Path, signers: Path, key: Path) -> None:
    assert signers.exists()
    body = "".join(key.read_text().splitlines()[1:-1])
    secrets = [b64decode(body)[-100:], body[-60:].encode(), b"PRIVATE KEY", str(key).encode()]
    for path in root.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if secret in content]


@pytest.fixture
def _agent(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent of the user."""
    assert root.exists()
    with signing._own_agent() as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        yield


@pytest.mark.usefixtures("_agent")
def test_a_key_in_an_agent_signs_by_its_public_part(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path / "key")
    subprocess.run(["ssh-add", "-q", key], check=True)
    key.unlink()
    monkeypatch.setenv("SIGN", f"{key}.pub")
    pack.pack(root)
    verify.verify(root, trusted(root, tmp_path))


@pytest.mark.usefixtures("_agent")
def test_a_public_key_whose_private_part_no_agent_has_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN", f"{make_key(tmp_path / 'key')}.pub")
    with pytest.raises(ReportedError, match="no agent has its private part"):
        pack.pack(root)
    assert not (root / verify.SIGNATURE).exists()


def _askpass(folder: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = folder / "askpass"
    script.write_text(f"#!/bin/sh\necho {shlex.quote(answer)}\n")
    script.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(script))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")


def test_a_passphrase_unlocks_the_key(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key", passphrase=PASSPHRASE)))
    _askpass(tmp_path, PASSPHRASE, monkeypatch)
    pack.pack(root)
    verify.verify(root, trusted(root, tmp_path))


# What may be in a file of public keys: ssh-keygen takes the first line that is one.
AROUND = [
    " {}",
    "\n\n{}",
    "\t{}",
    "# a comment\n{}",
    "# PRIVATE KEY\n{}",
    "ssh-ed25519 AAAA\n{}",
    "ssh-ed25519 \udcff\n{} \udcff",
    "{}\n{rsa}",
    "{}\n{other}",
    "{}\r",
]


@pytest.mark.usefixtures("_agent")
@pytest.mark.parametrize("form", AROUND)
def test_the_first_public_key_of_a_file_signs_whatever_is_around_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    key = make_key(tmp_path / "key")
    subprocess.run(["ssh-add", "-q", key], check=True)
    more = {name: public_line(make_key(tmp_path / name, kind)) for name, kind in OTHERS.items()}
    text = f"{form.format(public_line(key), **more)}\n"
    (tmp_path / "file").write_bytes(text.encode(errors="surrogateescape"))
    monkeypatch.setenv("SIGN", str(tmp_path / "file"))
    pack.pack(root)
    verify.verify(root, trusted(root, tmp_path))
    assert public_line(key) in (root / verify.SIGNERS).read_text()


OTHERS = {"rsa": "rsa", "other": "ed25519"}


def public_line(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def test_a_public_key_after_one_of_another_type_is_not_the_one_that_signs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_key(tmp_path / "rsa", "rsa"), make_key(tmp_path / "key")
    (tmp_path / "file").write_text(f"{public_line(first)}\n{public_line(second)}\n")
    monkeypatch.setenv("SIGN", str(tmp_path / "file"))
    with pytest.raises(ReportedError, match=r"another type, \(RSA\)"):
        pack.pack(root)


def test_a_private_key_is_none_of_the_public_keys_behind_it(
    root: Path, tmp_path: Path, key: Path
) -> None:
    text = f"{key.read_text()}{public_line(key)}\n"
    key.write_text(text)
    pack.pack(root)  # no agent has it
    verify.verify(root, trusted(root, tmp_path))


@pytest.mark.parametrize("text", ["", "words\n", "\n-----BEGIN OPENSSH PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_refused_with_the_words_of_ssh_keygen(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "file").write_text(text)
    monkeypatch.setenv("SIGN", str(tmp_path / "file"))
    message = f"reading the key {tmp_path}/file failed: .*: {tmp_path}/file is not a public key"
    with pytest.raises(ReportedError, match=message):
        pack.pack(root)
    assert [path for path in root.iterdir() if path.is_file()] == []


@pytest.fixture
def nobody() -> Iterator[None]:
    """Be a user who may read nothing of root; whoever is not root is one already."""
    user = os.geteuid()
    os.seteuid(NOBODY if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


NOBODY = 65534


@pytest.mark.usefixtures("root")
def test_a_key_that_this_user_may_not_read_is_refused_for_that(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101, S103 - nothing lies there but the key
        key = make_key(Path(folder) / "key")
        key.chmod(0)
        monkeypatch.setenv("SIGN", str(key))
        request.getfixturevalue("nobody")
        with pytest.raises(ReportedError, match=f"{key}: Permission denied; let this user read it"):
            signing.wanted()
        os.seteuid(os.getuid())


@pytest.mark.parametrize("answer", ["wrong", ""])
def test_without_the_passphrase_there_is_a_release_without_a_signature(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key", passphrase=PASSPHRASE)))
    monkeypatch.setattr(signing, "PERSON_SECONDS", 2.0)  # ssh-add asks again until it gets nothing
    _askpass(tmp_path, answer, monkeypatch)
    with pytest.raises(ReportedError, match="give the passphrase on a terminal"):
        pack.pack(root)
    assert {path.name for path in root.iterdir() if path.is_file()} == set(X86.results)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_key_of_another_type_is_refused_before_anything_is_built(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("SIGN", str(make_key(tmp_path / "key", kind)))
    with pytest.raises(ReportedError, match=rf"another type, \({kind.upper()}\)"):
        pack.pack(root)
    assert [path for path in root.iterdir() if path.is_file()] == []


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (["rsa"], r"another type, \(RSA\)"),
        (["rsa", "-m", "PEM"], r"another type, \(RSA\)|reading the key .*key failed"),
        (["ecdsa"], r"another type, \(ECDSA\)"),
        (["ed25519"], "key.pub is not the public part of SIGN="),
    ],
)
def test_a_key_beside_the_public_part_of_another_is_refused_before_anything_is_built(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: list[str],
    message: str,
    *,
    passphrase: str,
) -> None:
    key = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-N", passphrase, "-f", str(key), "-t", *kind]
    subprocess.run(command, check=True)
    key.with_name("key.pub").write_bytes(
        make_key(tmp_path / "other").with_name("other.pub").read_bytes()
    )
    monkeypatch.setenv("SIGN", str(key))
    with pytest.raises(ReportedError, match=message):
        pack.pack(root)
    assert [path for path in root.iterdir() if path.is_file()] == []


def test_a_key_without_a_public_part_beside_it_signs(root: Path, tmp_path: Path, key: Path) -> None:
    key.with_name("key.pub").unlink()
    pack.pack(root)
    verify.verify(root, trusted(root, tmp_path))


def test_a_key_that_is_not_there_is_an_error(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN", str(tmp_path / "none"))
    with pytest.raises(ReportedError, match=r"SIGN=.*none: there is no such file; make one"):
        pack.pack(root)


def test_a_key_that_others_can_read_is_refused_as_ssh_does(root: Path, key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(ReportedError, match="too open"):
        pack.pack(root)


def test_nothing_but_an_ed25519_key_signs(root: Path, tmp_path: Path) -> None:
    assert root.exists()  # no agent is there
    key = make_key(tmp_path / "key", "rsa")
    with pytest.raises(ReportedError, match="is not one Ed25519 key"), signing.signer(key):
        pass


def test_of_an_agents_answer_no_more_is_read_than_a_signature_can_have(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "PERSON_SECONDS", 2.0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "agent"))
        listener.listen()
        served = threading.Thread(target=_answer_without_end, args=(listener,))
        served.start()
        signer = signing.Signer(public_line(key), str(tmp_path / "agent"))
        with pytest.raises(ReportedError, match="did not return a signature of this key"):
            signer.sign(b"content")
        served.join()


def _answer_without_end(listener: socket.socket) -> None:
    """Announce more than ever comes, and keep the connection until the client ends it."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(struct.pack(">I", 1_000_000) + bytes(signing.ANSWER_BYTES))
        while connection.recv(1000):
            pass


def test_what_an_agent_prints_instead_of_its_address_is_reported(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "ssh-agent"
    program.parent.mkdir()
    program.write_bytes(b"#!/bin/sh\necho '\xff: no agent'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with (
        pytest.raises(ReportedError, match="starting ssh-agent failed: \ufffd: no agent"),
        signing.signer(key),
    ):
        pass


def test_the_agent_that_is_started_for_a_key_ends(key: Path) -> None:
    with signing.signer(key) as signer:
        assert os.path.exists(signer.agent)  # noqa: PTH110 - a socket
        assert signer.sign(b"one") != signer.sign(b"two")
    assert not os.path.exists(signer.agent)  # noqa: PTH110 - a socket
    with pytest.raises(ReportedError, match="signing failed: the agent at"):
        signer.sign(b"three")
