"""The Kubernetes objects that describe a machine and its workflow; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from release.arch import X86_64
from sandbox.kubernetes import Object

API_VERSION = "tinkerbell.org/v1alpha1"
DAY_SECONDS = 86400


@dataclass(frozen=True)
class MachineIdentity:
    """A machine in Tinkerbell's records."""

    name: str
    mac: str
    address: str
    gateway: str
    netmask: str = "255.255.255.0"
    name_servers: tuple[str, ...] = ()
    lease_seconds: int = DAY_SECONDS
    arch: str = X86_64.name


def hardware(machine: MachineIdentity, *others: MachineIdentity) -> Object:
    """Return the Hardware of a machine that may netboot and has a lease reserved.

    others: the records of its other NICs, each with a lease of its own.
    """
    netboot = {"allowPXE": True, "allowWorkflow": True}
    records = (machine, *others)
    spec = {
        "interfaces": [{"dhcp": _dhcp(one), "netboot": netboot} for one in records],
        "metadata": {"instance": {"id": machine.mac, "hostname": machine.name}},
    }
    return _object("Hardware", machine.name, spec)


def _dhcp(machine: MachineIdentity) -> Object:
    return {
        "mac": machine.mac,
        "hostname": machine.name,
        "arch": machine.arch,
        "lease_time": machine.lease_seconds,
        "ip": {
            "address": machine.address,
            "netmask": machine.netmask,
            "gateway": machine.gateway,
        },
        "name_servers": list(machine.name_servers),
    }


def template(name: str, data: str) -> Object:
    """Return a Template; data is the workflow's YAML with its {{ }} variables."""
    return _object("Template", name, {"data": data})


def workflow(name: str, of_template: str, of_hardware: str, values: Mapping[str, str]) -> Object:
    """Return a Workflow: this template, on this hardware, with these values of its variables.

    When it has ended, Tinkerbell no longer lets the machine netboot: it boots from its disk.
    """
    spec = {
        "templateRef": of_template,
        "hardwareRef": of_hardware,
        "hardwareMap": dict(values),
        "bootOptions": {"toggleAllowNetboot": True},
    }
    return _object("Workflow", name, spec)


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
