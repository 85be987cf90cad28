"""The scripts of the base: a root of packages' files, of which nothing runs on the way."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.broken_program import BrokenProgram, all_calls_matter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).parent
IN_ROOT = ("unshare", "--user", "--map-root-user", "chroot")
# Of a package that is made here, beside its name.
FIELDS = {"Version": "1-2", "Architecture": "arm64", "Maintainer": "a <a@example.com>"}


def run(
    script: str,
    *arguments: str | Path,
    target: Path,
    first: Path = FOLDER,
    check: bool = True,
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a script, with a folder of programs before all others and with more variables."""
    path = f"{first}:{FOLDER}:{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = os.environ | {"TARGET": str(target), "PATH": path} | dict(more or {})
    return subprocess.run(
        [FOLDER / script, *arguments],
        env=environment,
        check=check,
        capture_output=True,
        text=True,
    )


def make_deb(folder: Path, name: str, files: dict[str, Path | str], **fields: str) -> Path:
    """Return a package; a file is a copy of one, or a text, or (beginning with ->) a link."""
    tree = folder / name
    control = {"Package": name, **FIELDS, "Description": "x", **fields}
    files = files | {f"usr/share/doc/{name}/copyright": f"licence of {name}"}
    for path, content in files.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, file)
        elif content.startswith("->"):
            file.symlink_to(content[2:])
        else:
            file.write_text(content)
    (tree / "DEBIAN").mkdir()
    text = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in control.items())
    (tree / "DEBIAN/control").write_text(text)
    deb = folder / f"{name}.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(deb)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return deb


