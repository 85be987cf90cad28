from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from sandbox.images import ImageFile, worker_archive, write_archive

if TYPE_CHECKING:
    from pathlib import Path


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def test_a_worker_is_its_binary(tmp_path: Path) -> None:
    binary = tmp_path / "agent"
    binary.write_bytes(b"\x7fELF")
    archive = worker_archive(tmp_path / "agent.tar", binary, "tink-agent")
    config = json.loads(read(archive, "config.json"))
    assert config["config"]["Entrypoint"] == ["/tink-agent"]
    layer = read(archive, "layer.tar")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        member = tar.getmember("tink-agent")
        assert (member.mode, member.uid, member.size) == (0o755, 0, 4)


def test_same_files_make_the_same_image(tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_text("hello")
    files = [ImageFile("bin/file", source)]
    one = write_archive(tmp_path / "1.tar", files, links={"bin/sh": "file"})
    source.touch()
    two = write_archive(tmp_path / "2.tar", files, links={"bin/sh": "file"})
    assert read(one, "layer.tar") == read(two, "layer.tar")
    assert read(one, "config.json") == read(two, "config.json")


def test_nothing_but_the_image_is_left(tmp_path: Path) -> None:
    write_archive(tmp_path / "out/1.tar", [])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1.tar"]
