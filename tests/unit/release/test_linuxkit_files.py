"""What the build reads in LinuxKit files, in every form that LinuxKit itself takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from release import assemble, linuxkit_files
from release.arch import X86_64
from release.errors import ReportedError
from release.version import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Make these texts the LinuxKit files of the build, in their order."""

    def write(*texts: str) -> None:
        paths = [tmp_path / f"{number}.yml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        monkeypatch.setenv("LINUXKIT_FILES", " ".join(map(str, paths)))

    return write


def test_our_own_file_names_every_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINUXKIT_FILES", raising=False)
    content = yaml.safe_load((PROJECT / "linuxkit.yml").read_text())
    services = [entry["image"] for entry in [*content["onboot"], *content["services"]]]
    expected = sorted({content["kernel"]["image"], *content["init"], *services})
    assert list(linuxkit_files.load().images) == expected


FORMS = {
    "block": "services:\n  - name: x\n    image: r/x:1\n",
    "image first": "services:\n  - image: r/x:1\n    name: x\n",
    "indented by nothing": "services:\n- name: x\n  image: r/x:1\n",
    "double quotes": 'services:\n  - name: x\n    image: "r/x:1"\n',
    "single quotes": "services:\n  - name: x\n    image: 'r/x:1'\n",
    "quoted key": 'services:\n  - name: x\n    "image": r/x:1\n',
    "flow": "services: [{name: x, image: r/x:1}]\n",
    "flow over lines": "services: [\n  {name: x,\n   image: r/x:1}\n]\n",
    "JSON": '{"services": [{"name": "x", "image": "r/x:1"}]}',
    "folded": "services:\n  - name: x\n    image: >-\n      r/x:1\n",
    "comments": "services: # all\n  # one\n  - name: x\n    image:   r/x:1 # this\n",
    "tabs": "services:\n  - name:\tx\n    image:\tr/x:1\t# one\n",
    "anchor": "services:\n  - {name: x, image: &one r/x:1}\n  - {name: y, image: *one}\n",
    "merge": "services:\n  - &x {name: x, image: r/x:1}\n  - {<<: *x, name: y}\n",
    "init": "init: [r/x:1]\n",
    "init, quoted": 'init:\n  - "r/x:1"\n',
    "kernel": "kernel: {image: r/x:1, cmdline: console=tty0}\n",
    "kernel, later key": "kernel:\n  cmdline: console=tty0\n  image: r/x:1\n",
    "onboot": "onboot:\n  - {name: x, image: r/x:1}\n",
    "onshutdown": "onshutdown:\n  - {name: x, image: r/x:1}\n",
    "volume": "volumes:\n  - {name: x, image: r/x:1}\n  - {name: empty}\n",
    "empty sections": "init: [r/x:1]\nservices: []\nkernel: {}\nfiles: []\n",
    "first of two documents": "init: [r/x:1]\n---\ninit: [r/y:1]\n",
    "words that YAML 1.1 has as truth and time": (
        "init: [r/x:1]\nfiles: [{path: on, contents: 12:30}]\n"
    ),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_an_image_is_found_in_every_form(write: Write, text: str) -> None:
    write(text)
    assert linuxkit_files.load().images == ("r/x:1",)
    assert assemble._moving_images() == ["r/x:1"]


@pytest.mark.parametrize(
    "name",
    ["x", "r.example.com:5000/a/x", "x:1", "on", "r/x:1@sha256:0123"],
)
def test_an_image_may_have_any_name(write: Write, name: str) -> None:
    write(f"init:\n  - {name}\n")
    assert linuxkit_files.load().images == (name,)


def test_what_only_looks_like_an_image_is_none(write: Write) -> None:
    write(
        "init: [r/x:1] # image: r/comment:1\n"
        "services:\n"
        "  - {name: s, image: r/s:1, command: [run, r/argument:1], binds: ['/a:/b']}\n"
        "files:\n"
        "  - path: etc/file\n"
        "    contents: |\n"
        "      image: r/contents:1\n"
        "      - r/list:1\n"
    )
    assert linuxkit_files.load().images == ("r/s:1", "r/x:1")


def test_a_later_kernel_takes_the_place_of_an_earlier_one(write: Write) -> None:
    write("kernel: {image: r/old:1}\n", 'kernel: {"image": "r/new:1"}\n', "kernel: {cmdline: x}\n")
    assert linuxkit_files.load().images == ("r/new:1",)


def test_an_earlier_kernel_that_is_also_a_service_stays(write: Write) -> None:
    write("kernel: {image: r/x:1}\n", "kernel: {image: r/k:1}\ninit: [r/x:1]\n")
    assert linuxkit_files.load().images == ("r/k:1", "r/x:1")


SOURCES = {
    "block": "files:\n  - path: etc/x\n    source: {0}\n",
    "source first": "files:\n- source: {0}\n  path: etc/x\n",
    "quoted": 'files:\n  - path: etc/x\n    source: "{0}"\n',
    "flow": "files: [{{path: etc/x, source: '{0}', mode: '0600'}}]\n",
    "optional": "files:\n  - {{path: etc/x, source: {0}, optional: true}}\n",
}


@pytest.mark.parametrize("text", SOURCES.values(), ids=SOURCES.keys())
def test_a_file_of_this_machine_is_an_input(write: Write, tmp_path: Path, text: str) -> None:
    source = tmp_path / "source file"
    source.write_text("one")
    write(text.format(source))
    assert linuxkit_files.load().sources == (source,)
    before = assemble._sources("quick", X86_64)
    assert assemble._sources("quick", X86_64) == before
    source.write_text("two")
    assert assemble._sources("quick", X86_64) != before


def test_a_source_is_found_from_the_project_and_from_the_home(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "on").write_text("text")
    write("files:\n  - {path: a, source: linuxkit.yml}\n  - {path: b, source: ~/on}\n")
    assert linuxkit_files.load().sources == (PROJECT / "linuxkit.yml", tmp_path / "on")


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_an_optional_source_is_an_input_once_it_is_there(
    write: Write, tmp_path: Path, word: str
) -> None:
    write(f"files:\n  - {{path: x, source: {tmp_path}/late, optional: {word}}}\n")
    before = assemble._sources("quick", X86_64)
    (tmp_path / "late").write_text("here")
    assert assemble._sources("quick", X86_64) != before


def test_files_without_a_source_are_no_input(write: Write) -> None:
    write(
        "files:\n  - {path: a, contents: text}\n  - {path: b, symlink: a}\n"
        "  - {path: c, directory: true}\n  - {path: d, metadata: yaml}\n"
    )
    assert linuxkit_files.load().sources == ()


def test_the_order_of_the_files_is_an_input(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("init: [r/x:1]\n", "init: [r/y:1]\n")
    before = assemble._sources("quick", X86_64)
    monkeypatch.setenv("LINUXKIT_FILES", f"{tmp_path}/1.yml {tmp_path}/0.yml")
    assert assemble._sources("quick", X86_64) != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("init: [", r"0\.yml is not YAML: .*line 1"),
        ("- r/x:1\n", r"0\.yml is not a LinuxKit file"),
        ("", r"0\.yml is not a LinuxKit file"),
        ("services: [r/x:1]\n", r"0\.yml: not in LinuxKit's schema"),
        ("kernel: r/x:1\n", r"0\.yml: not in LinuxKit's schema"),
        ("init: ['@pkg:./x']\n", r"@pkg:\./x: .* name that image"),
        (
            "files: [{path: etc/x, source: /no/such}]\n",
            "/no/such as the source of etc/x: no such file",
        ),
    ],
)
def test_a_file_that_linuxkit_would_refuse_is_explained(
    write: Write, text: str, message: str
) -> None:
    write(text)
    with pytest.raises(ReportedError, match=f"(?s){message}"):
        linuxkit_files.load()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINUXKIT_FILES", "linuxkit.yml missing.yml")
    with pytest.raises(ReportedError, match=r"LINUXKIT_FILES names .*/missing\.yml: no such file"):
        linuxkit_files.load()
