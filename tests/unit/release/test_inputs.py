"""What decides whether something is built again, and what goes into a release beside the OS."""

import io
import json
import re
import tarfile
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from release import assemble, cache, gotools, images, linuxkit_files, manifest, programs
from release.errors import ReportedError
from release.progress import Progress
from release.version import PROJECT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "file").write_text("text")
    return tmp_path / "tree"


def test_a_digest_depends_on_contents_names_and_words(tree: Path) -> None:
    before = cache.digest([tree], "quick")
    assert cache.digest([tree], "release") != before
    (tree / "sub" / "file").write_text("other")
    changed = cache.digest([tree], "quick")
    assert changed != before
    (tree / "sub" / "file").rename(tree / "sub" / "elif")
    assert cache.digest([tree], "quick") not in {before, changed}


def test_a_file_that_can_run_now_is_another_input(tree: Path) -> None:
    before = cache.digest([tree])
    (tree / "sub" / "file").chmod(0o755)
    assert cache.digest([tree]) != before


def test_the_umask_of_a_clone_does_not_reach_an_image(tree: Path) -> None:
    (tree / "sub" / "script").write_text("#!/bin/sh")
    for path, mode in ((tree / "sub" / "script", 0o775), (tree / "sub" / "file", 0o660)):
        path.chmod(mode)
    (tree / "sub").chmod(0o700)
    images.plain_modes(tree)
    found = {path.name: path.stat().st_mode & 0o7777 for path in tree.rglob("*")}
    assert found == {"sub": 0o755, "script": 0o755, "file": 0o644}


def test_the_umask_of_a_build_does_not_reach_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "out" / "usr" / "dockerd"

    def build(_target: object, _progress: object) -> None:
        program.parent.mkdir(parents=True)
        program.touch(mode=0o700)
        program.parent.chmod(0o700)

    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    monkeypatch.setattr(programs, "OUT", tmp_path / "out")
    monkeypatch.setattr(programs, "build", build)
    for name in ("needs.check", "base.provide", "wheels.build", "images.run"):
        monkeypatch.setattr(f"release.{name}", lambda *_, **__: None)
    monkeypatch.setattr("release.engine.running", lambda: nullcontext("unix:///nowhere"))
    images.build([], Progress(stream=io.StringIO()))
    modes = [path.stat().st_mode & 0o7777 for path in (program.parent, program)]
    assert modes == [0o755, 0o755]


def test_a_digest_does_not_depend_on_tests_beside_the_scripts(tree: Path) -> None:
    before = cache.digest([tree])
    (tree / "test_script.py").write_text("assert True")
    assert cache.digest([tree]) == before


def test_a_digest_does_not_depend_on_where_the_tree_lies(tree: Path, tmp_path: Path) -> None:
    before = cache.digest([tree])
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "file.pyc").write_text("compiled")
    (tmp_path / "elsewhere").mkdir()
    assert cache.digest([tree.rename(tmp_path / "elsewhere" / "tree")]) == before


def test_the_environment_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TINKIE_CACHE", raising=False)
    assert cache.cache() == tmp_path / "xdg" / "tinkie"
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path / "own"))
    assert cache.cache().is_dir()
    assert cache.cache() == tmp_path / "own"


def test_what_is_made_here_alone_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BASE", raising=False)
    assert assemble._moving_images() == []
    monkeypatch.setenv("BASE", f"debian@sha256:{'0' * 64}")
    assert assemble._moving_images() == []


@pytest.mark.parametrize("name", ["debian:trixie-slim", "reg.example.com:5000/base"])
def test_a_base_that_may_have_changed_is_looked_at_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE", name)
    assert assemble._moving_images() == [name]


def test_a_service_that_may_have_changed_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("tinkie/init:build", "linuxkit/dhcpcd:v1", "example.com/ntp@sha256:12")
    files = linuxkit_files.LinuxKitFiles((), names, ())
    monkeypatch.setattr(linuxkit_files, "load", lambda: files)
    assert assemble._moving_images() == ["linuxkit/dhcpcd:v1"]


