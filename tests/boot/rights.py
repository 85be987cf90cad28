"""What each service of a running machine may do, and what it tries in vain."""

from dataclasses import dataclass

from sandbox.shell import GuestShell
from tests.boot.in_service import in_service

TASKS = "/run/containerd/io.containerd.runtime.v2.task/services.linuxkit"
SERVICES = ("dhcp", "tink-docker", "bootkit", "ntp", "rngd")
START_SECONDS = 300.0  # ntp and rngd wait for an idle CPU
# Files that root on the host or another service opens; files that an attacker may replace.
TARGETS = (
    *("/run/init/shutdown-by", "/run/init/console", "/run/init/consoles", "/run/init/started-x"),
    *("/run/tinkie/settings/syslog", "/run/tinkie/tink-docker/space.json", "/run/tinkie/x"),
    *("/etc/docker/certs.d/x", "/etc/resolv.conf", "/var/run/docker.sock", "/run/docker/x"),
)
OWN = {"dhcp": "/run/dhcpcd/x", "ntp": "/run/chrony/x", "bootkit": "/run/tinkie/bootkit/x"}
LINK = "ln -sfn /dev/vda $path"
PYTHON = """
import os, sys
for path in sys.argv[1:]:
    try:
        if os.path.lexists(path): os.unlink(path)
        os.symlink("/dev/vda", path)
        print("done", path)
    except OSError: print("failed", path)
"""
SHELL = f'for path; do {LINK} && echo "done $path" || echo "failed $path"; done 2>/dev/null'
# Of the kernel's parameters dhcp needs those of the network. To open one for writing changes none.
NET = "/proc/sys/net/ipv4/conf/all/forwarding"
SYSCTLS = tuple(
    f"/proc/sys/{name}"
    for name in (
        "fs/file-max",
        "fs/nr_open",
        "kernel/pid_max",
        "vm/swappiness",
        "user/max_mnt_namespaces",
    )
)
OPEN = 'for path; do (: >>"$path") && echo "done $path" || echo "failed $path"; done 2>/dev/null'
# What needs CAP_SYS_ADMIN, which rngd has, and root, which it is not.
ADMIN = {
    "mount": "mount -t tmpfs x /tmp",
    "umount": "umount /proc/sys",
    "unshare": "unshare -m true",
    "core_pattern": "echo x >/proc/sys/kernel/core_pattern",
    "sethostname": "hostname x",
}
ADMIN_SHELL = "; ".join(
    f"({command}) && echo done {name} || echo failed {name}" for name, command in ADMIN.items()
)


@dataclass(frozen=True)
class Rights:
    """What was seen.

    status: service -> fields of its first process's /proc/<pid>/status. attacks: service -> what
    it tried (a path that it wanted to be a link, or a key of ADMIN) -> "done" or "failed". A link
    may be done in a container's own /run. links: those that are on the host because of that.
    sysctls: which of NET and SYSCTLS dhcp can open for writing.
    settings_owner: the user whose files the settings are.
    """

    status: dict[str, dict[str, str]]
    attacks: dict[str, dict[str, str]]
    links: set[str]
    sysctls: dict[str, str]
    settings_owner: int


def look(shell: GuestShell) -> Rights:
    """Look at every service; let some of them attack the machine. All must be running."""
    status = {name: _status(shell, name) for name in SERVICES}
    before = _links(shell)
    attacks = {name: _attack(shell, name, SHELL, [*TARGETS, OWN[name]]) for name in ("dhcp", "ntp")}
    attacks["bootkit"] = _attack(shell, "bootkit", PYTHON, [*TARGETS, OWN["bootkit"]])
    attacks["rngd"] = _attack(shell, "rngd", f"{{ {ADMIN_SHELL}; }} 2>/dev/null", [])
    links = _links(shell) - before
    sysctls = _attack(shell, "dhcp", OPEN, [NET, *SYSCTLS])
    owner = int(shell.run("stat -c %u /run/tinkie/settings/clock"))
    shell.run(f"rm -f {OWN['dhcp']} {OWN['bootkit']}")
    return Rights(status, attacks, links, sysctls, owner)


def are_running(shell: GuestShell) -> bool:
    """Whether every service has started."""
    running = shell.run(f"cd {TASKS}; ls -d */init.pid 2>/dev/null || :").split()
    return {path.removesuffix("/init.pid") for path in running} >= set(SERVICES)


def _links(shell: GuestShell) -> set[str]:
    """Return the links in /run, without those that udev makes for a device at any time."""
    return set(shell.run("find /run -xdev -path /run/udev -prune -o -type l -print").split())


def _status(shell: GuestShell, name: str) -> dict[str, str]:
    lines = shell.run(f"cat /proc/$(cat {TASKS}/{name}/init.pid)/status").splitlines()
    fields = (line.partition(":") for line in lines)
    return {key: value.strip() for key, _, value in fields}


def _attack(shell: GuestShell, name: str, program: str, paths: list[str]) -> dict[str, str]:
    """Run a program in a service's container, with the rights of the service."""
    language = "python3 -c" if program is PYTHON else "sh -c"
    words = " ".join(paths) if program is PYTHON else f"x {' '.join(paths)}"
    quoted = program.replace("'", "'\\''")
    lines = shell.run(in_service(name, f"{language} '{quoted}' {words}")).splitlines()
    return {target: outcome for outcome, target in map(str.split, lines)}
