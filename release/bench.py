"""`python -m release.bench`: times of builds and a boot, and sizes: a table, and out/bench.json.

A cold build starts without our cache and without images; the caches of apt and pip stay.
"""

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from release import arch, assemble, clone, engine, manifest
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT, commit

Figures = dict[str, float]
RESULT = assemble.OUT / "bench.json"


def build_times() -> tuple[Figures, dict[str, str]]:
    """Return the seconds of three builds (cold, unchanged, one file changed), and the digests."""
    with clone.fresh() as fresh:
        times = {"make dist, cold": fresh.make("dist")}
        digests = fresh.digests()
        times["make dist, nothing changed"] = fresh.make("dist")
        fresh.make("quick")
        with (fresh.folder / "bootkit" / "cli.py").open("a") as file:
            file.write("# changed\n")
        times["make quick, one Python file changed"] = fresh.make("quick")
    return times, digests


def sizes() -> Figures:
    """Return the MB that a machine downloads, and the MB of each image (not compressed)."""
    target = arch.wanted()
    assemble.assemble("release", target=target)
    files = (assemble.kernel(target), assemble.initramfs(target))
    found = {path.name: path.stat().st_size / 1e6 for path in files}
    with engine.running() as host:
        images = manifest.contents(host, target).images
    return found | {name: image.size / 1e6 for name, image in images.items()}


def boot() -> dict[str, Figures]:
    """Return what sandbox.bench measures: seconds since power-on, and memory during an action."""
    command = [sys.executable, "-m", "sandbox.bench"]
    found = run("measuring a boot", command, cwd=PROJECT, seconds=None)
    measured: dict[str, Figures] = json.loads(found.stdout)
    return measured


def machine() -> str:
    """Return a description of the machine on which the figures were measured."""
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return f"{cpu}, {platform.machine()}, kernel {platform.release()}"


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        size, booted = sizes(), boot()
        times, digests = build_times()
    figures = {
        "commit": commit(),
        "machine": machine(),
        "accelerator": booted["accelerator"],
        "build (s)": times,
        "size (MB)": size,
        "boot (s since power-on)": booted["moments"],
        "memory while an action runs (MB)": booted["memory"],
    } | {f"sha256 {name}": digest for name, digest in digests.items()}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    print(_table(figures))


def _table(figures: Mapping[str, object]) -> str:
    rows = []
    for title, found in figures.items():
        if isinstance(found, dict):
            rows.append(f"\n{title}")
            rows += [f"  {name:<40}{value:>10.1f}" for name, value in found.items()]
        else:
            rows.append(f"{title:<14}{found}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
