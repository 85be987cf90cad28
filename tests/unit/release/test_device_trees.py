"""The device trees of a release are those of the kernel that it starts."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from release import device_trees, images
from release.arch import AARCH64, Architecture
from release.errors import ReportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LINK = b"a symbolic link to nothing"
# What the engine has: the files of each image.
IMAGES: Mapping[str, Mapping[str, bytes]] = {
    "tinkie/kernel:build": {"kernel": b"ours", "dtbs.tar.gz": b"trees of ours"},
    "r/kernel:1": {"kernel": b"other", "./dtbs.tar.gz": b"trees of another", "more": b""},
    "r/bare:1": {"kernel": b"bare", "usr/dtbs.tar.gz": b"not it"},
    "r/empty:1": {},
    "r/link:1": {"dtbs.tar.gz": LINK},
}
OURS = 'kernel: {image: "tinkie/kernel:build"}\n'


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that has IMAGES."""

    @contextmanager
    def exported(
        image: str, target: Architecture, environment: Mapping[str, str]
    ) -> Iterator[tarfile.TarFile]:
        assert (target, environment["DOCKER_HOST"]) == (AARCH64, "unix:///x")
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            for name, text in IMAGES[image].items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                if text == LINK:
                    entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, "none", 0
                tar.addfile(entry, io.BytesIO(text))
        content.seek(0)
        with tarfile.open(fileobj=content, mode="r|") as tar:
            yield tar

    monkeypatch.setattr(images, "exported", exported)


def name_files(monkeypatch: pytest.MonkeyPatch, folder: Path, *kernels: str) -> None:
    """Let the LinuxKit files name our kernel, then these."""
    paths = [folder / f"{number}.yml" for number in range(1 + len(kernels))]
    for path, text in zip(paths, (OURS, *kernels), strict=True):
        path.write_text(text)
    monkeypatch.setenv("LINUXKIT_FILES", " ".join(map(str, paths)))


@pytest.mark.parametrize(
    ("more", "trees"),
    [
        ([], b"trees of ours"),
        (['kernel: {image: "r/kernel:1"}'], b"trees of another"),
        (['kernel: {image: "r/bare:1"}', 'kernel: {image: "r/kernel:1"}'], b"trees of another"),
        (["kernel: {cmdline: quiet}"], b"trees of ours"),
    ],
)
def test_they_are_those_of_the_kernel_that_is_used(
    more: list[str], trees: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_files(monkeypatch, tmp_path, *more)
    assert device_trees.read("unix:///x", AARCH64) == trees


@pytest.mark.parametrize("image", ["r/bare:1", "r/empty:1", "r/link:1"])
def test_a_kernel_image_without_any_is_named(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_files(monkeypatch, tmp_path, f"kernel: {{image: {image}}}")
    message = f"the kernel image '{image}' has no dtbs.tar.gz, .* for aarch64: the release is not"
    with pytest.raises(ReportedError, match=message):
        device_trees.read("unix:///x", AARCH64)
