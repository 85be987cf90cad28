"""The images in the sandbox's registry: workers around a Go binary, actions around busybox."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release import arch
from release.arch import Architecture
from release.errors import ReportedError
from release.process import run

BUSYBOX = Path("/bin/busybox")
ACTIONS = Path(__file__).parent / "actions"


@dataclass(frozen=True)
class ImageFile:
    """One file of an image: its path inside, and the file with its content."""

    path: str
    source: Path
    mode: int = 0o755


def worker_archive(
    path: Path, binary: Path, inside: str, target: Architecture | None = None
) -> Path:
    """Write an image with only a static Go binary, like the upstream agents' images."""
    return write_archive(
        path, [ImageFile(inside, binary)], entrypoint=[f"/{inside}"], target=target
    )


def actions_archive(
    path: Path,
    folder: Path = ACTIONS,
    *,
    busybox: Path = BUSYBOX,
    target: Architecture | None = None,
) -> Path:
    """Write an image of actions: busybox, and the scripts of a folder in its PATH.

    busybox: one for target; its programs are taken to be those of this machine's.
    """
    if not BUSYBOX.exists():
        raise ReportedError(f"{BUSYBOX} is missing: apt-get install busybox-static")
    scripts = [ImageFile(f"actions/{p.name}", p) for p in sorted(folder.iterdir())]
    applets = run("listing busybox's programs", [BUSYBOX, "--list"]).text.split()
    links = {f"bin/{name}": "busybox" for name in applets if name != "busybox"}
    files = [ImageFile("bin/busybox", busybox), *scripts]
    return write_archive(path, files, links=links, env=["PATH=/actions:/bin"], target=target)


def write_archive(
    path: Path,
    files: Sequence[ImageFile],
    *,
    links: Mapping[str, str] | None = None,
    entrypoint: Sequence[str] = (),
    env: Sequence[str] = (),
    target: Architecture | None = None,
) -> Path:
    """Write a one-layer image in the docker-archive format and return its path.

    target: what its programs are for; this machine's architecture if it is not given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    layer = path.with_suffix(".layer")
    _write_layer(layer, files, links or {})
    with layer.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    config = json.dumps(_config(digest, entrypoint, env, target or arch.own())).encode()
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
        _add_bytes(archive, "config.json", config)
        archive.add(layer, "layer.tar")
    layer.unlink()
    return path


def _config(
    digest: str, entrypoint: Sequence[str], env: Sequence[str], target: Architecture
) -> dict[str, object]:
    return {
        "architecture": target.debian,
        "os": "linux",
        "config": {"Entrypoint": list(entrypoint), "Env": list(env)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }


def _write_layer(path: Path, files: Sequence[ImageFile], links: Mapping[str, str]) -> None:
    with tarfile.open(path, "w") as layer:
        for file in files:
            entry = layer.gettarinfo(file.source, file.path)
            entry.mode, entry.uid, entry.gid, entry.mtime = file.mode, 0, 0, 0
            entry.uname = entry.gname = ""
            with file.source.open("rb") as stream:
                layer.addfile(entry, stream)
        for name, target in sorted(links.items()):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            layer.addfile(entry)
        # Programs expect a folder for temporary files.
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        layer.addfile(folder)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
