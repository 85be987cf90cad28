"""Container images inside the initramfs: EMBED="image[,image...]" of `make dist`.

An image is a name as in kernel parameters and templates; skopeo copies it from its registry with
this machine's configuration. Or it is NAME=SOURCE with a source in skopeo's syntax
(`docker-archive:file.tar`, `oci:folder`). tink_docker reads what is written here.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from release.arch import Architecture
from release.errors import ReportedError
from release.process import run

VARIABLE = "EMBED"
INSIDE = "usr/lib/tinkie/images"
INDEX = "index.json"
_TAG = "embedded"  # for an image whose name has a digest and no tag
_NAMED_BY_DIGEST = re.compile(r"(.+)@(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class EmbeddedImage:
    """An image: its name, its name with a tag, its source, and its digest if in the name."""

    name: str
    tagged: str
    source: str
    digest: str


def wanted() -> list[EmbeddedImage]:
    """Return the images that the environment variable EMBED names."""
    return [_wanted(words) for words in re.split(r"[,\s]+", os.environ.get(VARIABLE, "")) if words]


def may_have_changed() -> list[str]:
    """Return the names without a digest: their images may have changed."""
    return [image.name for image in wanted() if not image.digest]


def files(folder: Path, record: Path, target: Architecture) -> dict[str, object]:
    """Copy the images into a folder; return a LinuxKit file that adds them to the root.

    record: a file that lists them for the release's manifest; deleted if there are none.
    Raises ReportedError if one cannot be copied.
    """
    images = wanted()
    record.unlink(missing_ok=True)
    if not images:
        return {}
    rows = [_copy(image, folder, f"{number}.tar", target) for number, image in enumerate(images)]
    for path in (folder / INDEX, record):
        path.write_text(json.dumps(rows, indent=1))
    names = [INDEX, *(row["archive"] for row in rows)]
    return {"files": [{"path": f"{INSIDE}/{name}", "source": f"{folder / name}"} for name in names]}


def _wanted(words: str) -> EmbeddedImage:
    name, _, source = words.partition("=")
    found = _NAMED_BY_DIGEST.fullmatch(name)
    bare, digest = (found[1], found[2]) if found else (name, "")
    has_tag = ":" in bare.rpartition("/")[2]
    tagged = bare if has_tag else f"{bare}:{_TAG if digest else 'latest'}"
    # skopeo takes a tag or a digest of an image, not both.
    reference = f"{tagged.rpartition(':')[0]}@{digest}" if digest else tagged
    return EmbeddedImage(name, tagged, source or f"docker://{reference}", digest)


def _copy(
    image: EmbeddedImage, folder: Path, archive: str, architecture: Architecture
) -> dict[str, str]:
    manifest = _skopeo(image, "inspect", "--raw", image.source)
    digest = image.digest or f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    target = f"docker-archive:{folder / archive}:{image.tagged}"
    # Of an image for several architectures, skopeo copies that of this machine unless told.
    chosen = f"--override-arch={architecture.debian}"
    _skopeo(image, chosen, "copy", "--quiet", image.source, target)
    config = _skopeo(image, "inspect", "--raw", "--config", f"docker-archive:{folder / archive}")
    found = json.loads(config).get("architecture", "")
    if found != architecture.debian:  # --override-arch chooses only where there are several
        raise ReportedError(
            f"EMBED: {image.name} from {image.source} is for {found or 'no architecture'}: "
            f"an OS of {architecture.name} needs one for {architecture.debian}"
        )
    identity = f"sha256:{hashlib.sha256(config).hexdigest()}"
    return {"name": image.name, "digest": digest, "id": identity, "archive": archive}


def _skopeo(image: EmbeddedImage, *words: str) -> bytes:
    command = ["skopeo", "--insecure-policy", *words]
    what = f"EMBED: copying {image.name} from {image.source}"
    remedy = "check the name, the network, and `skopeo login`"
    return run(what, command, seconds=None, remedy=remedy).stdout
