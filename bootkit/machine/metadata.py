"""The metadata service: this machine's id, host name and bond.

There are two styles. hegel's `/metadata` returns JSON: the whole hardware record, only its
instance, or nothing. EC2 style has one URL for each value, below `/2009-04-04/meta-data/`. Both
identify a machine by its IP address.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from bootkit.machine.bonding import bond_of
from bootkit.policy import METADATA_LIMIT_BYTES, METADATA_WORD_CHARACTERS
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError, asking
from tinkie.hints import Asked
from tinkie.parameters.table import (
    GRPC_AUTHORITY,
    HEGEL_PORT,
    METADATA_URL,
    TINKERBELL,
    TOOTLES_PORT,
)
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from tinkie.fetch.fetcher import Fetcher
    from tinkie.parameters.bond import Bond
    from tinkie.parameters.parameter import Parameters

log = get_logger()

EC2_VERSION = "2009-04-04"


class MachineMetadata(NamedTuple):
    """This machine's metadata; every value may be missing."""

    id: str | None = None
    hostname: str | None = None
    bond: Bond | None = None


class MetadataService(NamedTuple):
    """One metadata service: its URL and how to fetch it."""

    url: str
    fetcher: Fetcher

    def find(self, *, seconds: float) -> MachineMetadata:
        """Return this machine's metadata, within `seconds` altogether.

        Raises:
            TransientError, PermanentError: as `Fetcher.get`.
            PermanentError: the answer is not metadata.
        """
        with asking(Asked.METADATA):
            return self._find(seconds)

    def _find(self, seconds: float) -> MachineMetadata:
        if urlsplit(self.url).path.rstrip("/").endswith("/metadata"):
            return parse_hegel(self._get(self.url, seconds))
        deadline = self.fetcher.now() + seconds
        leaves = ec2_leaves(self.url)
        instance = _line(self._get(leaves + "instance-id", seconds))
        return MachineMetadata(instance, self._hostname(leaves, deadline - self.fetcher.now()))

    def _hostname(self, leaves: str, seconds: float) -> str | None:
        """Return the host name, which is only for people: without an answer, None."""
        try:
            return _line(self._get(leaves + "hostname", seconds))
        except BootError:
            return None

    def _get(self, url: str, seconds: float) -> bytes:
        return self.fetcher.get(url, limit=METADATA_LIMIT_BYTES, seconds=seconds)


def metadata_url(parameters: Parameters) -> str | None:
    """Return where to ask: metadata_url, tinkerbell, the gRPC server's host; None without these."""
    if url := parameters[METADATA_URL]:
        return url
    if base := parameters[TINKERBELL]:
        return f"{base.scheme}://{base.endpoint.host.in_url}:{HEGEL_PORT}/metadata"
    if server := parameters[GRPC_AUTHORITY]:
        return f"http://{server.host.in_url}:{TOOTLES_PORT}"
    return None


def parse_hegel(body: bytes) -> MachineMetadata:
    """Read hegel's JSON: a whole hardware record, an instance, or an empty body.

    Raises:
        PermanentError: it is not a JSON object, or its id is invalid.
    """
    if not body.strip():
        return MachineMetadata()
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid("the answer is not JSON") from error
    if not isinstance(record, dict):
        raise _invalid("the answer is not a JSON object")
    return MachineMetadata(_id(record.get("id")), _hostname(record), _bond(record))


def ec2_leaves(url: str) -> str:
    """Return the URL below which the values are, whether `url` has the version or not."""
    base = url.rstrip("/").removesuffix("/meta-data")
    versioned = base if f"/{EC2_VERSION}" in base else f"{base}/{EC2_VERSION}"
    return f"{versioned}/meta-data/"


def _hostname(record: dict[str, Any]) -> str | None:
    """Return the host name of an instance, or of a whole record, which has it in two places."""
    instance = _inside(record, "metadata", "instance")
    interfaces = _inside(record, "network").get("interfaces")
    first = interfaces[0] if isinstance(interfaces, list) and interfaces else {}
    lease = _inside(first, "dhcp") if isinstance(first, dict) else {}
    names = (record.get("hostname"), instance.get("hostname"), lease.get("hostname"))
    return next((name for name in map(_text, names) if name and _is_word(name)), None)


def _bond(record: dict[str, Any]) -> Bond | None:
    """Return the bond that the record asks for; one that cannot be made is reported."""
    try:
        return bond_of(record)
    except ValueError as error:
        log.warning("metadata.ignored", name="bonding", error=str(error), next="goes on without")
        return None


def _inside(value: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _id(value: object) -> str | None:
    """Return the id if it is valid as `worker_id`, too.

    Raises:
        PermanentError: it contains blanks or control characters, or it is too long.
    """
    text = _text(value)
    if text and not _is_word(text):
        raise _invalid("the id contains blanks or control characters, or is too long")
    return text


def _is_word(text: str) -> bool:
    return text.isprintable() and " " not in text and len(text) <= METADATA_WORD_CHARACTERS


def _line(body: bytes) -> str | None:
    """Read one EC2 value.

    Raises:
        PermanentError: it is not one plain word, so another service answered.
    """
    text = body.decode(errors="surrogateescape").strip()
    if not _is_word(text) or "<" in text:
        raise _invalid("the answer is not one plain value")
    return text or None


def _invalid(reason: str) -> PermanentError:
    return PermanentError(f"read metadata: {reason}", kind=ErrorKind.BAD_ANSWER)
