from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from tinkie.fetch.fetcher import Fetcher

if TYPE_CHECKING:
    import pytest


def test_certificates_that_go_accepts_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 is stricter by default, and that of a build host may be older."""
    strict = ssl.create_default_context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    monkeypatch.setattr(ssl, "create_default_context", lambda: strict)
    trusted = Fetcher()._trust("https://r.example/")
    assert not trusted.verify_flags & ssl.VERIFY_X509_STRICT
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname
