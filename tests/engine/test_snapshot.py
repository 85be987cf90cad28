"""apt takes Debian's lists from a mirror of former states, also when they are no longer valid."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from release import base, setup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

TIME = "20261129T120000Z"
# As if all lists were made long ago: each is valid for a second only.
FORMER = {
    "Acquire::Max-ValidTime": "1",
    "Acquire::Check-Valid-Until": "true",  # whatever this machine's apt is configured to check
    "Acquire::Check-Date": "true",
}


@contextmanager
def snapshot_server() -> Iterator[tuple[str, list[str]]]:
    """Serve this machine's Debian mirror under the paths of snapshot.debian.org."""
    archives = {"debian": setup.mirror(), "debian-security": setup.mirror("Debian-Security")}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = re.fullmatch(rf"/archive/([a-z-]+)/{TIME}/(.*)", self.path)
            if found and found[1] in archives:
                self.send_response(302)
                self.send_header("Location", f"{archives[found[1]].rstrip('/')}/{found[2]}")
            else:
                self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def update(folder: Path, sources: list[str]) -> subprocess.CompletedProcess[str]:
    """Let this machine's apt read these sources into a folder, apart from its own lists."""
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "sources.list").write_text("".join(f"{line}\n" for line in sources))
    settings = {
        "Dir::Etc::SourceList": f"{folder}/sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": f"{folder}/lists",
        "Dir::Cache::Pkgcache": "",
        "Dir::Cache::SrcPkgcache": "",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    apart = [f"-o{name}={value}" for name, value in (settings | FORMER).items()]
    command = ["apt-get", "update", "--error-on=any", *apart]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def suites(lists: Path) -> dict[str, str]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(lists, "var/lib/apt/lists")
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        return base.suites(tar)


def test_lists_of_a_snapshot_are_taken_though_they_are_no_longer_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BASE", raising=False)
    with snapshot_server() as (url, asked):
        monkeypatch.setenv("SNAPSHOT", TIME)
        monkeypatch.setenv("SNAPSHOT_MIRROR", url)
        sources = base._sources()
        done = update(tmp_path / "snapshot", sources)
        assert done.returncode == 0, done.stderr
        # One is enough. This shows that the lists counted as former ones.
        checked = sources[-1].replace("check-valid-until=no ", "")
        refused = update(tmp_path / "checked", [checked])
    assert refused.returncode != 0
    assert "is expired" in refused.stderr
    assert all(path.startswith("/archive/debian") and TIME in path for path in asked)
    found = suites(tmp_path / "snapshot" / "lists")
    assert set(found) == set(base.ARCHIVES)
    assert all(base._moment(time) for time in found.values())
