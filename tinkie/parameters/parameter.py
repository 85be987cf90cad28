"""What a kernel parameter is, and how a command line becomes values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from tinkie.parameters.types import BadElements, check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tinkie.parameters.cmdline import Cmdline

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Enum):
    """Who reads a parameter."""

    BOOTKIT = "bootkit"
    TINK_DOCKER = "tink-docker"
    SETTINGS = "settings"
    NETWORK = "dhcp"
    INIT = "init"
    KERNEL = "kernel"


class Section(Enum):
    """The sections of docs/cmdline.md."""

    WORKER = "The worker"
    REGISTRIES = "Registries and proxies"
    SYSTEM = "The system"


class Stops(Enum):
    """When a bad value keeps the worker from being started."""

    NEVER = "never"
    ALWAYS = "always"
    WITHOUT_ID = "unless another parameter gives the worker's id"
    WITHOUT_IMAGE = "unless another parameter gives the worker's image"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Parameter(Generic[T_co]):
    """One kernel parameter.

    `parse` turns a text into its value; it raises ValueError with a reason that repeats no part of
    the text, or BadElements with the elements that can be used. `default` is the value of an absent
    or bad one. `secrets` returns what must never be shown of a text, which may be malformed.
    `free_text` is for values that may look like a variable that nothing replaced; `is_list` for
    those whose `parse` checks each element by itself.
    """

    name: str
    section: Section
    read_by: tuple[Reader, ...]
    value: str  # what a good value is, in a word, for people
    meaning: str  # Markdown, for people
    parse: Callable[[str], T_co]
    default: T_co
    also: tuple[str, ...] = ()  # other spellings; the name itself wins
    stops: Stops = Stops.NEVER
    names_tinkerbell: bool = False  # its host is a host of Tinkerbell
    secrets: Callable[[str], Iterable[str]] | None = None
    free_text: bool = False
    is_list: bool = False

    def text(self, cmdline: Cmdline) -> str | None:
        """Return what the command line has for it; None if it is absent or empty."""
        return next(filter(None, map(cmdline.get, (self.name, *self.also))), None)

    def check(self, text: str) -> T_co:
        """Return the value of a text; raise ValueError or BadElements as `parse` does."""
        if not self.is_list:
            check_text(text, free=self.free_text)
        return self.parse(text)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parameters:
    """The values of one command line.

    `problems` has the reason by the name of each bad parameter, in the order of the table; a bad
    one has its default here, a list its good elements.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    _values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, cmdline: Cmdline, table: Iterable[Parameter[object]]) -> Parameters:
        """Parse the values of these parameters; any command line can be read."""
        texts: dict[str, str] = {}
        problems: dict[str, str] = {}
        values: dict[str, object] = {}
        for parameter in table:
            text = parameter.text(cmdline)
            if text is None:
                continue
            texts[parameter.name] = text
            try:
                values[parameter.name] = parameter.check(text)
            except BadElements as error:
                problems[parameter.name] = str(error)
                values[parameter.name] = error.good
            except ValueError as error:
                problems[parameter.name] = str(error)
        return cls(texts, problems, values)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        """Return the value, the default if it is absent or bad."""
        return cast("T", self._values.get(parameter.name, parameter.default))
