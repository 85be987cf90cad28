"""Strategies for input from outside: command lines, values, JSON answers, mostly odd ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from tinkie.errors import BootError
from tinkie.parameters.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[st.SearchStrategy[Any]], Any]

Result = TypeVar("Result")

PARAMETERS = tuple(name for row in TABLE for name in (row.name, *row.also))

_GOOD = """
    10.0.0.1 [::1] fe80::1%eth0 r.example localhost REG.example:5000 team/app :42113 :443 latest
    http:// https:// socks5:// user:pw@ u@ true 0 1 514 01-02-03-04-05-06-07 0a:0b:0c:0d:0e:0f
    10.0.0.0/8 tink-worker sha256: -- , . / : @ = ?x=1 #y - _ *
""".split()  # noqa: SIM905 - one a line would be too long
_ODD = (
    ";reboot", "$(reboot)", "`id`", "&&", "|", "'", '"', "\\", "\n", "\r", "\t", " ", "\x01",
    "\x1b[31m", "\x7f", "\x9b", "\u00a0", "\u202e", "\u2028", "é", "\u0663", "\u2100", "İ",
    "\udcff", "\udcc3", "%", "%00", "%zz", "[", "]", "{{", "..", "0" * 64, "9" * 20, ":99999", ":0",
)  # fmt: skip

TEXT = st.lists(
    st.sampled_from(_GOOD) | st.sampled_from(_ODD) | st.text(max_size=3), max_size=6
).map("".join)
"""A value that looks like something, and is often not quite that."""

SENSIBLE = st.sampled_from(
    [
        'worker_id="a b"', "worker_id=w1", "hw_addr=0A-0b-0c-0d-0e-0f", "instance_id=i",
        "grpc_authority=10.0.0.1:42113", "docker_registry=r.example:5000/team/",
        "docker_registry=reg", "tink_worker_image=r.example:5000/w:1", "tinkerbell=10.0.0.1",
        "tink_worker_image=r.example.evil.example/w", "registry_username=u", "registry_password=p",
        "metadata_url=http://[fd00::1]:7080", "HTTP_PROXY=http://u:p@px:3128", "NO_PROXY=a, .b",
        "packet_base_url=tb.example/x/", "registry_mirrors=http://m:5000", "tinkerbell_tls=false",
        "insecure_registries=https://10.0.0.0/8,a:1", "syslog_host=[fd00::2]", "syslog_port=1514",
        "registry_ca_sha256=" + "Ab:" * 31 + "Ab", "registry_ca_url=https://tb/ca.pem",
        "trusted_ca_url=http://tb/company.pem",
        "ntp=a,,b.c,fd00::3", "interface=eth0.30", "ipam=", "vlan_id=30",
        "ipam=52-54-00-00-00-01:30:10.0.0.5:255.0.0.0:10.0.0.1:h:a,b",
        "ipam=52-54-00-00-00-01::[fd00::5]:64:[fd00::1]", "tinkie.shell",
        "ipam=52-54-00-00-00-01::10.0.0.5:8::::::9000:10.9.0.0/16@10.0.0.9,10.8.0.0/16",
        "bond=bond0:eth0,52-54-00-00-00-02:mode=4,lacp_rate=fast:9000",
        "bond=b:eth0:mode=x,x=1", "bond=none",
        "console=ttyS0,115200",
        "engine_networks=10.1.2.0/24,10.1.3.0/24,x", "--",
    ]
)  # fmt: skip

_USERS = st.lists(st.sampled_from(["u", ":", "p", "%", "\udcff", "\udce4", "é"]), max_size=4)
_URLS = st.builds(
    "{}{}@{}".format, st.sampled_from(["", "http://", "https://"]), _USERS.map("".join), TEXT
)

WORDS = st.builds('{}="{}"'.format, st.sampled_from(PARAMETERS), TEXT | _URLS) | SENSIBLE | TEXT

LINES = st.lists(WORDS, max_size=12).map(" ".join)
"""A command line, as text with surrogates for bytes that are no UTF-8."""


def as_bytes(line: str) -> bytes:
    """Return the line as a file has it; a surrogate that is no byte of it becomes one."""
    return line.encode("utf-8", "surrogatepass").replace(b"\0", b"")


_KEYS = st.sampled_from(["Id", "id", "Names", "State", "message", "Actor", "status", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutants(draw: Draw, good: Any) -> Any:
    """Return `good` with one part of it, at any depth, replaced or left out."""
    if isinstance(good, dict) and good and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(good)))
        rest = {name: value for name, value in good.items() if name != key}
        return rest if draw(st.booleans()) else rest | {key: draw(mutants(good[key]))}
    if isinstance(good, list) and good and draw(st.booleans()):
        at = draw(st.integers(0, len(good) - 1))
        return [*good[:at], draw(mutants(good[at])), *good[at + 1 :]]
    return draw(JSON)


def outcome(function: Callable[[], Result]) -> Result | BootError:
    """Return what a function returns, or the error of ours that it raises: both are fine."""
    try:
        return function()
    except BootError as error:
        return error
