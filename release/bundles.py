"""LinuxKit's bundles (/containers/<kind>/<folder>) become runnable ones (docs/adr/0021).

LinuxKit leaves to its init what a bundle needs: folders and mounts (its runtime.json), and an
absolute root and a seccomp profile (its config.json). All of that is known when the OS is built:
the root gets the final config.json, and one shell script for the rest, which `services` runs.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from release.arch import Architecture
from release.errors import ReportedError
from release.roottar import RootTar

SCRIPT = "containers/prepare"
PROFILES = "usr/lib/tinkie/seccomp"  # in the tar only: NAME.json, and docker.json for all others
DOCKERS = "docker"
BUNDLE_FILE = re.compile(r"(containers/[^/]+/[^/]+)/(config|runtime)\.json")
PROFILE_FILE = re.compile(rf"{PROFILES}/([^/]+)\.json")
HEADER = """\
#!/bin/sh
# What the containers need before they start. Written by the build (release/bundles.py).
"""
REMEDY = "give a file that `linuxkit build --format tar` wrote"

Document = dict[str, Any]
Command = tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """One container: its folder in the tar, and LinuxKit's two files."""

    folder: str
    config: Document
    runtime: Document

    @property
    def name(self) -> str:
        """The container's name: LinuxKit numbers those of onboot."""
        return re.sub(r"^[0-9]{3}-", "", PurePosixPath(self.folder).name)


def finish(root: RootTar, target: Architecture) -> None:
    """Replace the bundles of LinuxKit's tar by runnable ones.

    Raises ReportedError, which names the file, if one is missing or not as LinuxKit writes it.
    """
    profiles = {
        match[1]: _read(root, match[0])
        for match in map(PROFILE_FILE.fullmatch, root.paths)
        if match
    }
    bundles = list(_bundles(root))
    for bundle in bundles:
        path = f"{bundle.folder}/config.json"
        with _named(path):
            config = json.dumps(final_config(bundle, profiles, target), separators=(",", ":"))
        root.put(path, f"{config}\n".encode())
        root.remove(f"{bundle.folder}/runtime.json")
    root.put(SCRIPT, script(bundles).encode())
    root.remove(PROFILES)


def _bundles(root: RootTar) -> Iterator[Bundle]:
    folders = {match[1] for match in map(BUNDLE_FILE.fullmatch, root.paths) if match}
    for folder in sorted(folders):
        files = [_read(root, f"{folder}/{name}.json") for name in ("config", "runtime")]
        yield Bundle(folder, *files)


