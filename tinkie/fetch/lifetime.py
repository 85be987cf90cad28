"""How long a server lets an answer be used: RFC 9111, 4.2."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_AGE = r"(?i)(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,10})\"?\s*(?:,|$)"
_AGE = "[0-9]{1,10}"


def lifetime_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that are left of an answer; None if its headers do not have that.

    Expires is compared with the server's own Date: this machine's clock may be wrong.
    """
    if found := re.search(_MAX_AGE, headers.get("cache-control", "")):
        age = headers.get("age", "")
        return float(found[1]) - (float(age) if re.fullmatch(_AGE, age) else 0.0)
    try:
        expires = parsedate_to_datetime(headers["expires"])
        return (expires - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError, TypeError, OverflowError):  # missing, no date, or no time zone
        return None
