from __future__ import annotations

import pytest

from tinkie.error_kinds import ErrorKind, error_kind_of_status
from tinkie.errors import PermanentError, TransientError, error_for

# Each of these may heal without a person: a server comes back, a clock is set, dockerd restarts.
TRANSIENT = {
    *(ErrorKind.NAME_RESOLUTION, ErrorKind.REFUSED, ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT),
    *(ErrorKind.CUT_OFF, ErrorKind.DAMAGED, ErrorKind.TOO_MANY_REQUESTS, ErrorKind.SERVER_ERROR),
    *(ErrorKind.CERTIFICATE_TIME, ErrorKind.ENGINE_NOT_READY, ErrorKind.ENGINE_FAILED),
    *(ErrorKind.BUG, ErrorKind.OTHER),
}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.BAD_REQUEST),
        (401, ErrorKind.DENIED),
        (403, ErrorKind.DENIED),
        (404, ErrorKind.NOT_FOUND),
        (405, ErrorKind.BAD_REQUEST),
        (407, ErrorKind.PROXY_REFUSED),
        (408, ErrorKind.TIMEOUT),
        (429, ErrorKind.TOO_MANY_REQUESTS),
        (451, ErrorKind.POLICY),
        (500, ErrorKind.SERVER_ERROR),
        (503, ErrorKind.SERVER_ERROR),
    ],
)
def test_what_a_status_means(status: int, kind: ErrorKind) -> None:
    assert error_kind_of_status(status) == kind


@pytest.mark.parametrize("kind", ErrorKind)
def test_only_what_a_person_must_repair_is_permanent(kind: ErrorKind) -> None:
    assert kind.permanent == (kind not in TRANSIENT)
    assert error_for(kind) is (TransientError if kind in TRANSIENT else PermanentError)
