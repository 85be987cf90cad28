"""SPDX licence expressions of what a release contains, as its packages declare them.

Nothing is guessed. A name that SPDX does not have becomes LicenseRef-Debian-<name>, which stands in
the package's copyright file. Without a machine-readable declaration there is no expression.
"""

import logging
import re
import warnings
from email.message import Message
from functools import cache

from debian.copyright import Copyright, NotMachineReadableError
from license_expression import ExpressionError, Licensing, get_spdx_licensing

logging.getLogger("debian.copyright").setLevel(logging.ERROR)  # old addresses of the format

# Debian's names (machine-readable copyright format 1.0, section 7.1) where SPDX has others.
_DEBIAN = {
    "expat": "MIT",
    "mit/x11": "MIT",
    "artistic": "Artistic-1.0",
    "bsd-2-clause-netbsd": "BSD-2-Clause",
    "zope": "ZPL-1.1",
    "perl": "Artistic-1.0 OR GPL-1.0-or-later",
    "gfdl-niv-1.3": "GFDL-1.3-no-invariants-only",
    "gfdl-niv-1.2": "GFDL-1.2-no-invariants-only",
    "gfdl-niv-1.3+": "GFDL-1.3-no-invariants-or-later",
    "gfdl-niv-1.2+": "GFDL-1.2-no-invariants-or-later",
    "gpl-2 with linux-syscall-note exception": "GPL-2.0-only WITH Linux-syscall-note",
    "gpl-3+ with bison exception": "GPL-3.0-or-later WITH Bison-exception-2.2",
    "gpl-3+ with autoconf exception": "GPL-3.0-or-later WITH Autoconf-exception-3.0",
    "gpl-2+ with autoconf exception": "GPL-2.0-or-later WITH Autoconf-exception-2.0",
    "gpl-2+ with libtool exception": "GPL-2.0-or-later WITH Libtool-exception",
}
_GNU = re.compile(r"(a?gpl|lgpl|gfdl)-(\d)(\.\d)?(?:\.0)?(\+?)", re.IGNORECASE)
# "A, and B" separates more weakly than "A or B".
_LEVELS = (
    (" AND ", re.compile(r"\s*,\s+and\s+|\s*,\s+", re.IGNORECASE)),
    (" OR ", re.compile(r"\s+or\s+", re.IGNORECASE)),
    (" AND ", re.compile(r"\s+and\s+", re.IGNORECASE)),
)


def of_debian(text: str) -> str:
    """Return the expression of a copyright file: the licences of all its files; or "".

    It is that of the whole source package, of which a binary package may have a part only.
    """
    names = _declared(text)
    parts = sorted({_expression(" ".join(name.split())) for name in names})
    return _joined(" AND ", parts)


def of_wheel(metadata: Message) -> str:
    """Return the expression in a wheel's METADATA, or "" if its licence is no SPDX expression."""
    for field in ("License-Expression", "License"):
        text = (metadata[field] or "").strip()
        if text and is_spdx(text):
            return text
    return ""


def is_spdx(expression: str) -> bool:
    """Return whether SPDX has all licences of an expression."""
    try:
        return not _spdx().validate(expression).errors
    except ExpressionError:
        return False


def _declared(text: str) -> set[str]:
    """Return the short names in a copyright file; none if it is for people only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small faults of a file, which is read nevertheless
        try:
            parsed = Copyright(text.splitlines(keepends=True), strict=False)
            found = [one.license for one in parsed.all_files_paragraphs()]
        except (NotMachineReadableError, ValueError):
            return set()
    # The library's types call it a field; it is a License, or None.
    return {name for one in found if (name := getattr(one, "synopsis", ""))}


def _expression(name: str, level: int = 0) -> str:
    if found := _known(name):
        return found
    if level == len(_LEVELS):
        return f"LicenseRef-Debian-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-') or 'unnamed'}"
    operator, separator = _LEVELS[level]
    return _joined(operator, [_expression(one, level + 1) for one in separator.split(name)])


def _known(name: str) -> str:
    """Return the expression of one name, or "" if SPDX has none."""
    if name.lower() in _DEBIAN:
        return _DEBIAN[name.lower()]
    if found := _GNU.fullmatch(name):
        family, major, minor, later = found.groups()
        name = f"{family.upper()}-{major}{minor or '.0'}-{'or-later' if later else 'only'}"
    key = _keys().get(name.lower(), "")
    return key if key and is_spdx(key) else ""


def _joined(operator: str, parts: list[str]) -> str:
    several = len(parts) > 1
    nested = re.compile(" OR | AND ")
    return operator.join(f"({one})" if several and nested.search(one) else one for one in parts)


@cache
def _spdx() -> Licensing:
    return get_spdx_licensing()


@cache
def _keys() -> dict[str, str]:
    """Return SPDX's spelling by the name in lower case."""
    keys = _spdx().known_symbols
    return {key.lower(): key for key in keys if not key.startswith("LicenseRef-")}
