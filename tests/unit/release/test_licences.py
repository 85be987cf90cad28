"""Licences are what packages declare, in SPDX's words; nothing is guessed."""

from __future__ import annotations

import re
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release import licences

HEAD = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
REFERENCE = re.compile(r"LicenseRef-Debian-[A-Za-z0-9.-]+")


def copyright_file(*names: str) -> str:
    paragraphs = [
        f"Files: f{number}\nCopyright: x\nLicense: {name}\n text\n"
        for number, name in enumerate(names)
    ]
    return "\n".join([HEAD, *paragraphs])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("GFDL-1.3+", "GFDL-1.3-or-later"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("zlib", "Zlib"),
        ("Artistic or GPL-1+", "Artistic-1.0 OR GPL-1.0-or-later"),
        ("GPL-2+ or Artistic, and Expat", "(GPL-2.0-or-later OR Artistic-1.0) AND MIT"),
        ("ISC and LGPL-2.1+", "ISC AND LGPL-2.1-or-later"),
        ("GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"),
        ("public-domain", "LicenseRef-Debian-public-domain"),
        ("GPL", "LicenseRef-Debian-GPL"),  # of no version
        ("GPL-9", "LicenseRef-Debian-GPL-9"),
        ("BSD-3-clause-Google", "LicenseRef-Debian-BSD-3-clause-Google"),
        ("GPL-2+ with a new exception", "LicenseRef-Debian-GPL-2-with-a-new-exception"),
    ],
)
def test_debians_names_are_spdx_or_a_reference(name: str, expected: str) -> None:
    assert licences.of_debian(copyright_file(name)) == expected


def test_the_licences_of_all_files_hold_each_once_and_in_any_order() -> None:
    one = licences.of_debian(copyright_file("Expat", "GPL-2+ or ISC", "Expat"))
    assert one == "(GPL-2.0-or-later OR ISC) AND MIT"
    assert licences.of_debian(copyright_file("GPL-2+ or ISC", "Expat")) == one


@pytest.mark.parametrize("text", ["", "This is free software.", "licence\n\nof it\n", HEAD])
def test_without_a_declaration_there_is_no_expression(text: str) -> None:
    assert licences.of_debian(text) == ""


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=60))
def test_any_name_makes_an_expression_that_spdx_can_read(name: str) -> None:
    expression = licences.of_debian(copyright_file(name))
    assert licences.is_spdx(REFERENCE.sub("MIT", expression)) or expression == ""


def test_copyright_files_of_this_machine_make_such_expressions() -> None:
    files = sorted(Path("/usr/share/doc").glob("lib[a-d]*/copyright"))
    found = [licences.of_debian(path.read_text(errors="replace")) for path in files]
    assert any(found)
    assert all(licences.is_spdx(REFERENCE.sub("MIT", one)) for one in found if one)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License-Expression": "Apache-2.0 OR BSD-2-Clause", "License": "x"}, None),
        ({"License": "MIT"}, "MIT"),
        ({"License": "BSD"}, ""),
        ({"License": "All rights\n reserved"}, ""),
        ({}, ""),
    ],
)
def test_a_wheels_licence_is_its_expression(fields: dict[str, str], expected: str | None) -> None:
    metadata = Message()
    for name, value in fields.items():
        metadata[name] = value
    wanted = fields["License-Expression"] if expected is None else expected
    assert licences.of_wheel(metadata) == wanted
