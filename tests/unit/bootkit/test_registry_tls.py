"""What a registry says of time is believed only if its certificate is; its clock is only shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bootkit.registry import RegistryWitness
from bootkit.shared.errors import BootError, TransientError
from bootkit.shared.faults import Fault
from bootkit.shared.fetch import Fetcher
from bootkit.worker import Credentials
from sandbox.certificates import CA
from tests.fakes.tls import HOST, serving

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.certificates import Pair

pytestmark = pytest.mark.usefixtures("loopback")

DATE = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.fixture
def ca(tmp_path: Path) -> CA:
    """The one that the engine trusts for this registry."""
    return CA(tmp_path / "ca")


def explained(pair: Pair, ca: CA, folder: Path, fault: Fault) -> BootError:
    with serving(pair) as server:
        server.answers["/v2/"] = (401, {"Date": DATE, "Retry-After": "120"}, b"")
        (folder / server.place).mkdir()
        (folder / server.place / "ca.crt").write_bytes(ca.certificate.read_bytes())
        error = TransientError("pull x", fault=fault)
        return RegistryWitness(Fetcher(), certificates=folder).explain(error, f"{server.place}/x")


def test_one_of_the_engines_authority_may_ask_for_patience(tmp_path: Path, ca: CA) -> None:
    pair = ca.issue("registry", [HOST])
    told = explained(pair, ca, tmp_path, Fault.TOO_MANY_REQUESTS)
    assert told.retry_after == 120.0


def test_one_of_another_authority_may_not(tmp_path: Path, ca: CA) -> None:
    pair = CA(tmp_path / "other").issue("registry", [HOST])
    told = explained(pair, ca, tmp_path, Fault.TOO_MANY_REQUESTS)
    assert told.retry_after is None


def test_the_clock_of_one_whose_time_is_over_is_shown(tmp_path: Path, ca: CA) -> None:
    pair = ca.issue("registry", [HOST], not_after=datetime.now(UTC) - timedelta(days=1))
    told = explained(pair, ca, tmp_path, Fault.CERTIFICATE_TIME)
    assert f"and {DATE} at the registry" in str(told)


def test_no_password_goes_to_one_of_another_authority(tmp_path: Path) -> None:
    pair = CA(tmp_path / "other").issue("registry", [HOST])
    with serving(pair) as server:
        password = Credentials("u", "hunter2")
        witness = RegistryWitness(Fetcher(), lambda _: password, certificates=tmp_path)
        full = TransientError("pull x", fault=Fault.OUT_OF_SPACE)
        assert "of unknown size" in str(witness.explain(full, f"{server.place}/x"))
        assert server.asked == []
