"""The build host's programs that write a release's bytes, by their versions.

Other versions make other bytes of the same content. Go's toolchain and Debian's packages are locked
or recorded elsewhere.
"""

import ctypes
import platform
import re

from release.process import run

ZSTD = "libzstd.so.1"  # mksquashfs loads it


def versions() -> dict[str, str]:
    """Return the version of each; empty of one that does not say it."""
    return {
        "cpio": _printed("cpio", "--version"),
        "mksquashfs": _printed("mksquashfs", "-version"),
        "python": platform.python_version(),
        "zstd": _zstd(),
    }


def _printed(program: str, option: str) -> str:
    text = run(f"reading {program}'s version", [program, option], check=False).text
    found = re.search(r"\d+(\.\d+)+\S*", text)
    return found[0] if found else ""


def _zstd() -> str:
    try:
        library = ctypes.CDLL(ZSTD)
    except OSError:
        return ""
    library.ZSTD_versionString.restype = ctypes.c_char_p
    return str(library.ZSTD_versionString().decode())
