"""Check what the sandbox needs of the machine, before anything is changed."""

import os
import shutil
from pathlib import Path

from release import arch
from release.arch import Architecture
from release.errors import ReportedError
from sandbox import platforms
from sandbox.network import Namespace

MIB = 1024 * 1024
SPACE_MIB = 2048  # images, logs, database; disks of machines are sparse
OTHERS_MIB = 1024  # Tinkerbell, registry, emulator
# program -> Debian package
PROGRAMS = {
    "cpio": "cpio",
    "docker-registry": "docker-registry",
    "htpasswd": "apache2-utils",
    "ip": "iproute2",
    "mcopy": "mtools",
    "mkfs.fat": "dosfstools",
    "setpriv": "util-linux",
    "sfdisk": "fdisk",
    "skopeo": "skopeo",
}
FILES = {
    "/bin/busybox": "busybox-static",
    "/usr/lib/ipxe/qemu/pxe-virtio.rom": "ipxe-qemu",
}
# The disk image of a machine that starts by BIOS needs these, too.
SYSLINUX = "syslinux"  # program and package
SYSLINUX_FILES = {str(platforms.MBR): "syslinux-common"}


def check(folder: Path, memory_mib: int, network: Namespace, target: Architecture) -> None:
    """Raise ReportedError for the first thing that is missing."""
    check_root()
    _check_host(target)
    packages = missing_packages(target)
    if packages:
        raise ReportedError(f"programs are missing: apt-get install {' '.join(packages)}")
    _check_space(folder, memory_mib)
    if network.exists() and network.processes():
        raise ReportedError(
            f"a sandbox is running already (network namespace {network.name}): "
            "end it there, or with `make sandbox-down`"
        )


def check_root() -> None:
    """Raise ReportedError unless this runs as root."""
    if os.geteuid() != 0:
        raise ReportedError("the sandbox creates a network namespace, which needs root: use sudo")


def _check_host(target: Architecture) -> None:
    host = arch.own()
    if platforms.of(target.name).needs_syslinux and host != arch.X86_64:
        raise ReportedError(
            f"this {host.name} host cannot make a disk image for {target.name}: Debian has "
            f"{SYSLINUX}, its boot loader, only for {arch.X86_64.name} hosts; run the sandbox with "
            f"{arch.VARIABLE}={host.name}, or on such a host"
        )


def missing_packages(target: Architecture) -> list[str]:
    """Return the Debian packages that are missing."""
    platform = platforms.of(target.name)
    programs = PROGRAMS | {platform.qemu: platform.package}
    files = FILES | {str(one.code): one.package for one in platform.flash.values()}
    if platform.needs_syslinux:
        programs, files = programs | {SYSLINUX: SYSLINUX}, files | SYSLINUX_FILES
    wanted = {package for name, package in programs.items() if not shutil.which(name, path=_path())}
    wanted |= {package for path, package in files.items() if not Path(path).exists()}
    return sorted(wanted)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _check_space(folder: Path, memory_mib: int) -> None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free // MIB
    if free < SPACE_MIB:
        raise ReportedError(f"{existing} has {free} MiB free; the sandbox needs {SPACE_MIB} MiB")
    available, needed = _available_mib(), memory_mib + OTHERS_MIB
    if available < needed:
        raise ReportedError(
            f"{available} MiB of memory are free; a machine with {memory_mib} MiB and its "
            f"Tinkerbell need {needed} MiB"
        )


def _available_mib() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) // 1024
