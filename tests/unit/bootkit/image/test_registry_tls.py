"""Retry-After counts only if the registry's certificate is trusted; its clock is only shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bootkit.image.registry import RegistryClient
from bootkit.plan.credentials import Credentials
from sandbox.certificates import CA
from tests.fakes.tls import HOST, serving
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, TransientError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.image_reference import ImageReference

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.certificates import Pair

pytestmark = pytest.mark.usefixtures("loopback")

DATE = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.fixture
def ca(tmp_path: Path) -> CA:
    """Return the CA that the engine trusts for this registry."""
    return CA(tmp_path / "ca")


def explained(pair: Pair, ca: CA, folder: Path, kind: ErrorKind) -> BootError:
    with serving(pair) as server:
        server.answers["/v2/"] = (401, {"Date": DATE, "Retry-After": "120"}, b"")
        (folder / server.endpoint).mkdir()
        (folder / server.endpoint / "ca.crt").write_bytes(ca.certificate.read_bytes())
        error = TransientError("pull x", kind=kind)
        return RegistryClient(Fetcher(), certificates=folder).explain(
            error, ImageReference.parse(f"{server.endpoint}/x")
        )


def test_retry_after_of_a_registry_that_the_engine_trusts_is_used(tmp_path: Path, ca: CA) -> None:
    pair = ca.issue("registry", [HOST])
    error = explained(pair, ca, tmp_path, ErrorKind.TOO_MANY_REQUESTS)
    assert error.retry_after == 120.0


def test_retry_after_of_an_untrusted_registry_is_ignored(tmp_path: Path, ca: CA) -> None:
    pair = CA(tmp_path / "other").issue("registry", [HOST])
    error = explained(pair, ca, tmp_path, ErrorKind.TOO_MANY_REQUESTS)
    assert error.retry_after is None


def test_the_clock_of_a_registry_with_an_expired_certificate_is_shown(
    tmp_path: Path, ca: CA
) -> None:
    pair = ca.issue("registry", [HOST], not_after=datetime.now(UTC) - timedelta(days=1))
    error = explained(pair, ca, tmp_path, ErrorKind.CERTIFICATE_TIME)
    assert f"and {DATE} at the registry" in str(error)


def test_no_password_goes_to_an_untrusted_registry(tmp_path: Path) -> None:
    pair = CA(tmp_path / "other").issue("registry", [HOST])
    with serving(pair) as server:
        password = Credentials("u", "hunter2")
        registry = RegistryClient(Fetcher(), lambda _: password, certificates=tmp_path)
        full = TransientError("pull x", kind=ErrorKind.OUT_OF_SPACE)
        assert "of unknown size" in str(
            registry.explain(full, ImageReference.parse(f"{server.endpoint}/x"))
        )
        assert server.asked == []
