"""`python -m release.verify [FOLDER]`: check a release's signature, its checksums and its files.

SIGNERS names the file with the keys that are trusted (ssh-keygen(1), "ALLOWED SIGNERS"). VERSION,
if it is given, is the only version that is good: an older release has a good signature, too.
Status 0: all is as the publisher signed it. Status 1, and one line for each fault: it is not. It
needs nothing of a build, only Python's standard library, and writes nothing.
"""

import argparse
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from release.errors import ReportedError, reported_errors
from release.process import run
from release.version import VARIABLE as VERSION
from release.version import given

VARIABLE = "SIGNERS"
IDENTITY = "tinkie"
NAMESPACE = "tinkie-release"  # a signature that the key makes for anything else is not valid here
CHECKSUMS = "checksum.txt"
SIGNATURE = f"{CHECKSUMS}.sig"
SIGNERS = "tinkie.allowed_signers"
LINE = re.compile(r"([0-9a-f]{128})  ([\w.-]+)", re.ASCII)
OSIE_LINE = re.compile(r"SHA512 \(([\w.-]+)\) = ([0-9a-f]{128})", re.ASCII)
OSIE_SUM = ".sha512sum"
# What a release's files are called, and what boot servers take from it; others may lie beside.
PREFIXES = ("tinkie-", "tinkie.", "osie-", "manifest-", "dtbs-", "vmlinuz-", "initramfs-")
# The release's own allowed signers: one key, or the fingerprint would be that of another one.
OWN_KEY = re.compile(rf'{IDENTITY} namespaces="{NAMESPACE}" (ssh-ed25519 [A-Za-z0-9+/=]+)\n')
# The most that is read of a file: many times what a release has.
CHECKSUMS_BYTES = 100_000
SIGNATURE_BYTES = 10_000
SIGNERS_BYTES = 100_000  # a thousand keys
OWN_KEY_BYTES = 1000
OSIE_SUM_BYTES = 1000
MANIFEST = re.compile(r"manifest-\w+\.json", re.ASCII)
MANIFEST_BYTES = 5_000_000
FILE_BYTES = 4_000_000_000
TOO_LARGE = f"more than {FILE_BYTES} bytes, and no file of a release has"
AGAIN = "do not use this release; download it again, from another server if that does not help"


def verify(folder: Path, signers: Path, version: str = "") -> list[str]:
    """Check a release in a folder; return the names of its files.

    signers: the keys that are trusted. version: the only one that is good; none: any is.
    Raises ReportedError, with a line for each fault.
    """
    verify_signature(folder, signers)
    sums = _sums(folder)
    found = [*faults(folder, sums, CHECKSUMS), *strangers(folder, sums, CHECKSUMS)]
    if version and not found:
        found = list(_other_versions(folder, sums, version))
    if found:
        raise ReportedError("\n  ".join([f"{folder}: {AGAIN}", *found]))
    return [*sums, CHECKSUMS, SIGNATURE]


def verify_signature(folder: Path, signers: Path) -> None:
    """Check the signature of a release's checksums. Raises ReportedError."""
    for name in (CHECKSUMS, SIGNATURE):
        if not (folder / name).is_file():
            message = f"{folder} has no {name}: the release is not signed, or it is not complete"
            raise ReportedError(f"{message}; {AGAIN}")
    read_bounded(folder / CHECKSUMS, CHECKSUMS_BYTES)
    read_bounded(folder / SIGNATURE, SIGNATURE_BYTES)
    read_bounded(signers, SIGNERS_BYTES)
    if _ssh_keygen(folder, "verify", "-f", signers, "-I", IDENTITY):
        return
    if not is_signature(folder):
        message = f"{SIGNATURE} is not a signature of this {CHECKSUMS}: one of them was changed"
        raise ReportedError(f"{message}; {AGAIN}")
    message = f"{CHECKSUMS} is signed by a key that {signers} does not trust for {IDENTITY}"
    raise ReportedError(f"{message}; get the publisher's key, or do not use this release")


def is_signature(folder: Path) -> bool:
    """Return whether the signature is one of a release's checksums, of whatever key."""
    return _ssh_keygen(folder, "check-novalidate")


def _ssh_keygen(folder: Path, how: str, *more: str | Path) -> bool:
    """Return whether the signature is good in a way of ssh-keygen."""
    command = ["ssh-keygen", "-Y", how, *more, "-n", NAMESPACE, "-s", folder / SIGNATURE]
    with (folder / CHECKSUMS).open("rb") as file:
        return run("checking the signature", command, stdin=file, check=False).code == 0


