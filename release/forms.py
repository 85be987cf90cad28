"""The form of JSON that somebody else wrote.

A form is a pattern (of printable text), a range, a list of one form, a mapping whose names are any
text ({"": form}), or the names of an object. The last ? of such a name means: it may be absent.
Other names may be there.
"""

import re
from collections.abc import Iterator, Mapping

TEXT = re.compile(r".{0,1000}")
SHOWN_CHARACTERS = 60


def problems(value: object, form: object, where: str = "") -> Iterator[str]:
    """Yield a line for each part of a value that has another form. where: the value's own place."""
    if isinstance(form, list) and isinstance(value, list):
        yield from _in_list(value, form[0], where)
    elif isinstance(form, dict) and isinstance(value, dict):
        inside = _in_mapping if "" in form else _in_object
        yield from inside(value, form, where)
    elif not _matches(value, form):
        yield f"{_short(where)} is {_short(value)}"


def _matches(value: object, form: object) -> bool:
    if isinstance(form, range):
        return type(value) is int and value in form  # True is an int, too
    if isinstance(form, re.Pattern) and isinstance(value, str):
        return value.isprintable() and bool(form.fullmatch(value))
    return False


def _in_list(value: list[object], form: object, where: str) -> Iterator[str]:
    for index, one in enumerate(value):
        yield from problems(one, form, f"{where}[{index}]")


def _in_mapping(value: dict[str, object], form: Mapping[str, object], where: str) -> Iterator[str]:
    for name, one in value.items():
        yield from problems(name, TEXT, f"a name in {where}")
        yield from problems(one, form[""], f"{where}.{name}")


def _in_object(value: dict[str, object], form: Mapping[str, object], where: str) -> Iterator[str]:
    for marked, one in form.items():
        name = marked.removesuffix("?")
        place = f"{where}.{name}".lstrip(".")
        if name in value:
            yield from problems(value[name], one, place)
        elif name == marked:
            yield f"{_short(place)} is missing"


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    cut = len(text) > SHOWN_CHARACTERS
    return f"{text[:SHOWN_CHARACTERS]}…" if cut else text
