"""A root file system in which a script of an image runs as in the OS, with stubs for programs.

The script runs under `busybox sh`, in user, mount, process and host name namespaces of its own: it
can change nothing outside its folder, and all its processes end with it. `/proc`, `/sys` and `/dev`
hold only what a test writes there. This needs Debian's packages busybox-static and util-linux.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parents[2]
IMAGES = PROJECT / "images"
LINUXKIT: dict[str, Any] = yaml.safe_load((PROJECT / "linuxkit.yml").read_text())
BUSYBOX = "/usr/bin/busybox"
SCRIPTS = "/usr/lib/tinkie"
SECONDS = 60.0  # until a test fails: a busy build host needs some of it
FOLDERS = (
    "bin",
    "dev",
    "etc",
    "proc",
    "run/init",
    "run/tinkie",
    "sys",
    "tmp",
    "usr/bin",
    "usr/sbin",
    "var/log",
)
# What the images and their builds have besides busybox, as far as a test replaces it.
PROGRAMS = (
    *("acpid", "chronyc", "chronyd", "containerd", "dhcpcd", "modprobe", "python3", "rngd", "runc"),
    *("systemd-udevd", "syslogd", "udevadm"),
    *("mkbytecode", "mkroot"),
)
NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "--mount", "--pid", "--uts"),
    *("--fork", "--kill-child", "--"),
)
# Arguments: root, busybox's folder, "real" for a /proc of the namespace, then the command. Even
# that /proc has the files that the test wrote: never the host's sysrq-trigger.
ENTER = """
set -e
root=$1 applets=$2 proc=$3
shift 3
mount --bind "$applets" "$root/usr/bin"
mount --bind /dev/null "$root/dev/null"
while read -r source inside; do
    [ -z "$source" ] || mount --bind "$source" "$root$inside"
done <"$root/.binds"
if [ "$proc" = real ]; then
    mkdir -p "$root/.proc"
    mount --bind "$root/proc" "$root/.proc"
    mount -t proc proc "$root/proc"
    cd "$root/.proc"
    find . -type f | while read -r file; do
        [ ! -e "$root/proc/$file" ] || mount --bind "$file" "$root/proc/$file"
    done
