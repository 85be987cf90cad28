"""Docker's `config.json`: user and password of any number of registries.

Sources: docker's command line (`cli/config/configfile`) for the fields and what `auth` holds,
dockerd (`ConvertToHostname()`) for the names of registries. Each entry is judged by itself: the
good ones are used. No message repeats anything but names of registries.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from bootkit.plan.credentials import Credentials, DockerConfig
from bootkit.policy import AUTH_ENTRIES_MAXIMUM, AUTH_TEXT_CHARACTERS
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.image_reference import DEFAULT_DOMAIN, is_domain

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB = ("index.docker.io", DEFAULT_DOMAIN)  # docker login writes https://index.docker.io/v1/
_SECRET_FIELDS = ("auth", "password", "identitytoken", "registrytoken")
_LONGEST_NAME = 253
_SHORTEST_SECRET = 6  # of an entry that is not used; a shorter one is part of many words


class _Entry(BaseModel):
    auth: str | None = None
    username: str | None = None
    password: str | None = None
    identitytoken: str | None = None
    registrytoken: str | None = None


class _File(BaseModel):
    auths: dict[str, Any]
    store: Any = Field(default=None, alias="credsStore")
    helpers: Any = Field(default=None, alias="credHelpers")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParsedFile:
    """What is in the file, and every text in it that must never be shown."""

    config: DockerConfig
    secrets: tuple[str, ...]


def parse_docker_config(body: bytes) -> ParsedFile:
    """Read a docker `config.json`.

    Raises:
        PermanentError: it is no JSON object whose `auths` is an object.
    """
    try:
        file = _File.model_validate(json.loads(body), strict=True)
    except (ValueError, RecursionError):  # pydantic's error is a ValueError
        # Its message has the values; neither do we chain it, since a traceback has them, too.
        raise PermanentError(
            "the answer is no docker config.json: a JSON object with auths",
            kind=ErrorKind.BAD_ANSWER,
        ) from None
    unused = _programs(file)
    found: dict[str, Credentials] = {}
    exact: set[str] = set()
    for name, raw in file.auths.items():
        try:
            domain, is_exact = _domain(name)
            credentials = _credentials(raw)
        except ValueError as error:
            unused[_shown(name)] = str(error)
            continue
        if domain not in found and len(found) == AUTH_ENTRIES_MAXIMUM:
            unused[domain] = f"only {AUTH_ENTRIES_MAXIMUM} registries are used"
            continue
        if domain not in found or (is_exact and domain not in exact):
            found[domain] = credentials
        exact |= {domain} if is_exact else set()
    return ParsedFile(DockerConfig(found, unused), _secrets_in(file, found))


def _programs(file: _File) -> dict[str, str]:
    why = "a program that is not here has the passwords: put them into auths"
    return {
        name: why
        for name, value in (("credsStore", file.store), ("credHelpers", file.helpers))
        if value
    }


def _domain(name: str) -> tuple[str, bool]:
    """Return the registry's host[:port], and whether the name is as dockerd looks it up first."""
    scheme, separator, rest = name.partition("://")
    url = rest if separator and scheme in ("http", "https") else name
    host = url.partition("/")[0].lower().removesuffix(":443")
    if not is_domain(host) or len(host) > _LONGEST_NAME:
        raise ValueError("its name is no registry: host[:port] or https://host[:port]/v1/")
    if host in _HUB:
        return DEFAULT_DOMAIN, name == "https://index.docker.io/v1/"
    return host, name.lower().removesuffix(":443") == host


def _credentials(raw: object) -> Credentials:
    try:
        entry = _Entry.model_validate(raw, strict=True)
    except ValidationError:
        raise ValueError("its fields are not texts") from None
    pair = (entry.username or "", entry.password or "")
    username, password = _decoded(entry.auth) if entry.auth else pair
    token = entry.identitytoken or ""
    for text in (username, password, token):
        if not text.isprintable() or len(text) > AUTH_TEXT_CHARACTERS:
            raise ValueError(
                f"control characters, or more than {AUTH_TEXT_CHARACTERS} characters, are in it"
            )
    if not token and not (username and password):
        other = ", and a registrytoken is not used" if entry.registrytoken else ""
        raise ValueError(f"it has no user and password{other}")
    return Credentials(username, password, token)


def _decoded(auth: str) -> tuple[str, str]:
    try:
        text = base64.b64decode("".join(auth.split()), validate=True).decode()
    except ValueError:  # its message may have bytes of it
        raise ValueError("its auth is not base64 of user:password") from None
    username, colon, password = text.partition(":")
    if not colon or not username:
        raise ValueError("its auth is not base64 of user:password")
    return username, password.strip("\0")


def _shown(name: str) -> str:
    """Return a name as a message may have it: a wrong name may be a secret."""
    host = name.partition("://")[2] or name
    host = host.partition("/")[0].lower()
    return host if is_domain(host) and len(host) <= _LONGEST_NAME else "an entry"


def _secrets_in(file: _File, found: Mapping[str, Credentials]) -> tuple[str, ...]:
    used = [text for one in found.values() for text in (one.password, one.identity_token) if text]
    entries = [raw for raw in (file.auths or {}).values() if isinstance(raw, dict)]
    texts = [raw.get(name) for raw in entries[:AUTH_ENTRIES_MAXIMUM] for name in _SECRET_FIELDS]
    written = [one for one in texts if isinstance(one, str) and len(one) >= _SHORTEST_SECRET]
    return tuple(dict.fromkeys((*used, *written)))
