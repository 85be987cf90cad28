"""`python -m release.programs`: the engine's programs, built from Go modules, for our images.

Each folder of programs/ is a Go module; go.sum locks every byte of what it is built from, go.mod
the Go toolchain. out/programs/<amd64 or arm64>/<module>/ is laid over an image's root: the
programs, the licences of what is in them, and for the manifest a list of the modules.

A file `_replaced/<package>/<file>` takes the place of that file of a package that the module
requires; `package.go` takes the place of the whole package, and `tinkie.go` is added to it. Those
of programs/_replaced/ are for all modules. An update that renames such a file, or uses what is left
out, does not build.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release import arch, gotemplates, gotools
from release.arch import Architecture
from release.cache import cache, copy_to, digest, keep
from release.errors import ReportedError, reported_errors
from release.process import run
from release.progress import Progress
from release.version import PROJECT

MODULES = PROJECT / "programs"
OUT = PROJECT / "out" / "programs"
REPLACED = "_replaced"
# What decides what a build makes, besides the module's own folder.
HOW = (Path(__file__), Path(gotemplates.__file__), MODULES / REPLACED)
WHOLE, ADDED = "package.go", "tinkie.go"
LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "PATENTS")


@dataclass(frozen=True)
class Program:
    """A program: its package in its module, its path in an image, its build tags."""

    package: str
    path: str
    tags: str


STATIC = "netgo,osusergo,static_build"
NO_DRIVERS = "exclude_graphdriver_btrfs,exclude_graphdriver_zfs,exclude_graphdriver_fuseoverlayfs"
PROGRAMS = {
    "containerd": [
        Program(".", "usr/bin/containerd", STATIC),
        Program(
            "./containerd-shim-runc-v2", "usr/bin/containerd-shim-runc-v2", f"{STATIC},no_grpc"
        ),
    ],
    "dockerd": [
        Program(".", "usr/sbin/dockerd", f"{STATIC},{NO_DRIVERS},no_embedded_containerd"),
    ],
}


def build(target: Architecture, progress: Progress | None = None) -> None:
    """Fill out/programs; each module is built once for each content of its folder and of HOW.

    Raises ReportedError if Go is missing or a build fails.
    """
    progress = progress or Progress()
    folder = OUT / target.debian
    folder.mkdir(parents=True, exist_ok=True)
    for module in PROGRAMS:
        copy_to(folder / module, _built(module, target, progress))


def _built(module: str, target: Architecture, progress: Progress) -> Path:
    key = digest([MODULES / module, *HOW], target.name)
    folder = cache() / "programs" / f"{module}-{key}"
    if folder.exists():
        progress.skip()
        return folder
    gotools.check()
    with (
        progress.step(f"{module} (Go; some minutes the first time)"),
        source(module, target) as found,
        tempfile.TemporaryDirectory(dir=folder.parent) as temporary,
    ):
        result = Path(temporary) / "result"
        for program in PROGRAMS[module]:
            _compile(program, target, found, result / program.path)
        _describe(module, target, found, result)
        keep(result, folder)
    return folder


@contextmanager
def source(module: str, target: Architecture) -> Iterator[Path]:
    """Make the whole source of a module's programs, what it requires in vendor/, for a with block.

    Beside it lies what replaces Go's own files (gotemplates.LISTING).
    Raises ReportedError if a module cannot be downloaded, or a replaced file is not there.
    """
    parent = cache() / "programs"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as temporary:
        folder = Path(temporary) / module
        shutil.copytree(MODULES / module, folder)
        _go(f"reading {module}'s modules", ["mod", "vendor"], folder, target)
        for replaced in (MODULES / REPLACED, folder / REPLACED):
            replace(replaced, folder / "vendor")
        goroot = _go("looking for Go's own packages", ["env", "GOROOT"], folder, target).strip()
        gotemplates.overlay(folder / "vendor", Path(goroot), folder.parent)
        yield folder


def environment(go_mod: Path, target: Architecture) -> dict[str, str]:
    """Return variables with which every host builds the same bytes."""
    toolchain = next(
        line.split()[1] for line in go_mod.read_text().splitlines() if line.startswith("toolchain ")
    )
    fixed = {"CGO_ENABLED": "0", "GOOS": "linux", **target.go}
    fixed |= {"GOWORK": "off"}  # a go.work above the cache is somebody else's
    return os.environ | fixed | {"GOTOOLCHAIN": toolchain, "GOFLAGS": "", "GOEXPERIMENT": ""}


def _go(what: str, arguments: list[str], folder: Path, target: Architecture) -> str:
    command, variables = ["go", *arguments], environment(folder / "go.mod", target)
    return run(what, command, cwd=folder, env=variables, seconds=None, remedy=gotools.REMEDY).text


def replace(replaced: Path, vendor: Path) -> None:
    """Lay the files of a _replaced/ over a module's vendored packages.

    Raises ReportedError if there is nothing that one could replace, or be added to.
    """
    for file in sorted(replaced.rglob("*.go")):
        target = vendor / file.relative_to(replaced)
        if not (target.parent if file.name in (WHOLE, ADDED) else target).exists():
            raise ReportedError(
                f"{file.relative_to(replaced.parent)} replaces nothing: "
                f"the version that {vendor.parent.name}/go.mod requires has no such file"
            )
        if file.name == WHOLE:
            for old in target.parent.glob("*.go"):
                old.unlink()
        shutil.copyfile(file, target)


def _compile(program: Program, target: Architecture, source: Path, path: Path) -> None:
    command = ["build", "-mod=vendor", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
    command += ["-overlay", str(source.parent / gotemplates.LISTING)]
    command += ["-tags", program.tags, "-o", str(path), program.package]
    _go(f"building {path.name}", command, source, target)


def _describe(module: str, target: Architecture, source: Path, result: Path) -> None:
    """Write what the manifest lists, and the licences of everything that is in the programs."""
    lines = {
        f"{Path(program.path).name} {name} {version} {total}"
        for program in PROGRAMS[module]
        for name, version, total in _modules(source, target, result / program.path)
    }
    record = result / "usr/share/tinkie/go" / module
    record.parent.mkdir(parents=True)
    record.write_text("".join(f"{line}\n" for line in sorted(lines)))
    path = result / "usr/share/doc" / module / "copyright"
    path.parent.mkdir(parents=True)
    path.write_text(licences(source / "vendor", {line.split()[1] for line in lines}))


def _modules(source: Path, target: Architecture, program: Path) -> Iterator[tuple[str, str, str]]:
    """Yield path, version and digest (as go.sum has it) of each module that is in a program."""
    totals = {}
    for line in (source / "go.sum").read_text().splitlines():
        name, version, total = line.split()
        totals[name, version] = total
    listed = _go("reading a program's modules", ["version", "-m", str(program)], source, target)
    yield "go", listed.split()[1], "-"
    for line in listed.splitlines():
        words = line.split()
        if words[0] == "dep":
            yield words[1], words[2], totals[words[1], words[2]]


def licences(vendor: Path, modules: set[str]) -> str:
    """Return each text once, below the vendored modules and packages that it is the licence of.

    A package may have one of its own. Go's own library has that of golang.org/x/sys.
    """
    lines = (vendor / "modules.txt").read_text().splitlines()
    vendored = [line.split()[1] for line in lines if line.startswith("# ")]
    found: dict[str, list[str]] = {}
    for file in sorted(path for path in vendor.rglob("*") if _is_licence(path)):
        package = str(file.parent.relative_to(vendor))
        module = max((one for one in vendored if f"{package}/".startswith(f"{one}/")), key=len)
        if module in modules:
            found.setdefault(file.read_text(errors="replace"), []).append(package)
    return "\n".join(f"{', '.join(names)}:\n\n{text}" for text, names in found.items())


def _is_licence(path: Path) -> bool:
    return path.name.upper().startswith(LICENCES) and path.suffix != ".go" and path.is_file()


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        build(arch.wanted(), Progress(len(PROGRAMS)))


if __name__ == "__main__":
    main()