@pytest.mark.parametrize("name", assemble.INPUTS)
def test_every_input_exists(name: str) -> None:
    assert (PROJECT / name).exists()


@pytest.mark.parametrize("name", gotools.TOOLS)
def test_every_go_tool_is_locked(name: str) -> None:
    tool = gotools.TOOLS[name]
    folder = PROJECT / "tools" / tool.module
    packages = [tool.package]
    if tool.package == ".":  # a program of ours: what it imports, but the standard library
        source = (folder / "main.go").read_text()
        packages = re.findall(r'^\t"([a-z]+\.[a-z]+/.+)"$', source, re.MULTILINE)
    locked = [line.split()[0] for line in (folder / "go.sum").read_text().splitlines()]
    assert packages
    assert all(package.startswith(tuple(locked)) for package in packages)


def test_the_version_file_is_an_os_release_that_sh_can_read() -> None:
    (file,) = yaml.safe_load(yaml.safe_dump(assemble._version_file()))["files"]
    values = dict(line.split("=", 1) for line in file["contents"].splitlines())
    assert file["path"] == "etc/os-release"
    assert values["ID"] == "tinkie"
    assert int(values["SOURCE_DATE_EPOCH"]) > 1_700_000_000


def test_every_image_is_built_on_the_hosts_network() -> None:
    services = yaml.safe_load((PROJECT / "images" / "network.yml").read_text())["services"]
    group = re.search(r"targets = \[(.*)\]", (PROJECT / "docker-bake.hcl").read_text())
    assert group
    others = ["tink-docker-debian"]  # not in the group: no release has it
    assert sorted(services) == sorted(json.loads(f"[{group[1]}]") + others)
    assert all(service == {"build": {"network": "host"}} for service in services.values())


def _image(files: dict[str, bytes], mtime: int) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), mtime
            tar.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


FILES = {
    "usr/share/tinkie/packages": b"libc6 2.41-12 glibc 2.41-12 arm64 0123abcd\n",
    "usr/share/tinkie/linked": b"golang-1.24 1.24.4-1\n",
    "usr/share/doc/libc6/copyright": b"a licence",
    "usr/lib/python3/dist-packages/httpx-0.28.dist-info/METADATA": (
        b"Name: httpx\nVersion: 0.28\nLicense: BSD-3-Clause\n"
    ),
    "etc/hostname": b"of the engine, not of the image",
}


def test_an_image_lists_its_packages() -> None:
    found = manifest.Contents()
    with _image(FILES, mtime=1) as tar:
        image = manifest._read(tar, found.licences)
    libc6 = {"package": "libc6", "version": "2.41-12", "architecture": "arm64"}
    glibc = {"source": "glibc", "source_version": "2.41-12"}
    assert image.debian == [libc6 | glibc | {"sha256": "0123abcd"}]
    assert image.linked == [{"source": "golang-1.24", "source_version": "1.24.4-1"}]
    assert image.python == [{"package": "httpx", "version": "0.28", "licence": "BSD-3-Clause"}]
    assert found.licences == {"libc6.copyright": b"a licence"}
    assert json.dumps(vars(image))


@pytest.mark.parametrize("line", [b"libc6 2.41-12 glibc 2.41-12\n", b"a b c d e f g\n"])
def test_a_list_with_other_columns_is_reported(line: bytes) -> None:
    files = {"usr/share/tinkie/packages": line}
    with _image(files, mtime=1) as tar, pytest.raises(ReportedError, match="build it again"):
        manifest._read(tar, {})


def test_an_images_digest_depends_on_contents_only() -> None:
    with _image(FILES, mtime=1) as one, _image(FILES, mtime=2) as two:
        first = manifest._read(one, {}).content
        assert manifest._read(two, {}).content == first
    with _image(FILES | {"etc/new": b""}, mtime=1) as other:
        assert manifest._read(other, {}).content != first
