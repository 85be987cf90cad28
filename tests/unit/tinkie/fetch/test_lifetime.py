from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.fetch.lifetime import lifetime_seconds

DATE = "Mon, 23 Nov 2026 08:00:00 GMT"
LATER = "Mon, 23 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"cache-control": "max-age=600"}, 600.0),
        ({"cache-control": "private, Max-Age=600, must-revalidate"}, 600.0),
        ({"cache-control": 'max-age="600"', "age": "100"}, 500.0),
        ({"cache-control": "max-age=600", "age": "x", "expires": LATER, "date": DATE}, 600.0),
        ({"cache-control": "s-maxage=600"}, None),
        ({"cache-control": "no-store"}, None),
        ({"cache-control": "max-age=x"}, None),
        ({"expires": LATER, "date": DATE}, 3600.0),
        ({"expires": DATE, "date": LATER}, -3600.0),
        ({"expires": LATER}, None),
        ({"expires": "0", "date": DATE}, None),
        ({"expires": "Mon, 23 Nov 2026 09:00:00 -0000", "date": DATE}, None),
    ],
)
def test_a_lifetime(headers: dict[str, str], seconds: float | None) -> None:
    assert lifetime_seconds(headers) == seconds


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age"]), st.text()))
def test_any_header(headers: dict[str, str]) -> None:
    found = lifetime_seconds(headers)
    assert found is None or abs(found) < 1e12
