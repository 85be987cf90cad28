"""`python -m tests.herd MACHINES LATE`: a herd and its servers, for `make herd`."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from release import assemble, gotools
from release.errors import reported_errors
from sandbox.certificates import CA
from sandbox.images import worker_archive
from sandbox.network import namespace
from sandbox.registry import IMAGES, Credentials, registry
from sandbox.tinkerbell import Settings, tinkerbell
from sandbox.world import new_password
from tests.herd.figures import Figures
from tests.herd.gate import MOST
from tests.herd.simulation import Servers, simulate

FOLDER = assemble.OUT / "herd"
RESULT = assemble.OUT / "herd.json"
IMAGE = "tink-agent:latest"


@contextmanager
def _servers(folder: Path) -> Iterator[Servers]:
    """Run a Tinkerbell, and fill a registry that is started later."""
    shutil.rmtree(folder, ignore_errors=True)
    binary, agent = gotools.build("tinkerbell"), gotools.build("agent")
    with ExitStack() as stack:
        network = stack.enter_context(namespace("herd"))
        ca = CA(folder / "certificates")
        credentials = Credentials("tinkie", new_password())
        with registry(folder / "pushed", network, ca, credentials) as store:
            store.push(worker_archive(folder / "agent.tar", agent, "tink-agent"), IMAGE)
        server = stack.enter_context(
            tinkerbell(folder / "tinkerbell", network, ca, binary, Settings())
        )
        images = folder / "pushed" / IMAGES
        yield Servers(folder, network, ca, server, credentials, images, IMAGE)


def _table(figures: Figures) -> str:
    found = figures.as_json()
    lines = [f"{'':18} {'requests':>9} {'busiest second':>15} {'bound':>6}"]
    for name in ("metadata", "registry"):
        load = found[name]
        peak, most = load["peak_requests_per_second"], load["bound_requests_per_second"]
        lines.append(f"{name:18} {load['requests']:9} {peak:15} {most:6}")
    seconds = found["seconds_to_worker"]
    lines += [
        f"{found['recovered']} of {found['machines']} machines have their worker; seconds from the",
        f"servers' start: half of them after {seconds['median']}, the last after {seconds['last']}",
        f"memory of a waiting bootkit: {found['memory_bytes_each'] / 1e6:.0f} MB",
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="tests.herd", description=__doc__)
    parser.add_argument("machines", type=int, choices=range(1, MOST + 1), metavar="MACHINES")
    parser.add_argument("late", type=float, help="seconds that the servers come up late")
    options = parser.parse_args()
    with reported_errors(), _servers(FOLDER) as servers:
        figures = simulate(servers, options.machines, options.late, _report)
    RESULT.write_text(json.dumps(figures.as_json(), indent=2) + "\n")
    print(_table(figures))
    if figures.problems():
        sys.exit(
            "\n".join(
                [
                    "tinkie: the herd did not recover as it must:",
                    *figures.problems(),
                ]
            )
        )


def _report(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
