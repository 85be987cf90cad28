"""A release's OCI image goes through a real registry and is the same afterwards, and signed."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from release import base, oci, signing
from release.errors import ReportedError
from tests.engine.world import World

FILES = {"vmlinuz-x86_64": b"kernel", "initramfs-x86_64": b"initramfs" * 100_000}
MORE = {"vmlinuz-aarch64": b"kernel", "initramfs-aarch64": b"another initramfs"}


def test_it_is_pushed_and_read_back(world: World, tmp_path: Path) -> None:
    archive, back = tmp_path / "tinkie.oci.tar", tmp_path / "back"
    oci.write(archive, {"amd64": FILES, "arm64": MORE})
    world.registry.push(archive, "tinkie:1", kind="oci-archive")
    world.registry.fetch("tinkie:1", back)
    found: dict[str, bytes] = {}
    for layer in json.loads((back / "manifest.json").read_text())["layers"]:
        with tarfile.open(back / layer["digest"].removeprefix("sha256:")) as tar:
            files = {member.name: tar.extractfile(member) for member in tar}
            found |= {name: file.read() for name, file in files.items() if file}
    assert found == FILES | MORE


@pytest.fixture(scope="module")
def skopeo(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with Debian 13's skopeo: that of Debian 12 checks no signature of this form."""
    folder = tmp_path_factory.mktemp("skopeo")
    install = "RUN apt-get install -y --no-install-recommends skopeo"
    (folder / "Dockerfile").write_text(f"FROM {base.NAME}\n{install}\n")
    name = "tinkie-test/skopeo"
    world.docker(
        *("buildx", "build", "--network=host", "--quiet", "--load", "--tag", name, str(folder)),
        seconds=300,
    )
    yield name
    world.docker("image", "rm", name)


def make_signer(folder: Path, name: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
    subprocess.run(command, check=True)
    return folder / name


def pull(world: World, skopeo: str, folder: Path, name: str, *options: str) -> str:
    """Pull an image under the policy in a folder; ReportedError if that refuses it."""
    store = world.registry
    mounts = [f"--volume={path}:{path}" for path in (folder, store.folder)]
    words = ["run", "--rm", f"--network=container:{world.anchor}", *mounts, skopeo]
    words += ["skopeo", "copy", *options, f"--src-cert-dir={store.ca.parent}"]
    words += [f"--authfile={store.authfile()}", f"--policy={folder}/policy.json"]
    words += [f"--registries.d={folder}/registries.d"]
    words += [f"docker://{store.host}/{name}", f"dir:{folder}/{name.replace(':', '-')}"]
    return world.docker(*words, seconds=120)


def set_policy(folder: Path, host: str, public: bytes) -> None:
    """Let skopeo pull only what this key has signed, as SECURITY.md describes it."""
    (folder / "tinkie.pem").write_bytes(public)
    identity = {"type": "exactRepository", "dockerRepository": oci.REPOSITORY}
    required = {"type": "sigstoreSigned", "keyPath": f"{folder}/tinkie.pem"}
    policy = {
        "default": [{"type": "reject"}],
        "transports": {"docker": {host: [required | {"signedIdentity": identity}]}},
    }
    (folder / "policy.json").write_text(json.dumps(policy))
    (folder / "registries.d").mkdir(exist_ok=True)
    attachments = {"docker": {host: {"use-sigstore-attachments": True}}}
    (folder / "registries.d" / "tinkie.yaml").write_text(json.dumps(attachments))


def test_a_policy_takes_it_if_the_releases_key_signed_it_and_else_not(
    world: World, skopeo: str, tmp_path: Path
) -> None:
    archive, signatures = tmp_path / "tinkie.oci.tar", tmp_path / "tinkie.oci.sig.tar"
    oci.write(archive, {"amd64": FILES, "arm64": MORE})
    with signing.signer(make_signer(tmp_path, "key")) as signer:
        oci.sign(archive, signatures, signer.sign)
        set_policy(tmp_path, world.registry.host, signer.pem)
    for name in ("signed:1", "unsigned:1"):
        world.registry.push(archive, name, kind="oci-archive")
    with tarfile.open(signatures) as tar:
        file = tar.extractfile("index.json")
        assert file
        entries = json.load(file)["manifests"]
    for entry in entries:
        ref = entry["annotations"][oci.REF_NAME]
        world.registry.push(signatures, f"signed:{ref}", kind="oci-archive", image=ref)
    for options in (["--all"], ["--override-arch=amd64"], ["--override-arch=arm64"]):
        pull(world, skopeo, tmp_path, "signed:1", *options)
    with pytest.raises(ReportedError, match="no signature exists"):
        pull(world, skopeo, tmp_path, "unsigned:1")
    with signing.signer(make_signer(tmp_path, "other")) as other:
        set_policy(tmp_path, world.registry.host, other.pem)
    with pytest.raises(ReportedError, match="failed to verify signature"):
        pull(world, skopeo, tmp_path, "signed:1")