def libraries(program: str) -> dict[str, Path | str]:
    """Return what a program of this machine is linked with, and its loader: files, and links."""
    listed = subprocess.check_output(["ldd", program], text=True).split()
    found: dict[str, Path | str] = {}
    for word in listed:
        if word.startswith("/"):
            path = Path(word).parent.resolve() / Path(word).name
            real = path.resolve()
            found[str(real)[1:]] = real
            if path != real:
                found[str(path)[1:]] = f"->{real}"
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A system with a shell and its C library, unpacked from packages."""
    c_library = libraries("/bin/dash")
    debs = [
        make_deb(
            tmp_path,
            "libc6",
            c_library,
            Source="glibc (1-1)",
            Multi_Arch="same",
            Built_Using="gcc-12 (= 12.2-14), linux (= 6.1-1)",
        ),
        make_deb(tmp_path, "dash", {"usr/bin/dash": Path("/bin/dash"), "usr/bin/sh": "->dash"}),
        make_deb(
            tmp_path,
            "data",
            {
                "usr/lib/arch/plugins/one.so": "text",
                "usr/share/here": "->/usr/share/there/file",
                "usr/share/there/file": "found",
                "usr/lib/unused/file": "x",
                "usr/share/\\ ü": "an odd name",
            },
        ),
    ]
    run("mkunpack", *debs, target=tmp_path / "target")
    return tmp_path / "target"


@pytest.fixture
def out(target: Path, tmp_path: Path) -> Path:
    """A root with a shell, which is a link, and with plug-ins."""
    run("mkroot", tmp_path / "out", "/bin/sh", "/usr/lib/*/plugins", target=target)
    return tmp_path / "out"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def packages(out: Path) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in lines(out / "usr/share/tinkie/packages")}


def test_program_runs_in_it_by_its_link_with_its_libraries(out: Path) -> None:
    command = [*IN_ROOT, str(out), "/bin/sh", "-c", "echo works"]
    assert subprocess.check_output(command, text=True) == "works\n"


def test_root_is_usr_merged(out: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        assert (out / name).readlink() == Path("usr") / name
    assert (out / "usr/bin/sh").is_symlink()
    assert (out / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert {path.name for path in out.iterdir()} >= {"etc", "dev", "proc", "sys", "run", "var"}


def test_only_what_a_pattern_or_a_path_names_is_copied(out: Path) -> None:
    assert (out / "usr/lib/arch/plugins/one.so").read_text() == "text"
    assert not (out / "usr/lib/unused").exists()


def test_an_absolute_link_leads_to_a_file_of_the_target(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("mkroot", out, "/usr/share/here", target=target)
    assert (out / "usr/share/there/file").read_text() == "found"


def test_what_scripts_of_packages_write_to_etc_is_the_builds(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("mkroot", out, "/etc/passwd", target=target)
    assert (out / "etc/passwd").read_text() == Path("/etc/passwd").read_text()


def sha256(deb: Path) -> str:
    return hashlib.sha256(deb.read_bytes()).hexdigest()


def test_packages_of_all_files_are_listed_with_their_licences(out: Path, tmp_path: Path) -> None:
    sources = {"dash": "dash 1-2", "data": "data 1-2", "libc6": "glibc 1-1"}
    assert packages(out) == {
        name: [name, "1-2", *source.split(), "arm64", sha256(tmp_path / f"{name}.deb")]
        for name, source in sources.items()
    }
    for name in packages(out):
        assert (out / f"usr/share/doc/{name}/copyright").read_text() == f"licence of {name}"


def test_sources_built_into_a_program_are_listed(out: Path) -> None:
    assert lines(out / "usr/share/tinkie/linked") == ["gcc-12 12.2-14", "linux 6.1-1"]


def test_it_may_run_again_for_the_same_root(out: Path, target: Path, tmp_path: Path) -> None:
    more = make_deb(tmp_path, "more", {"usr/bin/echo": Path("/bin/echo")})
    run("mkunpack", more, target=target)
    run("mkroot", out, "/usr/bin/echo", target=target)
    command = [*IN_ROOT, str(out), "/bin/sh", "-c", "/usr/bin/echo 1"]
    assert subprocess.check_output(command, text=True) == "1\n"
    assert set(packages(out)) == {"dash", "data", "libc6", "more"}


def test_missing_path_is_an_error(target: Path, tmp_path: Path) -> None:
    failed = run("mkroot", tmp_path / "out", "/usr/bin/no-such", target=target, check=False)
    assert failed.returncode != 0
    assert "no-such" in failed.stderr


def test_missing_library_is_an_error_that_names_it(target: Path, tmp_path: Path) -> None:
    program = "/usr/bin/ls"
    names = [name for name in libraries("/bin/ls") if "libselinux" in name]
    if not names:
        names = ["libselinux.so.1"]
    run("mkunpack", make_deb(tmp_path, "ls", {program[1:]: Path("/bin/ls")}), target=target)
    failed = run("mkroot", tmp_path / "out", program, target=target, check=False)
    assert failed.returncode != 0
    assert f"no package of /target has {Path(names[0]).name}" in failed.stderr


def test_of_two_libraries_the_one_in_the_loaders_folder_is_taken(
    target: Path, tmp_path: Path
) -> None:
    (name,) = (name for name in libraries("/bin/dash") if "/libc.so" in name)
    private = str(Path(name).parent / "private" / Path(name).name)
    run("mkunpack", make_deb(tmp_path, "other", {private: "x"}), target=target)
    run("mkroot", tmp_path / "out", "/bin/sh", target=target)
    assert (tmp_path / "out" / name).exists()
    assert not (tmp_path / "out" / private).exists()


def test_package_with_folders_that_moved_to_usr_keeps_the_links(
    target: Path, tmp_path: Path
) -> None:
    deb = make_deb(tmp_path, "old", {"lib/old/file": "found", "bin/old": "x"})
    run("mkunpack", deb, target=target)
    assert (target / "lib").readlink() == Path("usr/lib")
    assert (target / "usr/lib/old/file").read_text() == "found"
    run("mkroot", tmp_path / "out", "/usr/lib/old", "/bin/old", target=target)
    assert (tmp_path / "out/usr/bin/old").read_text() == "x"
    assert set(packages(tmp_path / "out")) == {"old"}


PROGRAMS = {
    "mkunpack": ("dpkg-deb", "mkdir", "sed", "sha256sum", "tar", "touch"),
    "mkroot": (
        *("awk", "chmod", "cp", "dpkg-query", "find", "install", "ln", "mkdir"),
        *("readlink", "realpath", "scanelf", "sed", "sort", "tr"),
    ),
    "mkapplets": ("busybox", "ln"),
}


@pytest.mark.parametrize(
    ("script", "program"), [(script, name) for script, names in PROGRAMS.items() for name in names]
)
def test_program_that_fails_once_in_a_script_makes_it_fail(
    script: str, program: str, target: Path, tmp_path: Path
) -> None:
    def run_broken(call: int) -> int:
        arguments = {
            "mkunpack": (tmp_path / "libc6.deb",),
            "mkroot": (tmp_path / f"out{call}", "/bin/sh"),
            "mkapplets": (target,),
        }[script]
        return run(script, *arguments, target=target, first=broken.at(call), check=False).returncode

    broken = BrokenProgram(tmp_path / "broken", program)
    assert all_calls_matter(broken, run_broken)


def test_applets_of_busybox_are_linked_unless_the_program_is_there(tmp_path: Path) -> None:
    programs = tmp_path / "usr/bin"
    programs.mkdir(parents=True)
    (programs / "ls").write_text("another ls")
    (programs / "sh").symlink_to("dash")
    run("mkapplets", tmp_path, target=tmp_path)
    assert (programs / "ls").read_text() == "another ls"
    assert (programs / "sh").readlink() == Path("dash")
    applets = set(subprocess.check_output(["busybox", "--list"], text=True).split())
    assert {path.name for path in programs.iterdir()} == applets | {"ls", "sh"}
    assert (programs / "cat").readlink() == Path("/usr/bin/busybox")


class Archive:
    """An archive of packages for two architectures, and a build that is empty at first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = ""
        self._root = folder / "build"
        self._target = folder / "target"

    def add(self, name: str, architecture: str, **fields: str) -> None:
        folder = self._folder / f"{name}-{architecture}"
        folder.mkdir()
        deb = make_deb(folder, name, {f"usr/bin/{name}": "x"}, **fields, Architecture=architecture)
        control = subprocess.check_output(["dpkg-deb", "-f", deb], text=True)
        filed = f"Filename: {folder.name}/{deb.name}\nSize: {deb.stat().st_size}\n"
        self._index += f"{control}{filed}SHA256: {sha256(deb)}\n\n"

    def install(
        self, *names: str, first: Path = FOLDER, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run mkinstall for arm64 in the build, whose apt is set up as another base might be."""
        (self._folder / "Packages").write_text(self._index)
        for folder in (
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "var/lib/dpkg/info",
            "var/cache/apt",
            "var/log/apt",
        ):
            (self._root / folder).mkdir(parents=True, exist_ok=True)
        for name in ("status", "available"):
            (self._root / "var/lib/dpkg" / name).touch()
        sources = self._root / "etc/apt/sources.list"
        sources.write_text(f"deb [trusted=yes] copy:{self._folder} ./\n")
        settings = self._folder / "apt.conf"
        settings.write_text(
            f"""
            Dir "{self._root}"; Dir::State::Status "{self._root}/var/lib/dpkg/status";
            Dir::Etc::SourceParts "-"; APT::Sandbox::User "root";
            APT::Architecture "amd64"; APT::Architectures {{ "amd64"; "arm64"; }};
            DPkg::Options {{ "--root={self._root}"; "--force-not-root"; "--log=/dev/null"; }};
            """
        )
        environment = {
            "APT_CONFIG": str(settings),
            "DPKG_ADMINDIR": str(self._root / "var/lib/dpkg"),
            "TARGETARCH": "arm64",
        }
        updated = ["apt-get", "update", "-q"]
        subprocess.run(updated, env=os.environ | environment, check=True, capture_output=True)
        return run(
            "mkinstall", *names, target=self._target, first=first, check=check, more=environment
        )

    def unpacked(self) -> dict[str, str]:
        """Return the architectures of what mkinstall unpacked, by its name."""
        form = "${Package} ${Architecture}\\n"
        records = self._target / "var/lib/dpkg"
        command = ["dpkg-query", f"--admindir={records}", "-W", "-f", form]
        listed = subprocess.check_output(command, text=True)
        return dict(line.split() for line in listed.splitlines())

    def broken(self, program: str) -> tuple[BrokenProgram, Callable[[int], int]]:
        """Return a program of mkinstall's, and a run of it in a new build each time."""
        broken = BrokenProgram(self._folder / "broken", program)

        def run_broken(call: int) -> int:
            self._root, self._target = (
                self._folder / f"{name}{call}" for name in ("build", "target")
            )
            return self.install("one", first=broken.at(call), check=False).returncode

        return broken, run_broken


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def test_packages_are_installed_and_with_their_dependencies_unpacked_for_the_target(
    archive: Archive, tmp_path: Path
) -> None:
    for architecture in ("amd64", "arm64"):
        archive.add("one", architecture, Depends="two")
        archive.add("two", architecture)
        archive.add("three", architecture)
    archive.install("one")
    archive.install("three")
    assert archive.unpacked() == {"one": "arm64", "two": "arm64", "three": "arm64"}
    assert (tmp_path / "build/usr/bin/two").exists()


def test_package_that_the_architecture_does_not_have_is_an_error(archive: Archive) -> None:
    archive.add("one", "amd64")
    failed = archive.install("one", check=False)
    assert failed.returncode != 0
    assert "Unable to locate package one" in failed.stderr


def test_package_of_another_version_for_the_architecture_is_an_error(archive: Archive) -> None:
    archive.add("one", "amd64", Version="1-3")
    archive.add("one", "arm64")
    failed = archive.install("one", check=False)
    assert failed.returncode != 0
    assert "one is 1-3 for the build and 1-2 for arm64" in failed.stderr


def test_dependency_of_another_version_for_the_architecture_is_an_error(archive: Archive) -> None:
    for architecture, version in (("amd64", "1-3"), ("arm64", "1-2")):
        archive.add("one", architecture, Depends="two")
        archive.add("two", architecture, Version=version)
    failed = archive.install("one", check=False)
    assert failed.returncode != 0
    assert "two is 1-3 for the build and 1-2 for arm64" in failed.stderr


@pytest.mark.parametrize("program", ["apt-get", "dpkg-query", "join", "sort"])
def test_program_that_fails_once_in_mkinstall_makes_it_fail(archive: Archive, program: str) -> None:
    for architecture in ("amd64", "arm64"):
        archive.add("one", architecture)
    assert all_calls_matter(*archive.broken(program))
