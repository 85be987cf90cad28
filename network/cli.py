"""`python3 -m network [--dhcpcd PID]`: the service `dhcp`, beside dhcpcd.

Options: --dhcpcd PID (a dhcpcd that runs already, a child of this process), --cmdline FILE,
--console FILE. argparse would cost a tenth of the start.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from network.choice import Choice
from network.client import Client
from network.dhcpcd import Process, read_messages
from network.files import Files
from network.kernel import Kernel, KernelEvents
from network.log import PROGRAM, Log
from network.lookups import Lookups
from network.loop import Loop
from network.metadata_bond import MetadataBond
from network.parameters import NetworkPlan, network_problems
from network.probe import Probe
from network.reports import Reports
from network.service import Service
from network.sockets import open_echo, open_tcp, open_udp
from network.state import State
from tinkie.errors import ShutdownRequested
from tinkie.parameters.cmdline import PROC_CMDLINE, Cmdline
from tinkie.parameters.table import BOND, read_parameters
from tinkie.running.console import Console
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Sequence

SOCKET = Path("/run/dhcpcd/sock")

_DONE, _FAILED, _USAGE = 0, 1, 2
_OPTIONS = {"--dhcpcd", "--cmdline", "--console"}


def main(arguments: Sequence[str]) -> int:
    """Run the program until a signal, or an end of `run`; containerd starts both again."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    pid = options.get("--dhcpcd", "0")
    if len(arguments) % 2 or not set(options) <= _OPTIONS or not pid.isdecimal():
        sys.stderr.write("usage: network [--dhcpcd PID] [--cmdline FILE] [--console FILE]\n")
        return _USAGE
    console = options.get("--console")
    log = Log(Console(Path(console), PROGRAM) if console else None)
    signals = ShutdownSignals()
    signals.install()
    try:
        loop = make_loop(Path(options.get("--cmdline", PROC_CMDLINE)), int(pid), log, signals)
        loop.run()
    except ShutdownRequested:
        return _DONE
    except Exception as error:  # a bug: the console has it before the next run
        text = f"{type(error).__name__}: {error}"
        log.exception("program.failed", error=text, next="starts again, addresses stay")
        raise  # the interpreter prints the traceback
    return _FAILED


def make_loop(cmdline: Path, pid: int, log: Log, signals: ShutdownSignals) -> Loop:
    """Put the parts together; report the parameters that cannot be used."""
    parameters = read_parameters(Cmdline.read(cmdline))
    for name, why in network_problems(parameters).items():
        log.warning("parameter.ignored", parameter=name, error=why, next="goes on without it")
    metadata = MetadataBond(log, has_parameter=BOND.name in parameters.texts)
    plan = NetworkPlan.from_parameters(parameters, metadata.read())
    probe = Probe(plan.host, Lookups(open_udp), open_echo, open_tcp)
    files = Files()
    choice = Choice(plan.wanted, probe, chosen=files.chosen)
    service = Service(
        kernel=Kernel(),
        plan=plan.static,
        probe=probe,
        choice=choice,
        files=files,
        reports=Reports(log, plan.host, plan.named, plan.static.nic, plan.members),
        state=State(plan.host),
        metadata=metadata,
        messages=lambda: read_messages(SOCKET),
        log=log,
        now=time.monotonic,
        uptime=_uptime,
        chance=_chance,
    )
    client = Client(Process(pid=pid), plan.static, log)
    kernel_events = KernelEvents.of_kernel()
    return Loop(service, client, kernel_events, signals, log, SOCKET, time.monotonic)


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _chance() -> float:
    """Return a random number below 1; the module `random` would load hash functions."""
    return int.from_bytes(os.urandom(4), "big") / 2**32
