"""Debian's docker-registry with TLS and a password, and the images pushed to it."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from release.process import run
from sandbox.certificates import CA, Pair
from sandbox.http_client import answers
from sandbox.network import ADDRESS6, Network
from sandbox.processes import Program, running
from sandbox.waiting import wait_for

READY_SECONDS = 30.0
HTTPS = 443
IMAGES = "data"


@dataclass(frozen=True)
class Credentials:
    """User name and password of the registry."""

    username: str
    password: str

    @property
    def parameters(self) -> dict[str, str]:
        """Their kernel parameters."""
        return {"registry_username": self.username, "registry_password": self.password}

    @property
    def basic(self) -> str:
        """Their form in an Authorization header and in Docker's configuration."""
        return b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Registry:
    """A registry that answers.

    host: as in the name of an image ("172.30.0.1", "172.17.0.1:5443").
    ca: the CA certificate that clients must trust.
    """

    host: str
    ca: Path
    credentials: Credentials
    folder: Path
    network: Network
    program: Program

    def set_password(self, credentials: Credentials) -> None:
        """Take these user and password from now on, and no others."""
        _write_passwords(self.folder, credentials)

    def push(self, archive: Path, name: str, kind: str = "docker-archive", image: str = "") -> str:
        """Push an archive under a name ("tink-agent:latest"); return its full reference.

        image: which one, of an OCI archive that has several. An image of several architectures is
        pushed as a whole, and an OCI archive as it is: digests of it may be signed.
        """
        reference = f"{self.host}/{name}"
        source = f"{kind}:{archive}" + (f":{image}" if image else "")
        as_it_is = ["--preserve-digests"] if kind == "oci-archive" else []
        self._copy(source, f"docker://{reference}", "dest", "--all", *as_it_is)
        return reference

    def fetch(self, name: str, folder: Path) -> None:
        """Copy an image to a folder: manifest.json, and each blob named by its digest's digits."""
        self._copy(f"docker://{self.host}/{name}", f"dir:{folder}", "src")

    def _copy(self, source: str, target: str, side: str, *more: str) -> None:
        """Copy an image; side: which of the two is the registry's, in skopeo's words."""
        options = [f"--{side}-cert-dir={self.ca.parent}", f"--authfile={self.authfile()}"]
        command = [
            "skopeo",
            "copy",
            *more,
            "--quiet",
            "--insecure-policy",
            *options,
            source,
            target,
        ]
        with self.network.inside():
            run(f"copying {source} to {target}", command, seconds=300)

    def authfile(self) -> Path:
        """Return the file of user and password, as skopeo and docker read it."""
        # A file, not an argument: every user of the machine can read arguments.
        path = self.folder / "auth.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"auths": {self.host: {"auth": self.credentials.basic}}}))
        return path


@contextmanager
def registry(
    folder: Path,
    network: Network,
    ca: CA,
    credentials: Credentials,
    *,
    port: int = HTTPS,
    certificate: Pair | None = None,
    images: Path | None = None,
    tls: bool = True,
    password: bool = True,
    token_service: str = "",
    prefix: str = "/",
) -> Iterator[Registry]:
    """Run a registry on the network's address until the end of the with block.

    certificate: used instead of a valid one that the CA signs, for tests of faults.
    images: the folder of another registry's images, to serve the same. tls: else plain HTTP.
    password: else it serves every client. token_service: the URL where clients get a token for
    their password, instead of sending it to the registry. prefix: what precedes `v2/` in its URLs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pair = certificate or ca.issue("registry", [network.address, ADDRESS6])
    settings = _settings(f"{network.address}:{port}", images or folder / IMAGES, prefix)
    if token_service:
        issued = {"service": "sandbox", "issuer": "sandbox", "rootcertbundle": str(ca.certificate)}
        settings["auth"] = {"token": {"realm": token_service, **issued}}
    elif password:
        passwords = _write_passwords(folder, credentials)
        settings["auth"] = {"htpasswd": {"realm": "sandbox", "path": str(passwords)}}
    if tls:
        settings["http"]["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
    config = folder / "registry.yml"
    config.write_text(yaml.safe_dump(settings))
    host = network.address if port == HTTPS else f"{network.address}:{port}"
    command: list[str | Path] = ["docker-registry", "serve", config]
    with running("registry", command, log=folder / "registry.log", network=network) as program:
        trusted = _trusted_folder(folder, ca)
        found = Registry(host, trusted, credentials, folder, network, program)
        url = f"http{'s' if tls else ''}://{network.address}:{port}{prefix}v2/"
        wait_for("the registry's answer", lambda: _answers(found, url), seconds=READY_SECONDS)
        yield found


def _trusted_folder(folder: Path, ca: CA) -> Path:
    # skopeo reads every *.crt and *.key of a folder; the CA's own folder has more than this one.
    trusted = folder / "trusted" / "ca.crt"
    trusted.parent.mkdir(exist_ok=True)
    trusted.write_bytes(ca.certificate.read_bytes())
    return trusted


def _answers(found: Registry, url: str) -> bool:
    found.program.check()
    # Readiness only: the clients under test decide whether its certificate is good.
    statuses = (httpx.codes.OK, httpx.codes.UNAUTHORIZED)
    return answers(found.network, url, verify=False, statuses=statuses)


def _write_passwords(folder: Path, credentials: Credentials) -> Path:
    words = ["htpasswd", "-Bin", credentials.username]
    passwords = folder / "htpasswd"
    hashed = run("hashing the password", words, stdin=credentials.password)
    passwords.write_bytes(hashed.stdout)
    return passwords


def _settings(address: str, images: Path, prefix: str) -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(images)}},
        "http": {"addr": address, "prefix": prefix},
    }
