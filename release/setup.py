"""`python3 -m release.setup [--tests]`: install the Debian packages that building needs.

With --tests also those that only tests need. If all are installed it ends at once. They come from
this machine's apt sources. It runs before there is a .venv: standard library only.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from release import arch
from release.arch import Architecture
from release.errors import ReportedError, reported_errors
from release.process import run
from release.progress import Progress

PACKAGES = {
    "building": "docker.io mmdebstrap squashfs-tools-ng cpio git iproute2 iptables"
    " openssh-client openssl",
    "checking": "shellcheck python3-venv",
    "the sandbox": "qemu-system-x86 qemu-system-arm qemu-utils ipxe-qemu seabios ovmf"
    " qemu-efi-aarch64 docker-registry skopeo"
    " apache2-utils nftables nmap busybox-static util-linux"
    " mtools dosfstools fdisk tcpdump dnsmasq-base vde2",
}
# Debian has it for hosts of x86_64 only; sandbox/preflight.py reports it if it is needed.
X86_64_ONLY = "syslinux syslinux-common"
TESTING = "postgresql pax-utils radvd squashfs-tools wget"
REMEDY = "check apt's sources and the network (apt-get update)"
# Debian 13 packages the client apart from the engine; Debian 12 has no such package.
CLIENT = "docker-cli"
# Debian 12 has no buildx, and its Go is too old to download the version that a module requires.
# The packages of the next release run there too, and depend on no other package of it.
BUILDX, GO, NEXT_SUITE = "docker-buildx", "golang-go", "trixie"
GO_SINCE = (1, 21)


def setup(*, tests: bool = False) -> None:
    """Install what is missing.

    Raises ReportedError without root, without apt-get, or on a host of another architecture.
    """
    missing = [name for name in wanted(arch.own(), tests=tests) if not _installed(name)]
    newer = _missing_newer()
    if not missing and not newer and shutil.which("docker"):
        return
    names = " ".join([*missing, *newer] or [CLIENT])
    if os.geteuid() or not shutil.which("apt-get"):
        raise ReportedError(
            f"these Debian packages are missing: {names}; run this as root, on Debian"
        )
    with Progress().step(f"install Debian packages: {names}"):
        _apt("update", "-qq")
        _install(*missing)
        if not shutil.which("docker"):
            _install(CLIENT)
        _install_newer(newer)


def wanted(host: Architecture, *, tests: bool = False) -> list[str]:
    """Return the Debian packages that a host needs, whichever architecture it builds for."""
    groups = [*PACKAGES.values()]
    groups += [X86_64_ONLY] if host == arch.X86_64 else []
    groups += [TESTING] if tests else []
    return sorted({name for names in groups for name in names.split()})


def _missing_newer() -> list[str]:
    """Return which of the packages are missing that may have to come from the next release."""
    missing = [] if _installed(BUILDX) else [BUILDX]
    return missing if _go_version() >= GO_SINCE else [*missing, GO]


def _go_version() -> tuple[int, ...]:
    """Return the version of the Go in PATH, Debian's or not; (0,) without one."""
    if not shutil.which("go"):
        return (0,)
    found = run("reading Go's version", ["go", "version"], check=False).text
    numbers = re.search(r"go(\d+)\.(\d+)", found)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0,)


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return run(f"looking for {package}", command, check=False).text == "installed"


def _apt(*words: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
    run("installing Debian packages", command, env=environment, seconds=None, remedy=REMEDY)


def _install(*packages: str, options: tuple[str, ...] = ()) -> None:
    if packages:
        _apt(*options, "install", "-qq", "-y", "--no-install-recommends", *packages)


def _install_newer(packages: list[str]) -> None:
    """Install from this Debian, else from the next one without changing the apt sources."""
    if not packages:
        return
    known = run(f"looking for {BUILDX}", ["apt-cache", "show", BUILDX], check=False)
    if known.code == 0:  # this Debian is new enough, for Go as well
        _install(*packages)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb {mirror()} {NEXT_SUITE} main\n")
        settings = {
            "Dir::Etc::SourceList": f"{folder}/sources.list",
            "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": f"{folder}/lists",
            "Dir::Cache::Pkgcache": "",  # the machine's cache does not contain these lists
            "APT::Sandbox::User": "root",
        }
        apart = tuple(f"-o{name}={value}" for name, value in settings.items())
        _apt(*apart, "update", "-qq")
        _install(*packages, options=apart)


def mirror(label: str = "Debian") -> str:
    """Return the machine's mirror of an archive: Debian, Debian-Security. Raises ReportedError."""
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Identifier: Packages",
        f"Label: {label}",
    ]
    uris = run("reading apt's sources", command).text.split()
    if not uris:
        raise ReportedError(f"apt has no source of {label}'s packages; add one (sources.list(5))")
    return uris[0]


if __name__ == "__main__":
    with reported_errors():
        setup(tests="--tests" in sys.argv[1:])
