"""When a machine reached each moment of its boot, from its console; no I/O."""

from collections.abc import Mapping, Sequence

from sandbox.console import Line

KERNEL = "kernel"
ACTION = "action running"
DONE = "workflow done"
MARKER = "disk has started"
# Moments that are events on the console, in the order in which a good boot has them.
EVENTS = {
    "init": "init: boot.started",
    "address": "dhcp: address.bound",
    "engine ready": "tink-docker: engine.ready",
    "image pulled": "bootkit: image.pulled",
    "worker started": "bootkit: worker.started",
}
ORDER = ("power-on", KERNEL, *EVENTS, ACTION, DONE, MARKER)


def moments(lines: Sequence[Line]) -> dict[str, float]:
    """Return moment -> seconds since power-on, for the moments that the console shows.

    Each event contains the kernel's uptime. So the kernel's start can be computed, and an event's
    time is exact even if the serial line delayed it.
    """
    events = [line for line in lines if line.event]
    found = {"power-on": 0.0}
    if not events:
        return found
    kernel = events[0].at - (events[0].uptime or 0.0)
    found[KERNEL] = kernel
    for name, event in EVENTS.items():
        line = next((line for line in events if line.event == event), None)
        if line is not None:
            found[name] = kernel + (line.uptime or 0.0)
    return found


def table(found: Mapping[str, float]) -> str:
    """Return the moments as lines: name, seconds, seconds since the previous one.

    A moment that was not reached has a dash. The disk's start is then omitted, since not every
    workflow ends with it.
    """
    rows = []
    before = 0.0
    for name in ORDER:
        if name not in found:
            rows += [f"  {name:<18}{'-':>8}"] if name != MARKER else []
            continue
        rows.append(f"  {name:<18}{found[name]:>8.1f} s{found[name] - before:>+8.1f}")
        before = found[name]
    return "\n".join(rows)
