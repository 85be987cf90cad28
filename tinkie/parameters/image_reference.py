"""Image names, taken apart as Docker does it.

Source of the rules: `splitDockerDomain()` and the grammar in the package `reference` of the
distribution project, which dockerd itself uses. Code that sends a password must read a
name exactly as dockerd does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tinkie.parameters.types import parse_port

DEFAULT_DOMAIN = "docker.io"

_ADDRESS = r"\[[0-9a-fA-F:]+\]"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|{_ADDRESS})(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_PART}(?:/{_PART})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
_IDENTIFIER = "[0-9a-f]{64}"  # of an image, which nobody can pull
_PORT = r":([0-9]+)$"
_LONGEST_PATH = 255
_LONGEST_LABEL = 63  # of a host's name (RFC 1035): dockerd takes longer ones, no resolver does


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image's name: registry host with port, path, and tag or digest or both.

    `str` gives the name as it was written.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Take a name apart; without tag and digest the tag is `latest`.

        Raises:
            ValueError: dockerd would not take it for a name.
        """
        name, _, digest = text.partition("@")
        name, tag = _split_tag(name)
        domain, path = _split_domain(name)
        legal = (
            _is_path(path) and re.fullmatch(_DOMAIN, domain) and not re.fullmatch(_IDENTIFIER, text)
        )
        if not legal or ("@" in text and not re.fullmatch(_DIGEST, digest)):
            raise ValueError("not an image name that Docker understands ([host[:port]/]path[:tag])")
        port = re.search(_PORT, domain)
        if port:
            parse_port(port[1])
        if any(len(label) > _LONGEST_LABEL for label in re.split("[.:]", domain)):
            raise ValueError(f"a part of the registry's name has over {_LONGEST_LABEL} characters")
        if tag is not None and not re.fullmatch(_TAG, tag):
            raise ValueError("the tag after the last colon is not one that Docker understands")
        return cls(domain, path, tag or (None if digest else "latest"), digest or None, text)


class Registry(str):
    """host[:port][/path] of a registry, without a slash at its end."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Registry:
        """Take what may precede an image's name; ValueError if the two are not an image name."""
        registry = text.rstrip("/")
        try:
            ImageReference.parse(f"{registry}/tink-worker")
        except ValueError:
            raise ValueError("not a registry: give host[:port][/path], without https://") from None
        return cls(registry)

    @property
    def domain(self) -> str:
        """Return the host, with its port, that its images are pulled from."""
        return ImageReference.parse(f"{self}/tink-worker").domain

    @property
    def is_docker_hub_user(self) -> bool:
        """Return whether Docker takes this for a user of Docker Hub, not for a host."""
        return not _is_host(self.partition("/")[0])


def is_domain(text: str) -> bool:
    """Return whether dockerd takes this for a registry's host[:port]; it may have no dot."""
    return re.fullmatch(_DOMAIN, text) is not None


def same_registry(one: str, other: str) -> bool:
    """Return whether two domains are the same host and port, in upper or lower case.

    Registries have HTTPS, so no port is port 443.
    """
    return one.lower().removesuffix(":443") == other.lower().removesuffix(":443")


def _split_tag(name: str) -> tuple[str, str | None]:
    before, colon, after = name.rpartition(":")
    if not colon or "/" in after or after.endswith("]"):
        return name, None
    return before, after


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not _is_host(first):
        domain, path = DEFAULT_DOMAIN, name
    else:
        domain, path = first, rest
    if domain == "index.docker.io":
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def _is_path(path: str) -> bool:
    return len(path) <= _LONGEST_PATH and re.fullmatch(_PATH, path) is not None


def _is_host(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost" or first != first.lower()
