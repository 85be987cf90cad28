"""A machine whose firmware trusts one key only: Secure Boot as its owner sets it up."""

import sys
from pathlib import Path

from release.process import run
from sandbox.platforms import Platform

PROGRAM = Path(sys.executable).parent / "virt-fw-vars"
VARIABLES = ("PK", "KEK", "db", "dbx")
OWNER = "a9d2ed7b-0e7a-4a3c-9d0e-0c3d4c2f5b11"  # any GUID: firmware stores it beside the key


def enrol(platform: Platform, certificate: Path, folder: Path, *, is_on: bool = True) -> None:
    """Write firmware variables for a machine that trusts only this certificate (PEM).

    The certificate becomes PK, KEK and db. folder: the machine's folder, before it is powered on
    for the first time. is_on: whether Secure Boot is on, so that the firmware verifies signatures.
    Raises ReportedError.
    """
    delivered = platform.flash["UEFI with Secure Boot"].variables
    words: list[str | Path] = ["--input", delivered, "--output", platform.variables(folder)]
    for name in VARIABLES:
        words += ["--delete", name]
    for option in ("--set-pk", "--add-kek", "--add-db"):
        words += [option, OWNER, certificate]
    words += ["--sb"] if is_on else ["--set-false", "SecureBootEnable"]
    _change("enrolling a key in the firmware", words)


def add_boot_entry(platform: Platform, folder: Path, file: str, load_options: str) -> None:
    """Add an entry to the firmware's list of programs that it starts.

    folder: the machine's folder, after enrol(). file: the program's path in an EFI system
    partition. load_options: words for the program. Raises ReportedError.
    """
    entry = f"/{file} {load_options}"
    words: list[str | Path] = [
        "--inplace",
        platform.variables(folder),
        "--append-boot-filepath",
        entry,
    ]
    _change("adding a boot entry to the firmware", words)


def _change(what: str, words: list[str | Path]) -> None:
    run(what, [PROGRAM, "--loglevel", "warning", *words])
