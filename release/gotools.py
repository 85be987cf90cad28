"""`python -m release.gotools NAME...`: build Go programs from source.

Each folder of tools/ is a Go module that requires one version; go.sum locks every byte of it.
"""

import argparse
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from release import arch, needs
from release.arch import Architecture
from release.cache import cache, digest
from release.errors import ReportedError, reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT


@dataclass(frozen=True)
class GoTool:
    """A program: the folder of tools/ that locks its version, its package, its build tags."""

    module: str
    package: str
    tags: str = ""


_REQUIRED = re.compile(r"^(?:require)?\s+(\S+) (v\S+)", re.MULTILINE)
REMEDY = "check that this machine reaches a Go module proxy (GOPROXY)"
TINKERBELL = "github.com/tinkerbell/tinkerbell/cmd"
TINK = "github.com/tinkerbell/tink/cmd"
HEGEL = "github.com/tinkerbell/hegel/cmd/hegel"
TOOLS = {
    "linuxkit": GoTool("linuxkit", "github.com/linuxkit/linuxkit/src/cmd/linuxkit"),
    "tinkerbell": GoTool("tinkerbell", f"{TINKERBELL}/tinkerbell", tags="embedded"),
    "agent": GoTool("tinkerbell", f"{TINKERBELL}/agent"),
    "tink-worker": GoTool("tink", f"{TINK}/tink-worker"),
    "tink-server": GoTool("tink", f"{TINK}/tink-server"),
    "tink-controller": GoTool("tink", f"{TINK}/tink-controller"),
    "tink-worker-v0.6": GoTool("tink-v0.6", f"{TINK}/tink-worker"),
    "tink-server-v0.6": GoTool("tink-v0.6", f"{TINK}/tink-server"),
    "smee": GoTool("smee", "github.com/tinkerbell/smee/cmd/smee"),
    "hegel": GoTool("hegel", HEGEL),
    "hegel-v0.7": GoTool("hegel-v0.7", HEGEL),
    "proxy-rules": GoTool("proxy-rules", "."),  # for a test
    "govulncheck": GoTool("govulncheck", "golang.org/x/vuln/cmd/govulncheck"),
}


def build(
    name: str, progress: Progress | None = None, *, target: Architecture | None = None
) -> Path:
    """Return the static binary of a key of TOOLS; built once for each go.mod and go.sum.

    target: what it runs on; this machine if it is not given.

    Raises ReportedError if Go is missing or the build fails.
    """
    tool, target = TOOLS[name], target or arch.own()
    folder = PROJECT / "tools" / tool.module
    key = digest([folder], tool.package, tool.tags)
    binary = cache() / "bin" / f"{name}-{target.debian}-{key}"
    progress = progress or Progress()
    if binary.exists():
        progress.skip()
        return binary
    check()
    binary.parent.mkdir(exist_ok=True)
    with progress.step(f"{name} (Go; some minutes the first time)"):
        _go_build(tool, target, folder, binary)
    return binary


def locked(name: str) -> tuple[str, str, str]:
    """Return module, version and digest (as go.sum has it) of a key of TOOLS."""
    tool = TOOLS[name]
    folder = PROJECT / "tools" / tool.module
    required = dict(_REQUIRED.findall((folder / "go.mod").read_text()))
    module = max((one for one in required if f"{tool.package}/".startswith(f"{one}/")), key=len)
    start = f"{module} {required[module]} "
    lines = (folder / "go.sum").read_text().splitlines()
    total = next(line.removeprefix(start) for line in lines if line.startswith(start))
    return module, required[module], total


def source(name: str) -> Path:
    """Return the source of a key of TOOLS, its module's top folder; downloaded if missing.

    Raises ReportedError if Go is missing or the download fails.
    """
    _check_go()
    tool = TOOLS[name]
    module = tool.package.split("/cmd/")[0]
    folder = PROJECT / "tools" / tool.module
    command = ["go", "mod", "download", "-json", module]
    found = run(
        f"downloading the source of {name}", command, cwd=folder, seconds=None, remedy=REMEDY
    )
    return Path(json.loads(found.stdout)["Dir"])


def check() -> None:
    """Raise ReportedError if Go is missing, or there is too little space for its caches."""
    _check_go()
    needs.check_go(_go_caches())


def _check_go() -> None:
    if not shutil.which("go"):
        raise ReportedError(
            "building Go programs needs `go` 1.21 or later: run `make setup` as root"
        )


def _go_caches() -> list[Path]:
    command = ["go", "env", "GOCACHE", "GOMODCACHE"]
    return list(map(Path, run("finding Go's caches", command).text.splitlines()))


def _go_build(tool: GoTool, target: Architecture, folder: Path, binary: Path) -> None:
    partial = binary.with_suffix(f".{os.getpid()}")
    command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-tags", tool.tags]
    command += ["-o", str(partial), tool.package]
    environment = os.environ | {"CGO_ENABLED": "0", **target.go}
    run(
        f"building {tool.package}",
        command,
        cwd=folder,
        env=environment,
        seconds=None,
        remedy=REMEDY,
    )
    partial.rename(binary)


def main() -> None:
    """Run this module's command line, which prints the path of each binary."""
    parser = argparse.ArgumentParser(prog="release.gotools", description=__doc__)
    parser.add_argument("name", nargs="+", choices=TOOLS)
    names = parser.parse_args().name
    progress = Progress(len(names), stream=sys.stderr)
    with reported_errors():
        for name in names:
            print(build(name, progress))


if __name__ == "__main__":
    main()
