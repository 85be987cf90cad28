"""A switch with a tagged VLAN on a port: Debian's vde2, since not every host kernel has VLANs."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.network import Namespace
from sandbox.processes import running
from sandbox.waiting import wait_for

TRUNK_BRIDGE = "trunk0"  # for machines' NICs; untagged frames get no answer there
VLAN = 30
VLAN_DEVICE = "vlanport"
VLAN_SUBNET = "172.30.30"
VLAN_ROUTER = f"{VLAN_SUBNET}.1"
_PORTS = {"trunk": 1, VLAN_DEVICE: 2}
_SECONDS = 10.0
# The switch ends at the end of its input.
_WITH_STDIN = 'exec vde_switch "$@" <>"$0"'
_COMMANDS = f"""\
port/create 1
port/create 2
vlan/create {VLAN}
port/setvlan 2 {VLAN}
vlan/addport {VLAN} 1
"""


@contextmanager
def trunk(folder: Path, network: Namespace) -> Iterator[None]:
    """Run the switch until the end of the with block; the sandbox is VLAN_ROUTER in the VLAN."""
    socket, commands = folder / "switch", folder / "switch.commands"
    commands.write_text(_COMMANDS)
    stdin = folder / "switch.stdin"
    os.mkfifo(stdin)
    options: list[str | Path] = ["--sock", socket, "--rcfile", commands]
    with ExitStack() as stack:
        network.add_bridge(TRUNK_BRIDGE)
        stack.callback(network.delete_device, TRUNK_BRIDGE)
        log = folder / "switch.log"
        command = ["sh", "-c", _WITH_STDIN, stdin, *options]
        stack.enter_context(running("switch", command, log=log, network=network))
        wait_for("the switch", lambda: (socket / "ctl").exists() or None, seconds=_SECONDS)
        for device, port in _PORTS.items():
            plug = ["vde_plug2tap", "--sock", str(socket), "--port", str(port), device]
            log = folder / f"{device}.log"
            stack.enter_context(running(device, plug, log=log, network=network))
            wait_for(device, lambda name=device: network.has(name) or None, seconds=_SECONDS)  # type: ignore[misc]
        network.use("trunk", bridge=TRUNK_BRIDGE)
        network.use(VLAN_DEVICE, VLAN_ROUTER)
        yield
