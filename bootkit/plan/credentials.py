"""User and password of registries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tinkie.parameters.image_reference import same_registry

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password for one registry, or an identity token, which only dockerd can use."""

    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """What one docker `config.json` has: credentials by a registry's host[:port].

    `unused` is why other parts of it are not used, by their name in the file.
    """

    auths: Mapping[str, Credentials] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)

    def credentials_for(self, domain: str) -> Credentials | None:
        """Return the credentials for exactly this host and port, as dockerd names a registry."""
        found = (one for name, one in self.auths.items() if same_registry(name, domain))
        return next(found, None)