fi
exec chroot "$root" /usr/bin/busybox env -i PATH=/usr/sbin:/usr/bin "$@"
"""
# What `#!/bin/sh` starts: busybox's shell, in which stubs are functions too, because busybox
# prefers some of its own applets to programs of the same name (`date`, `usleep`).
SHELL = f"""#!{BUSYBOX} sh
. /.stubs
case ${{1-}} in
-c) eval "$2" ;;
*) script=$1 && shift && . "$script" ;;
esac
"""
STUB = f"""#!{BUSYBOX} sh
echo "${{0##*/}}${{*:+ $*}}" >>/.calls
"""
# A message is in the arguments, or each line of the input is one.
LOGGER = """
while getopts t:p: option; do [ "$option" != t ] || tag=$OPTARG; done
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then echo "$tag: $*" >>/.log; exit; fi
while IFS= read -r line; do echo "$tag: $line" >>/.log; done
"""
# Time passes at once, in /proc/uptime; a sleep that is longer than the test's story never ends.
# Functions only: a test may need thousands of them.
TIME = """
longest_sleep={longest}
sleep() {{ pass sleep "$1"; }}
usleep() {{ pass usleep "$1"; }}
pass() {{
    echo "$1 $2" >>/.calls
    case $1$2 in
    sleepinfinity) command tail -f /dev/null ;;
    sleep*) set -- $(($2 * 100)) ;;
    *) set -- $(($2 / 10000)) ;;
    esac
    [ "$1" -le "${{longest_sleep}}00" ] || command tail -f /dev/null
    command usleep 1000
    # In a process of its own: who kills the caller does not leave the clock locked.
    (
        until command mkdir /.clock 2>/dev/null; do command usleep 500; done
        read -r up _ </proc/uptime
        part=${{up#*.}}0
        up=$((${{up%.*}} * 100 + 1${{part%"${{part#??}}"}} - 100 + $1))
        echo "$((up / 100)).$((up / 10 % 10))$((up % 10)) 0" >/.uptime
        command mv /.uptime /proc/uptime 2>/dev/null || command cat /.uptime >/proc/uptime
        command rmdir /.clock
    )
}}
"""


class ScriptRoot:
    """The root, what the script did there, and the ways to run it."""

    def __init__(self, path: Path, applets: Path) -> None:
        self.path = path
        self.applets = applets
        for folder in FOLDERS:
            self.at(folder).mkdir(parents=True)
        for name in (".stubs", ".calls", ".log", ".binds", ".announced", ".to-consoles"):
            self.write(name, "")
        self.write("/dev/null", "")
        self.write("/proc/uptime", "100.25 0\n")
        self.write("/proc/sysrq-trigger", "")
        self.write("/bin/sh", SHELL, mode=0o755)
        shutil.copytree(IMAGES / "init/lib", self.at(SCRIPTS))
        for name in ("announce", "to-consoles"):
            self.replace(name, f'echo "$*" >>/.{name.replace("announce", "announced")}')
        self.stub("logger", LOGGER)
        self.time_passes()

    def at(self, path: str) -> Path:
        """Return where a path of the root is on the host."""
        return self.path / path.lstrip("/")

    def write(self, path: str, text: str, *, mode: int = 0) -> Path:
        """Write a file of the root, and make its folder."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if mode:
            file.chmod(mode)
        return file

    def read(self, path: str) -> str:
        """Return a file's text; nothing if it is not there."""
        file = self.at(path)
        return file.read_text(errors="replace") if file.exists() else ""

    def install(self, script: str, path: str) -> None:
        """Put a script of images/ where its image has it."""
        self.write(path, (IMAGES / script).read_text(), mode=0o755)

    def stub(self, name: str, body: str = "", *, folder: str = "/usr/sbin") -> None:
        """Put a program in front of all of that name: it notes its call, then runs the body.

        The images have to have it: a script that calls another one would fail in the OS only.
        """
        assert name in PROGRAMS or (self.applets / name).is_symlink(), f"no image has {name}"
        self.write(f"{folder}/{name}", STUB + body, mode=0o755)
        # As a function, logger would keep a pipe open that its caller closes.
        if (self.applets / name).is_symlink() and name != "logger":
            self.add_functions(f'{name}() {{ /usr/sbin/{name} "$@"; }}\n')

    def replace(self, name: str, body: str) -> None:
        """Replace a script of /usr/lib/tinkie."""
        assert (IMAGES / "init/lib" / name).exists(), name
        self.write(f"{SCRIPTS}/{name}", f"#!{BUSYBOX} sh\n{body}\n", mode=0o755)

    def restore(self, name: str) -> None:
        """Put the image's own script back."""
        self.install(f"init/lib/{name}", f"{SCRIPTS}/{name}")

    def time_passes(self, *, longest: int = 60) -> None:
        """Let sleeps of up to so many seconds end at once, and longer ones never."""
        self.add_functions(TIME.format(longest=longest))
        program = f'#!{BUSYBOX} sh\n. /.stubs\nsleep "$@"\n'
        self.write("/usr/sbin/sleep", program, mode=0o755)  # for bash

    def bind(self, source: str, inside: str) -> None:
        """Show a file or device of the host in the root."""
        self.write(inside, "")
        with self.at(".binds").open("a") as file:
            file.write(f"{source} {inside}\n")

    def add_program(self, path: str) -> None:
        """Copy a program of the host, with the libraries that it is linked with."""
        listed = subprocess.check_output(["ldd", path], text=True)
        libraries = [word for word in listed.split() if word.startswith("/")]
        for file in (path, *libraries):
            target = self.at(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

    @property
    def calls(self) -> list[str]:
        """The calls of stubs: name and arguments, without the passing of time."""
        lines = self.read(".calls").splitlines()
        return [line for line in lines if line.split()[0] not in ("sleep", "usleep", "logger")]

    @property
    def announced(self) -> list[str]:
        """What the script had announced: program, event, text."""
        return self.read(".announced").splitlines()

    @property
    def on_consoles(self) -> list[str]:
        """What the script wrote to the consoles directly."""
        return self.read(".to-consoles").splitlines()

    @property
    def log(self) -> list[str]:
        """The lines of the system's log."""
        return self.read(".log").splitlines()

    @property
    def uptime(self) -> float:
        """The seconds that have passed on the machine."""
        return float(self.read("/proc/uptime").split()[0])

    def run(
        self, *command: str, stdin: str = "", real_proc: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self._enter(command, real_proc=real_proc),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    @contextmanager
    def running(self, *command: str, real_proc: bool = False) -> Iterator[subprocess.Popen[str]]:
        """Run a command until the end of the with block; it and all that it started end then."""
        with (
            self.at(".output").open("a") as output,
            subprocess.Popen(
                self._enter(command, real_proc=real_proc),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        """Wait until a condition is met; fail with what happened in the root."""
        end = time.monotonic() + SECONDS
        while not condition():
            seen = f"{self.announced=} {self.on_consoles=} {self.log=} {self.calls=}"
            assert time.monotonic() < end, f"{what}: {seen} {self.read('.output')}"
            time.sleep(0.01)

    def add_functions(self, text: str) -> None:
        """Define functions for every script; a later one replaces an earlier one."""
        with self.at(".stubs").open("a") as file:
            file.write(text)

    def _enter(self, command: tuple[str, ...], *, real_proc: bool) -> list[str]:
        proc = "real" if real_proc else "written"
        arguments = [str(self.path), str(self.applets), proc, *command]
        return [*NAMESPACES, "sh", "-c", ENTER, "sh", *arguments]


def option(container: str, name: str) -> str:
    """Return what linuxkit.yml gives a container as this option."""
    (found,) = (
        one for one in (*LINUXKIT["onboot"], *LINUXKIT["services"]) if one["name"] == container
    )
    command: list[str] = found["command"]
    return command[command.index(name) + 1]


def applets(folder: Path) -> Path:
    """Make a folder with busybox and all its names, as in the OS."""
    assert Path(BUSYBOX).exists(), "busybox is missing: run `make setup` as root"
    shutil.copy(BUSYBOX, folder / "busybox")
    for name in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
        if name != "busybox":
            (folder / name).symlink_to("busybox")
    return folder