def _sums(folder: Path) -> dict[str, str]:
    """Return the SHA-512 of each file by its name, from checksum.txt and the list that it names.

    The file of the oldest form has its own list, which has to be in checksum.txt.
    """
    found = {}
    for line in _text(folder / CHECKSUMS, CHECKSUMS_BYTES).splitlines():
        match = LINE.fullmatch(line)
        if not match:
            raise ReportedError(f"{CHECKSUMS} has a line of another form: {line!r}; {AGAIN}")
        found[match[2]] = match[1]
    for name in [name for name in found if name.endswith(OSIE_SUM)]:
        path = folder / name
        if not path.is_file() or sha512(path) != found[name]:
            continue  # faults names it
        match = OSIE_LINE.fullmatch(_text(path, OSIE_SUM_BYTES).strip())
        if not match:
            raise ReportedError(f"{name!r} has a line of another form; {AGAIN}")
        found[match[1]] = match[2]
    return found


def faults(folder: Path, sums: Mapping[str, str], source: str) -> Iterator[str]:
    """Yield a line for each file that is missing, or whose SHA-512 source does not name."""
    for name, wanted in sums.items():
        path = folder / name
        if not path.is_file():
            yield f"{name!r} is missing"
        elif path.stat().st_size > FILE_BYTES:
            yield f"{name!r} is too large: it has {TOO_LARGE}"
        elif sha512(path) != wanted:
            yield f"{name!r} was changed: its SHA-512 is not that of {source}"


def strangers(folder: Path, known: Collection[str], source: str) -> Iterator[str]:
    """Yield a line for each file that has a name as a release's, and that source does not name."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(PREFIXES) and path.name not in known:
            yield f"{path.name!r} is not of this release: {source} does not name it"


def _other_versions(folder: Path, sums: Mapping[str, str], version: str) -> Iterator[str]:
    """Yield a line for each manifest of another version, and one if there is no manifest."""
    names = [name for name in sums if MANIFEST.fullmatch(name)]
    if not names:
        yield f"it has no manifest, so its version cannot be compared with {VERSION}={version}"
    for name in names:
        found = read_manifest(folder / name).get("version")
        if found != version:
            yield f"{name!r} is of version {found!r}, and not of {VERSION}={version}"


def read_manifest(path: Path) -> dict[str, object]:
    """Return a manifest, whose content is not checked. Raises ReportedError, OSError."""
    try:
        found = json.loads(read_bounded(path, MANIFEST_BYTES))
    except (ValueError, RecursionError) as error:
        raise ReportedError(f"reading the manifest {path} failed: {error}") from None
    if not isinstance(found, dict):
        raise ReportedError(f"reading the manifest {path} failed: it is not a JSON object")
    return found


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of a file that somebody else wrote. Raises ReportedError, OSError."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        message = f"{path} has more than {most} bytes, and none of a release is so large"
        raise ReportedError(f"{message}: it was not read; {AGAIN}")
    return content


def _text(path: Path, most: int) -> str:
    return read_bounded(path, most).decode(errors="replace")


def sha512(path: Path) -> str:
    """Return a file's SHA-512 as sha512sum prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _trusted(folder: Path) -> Path:
    """Return the file that SIGNERS names; the release's own is not taken unasked."""
    name = os.environ.get(VARIABLE, "")
    if name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise ReportedError(f"{VARIABLE}={name} is no file")
        return path
    own = folder / SIGNERS
    message = f"{VARIABLE} is missing: name the file with the publisher's key"
    if not own.is_file():
        raise ReportedError(f"{message} (SECURITY.md has its form)")
    raise ReportedError(
        f"{message}. {own} lies beside the files, so anybody may have put it there: compare its"
        f" key {_fingerprint(own)} with what the publisher names, then give {VARIABLE}={own}"
    )


def _fingerprint(signers: Path) -> str:
    """Return the fingerprint of the one key in the release's own file.

    Raises ReportedError if anything else is in it: it would be trusted as well.
    """
    match = OWN_KEY.fullmatch(_text(signers, OWN_KEY_BYTES))
    command = ["ssh-keygen", "-l", "-f", "-"]
    shown = match and run("reading the key", command, stdin=f"{match[1]}\n", check=False)
    if not shown or shown.code:
        raise ReportedError(f"{signers} is not one line with one key: do not trust it; {AGAIN}")
    return shown.text.split()[1]


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.verify", description=__doc__)
    parser.add_argument("folder", nargs="?", default=".", type=Path)
    folder = parser.parse_args().folder
    with reported_errors():
        version = given()
        for name in verify(folder, _trusted(folder), version):
            print(f"good  {name}")
        if version:
            print(f"it is version {version}")
        else:
            print(
                f"the version was not compared; give {VERSION}=x.y.z: an old release is good, too"
            )


if __name__ == "__main__":
    main()
