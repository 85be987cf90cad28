"""Programs in a service's container, with the rights of the service."""

RUNC = "runc --root /run/containerd/runc/services.linuxkit"


def in_service(name: str, command: str) -> str:
    """Return a line for the machine's shell that runs a command (words for a shell) there."""
    process = f"/run/in-{name}.json"
    config = f"/run/bundles/{name}/config.json"
    return (
        f"jq '.process | .args = $ARGS.positional' {config} --args -- {command} >{process}"
        f" && {RUNC} exec --process {process} {name}"
    )
