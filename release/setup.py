"""`python3 -m release.setup`: installs the Debian packages that building and testing need.

Does nothing, quickly, where all are there. The machine's own apt sources decide where they
come from.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from release.errors import BuildError, told

PACKAGES = {
    "building": "docker.io mmdebstrap squashfs-tools squashfs-tools-ng cpio iproute2 iptables",
    "checking": "shellcheck python3-venv",
    "the sandbox": "qemu-system-x86 qemu-utils ipxe-qemu seabios docker-registry skopeo"
    " apache2-utils nftables nmap busybox-static util-linux openssl"
    " syslinux syslinux-common mtools dosfstools fdisk",
}
# Debian 12 has no buildx; the one of the next release is a static program that runs there too.
BUILDX, BUILDX_SUITE = "docker-buildx", "trixie"


def setup() -> None:
    """Installs what is missing; BuildError if that takes root or apt-get and it is not there."""
    wanted = sorted({name for names in PACKAGES.values() for name in names.split()})
    missing = [name for name in wanted if not _installed(name)]
    buildx = not _installed(BUILDX)
    if not missing and not buildx:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        names = " ".join([*missing, BUILDX] if buildx else missing)
        raise BuildError(
            f"these Debian packages are missing, and only root can install them: {names}"
        )
    print("installing:", *missing, BUILDX if buildx else "", flush=True)
    _apt("update", "-qq")
    _apt("install", "-qq", "-y", "--no-install-recommends", *missing)
    if buildx:
        _install_buildx()


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout == "installed"


def _apt(*words: str, cwd: Path | None = None) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
    subprocess.run(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, check=True)


def _install_buildx() -> None:
    """From this Debian, else from the next one without touching the machine's sources."""
    known = subprocess.run(["apt-cache", "show", BUILDX], capture_output=True, check=False)
    if known.returncode == 0:
        _apt("install", "-qq", "-y", "--no-install-recommends", BUILDX)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb {_mirror()} {BUILDX_SUITE} main\n")
        apart = [
            "-o",
            f"Dir::Etc::SourceList={folder}/sources.list",
            "-o",
            "Dir::Etc::SourceParts=-",
        ]
        apart += ["-o", f"Dir::State::Lists={folder}/lists", "-o", "APT::Sandbox::User=root"]
        _apt(*apart, "update", "-qq")
        _apt(*apart, "download", "-qq", BUILDX, cwd=folder)
        _apt("install", "-qq", "-y", *map(str, folder.glob("*.deb")))


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
        setup()
