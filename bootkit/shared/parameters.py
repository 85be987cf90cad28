"""The base of both programs' models of the kernel parameters that they read.

A field's alias is the kernel parameter's name. Every fault is told at once and by that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bootkit.shared.errors import BadParameters

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from bootkit.shared.cmdline import Cmdline


class Parameters(BaseModel):
    """Some of the kernel parameters; unknown ones are ignored, absent and empty ones are None."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def from_cmdline(cls, cmdline: Cmdline) -> Self:
        """Check the values that are given.

        Raises:
            BadParameters: with the reason for each parameter that makes no sense.
        """
        given = cmdline.values()
        try:
            return cls.model_validate({name: given[name] for name in cls.names() if name in given})
        except ValidationError as error:
            raise BadParameters(dict(map(_fault, error.errors()))) from None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the kernel parameters that this model reads."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def _fault(error: ErrorDetails) -> tuple[str, str]:
    where = str(error["loc"][0]) if error["loc"] else "parameters"
    return where, error["msg"].removeprefix("Value error, ")


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""A list with commas in between; empty parts are left out."""
