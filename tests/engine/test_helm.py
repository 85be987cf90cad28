"""A release instead of Hook's, fetched by the own script of Tinkerbell's Helm chart v0.25.0."""

import os
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from release import gotools, pack
from release.arch import X86_64
from release.filenames import Names
from sandbox.files import Files, files
from sandbox.network import Namespace, namespace
from sandbox.processes import Program, running
from sandbox.waiting import wait_for
from tests.fakes.release import BOTH, stand_in

SCRIPT = "helm/tinkerbell/templates/osie/hookos/download-configmap.yaml"
RELEASE = "v1"  # the last part of downloadURL
SECONDS = 30.0


@pytest.fixture
def network() -> Iterator[Namespace]:
    with namespace(f"helm-{os.getpid()}") as made:
        yield made


@pytest.fixture
def served(network: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """A server of a release."""
    root = tmp_path / "release"
    root.mkdir()
    stand_in(root, monkeypatch)
    pack.pack(root)
    with files(tmp_path / "files", network) as found:
        (found.root / RELEASE).mkdir()
        for name in Names(X86_64).results:
            found.publish(root / name, f"{RELEASE}/{name}")
        yield found


@pytest.mark.parametrize("kernels", ["both", "5.10", "6.6"])  # the first one is the chart's default
def test_it_is_served_under_the_usual_names(
    network: Namespace, served: Files, tmp_path: Path, kernels: str
) -> None:
    output, script = tmp_path / "output", tmp_path / "entrypoint.sh"
    output.mkdir()
    script.write_text(_script())
    options: list[str | Path] = ["--url", f"{served.url}/{RELEASE}", "--output-dir", output]
    options += ["--arch", "both", "--version", kernels, "--ext", "tar.gz"]
    log = tmp_path / "download.log"
    env = {"PATH": os.environ["PATH"]}  # without a proxy, which wget would use
    command = ["bash", script, *options]
    with running("download-hook", command, log=log, network=network, env=env) as program:
        wait_for("the end of the download", partial(_is_done, program), seconds=SECONDS)
    assert {name: (output / name).read_bytes() for name in BOTH} == BOTH


def _script() -> str:
    """Return what the chart has as entrypoint.sh; nothing in it is for Helm to fill in."""
    text = (gotools.source("tinkerbell") / SCRIPT).read_text()
    _, _, script = text.partition("entrypoint.sh: |-\n")
    script, _, _ = script.partition("{{- end }}")
    assert "{{" not in script
    return textwrap.dedent(script)


def _is_done(program: Program) -> bool:
    program.check()
    return "All artifacts available" in program.log.read_text()
