"""The programs that pack: how they are started, and what a manifest says about them."""

import platform
import zlib
from pathlib import Path

import pytest

from release import packers
from release.packers import Packers

LAYOUTS = {
    "x86_64": ("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"),
    "aarch64": ("usr/lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"),
}


@pytest.mark.parametrize(("loader", "libraries"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_program_is_started_by_the_loader_of_its_root(
    tmp_path: Path, loader: str, libraries: str
) -> None:
    for path in (loader, f"{libraries}/libc.so.6", "usr/bin/cpio"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert Packers(tmp_path).command("cpio") == [
        tmp_path / loader,
        "--inhibit-cache",
        "--library-path",
        str(tmp_path / libraries),
        tmp_path / "usr/bin/cpio",
    ]


def test_the_versions_are_those_of_its_packages_and_of_this_python(tmp_path: Path) -> None:
    written = tmp_path / packers.PACKAGES
    written.parent.mkdir(parents=True)
    written.write_text(
        "cpio 2.15+dfsg-2 cpio 2.15+dfsg-2 amd64 d8fa\n"
        "libzstd1 1.5.7+dfsg-1 libzstd 1.5.7+dfsg-1 amd64 23a6\n"
    )
    assert Packers(tmp_path).versions() == {
        "cpio": "2.15+dfsg-2",
        "libzstd1": "1.5.7+dfsg-1",
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
