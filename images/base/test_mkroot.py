"""mkroot on this machine: a root in which a program runs, and the traces of its packages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

MKROOT = Path(__file__).parent / "mkroot"
IN_ROOT = ("unshare", "--user", "--map-root-user", "chroot")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a root with a shell, which is a link on Debian, and a folder."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "file").write_text("text")
    mkroot(tmp_path / "out", "/bin/sh", str(plugins))
    return tmp_path / "out"


def mkroot(*arguments: str | Path) -> None:
    subprocess.run(["sh", MKROOT, *arguments], check=True)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_program_runs_in_it_by_its_link_with_its_libraries(out: Path) -> None:
    command = [*IN_ROOT, str(out), "/bin/sh", "-c", "echo works"]
    assert subprocess.check_output(command, text=True) == "works\n"


def test_root_is_usr_merged(out: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        assert (out / name).readlink() == Path("usr") / name
    assert (out / "usr/bin/sh").is_symlink()
    assert (out / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert {path.name for path in out.iterdir()} >= {"etc", "dev", "proc", "sys", "run", "var"}


def test_folder_is_copied_to_its_own_path(out: Path, tmp_path: Path) -> None:
    copied = Path(f"{out}{tmp_path}/plugins/file")
    assert copied.read_text() == "text"


def test_packages_of_all_files_are_listed_with_their_licences(out: Path) -> None:
    packages = {line.split()[0]: line.split() for line in lines(out / "usr/share/tinkie/packages")}
    assert {"dash", "libc6"} <= packages.keys()
    version = subprocess.check_output(["dpkg-query", "-W", "-f", "${Version}", "dash"], text=True)
    assert packages["dash"][1] == version
    assert packages["libc6"][2] == "glibc"
    for name in packages:
        assert (out / f"usr/share/doc/{name}/copyright").is_file(), name
    assert (out / "usr/share/tinkie/linked").is_file()


def test_sources_built_into_a_program_are_listed(tmp_path: Path) -> None:
    """busybox-static names the C library that is in it."""
    mkroot(tmp_path, "/usr/bin/busybox")
    linked = [line.split() for line in lines(tmp_path / "usr/share/tinkie/linked")]
    assert "glibc" in {source for source, _ in linked}
    assert all(len(line) == 2 for line in linked)


def test_it_may_run_again_for_the_same_root(out: Path) -> None:
    mkroot(out, "/usr/bin/env")
    command = [*IN_ROOT, str(out), "/usr/bin/env", "echo=1", "/bin/sh", "-c", "echo $echo"]
    assert subprocess.check_output(command, text=True) == "1\n"
    packages = {line.split()[0] for line in lines(out / "usr/share/tinkie/packages")}
    assert {"dash", "coreutils"} <= packages


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        mkroot(tmp_path, "/usr/bin/no-such-program")
