"""Programs of the machine's architecture, which this host may not be able to run."""

from pathlib import Path

from release import arch, convert
from release.process import run
from sandbox.images import BUSYBOX
from sandbox.ingredients import Ingredients

INSIDE = "bin/busybox"  # of an initramfs of ours


def busybox(folder: Path, ingredients: Ingredients) -> Path:
    """Return a busybox for the machine: this host's, or the one of the OS under test in folder."""
    if ingredients.target == arch.own():
        return BUSYBOX
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "initramfs.first"
    archive.write_bytes(convert.split(ingredients.initramfs)[0])
    command = ["cpio", "--extract", "--quiet", "--make-directories", "--unconditional", INSIDE]
    with archive.open("rb") as first:
        run("reading busybox from the initramfs", command, cwd=folder, stdin=first)
    return folder / INSIDE
