from __future__ import annotations

from typing import Any

import pytest

from tinkie.container_name import container_name


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"Names": ["/tink-worker"], "Id": "1f"}, "tink-worker"),
        ({"Names": ["/tink-worker", "/other/link"], "Id": "1f"}, "tink-worker"),
        ({"Names": [], "Id": "1f"}, "1f"),
        ({"Names": None, "Id": "1f"}, "1f"),
        ({}, ""),
    ],
)
def test_the_first_name_without_its_slash_or_else_the_id(row: dict[str, Any], name: str) -> None:
    assert container_name(row) == name
