"""`python -m sandbox.bench_peer FOLDER...`: boot several OSes in turn and compare their figures.

The first one is the OS in out/. All get the same Tinkerbell, workflow, hardware and kernel command
line. QEMU starts the kernels directly: the time that iPXE takes for the download is not the OS's.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from statistics import median

from release import arch, assemble
from release.errors import ReportedError, reported_errors
from release.progress import Progress
from sandbox.accelerator import Accelerator, best_accelerator
from sandbox.comparison import Results, least, medians, table
from sandbox.figures import Bench, Figures
from sandbox.hardware import DirectBoot, Hardware
from sandbox.ingredients import check_artifacts, ingredients
from sandbox.network import PREFIX, SUBNET, Namespace
from sandbox.objects import MachineIdentity
from sandbox.preflight import MIB, check
from sandbox.world import World, world

OURS = "ours"  # the column of out/
NAME = "peer"  # of the network namespace
FOLDER = assemble.OUT / "bench-peer"
RESULT = assemble.OUT / "bench-peer.json"
LONGEST = (300.0, 900.0)  # seconds until the address, and until the action
IDLE_SECONDS = 30.0
# Of bisection: a boot with too little memory may hang or crawl.
LEAST_STEP_MIB = 8
LEAST_PATIENCE = 3  # times as long as the median boot with all the memory


@dataclass(frozen=True)
class System:
    """An OS: its name in the table, and the folder with its kernel and initramfs.

    level: of convert.LEVELS, if it is known.
    """

    name: str
    folder: Path
    level: str = ""

    @property
    def kernel(self) -> Path:
        """Its kernel."""
        return self.folder / arch.wanted().kernel

    @property
    def initramfs(self) -> Path:
        """Its initramfs."""
        return self.folder / arch.wanted().initramfs

    @property
    def size(self) -> int:
        """The bytes that a machine downloads."""
        return self.kernel.stat().st_size + self.initramfs.stat().st_size

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of its files. This also reads them into the host's page cache."""
        digests = {}
        for path in (self.kernel, self.initramfs):
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
        return digests


@dataclass(frozen=True)
class Machines:
    """The hardware of all boots."""

    accelerator: Accelerator
    cpus: int
    memory: int


class BootError(ReportedError):
    """One boot failed; the next one may succeed."""


@dataclass
class Run:
    """One run: a world, machines of one kind, and the number of boots until now."""

    here: World
    machines: Machines
    progress: Progress
    _boots: int = 0

    def boot(
        self, system: System, memory: int, longest: tuple[float, float], idle_seconds: float
    ) -> Figures:
        """Boot an OS once and measure it; longest: as in Bench. BootError if that fails."""
        self._boots += 1
        name = f"boot{self._boots}"
        folder = FOLDER / "boots" / f"{name}-{system.name}"
        # A new machine each time: Tinkerbell would give it the unfinished workflow of another boot.
        identity = replace(_identity(self._boots), arch=self.here.ingredients.target.name)
        self.here.enroll(identity)
        hardware = Hardware(
            identity,
            FOLDER / "disk.img",
            self._direct_boot(system, identity),
            self.machines.accelerator,
            memory,
            stop_at_reboot=True,
            cpus=self.machines.cpus,
        )
        try:
            return Bench(self.here, longest, idle_seconds, _ignore).boot(name, hardware, folder)
        except ReportedError as error:
            for program in self.here.programs:
                program.check()  # without them the next boot cannot succeed either
            raise BootError(f"{error} (logs: {folder})") from error

    def _direct_boot(self, system: System, identity: MachineIdentity) -> DirectBoot:
        # HookOS does not read registry_ca_url: to it, a CA of its own makes a registry insecure.
        words = f"{self.here.command_line(identity)} insecure_registries={self.here.registry.host}"
        return DirectBoot(system.kernel, system.initramfs, words)


def compare(
    systems: Sequence[System], machines: Machines, boots: int, *, with_least: bool
) -> list[Results]:
    """Boot each OS this often, in turn; return their results, also written after each boot."""
    progress = Progress()
    parts = ingredients(assemble.OUT, progress)
    shutil.rmtree(FOLDER / "boots", ignore_errors=True)
    about = [_describe(system) for system in systems]
    compared = [Results(system.name, system.size / 1e6) for system in systems]
    pairs = list(zip(systems, compared, strict=True))
    with world(FOLDER, NAME, parts) as here:
        run = Run(here, machines, progress)
        for turn in range(1, boots + 1):
            for system, results in pairs:
                title = f"boot {turn} of {boots} of {system.name}"
                with progress.step(title):
                    _boot_once(run, system, results, title)
                _write(machines, about, compared)
        for system, results in pairs if with_least else ():
            _find_least(run, system, results)
            _write(machines, about, compared)
    return compared


