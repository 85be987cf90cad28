"""registry_ca_sha256 pins the server of registry_auth_url, with real certificates."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from bootkit.boot import Boot
from bootkit.engine.docker import DockerEngine
from sandbox.certificates import CA
from tests.fakes.engine import FakeEngine
from tests.fakes.tls import HOST, serving
from tinkie.errors import ShutdownRequested
from tinkie.parameters.cmdline import Cmdline

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("loopback")

IMAGE = "r.example/tink-worker:1"
SUM = "ab" * 32


def stop(_seconds: float) -> None:
    raise ShutdownRequested("SIGTERM")


@pytest.mark.parametrize(
    ("pins", "installed", "event"),
    [
        ("", "other", "registry_auth.fetched"),
        (f"registry_ca_sha256={SUM}", "own", "registry_auth.fetched"),
        (f"registry_ca_sha256={SUM}", "other", "registry_auth.failed"),
        ("registry_ca_sha256=bad", "other", "registry_auth.failed"),
    ],
)
def test_a_pinned_server_needs_an_installed_ca(
    pins: str,
    installed: str,
    event: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    events: list[MutableMapping[str, Any]],
) -> None:
    """The system trusts the server; which certificate is installed decides."""
    cas = {name: CA(tmp_path / name) for name in ("own", "other")}
    monkeypatch.setenv("SSL_CERT_FILE", str(cas["own"].certificate))
    certs = tmp_path / "certs.d"
    (certs / "r.example").mkdir(parents=True)
    (certs / "r.example/ca.crt").write_bytes(cas[installed].certificate.read_bytes())
    fake = FakeEngine(tmp_path / "docker.sock", pulls={IMAGE: [{"status": "Download complete"}]})
    entry = {"auth": base64.b64encode(b"u:p4ssword").decode()}
    with serving(cas["own"].issue("files", [HOST])) as server, fake.serving():
        server.answers["/a.json"] = (200, {}, json.dumps({"auths": {"x.example": entry}}).encode())
        words = f"worker_id=w instance_id=i tink_worker_image={IMAGE} {pins}"
        engine = DockerEngine(fake.socket)
        boot = Boot(
            read_cmdline=lambda: Cmdline.parse(f"{words} registry_auth_url={server.url}/a.json"),
            engine=engine,
            pause=stop,
            now=lambda: 0.0,
        )
        boot.auth.certificates = certs
        with pytest.raises(ShutdownRequested):
            boot.run(lambda: None)
        engine.close()
        assert bool(server.asked) == (event == "registry_auth.fetched")
    found = [one for one in events if one["event"].startswith("registry_auth.")]
    assert [one["event"] for one in found] == [event]
    if event == "registry_auth.failed":
        assert found[0]["kind"] == "certificate-untrusted"
        assert "registry_ca_sha256" in found[0]["hint"]
    assert fake.worker().state == "running"
