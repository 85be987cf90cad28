"""What may sign a unified kernel image, and what the build then hands to the engine."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release import base, engine, uki
from release.arch import ALL, X86_64, Architecture
from release.errors import ReportedError
from release.process import Finished
from release.version import PROJECT
from tests.keys import signing_key
from tests.locks import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
ED25519 = ("-newkey", "ed25519", "-nodes")
WITH_PASSWORD = ("-newkey", "rsa:2048", "-passout", "pass:secret")


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key that the environment names, with its certificate beside it."""
    key, _ = signing_key(tmp_path, "db")
    monkeypatch.setenv("UKI", str(key))
    return key


def test_nothing_is_signed_unless_a_key_is_given() -> None:
    assert uki.wanted() is None


@pytest.mark.parametrize("name", ["UKI_CERT", "UKI_CMDLINE"])
def test_a_variable_without_the_key_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "something")
    with pytest.raises(ReportedError, match=f"{name} without UKI: give the private key"):
        uki.wanted()


def test_the_certificate_is_beside_the_key_and_a_few_words_are_fixed(given: Path) -> None:
    assert uki.wanted() == uki.Signer(given, given.with_name("db.crt"), uki.DEFAULT_WORDS)


def test_certificate_and_words_can_be_given(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = given.with_name("db.crt").rename(tmp_path / "certificate.pem")
    monkeypatch.setenv("UKI_CERT", str(elsewhere))
    monkeypatch.setenv("UKI_CMDLINE", ' console=ttyS0 name="a  value" \n')
    assert uki.wanted() == uki.Signer(given, elsewhere, 'console=ttyS0 name="a  value"')


@pytest.mark.parametrize("options", [EC, ED25519, WITH_PASSWORD])
def test_a_key_that_firmware_or_build_cannot_use_is_refused(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI", str(signing_key(tmp_path, "bad", *options)[0]))
    with pytest.raises(ReportedError, match="UKI needs an RSA key in PEM, without a password"):
        uki.wanted()


def test_a_certificate_with_a_private_key_is_refused(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be a file of the build."""
    both = given.parent / "both.pem"
    parts = [given.parent / name for name in ("db.key", "db.crt")]
    both.write_text("".join(part.read_text() for part in parts))
    monkeypatch.setenv("UKI_CERT", str(both))
    with pytest.raises(ReportedError, match=r"both\.pem has a private key in it"):
        uki.wanted()


def test_a_certificate_of_another_key_is_refused(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI_CERT", str(signing_key(given.parent, "other")[1]))
    with pytest.raises(ReportedError, match=r"other\.crt is not of the key .*db\.key"):
        uki.wanted()


@pytest.mark.parametrize(("lost", "hint"), [("db.key", "UKI is"), ("db.crt", "UKI_CERT is")])
def test_a_missing_file_is_named(lost: str, hint: str, given: Path) -> None:
    given.with_name(lost).unlink()
    with pytest.raises(ReportedError, match=f"{lost} is missing: {hint} the path"):
        uki.wanted()


@pytest.mark.parametrize("words", ["naïve", "a\x07b", "a\nb", "x" * 2048])
@pytest.mark.usefixtures("given")
def test_words_that_the_kernel_would_not_get_are_refused(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI_CMDLINE", words)
    with pytest.raises(ReportedError, match="UKI_CMDLINE cannot be signed"):
        uki.wanted()


def test_a_key_in_a_folder_that_builds_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKI", str(PROJECT / "images" / "db.key"))
    with pytest.raises(ReportedError, match="is in the project's folder"):
        uki.wanted()


def test_a_new_signature_is_needed_for_other_words_and_another_certificate(tmp_path: Path) -> None:
    one, other = (uki.Signer(*signing_key(tmp_path, name), "words") for name in ("a", "b"))
    identities = {one.identity, other.identity, uki.Signer(one.key, one.certificate, "x").identity}
    assert len(identities) == 3


class Engine:
    """Records the builds, and what the context of the last one has."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.context: dict[str, bytes] = {}

    def run(self, _what: str, command: list[str], **_keywords: Any) -> Finished:
        self.commands.append(command)
        self.context = {path.name: path.read_bytes() for path in Path(command[-1]).iterdir()}
        if destination := self.option("output").get("dest"):
            Path(destination).mkdir()
            (Path(destination) / "signed.efi").write_bytes(b"signed")
            (Path(destination) / "parts.tar").write_bytes(b"parts")
        return Finished(0)

    def option(self, name: str) -> dict[str, str]:
        """Return the fields of an option of the last build, as docker reads them."""
        values = [
            word.partition("=")[2] for word in self.commands[-1] if word.startswith(f"--{name}=")
        ]
        (row,) = csv.reader(values) if values else ([],)
        return dict(field.partition("=")[::2] for field in row)


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that only records."""

    @contextmanager
    def running() -> Iterator[str]:
        yield "unix:///none"

    recorder = Engine()
    monkeypatch.setattr(engine, "running", running)
    monkeypatch.setattr(uki, "run", recorder.run)
    return recorder


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("name", ["plain", "a,b", 'a"b', "a, b=c,type=registry"])
def test_the_key_is_a_secret_of_the_build_and_not_in_its_context(
    target: Architecture, name: str, tmp_path: Path, builder: Engine
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    key, certificate = signing_key(folder, "db")
    for part in ("vmlinuz", "initramfs"):
        (folder / part).write_text(part)
    files = {part: folder / part for part in ("vmlinuz", "initramfs")}
    signer = uki.Signer(key, certificate, "quiet")
    assert uki.write(folder / "x.efi", files, signer, target) == b"parts"
    assert (folder / "x.efi").read_bytes() == b"signed"
    assert builder.option("secret") == {"id": "key", "src": str(key)}
    assert f"--build-arg=EFI={target.efi}" in builder.commands[-1]
    assert set(builder.context) == {"vmlinuz", "initramfs", "cmdline", "os-release", "cert.pem"}
    assert builder.context["cmdline"] == b"quiet"
    assert not any(b"PRIVATE" in content for content in builder.context.values())
    assert not any("PRIVATE" in word for command in builder.commands for word in command)


def test_no_build_that_has_the_key_reaches_a_network(tmp_path: Path, builder: Engine) -> None:
    uki.write(tmp_path / "x.efi", {}, uki.Signer(*signing_key(tmp_path, "db"), "quiet"), X86_64)
    networks = {
        any(word.startswith("--secret=") for word in command): word
        for command in builder.commands
        for word in command
        if word.startswith("--network=")
    }
    assert networks == {False: "--network=host", True: "--network=none"}


def test_no_other_build_replaces_the_images_of_an_add_ons_build(
    tmp_path: Path, builder: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    others: list[bool] = []

    def step(*_arguments: Any, **_keywords: Any) -> None:
        others.append(not is_held(tmp_path / "images.lock"))

    def run(*arguments: Any, **keywords: Any) -> Finished:
        step()
        return builder.run(*arguments, **keywords)

    monkeypatch.setattr(base, "provide", step)
    monkeypatch.setattr(uki, "run", run)
    uki.write_addon(
        tmp_path / "x.addon.efi", uki.Signer(*signing_key(tmp_path, "db"), "a=b"), X86_64
    )
    assert len(others) == 1 + len(builder.commands)
    assert not any(others)


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [("", "x.addon.efi", "an add-on needs"), ("a=b", "x.efi", "reads \\*.addon.efi only")],
)
@pytest.mark.usefixtures("given")
def test_an_add_on_needs_words_and_a_name_that_is_read(
    words: str, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI_CMDLINE", words)
    monkeypatch.setattr("sys.argv", ["release.uki", name])
    with pytest.raises(SystemExit, match=message):
        uki.main()
