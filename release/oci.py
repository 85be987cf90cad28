"""The release as an OCI image with its files at the root, for Kubernetes' image volumes.

It is an archive of an image layout (OCI image specification 1.1), which any tool can push:
`skopeo copy --all --preserve-digests oci-archive:FILE docker://REGISTRY/tinkie:VERSION`.

Its signatures are images, too: cosign's simple signing, which skopeo, podman and Kubernetes'
policies also read. Each is in the image's repository under a name with the signed digest.
"""

import hashlib
import json
import tarfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release import arch, archive
from release.arch import Architecture
from release.version import commit, source_date_epoch, version

TYPE = "application/vnd.oci.image"
SIGNED_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
REF_NAME = "org.opencontainers.image.ref.name"
# A signature names a repository. The release is pushed anywhere, so this is none of a registry.
REPOSITORY = "localhost/tinkie"


def write(path: Path, files: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write an image of all these files to path; they are given by architecture, as Go names it.

    Kubernetes takes the image of a node's own architecture, whatever its machines have. So there is
    one for each node, with the files of all machines. The layers, one for each architecture of
    machines, are not compressed: most files in them are.
    """
    layers = [archive.tar_bytes(some) for some in files.values()]
    descriptors = [_descriptor("layer.v1.tar", layer) for layer in layers]
    configs = [_json(_config(layers, node.debian)) for node in arch.ALL]
    manifests = [_json(_manifest(config, descriptors)) for config in configs]
    index = _json(_index([_of_node(*pair) for pair in zip(arch.ALL, manifests, strict=True)]))
    entry = _descriptor("index.v1+json", index) | {"annotations": {REF_NAME: version()}}
    _write_layout(path, [entry], [*layers, *configs, *manifests, index])


def sign(image: Path, path: Path, signed_by: Callable[[bytes], bytes]) -> None:
    """Write the signatures of an image that `write` made, as an archive with one image for each.

    Its index is signed, and the manifest of each node: verifiers ask for either.
    """
    entries, blobs = [], []
    for digest in _digests(image):
        payload = _json(_statement(digest))
        config = _json(_signature_config(payload))
        layer = {
            "mediaType": SIGNED_TYPE,
            "digest": f"sha256:{_sha256(payload)}",
            "size": len(payload),
            "annotations": {SIGNATURE: b64encode(signed_by(payload)).decode()},
        }
        manifest = _json(_manifest(config, [layer]))
        name = f"{digest.replace(':', '-')}.sig"
        entries.append(
            _descriptor("manifest.v1+json", manifest) | {"annotations": {REF_NAME: name}}
        )
        blobs += [payload, config, manifest]
    _write_layout(path, entries, blobs)


def _digests(image: Path) -> Iterator[str]:
    """Return the digests of an archive's images, and of what they list."""
    with tarfile.open(image) as tar:
        for entry in _read(tar, "index.json")["manifests"]:
            yield entry["digest"]
            listed = _read(tar, f"blobs/{entry['digest'].replace(':', '/')}")
            yield from (node["digest"] for node in listed["manifests"])


def _read(tar: tarfile.TarFile, name: str) -> Any:
    file = tar.extractfile(name)
    return json.load(file) if file else {}


def _statement(digest: str) -> dict[str, object]:
    """Return what a signature is of (the "simple signing" format of containers/image)."""
    critical = {
        "identity": {"docker-reference": REPOSITORY},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return {"critical": critical, "optional": {}}


def _signature_config(payload: bytes) -> dict[str, object]:
    """Return the configuration that tools expect in an image; nothing runs it."""
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{_sha256(payload)}"]}
    return {"architecture": "", "os": "", "config": {}, "rootfs": rootfs}


def _write_layout(
    path: Path, entries: Sequence[Mapping[str, object]], blobs: Sequence[bytes]
) -> None:
    layout = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(_index(entries)),
    }
    archive.tar(path, layout | {f"blobs/sha256/{_sha256(blob)}": blob for blob in blobs})


def _index(manifests: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": f"{TYPE}.index.v1+json", "manifests": [*manifests]}


def _manifest(config: bytes, layers: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{TYPE}.manifest.v1+json",
        "config": _descriptor("config.v1+json", config),
        "layers": [*layers],
    }


def _of_node(node: Architecture, manifest: bytes) -> dict[str, object]:
    platform = {"architecture": node.debian, "os": "linux"}
    return _descriptor("manifest.v1+json", manifest) | {"platform": platform}


def _config(layers: Sequence[bytes], architecture: str) -> dict[str, object]:
    labels = {"title": "tinkie", "version": version(), "revision": commit()}
    return {
        "created": datetime.fromtimestamp(source_date_epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Labels": {f"org.opencontainers.image.{name}": text for name, text in labels.items()}
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}" for layer in layers]},
    }


def _descriptor(kind: str, blob: bytes) -> dict[str, object]:
    return {
        "mediaType": f"{TYPE}.{kind}",
        "digest": f"sha256:{_sha256(blob)}",
        "size": len(blob),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
