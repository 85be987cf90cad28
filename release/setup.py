"""`python3 -m release.setup [--tests]`: installs the Debian packages that building needs.

With --tests also what is needed by nothing but tests.

Does nothing, quickly, where all are there. The machine's own apt sources decide where they
come from.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.errors import BuildError, told

PACKAGES = {
    "building": "docker.io mmdebstrap squashfs-tools squashfs-tools-ng cpio git iproute2 iptables",
    "checking": "shellcheck python3-venv jq",
    "the sandbox": "qemu-system-x86 qemu-utils ipxe-qemu seabios ovmf docker-registry skopeo"
    " apache2-utils nftables nmap busybox-static util-linux openssl"
    " syslinux syslinux-common mtools dosfstools fdisk tcpdump dnsmasq-base vde2",
}
TESTING = "postgresql wget"
# Debian 13 has the client apart from the engine; Debian 12 has no such package.
CLIENT = "docker-cli"
# Debian 12 has no buildx, and a Go too old to fetch the version that a module asks for. Those of
# the next release run there too, and bring no other package of it.
BUILDX, GO, NEXT_SUITE = "docker-buildx", "golang-go", "trixie"
GO_SINCE = (1, 21)


def setup(*, tests: bool = False) -> None:
    """Installs what is missing; BuildError if that takes root or apt-get and it is not there."""
    groups = (*PACKAGES.values(), TESTING if tests else "")
    wanted = sorted({name for names in groups for name in names.split()})
    missing = [name for name in wanted if not _installed(name)]
    newer = _missing_newer()
    if not missing and not newer and shutil.which("docker"):
        return
    names = " ".join([*missing, *newer] or [CLIENT])
    if os.geteuid() or not shutil.which("apt-get"):
        raise BuildError(
            f"these Debian packages are missing, and only root can install them: {names}"
        )
    print(f"installing: {names}", flush=True)
    _apt("update", "-qq")
    _install(*missing)
    if not shutil.which("docker"):
        _install(CLIENT)
    _install_newer(newer)


def _missing_newer() -> list[str]:
    """What is not there of the two that may have to come from the next release."""
    missing = [] if _installed(BUILDX) else [BUILDX]
    return missing if _go_version() >= GO_SINCE else [*missing, GO]


def _go_version() -> tuple[int, ...]:
    """The version of the Go that PATH finds, Debian's or not; (0,) without one."""
    if not shutil.which("go"):
        return (0,)
    found = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"go(\d+)\.(\d+)", found)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0,)


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout == "installed"


def _apt(*words: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _install(*packages: str, options: tuple[str, ...] = ()) -> None:
    if packages:
        _apt(*options, "install", "-qq", "-y", "--no-install-recommends", *packages)


def _install_newer(packages: list[str]) -> None:
    """From this Debian, else from the next one without touching the machine's sources."""
    if not packages:
        return
    known = subprocess.run(["apt-cache", "show", BUILDX], capture_output=True, check=False)
    if known.returncode == 0:  # this Debian is new enough, for Go as well
        _install(*packages)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb {_mirror()} {NEXT_SUITE} main\n")
        settings = {
            "Dir::Etc::SourceList": f"{folder}/sources.list",
            "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": f"{folder}/lists",
            "Dir::Cache::Pkgcache": "",  # the machine's own cache knows nothing of these lists
            "APT::Sandbox::User": "root",
        }
        apart = tuple(f"-o{name}={value}" for name, value in settings.items())
        _apt(*apart, "update", "-qq")
        _install(*packages, options=apart)


def _mirror() -> str:
    """The machine's own Debian mirror."""
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Identifier: Packages",
        "Label: Debian",
    ]
    uris = subprocess.check_output(command, text=True).split()
    if not uris:
        raise BuildError("apt has no source of Debian packages: see sources.list(5)")
    return uris[0]


if __name__ == "__main__":
    with told():
        setup(tests="--tests" in sys.argv[1:])
