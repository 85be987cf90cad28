"""The architectures that Tinkie is built for: the one place that knows what an architecture is.

That of the build host does not matter: a build runs nothing of the one that it builds for (ADR 22).
"""

import os
import platform
from dataclasses import dataclass

from release.errors import ReportedError


@dataclass(frozen=True)
class Architecture:
    """An architecture by its names.

    name: of files, of the kernel, of Python and of Tinkerbell. debian: the same for Debian, Docker,
    Go and LinuxKit. efi: the same for UEFI. elf: e_machine in the head of a program (elf(5)).
    seccomp: of the OCI runtime specification. go_level: Go's variable for the oldest processor that
    its programs run on.
    has_device_trees: whether Debian's kernel has them, for machines without ACPI.
    """

    name: str
    debian: str
    efi: str
    elf: int
    seccomp: str
    go_level: tuple[str, str]
    has_device_trees: bool = False

    @property
    def go(self) -> dict[str, str]:
        """The variables that make Go build for it."""
        name, level = self.go_level
        return {"GOARCH": self.debian, name: level}

    @property
    def efi_loader(self) -> str:
        """The path of the program that UEFI starts from a disk or a CD."""
        return f"EFI/BOOT/BOOT{self.efi.upper()}.EFI"

    @property
    def kernel(self) -> str:
        """The kernel's file name, which Tinkerbell asks for."""
        return f"vmlinuz-{self.name}"

    @property
    def initramfs(self) -> str:
        """The initramfs's file name, which Tinkerbell asks for."""
        return f"initramfs-{self.name}"


X86_64 = Architecture("x86_64", "amd64", "x64", 62, "SCMP_ARCH_X86_64", ("GOAMD64", "v1"))
AARCH64 = Architecture(
    "aarch64",
    "arm64",
    "aa64",
    183,
    "SCMP_ARCH_AARCH64",
    ("GOARM64", "v8.0"),
    has_device_trees=True,
)
ALL = (X86_64, AARCH64)
VARIABLE = "ARCH"


def wanted() -> Architecture:
    """Return the one that the environment variable ARCH names; x86_64 without it, on any host.

    Raises ReportedError for another name.
    """
    name = os.environ.get(VARIABLE) or X86_64.name
    return _named(name, f"{VARIABLE}={name}")


def own() -> Architecture:
    """Return this machine's. Raises ReportedError if it is none of ALL."""
    name = platform.machine()
    return _named(name, f"this machine's architecture is {name}")


def _named(name: str, what: str) -> Architecture:
    for one in ALL:
        if one.name == name:
            return one
    names = " and ".join(one.name for one in ALL)
    raise ReportedError(f"{what}: Tinkie is built for {names}, on one of them")
