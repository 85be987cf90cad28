"""The image's own dockerd accepts every configuration that tink-docker writes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.errors import ReportedError
from sandbox.waiting import wait_for
from tests.engine.docker import Docker
from tink_docker.plan import Plan
from tinkie.parameters.cmdline import Cmdline

IMAGE = "tinkie/tink-docker:build"
NAME = f"tinkie-configuration-{os.getpid()}"
LISTS = "registry_mirrors=https://m,http://m:5000/ insecure_registries=a:5000,10.0.0.0/8,[fd00::1]"
PROXIES = "HTTP_PROXY=http://user:pass%2Fword@px:3128 https_proxy=px:3128 NO_PROXY=.x,10.0.0.0/8"
SYSLOG = "syslog_host=fd00::1 syslog_port=1514"
BAD = "registry_mirrors=https://u:p@m insecure_registries=a/b syslog_host=a/b syslog_port=x"


@pytest.fixture
def run(docker: Docker, tmp_path: Path) -> Iterator[Any]:
    """Run the image's programs with space for an engine, and tmp_path as /test."""
    options = ["--privileged", "--network", "none", "--volume", f"{tmp_path}:/test:ro"]
    options += ["--tmpfs", "/var/run", "--mount", "type=tmpfs,destination=/var/lib/docker"]
    yield lambda *words: docker("run", "--name", NAME, *options, *words)
    docker.remove(NAME)


@pytest.mark.parametrize("line", ["quiet", f"{LISTS} {PROXIES} {SYSLOG}", BAD])
def test_the_engine_starts(docker: Docker, run: Any, tmp_path: Path, line: str) -> None:
    (tmp_path / "cmdline").write_text(line)
    run("--detach", IMAGE, "tink-docker", "--cmdline", "/test/cmdline")
    wait_for("the engine", lambda: '"engine.ready"' in docker.logs(NAME), seconds=60)
    assert '"engine.ended"' not in docker.logs(NAME)


@pytest.mark.parametrize(
    ("key", "value"), [("registry-mirrors", "https://u:p@m"), ("insecure-registries", "a/b")]
)
def test_the_engine_does_not_start_with_values_that_are_left_out(
    run: Any, tmp_path: Path, key: str, value: str
) -> None:
    config = dict(Plan.from_cmdline(Cmdline()).config)
    (tmp_path / "daemon.json").write_text(json.dumps(config | {key: [value]}))
    with pytest.raises(ReportedError, match=r"not valid|invalid"):
        run(IMAGE, "dockerd", "--config-file", "/test/daemon.json")
