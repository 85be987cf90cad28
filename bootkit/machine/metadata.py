"""The metadata service says who this machine is (contracts, section 2).

Two kinds answer. hegel's `/metadata` gives JSON: the whole hardware record, only its instance, or
nothing. The EC2 style gives one value an address, below `/2009-04-04/meta-data/`. Both tell
machines apart by their address.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.parameters.table import GRPC_AUTHORITY, METADATA_URL, TINKERBELL

if TYPE_CHECKING:
    from tinkie.fetch.fetcher import Fetcher
    from tinkie.parameters.parameter import Parameters

HEGEL_PORT = 50061
TOOTLES_PORT = 7080
EC2_VERSION = "2009-04-04"
LIMIT_BYTES = 4 * 1024 * 1024  # a whole hardware record may hold user data
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Machine:
    """What the metadata service knows of this machine; everything may be missing."""

    id: str | None = None
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class MetadataService:
    """One metadata service: its address and how to ask it."""

    url: str
    fetcher: Fetcher

    def find(self, *, seconds: float) -> Machine:
        """Ask for this machine, within `seconds` altogether.

        Raises:
            TransientError, PermanentError: as `Fetcher.get`.
            PermanentError: the answer is no metadata.
        """
        if urlsplit(self.url).path.rstrip("/").endswith("/metadata"):
            return machine_in(self._get(self.url, seconds))
        deadline = self.fetcher.now() + seconds
        leaves = ec2_leaves(self.url)
        instance = _line(self._get(leaves + "instance-id", seconds))
        return Machine(instance, self._hostname(leaves, deadline - self.fetcher.now()))

    def _hostname(self, leaves: str, seconds: float) -> str | None:
        """Ask for what only people want to know; no answer is no error."""
        try:
            return _line(self._get(leaves + "hostname", seconds))
        except BootError:
            return None

    def _get(self, url: str, seconds: float) -> bytes:
        return self.fetcher.get(url, limit=LIMIT_BYTES, seconds=seconds)


def metadata_url(parameters: Parameters) -> str | None:
    """Return where to ask: metadata_url, tinkerbell, the gRPC server's host; None without these."""
    if url := parameters[METADATA_URL]:
        return url
    if base := parameters[TINKERBELL]:
        return f"{base.scheme}://{base.endpoint.host.in_url}:{HEGEL_PORT}/metadata"
    if server := parameters[GRPC_AUTHORITY]:
        return f"http://{server.host.in_url}:{TOOTLES_PORT}"
    return None


def machine_in(body: bytes) -> Machine:
    """Read hegel's JSON: a whole hardware record, an instance, or an empty body.

    Raises:
        PermanentError: it is no JSON object, or its id is none.
    """
    if not body.strip():
        return Machine()
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _no_metadata("no JSON") from error
    if not isinstance(record, dict):
        raise _no_metadata("JSON, but no object")
    return Machine(id=_id(record.get("id")), hostname=_hostname(record))


def ec2_leaves(url: str) -> str:
    """Return the address below which the values are, whether `url` has the version or not."""
    base = url.rstrip("/").removesuffix("/meta-data")
    versioned = base if f"/{EC2_VERSION}" in base else f"{base}/{EC2_VERSION}"
    return f"{versioned}/meta-data/"


def _hostname(record: dict[str, Any]) -> str | None:
    """Find the host name: an instance's own, or a whole record's in one of two places."""
    instance = _inside(record, "metadata", "instance")
    interfaces = _inside(record, "network").get("interfaces")
    first = interfaces[0] if isinstance(interfaces, list) and interfaces else {}
    lease = _inside(first, "dhcp") if isinstance(first, dict) else {}
    names = (record.get("hostname"), instance.get("hostname"), lease.get("hostname"))
    return next((name for name in map(_text, names) if name and _is_word(name)), None)


def _inside(value: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _id(value: object) -> str | None:
    """Take what every worker can be called, as it may stand on the command line.

    Raises:
        PermanentError: it has blanks or control characters, or it is very long.
    """
    text = _text(value)
    if text and not _is_word(text):
        raise _no_metadata("an id with blanks or control characters, or a very long one")
    return text


def _is_word(text: str) -> bool:
    return text.isprintable() and " " not in text and len(text) <= _LONGEST_NAME


def _line(body: bytes) -> str | None:
    """Read one EC2 value.

    Raises:
        PermanentError: it is no plain word, so something else answered.
    """
    text = body.decode(errors="surrogateescape").strip()
    if not _is_word(text) or "<" in text:
        raise _no_metadata("more than one plain value")
    return text or None


def _no_metadata(what: str) -> PermanentError:
    return PermanentError(f"the metadata service answered {what}", kind=ErrorKind.BAD_ANSWER)
