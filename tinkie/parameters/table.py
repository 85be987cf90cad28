"""The base of both programs' models of the kernel parameters that they read.

A field's alias is the kernel parameter's name. Every problem is reported at once and by that name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from tinkie.parameters.image_reference import ImageReference, registry_domain

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from tinkie.parameters.cmdline import Cmdline

_HIGHEST_PORT = 65535
_DIGITS = re.compile("[0-9]{1,5}")


class Parameters(BaseModel):
    """Some of the kernel parameters; unknown ones are ignored, absent and empty ones are None."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def read(cls, cmdline: Cmdline) -> tuple[Self, dict[str, str]]:
        """Return the parameters without the bad ones, and why each bad one is bad by its name."""
        values = cmdline.values()
        given = {name: values[name] for name in cls.names() if name in values}
        problems: dict[str, str] = {}
        try:
            parameters = cls.model_validate(given)
        except ValidationError as error:
            problems = dict(map(_fault, error.errors()))
            good = {name: value for name, value in given.items() if name not in problems}
            parameters = cls.model_validate(good)
        return parameters, problems | parameters.contradictions(frozenset(problems))

    def contradictions(self, bad: frozenset[str]) -> dict[str, str]:  # noqa: ARG002 - for subclasses
        """Return problems that take more than one parameter to see; `bad` ones were left out."""
        return {}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the kernel parameters that this model reads."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def _fault(error: ErrorDetails) -> tuple[str, str]:
    where = str(error["loc"][0]) if error["loc"] else "parameters"
    reason = "not UTF-8" if error["type"] == "string_unicode" else error["msg"]
    return where, reason.removeprefix("Value error, ")


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""A list with commas in between; empty parts are left out."""


def check_port(value: str) -> int:
    """Return the number that a port is, or raise ValueError."""
    if not _DIGITS.fullmatch(value) or not 0 < int(value) <= _HIGHEST_PORT:
        raise ValueError(f"not a port number from 1 to {_HIGHEST_PORT}")
    return int(value)


def check_url(value: str) -> SplitResult:
    """Take an address of the web apart, or raise ValueError; nothing of the value is repeated."""
    if not value.isprintable() or " " in value:
        raise ValueError("no blanks or control characters are allowed")
    try:
        parts = urlsplit(value)
    except ValueError:  # its message has the password
        raise ValueError("not an http:// or https:// address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http:// or https:// address")
    port = re.sub(r"^\[.*\]", "", parts.netloc.rpartition("@")[2]).rpartition(":")
    if port[1]:
        check_port(port[2])
    return parts


def _url(value: str) -> str:
    check_url(value)
    return value


def _base(value: str) -> str:
    return _url(value if "://" in value else f"http://{value}")


def _image(value: str) -> str:
    ImageReference.parse(value)
    return value


def _registry(value: str) -> str:
    registry = value.rstrip("/")
    registry_domain(registry)
    return registry


Port = Annotated[int, BeforeValidator(check_port)]
Url = Annotated[str, AfterValidator(_url)]

Base = Annotated[str, AfterValidator(_base)]
"""An address whose `http://` may be left out."""

Image = Annotated[str, AfterValidator(_image)]
"""An image's name, as Docker reads it."""

Registry = Annotated[str, AfterValidator(_registry)]
"""host[:port][/path] of a registry, without a slash at its end."""
