"""Kernel, initramfs and words of the kernel command line as one signed EFI program (ADR 23).

`make dist UKI=key` adds that unified kernel image to a release. `python -m release.uki FILE` writes
an add-on: more words, signed with the same key, for machines that have the file beside the image.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release import arch, assemble, base, engine, images, keys
from release.arch import Architecture
from release.cache import digest
from release.errors import ReportedError, reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT, source_date_epoch
from tinkie.parameters.cmdline import KEPT_BYTES

FOLDER = PROJECT / "images" / "uki"
KEY, CERTIFICATE, WORDS = "UKI", "UKI_CERT", "UKI_CMDLINE"  # variables
SUFFIX = ".crt"  # of the certificate beside a key
DEFAULT_WORDS = "quiet"
BUILD = ("docker", "buildx", "build", "--quiet")
TOOLS = "tinkie/uki:build"  # the image of what signs


@dataclass(frozen=True)
class Signer:
    """The operator's key and certificate, as paths of PEM files, and the words to sign."""

    key: Path
    certificate: Path
    words: str

    @property
    def identity(self) -> str:
        """A digest of what changes the signed file: certificate and words."""
        return digest([self.certificate], self.words)


def wanted() -> Signer | None:
    """Return what the environment variables UKI, UKI_CERT and UKI_CMDLINE ask for, if they do.

    Raises ReportedError if the key cannot sign: no RSA key in PEM without a password, or no
    certificate of that key.
    """
    given = {name: os.environ.get(name, "") for name in (KEY, CERTIFICATE, WORDS)}
    if not given[KEY]:
        if useless := [name for name in (CERTIFICATE, WORDS) if given[name]]:
            raise ReportedError(f"{useless[0]} without {KEY}: give the private key by {KEY}=file")
        return None
    key = Path(given[KEY]).resolve()
    certificate = Path(given[CERTIFICATE]).resolve() if given[CERTIFICATE] else _beside(key)
    signer = Signer(key, certificate, given[WORDS].strip() or DEFAULT_WORDS)
    _check(signer)
    return signer


def write(path: Path, files: Mapping[str, Path], signer: Signer, target: Architecture) -> bytes:
    """Write a unified kernel image of these files (vmlinuz, initramfs: their paths) to path.

    Return what is in it besides these files, for manifest.add.

    Raises ReportedError. Needs the base image, inside images.locked_names().
    """
    return _sign(path, files, signer, target, "building the unified kernel image")


def write_addon(path: Path, signer: Signer, target: Architecture) -> None:
    """Write an add-on with the signer's words to path. Raises ReportedError."""
    with engine.running() as host, images.locked_names():
        base.provide(os.environ | {"DOCKER_HOST": host}, Progress(), refresh=False)
        _sign(path, {}, signer, target, "building the add-on")


def _sign(
    path: Path, files: Mapping[str, Path], signer: Signer, target: Architecture, what: str
) -> bytes:
    with engine.running() as host, tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        context, out = folder / "in", folder / "out"
        context.mkdir()
        for inside, file in files.items():
            os.link(file, context / inside)
        shutil.copy(signer.certificate, context / "cert.pem")
        (context / "cmdline").write_text(signer.words)
        (context / "os-release").write_text(assemble.os_release())
        environment = os.environ | {"DOCKER_HOST": host}
        command = [*BUILD, "--network=host", "--target=tools", f"--tag={TOOLS}"]
        command += [f"--build-arg=DEBIAN={target.debian}", str(FOLDER)]
        run("installing the tools that sign", command, env=environment, seconds=None)
        # The step that has the key must not reach a network.
        command = [*BUILD, "--network=none", f"--file={FOLDER}/Dockerfile"]
        command += [f"--output={engine.fields(type='local', dest=out)}"]
        command += [f"--secret={engine.fields(id='key', src=signer.key)}"]
        command += [f"--build-arg=SOURCE_DATE_EPOCH={source_date_epoch()}"]
        command += [f"--build-arg=EFI={target.efi}", str(context)]
        run(what, command, env=environment, seconds=None)
        (out / "signed.efi").rename(path)
        return (out / "parts.tar").read_bytes()


def _beside(key: Path) -> Path:
    """Return the usual path of a key's certificate."""
    return key.with_suffix(SUFFIX)


def _check(signer: Signer) -> None:
    key, certificate, words = signer.key, signer.certificate, signer.words
    keys.check_outside(KEY, key)
    for path, remedy in (
        (key, f"{KEY} is the path of an RSA private key in PEM"),
        (certificate, f"{CERTIFICATE} is the path of the certificate in PEM"),
    ):
        if not path.is_file():
            raise ReportedError(f"{path} is missing: {remedy}")
    if b"PRIVATE KEY" in certificate.read_bytes():
        raise ReportedError(
            f"{certificate} has a private key in it, which builds must not read: "
            "give a file with the certificate alone"
        )
    if not (words.isascii() and words.isprintable()) or len(words) > KEPT_BYTES:
        raise ReportedError(
            f"{WORDS} cannot be signed: it needs printable ASCII, {KEPT_BYTES} characters at most"
        )
    no_password = "pass:"  # noqa: S105 - else openssl would ask for one
    of_key: list[str | Path] = ["openssl", "rsa", "-in", key, "-passin", no_password, "-pubout"]
    public = run(
        f"reading the private key {key}",
        of_key,
        remedy=f"{KEY} needs an RSA key in PEM, without a password; firmware takes no other kind",
    )
    of_certificate: list[str | Path] = ["openssl", "x509", "-in", certificate, "-noout", "-pubkey"]
    if run(f"reading the certificate {certificate}", of_certificate).text != public.text:
        raise ReportedError(
            f"{certificate} is not of the key {key}: give its certificate by {CERTIFICATE}=file"
        )


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.uki", description=__doc__)
    parser.add_argument("file", type=Path, help="the add-on to write: NAME.addon.efi")
    arguments = parser.parse_args()
    with reported_errors():
        signer = wanted()
        if signer is None or not os.environ.get(WORDS):
            raise ReportedError(f"an add-on needs the private key by {KEY}, and words by {WORDS}")
        if not arguments.file.name.endswith(".addon.efi"):
            raise ReportedError(
                f"{arguments.file}: the firmware's program reads *.addon.efi only; name it so"
            )
        write_addon(arguments.file.resolve(), signer, arch.wanted())


if __name__ == "__main__":
    main()