def _read(root: RootTar, path: str) -> Document:
    try:
        found = json.loads(root.read(path))
    except ValueError as error:
        raise ReportedError(f"{path} in LinuxKit's tar is not JSON: {error}; {REMEDY}") from None
    if not isinstance(found, dict):
        raise ReportedError(f"{path} in LinuxKit's tar is not a JSON object; {REMEDY}")
    return found


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Name the file in errors of its content."""
    try:
        yield
    except KeyError as error:
        raise ReportedError(f"{path} in LinuxKit's tar has no {error}; {REMEDY}") from None
    except (AttributeError, TypeError, ValueError) as error:
        message = f"{path} in LinuxKit's tar has a value of a wrong type: {error}; {REMEDY}"
        raise ReportedError(message) from None


def final_config(bundle: Bundle, profiles: dict[str, Document], target: Architecture) -> Document:
    """Return the config.json that crun and containerd get.

    A container that may load kernel modules gets no seccomp profile: it is root on the host.
    profiles: by container, in Docker's format; DOCKERS is for those that have none of their own.
    """
    root, linux = bundle.config["root"], bundle.config.get("linux") or {}
    if root["path"] == "rootfs":
        root = root | {"path": f"/{bundle.folder}/rootfs"}
    capabilities = set((bundle.config["process"].get("capabilities") or {}).get("bounding") or ())
    if "CAP_SYS_MODULE" not in capabilities:
        linux = linux | {"seccomp": _seccomp(bundle.name, profiles, capabilities, target)}
    return bundle.config | {"root": root, "linux": linux}


def _seccomp(
    name: str, profiles: dict[str, Document], capabilities: set[str], target: Architecture
) -> Document:
    chosen = name if name in profiles else DOCKERS
    path = f"{PROFILES}/{chosen}.json"
    if chosen not in profiles:
        message = f"LinuxKit's tar has no {path} for {name}"
        raise ReportedError(f"{message}: use the image tinkie/init, which has it")
    with _named(path):
        return resolved(profiles[chosen], capabilities, target)


def resolved(profile: Document, capabilities: set[str], target: Architecture) -> Document:
    """Return a profile without conditions, as the OCI runtime specification has it.

    In Docker's format system calls depend on the container's capabilities, on the processor and on
    the age of the kernel (ours is newer than any). Calls of 32-bit programs, which no image has,
    are not permitted: a filter for them takes the runtime as long again.
    """
    calls = [
        {"names": call["names"], "action": call["action"]} | _given(call, "errnoRet", "args")
        for call in profile["syscalls"]
        if _applies(call, capabilities, target)
    ]
    default = {"defaultAction": profile["defaultAction"]} | _given(profile, "defaultErrnoRet")
    return default | {"architectures": [target.seccomp], "syscalls": calls}


def _applies(call: Document, capabilities: set[str], target: Architecture) -> bool:
    includes, excludes = call.get("includes") or {}, call.get("excludes") or {}
    arches = includes.get("arches")
    return (
        (arches is None or target.debian in arches)
        and capabilities.issuperset(includes.get("caps") or ())
        and target.debian not in (excludes.get("arches") or ())
        and capabilities.isdisjoint(excludes.get("caps") or ())
        and excludes.get("minKernel") is None
    )


def _given(of: Document, *names: str) -> Document:
    return {name: of[name] for name in names if of.get(name) is not None}


def script(bundles: Iterable[Bundle]) -> str:
    """Return the shell script that must run before the containers start."""
    commands: list[Command] = []
    owners: list[str] = []
    for bundle in bundles:
        with _named(f"{bundle.folder}/runtime.json"):
            commands += (tuple(map(shlex.quote, words)) for words in _commands(bundle.runtime))
        with _named(f"{bundle.folder}/config.json"):
            owners += _owner(bundle)
    lines = [" ".join(words) for words in _joined(commands)]
    return HEADER + "".join(f"{line}\n" for line in (*lines, *owners))


def _commands(runtime: Document) -> Iterator[Command]:
    """Yield what LinuxKit's init does for a bundle.

    A writable container has a tmpfs and an overlay on it: the tmpfs gets a size limit, the overlay
    its folders.
    """
    for path in runtime.get("mkdir") or ():
        yield "mkdir", "-p", path
    for mount in runtime.get("mounts") or ():
        for option in mount.get("options") or ():
            if match := re.fullmatch("(?:upperdir|workdir)=(.*)", option):
                yield "mkdir", "-p", match[1]
        yield _mounting(mount)


def _mounting(mount: Document) -> Command:
    kind, options = mount.get("type"), mount.get("options")
    if "private" in (options or ()):
        return "mount", "--make-private", mount["destination"]
    if not options and kind == "tmpfs":
        options = ["size=20%"]
    typed = ("-t", kind) if kind else ()
    limited = ("-o", ",".join(options)) if options else ()
    return "mount", *typed, *limited, mount["source"], mount["destination"]


def _joined(commands: Iterable[Command]) -> Iterator[Command]:
    """Make folders in a row with one command: each one takes a slow machine a while."""
    for is_mkdir, group in groupby(commands, key=lambda command: command[0] == "mkdir"):
        if is_mkdir:
            yield "mkdir", "-p", *dict.fromkeys(command[-1] for command in group)
        else:
            yield from group


def _owner(bundle: Bundle) -> Iterator[str]:
    """Yield the line that gives a service its folder of /run/tinkie, unless it is root."""
    user = bundle.config["process"]["user"]
    uid, gid = int(user["uid"]), int(user["gid"])
    if uid or gid:
        folder = shlex.quote(f"/run/tinkie/{bundle.name}")
        yield f"[ ! -d {folder} ] || chown {uid}:{gid} {folder}"
