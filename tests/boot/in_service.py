"""Programs in a service's container, with the rights of the service."""

RUNC = "runc --root /run/containerd/runc/services.linuxkit"
# The Python of settings' image: the OS itself has none.
PYTHON = "chroot /containers/onboot/000-settings/rootfs python3 -c"
EDIT = (
    'import json, sys; process = json.load(sys.stdin)["process"]; '
    'process["args"] = sys.argv[1:]; print(json.dumps(process))'
)


def in_service(name: str, command: str) -> str:
    """Return a line for the machine's shell that runs a command (words for a shell) there."""
    process = f"/run/in-{name}.json"
    config = f"/containers/services/{name}/config.json"
    return (
        f"{PYTHON} '{EDIT}' {command} <{config} >{process}"
        f" && {RUNC} exec --process {process} {name}"
    )
