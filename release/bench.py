"""`python3 -m release.bench`: builds, sizes and a boot in figures; a table, and out/bench.json.

A cold build has no cache of ours and no image; what apt and pip keep on the machine stays.
"""

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from release import clone, engine, manifest
from release.assemble import INITRAMFS, KERNEL, OUT, assemble
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT, commit

Figures = dict[str, float]
RESULT = OUT / "bench.json"


def build_times() -> tuple[Figures, dict[str, str]]:
    """Seconds for a release from nothing, again, and for a changed agent; the first one's bytes."""
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
    """MB of what a machine downloads, and of what is in each image (not compressed)."""
    assemble("release")
    found = {path.name: path.stat().st_size / 1e6 for path in (KERNEL, INITRAMFS)}
    with engine.running() as host:
        images = manifest.contents(host).images
    return found | {name: image.size / 1e6 for name, image in images.items()}


def boot() -> dict[str, Figures]:
    """What sandbox.bench measures: seconds since power-on, and memory while an action runs."""
    command = [sys.executable, "-m", "sandbox.bench"]
    found = run("measuring a boot", command, cwd=PROJECT, seconds=None)
    measured: dict[str, Figures] = json.loads(found.stdout)
    return measured


def machine() -> str:
    """The machine that the figures are from."""
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return f"{cpu}, {platform.machine()}, kernel {platform.release()}"


def main() -> None:
    """The command line of this module."""
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
