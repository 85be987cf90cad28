"""This machine's platform, as images name theirs (OCI image index specification)."""

import os

OS = "linux"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture(machine: str) -> str:
    """Return Go's name of an architecture, which images have, for the kernel's (uname(2))."""
    return _ARCHITECTURES.get(machine, machine)


ARCHITECTURE = architecture(os.uname().machine)
NAME = f"{OS}/{ARCHITECTURE}"
