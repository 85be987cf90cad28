"""The release as an OCI image with its files at the root, for Kubernetes' image volumes.

It is an archive of an image layout (OCI image specification 1.1), which any tool can push:
`skopeo copy --all oci-archive:FILE docker://REGISTRY/tinkie:VERSION`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from release import arch, archive
from release.arch import Architecture
from release.version import commit, source_date_epoch, version

TYPE = "application/vnd.oci.image"


def write(path: Path, files: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write an image of all these files to path; they are given by architecture, as Go names it.

    Kubernetes takes the image of a node's own architecture, whatever its machines have. So there is
    one for each node, with the files of all machines. The layers, one for each architecture of
    machines, are not compressed: most files in them are.
    """
    layers = [archive.tar_bytes(some) for some in files.values()]
    configs = [_json(_config(layers, node.debian)) for node in arch.ALL]
    manifests = [_json(_manifest(config, layers)) for config in configs]
    index = _json(_index([_of_node(*pair) for pair in zip(arch.ALL, manifests, strict=True)]))
    entry = _descriptor("index.v1+json", index)
    entry["annotations"] = {"org.opencontainers.image.ref.name": version()}
    blobs = {
        f"blobs/sha256/{_sha256(blob)}": blob for blob in (*layers, *configs, *manifests, index)
    }
    layout = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(_index([entry])),
    }
    archive.tar(path, layout | blobs)


def _index(manifests: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": f"{TYPE}.index.v1+json", "manifests": [*manifests]}


def _manifest(config: bytes, layers: Sequence[bytes]) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{TYPE}.manifest.v1+json",
        "config": _descriptor("config.v1+json", config),
        "layers": [_descriptor("layer.v1.tar", layer) for layer in layers],
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