def _boot_once(run: Run, system: System, results: Results, title: str) -> None:
    try:
        figures = run.boot(system, run.machines.memory, LONGEST, IDLE_SECONDS)
    except BootError as error:
        results.failures.append(str(error))
        run.progress.note(f"{title}: FAILED: {error}")
        return
    results.boots.append(figures)
    address, running = figures.address, figures.running
    run.progress.note(
        f"{title}: DHCPACK {address.wall:.1f} s (CPU {address.cpu:.1f}), "
        f"RUNNING {running.wall:.1f} s (CPU {running.cpu:.1f})"
    )


def _find_least(run: Run, system: System, results: Results) -> None:
    if not results.boots:
        run.progress.note(f"least RAM of {system.name}: not measured, since no boot succeeded")
        return
    address = LEAST_PATIENCE * median(boot.address.wall for boot in results.boots)
    running = LEAST_PATIENCE * median(boot.running.wall for boot in results.boots)

    def succeeds(memory: int) -> bool:
        title = f"{system.name} with {memory} MiB"
        with run.progress.step(title):
            try:
                run.boot(system, memory, (address, running), idle_seconds=0)
            except BootError as error:
                run.progress.note(f"{title}: no: {error}")
                return False
        run.progress.note(f"{title}: enough")
        return True

    low = system.size // MIB  # it does not even hold its own files
    results.least_memory = least(low, run.machines.memory, LEAST_STEP_MIB, succeeds)


def _identity(number: int) -> MachineIdentity:
    """Return a machine that no other boot has; there is one at a time, so addresses may recur."""
    mac = "52:54:00:00:{:02x}:{:02x}".format(*divmod(number, 256))
    return MachineIdentity(f"peer{number}", mac, f"{SUBNET}.{10 + number % 200}", f"{SUBNET}.1")


def _describe(system: System) -> dict[str, object]:
    known = {"folder": str(system.folder), "level": system.level}
    return {**known, "bytes": system.size, "sha256": system.digests()}


def _write(
    machines: Machines, about: Sequence[Mapping[str, object]], compared: Sequence[Results]
) -> None:
    systems = [
        {**known, **asdict(results), "medians": medians(results, IDLE_SECONDS)}
        for known, results in zip(about, compared, strict=True)
    ]
    figures = {**asdict(machines), "accelerator": machines.accelerator.name}
    figures |= {"idle_seconds": IDLE_SECONDS, "systems": systems}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")


def _legend(systems: Sequence[System], compared: Sequence[Results]) -> str:
    """Return what each column is: its folder, and its build if that is known."""
    lines = []
    for system, results in zip(systems, compared, strict=True):
        builds = sorted({boot.build for boot in results.boots if boot.build})
        levels = [f"level={system.level}"] if system.level else []
        words = [str(system.folder), *builds, *levels]
        lines.append(f"{system.name:<14}{' '.join(words)}")
    return "\n".join(lines)


def _ignore(_line: str) -> None:
    """Leave out what each boot reports: there are many of them."""


def named(ours: System, folders: Sequence[Path]) -> list[System]:
    """Return ours and the OSes in these folders, with names from the folders that all differ."""
    systems = [ours]
    for folder in folders:
        path = folder.resolve()
        name = path.parent.name if path.name == assemble.OUT.name else path.name
        taken = [system.name for system in systems]
        systems.append(System(next(free for free in _numbered(name) if free not in taken), path))
    return systems


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def main() -> None:
    """Run this module's command line."""
    options = _parser().parse_args()
    with reported_errors():
        target = arch.wanted()
        if not options.folders:
            raise ReportedError(
                "no OS to compare with: name folders that have its "
                f"{target.kernel} and {target.initramfs}, ARTIFACTS=folder"
            )
        ours = System(OURS, assemble.OUT, assemble.built_level())
        systems = named(ours, options.folders)
        for system in systems:
            check_artifacts(system.folder, target)
        check(FOLDER, options.memory, Namespace(PREFIX + NAME), target)
        accelerator = best_accelerator(assemble.kernel(target), target)
        machines = Machines(accelerator, options.cpus, options.memory)
        compared = compare(systems, machines, options.boots, with_least=options.least)
        kind = f"{accelerator.name}, CPUs: {options.cpus}, RAM: {options.memory} MiB"
        print(f"\n{kind}\n{_legend(systems, compared)}\n\n{table(compared, IDLE_SECONDS)}")
        print(f"\nIn brackets: {systems[0].name} divided by it. Every boot: {RESULT}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.bench_peer", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="folders with another OS's files")
    parser.add_argument("--boots", type=int, default=3, choices=range(1, 100), metavar="N")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--memory", type=int, default=2048, help="MiB")
    parser.add_argument("--least", action="store_true", help="find the least memory, too (slow)")
    return parser


if __name__ == "__main__":
    main()
