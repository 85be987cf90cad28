"""The release as an OCI image with its files at the root, for Kubernetes' image volumes.

It is an archive of an image layout (OCI image specification 1.1), which any tool can push:
`skopeo copy oci-archive:FILE docker://REGISTRY/tinkie:VERSION`.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from release import archive
from release.version import commit, source_date_epoch, version

TYPE = "application/vnd.oci.image"


def write(path: Path, files: Mapping[str, bytes], architecture: str) -> None:
    """Write an image of these files, for an architecture as Go names it, to path.

    Its layer is not compressed: the files in it are.
    """
    layer = archive.tar_bytes(files)
    config = _json(_config(layer, architecture))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{TYPE}.manifest.v1+json",
            "config": _descriptor("config.v1+json", config),
            "layers": [_descriptor("layer.v1.tar", layer)],
        }
    )
    entry = _descriptor("manifest.v1+json", manifest)
    entry["annotations"] = {"org.opencontainers.image.ref.name": version()}
    index = {"schemaVersion": 2, "mediaType": f"{TYPE}.index.v1+json", "manifests": [entry]}
    blobs = {f"blobs/sha256/{_sha256(blob)}": blob for blob in (layer, config, manifest)}
    layout = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    archive.tar(path, layout | blobs)


def _config(layer: bytes, architecture: str) -> dict[str, object]:
    labels = {"title": "tinkie", "version": version(), "revision": commit()}
    return {
        "created": datetime.fromtimestamp(source_date_epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Labels": {f"org.opencontainers.image.{name}": text for name, text in labels.items()}
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
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
