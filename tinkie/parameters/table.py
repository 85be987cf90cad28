"""THE table of kernel parameters: their names, types, readers, secrets, meanings.

docs/cmdline.md's tables, redaction, `--dry-run`, the services' settings and all that the agents
read come from here. Sources of the names: what Tinkerbell's boot servers put on the command line,
and what Hook, OSIE and CaptainOS read there.
"""

from __future__ import annotations

import ipaddress
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tinkie.parameters.image_reference import ImageReference, Registry, is_domain
from tinkie.parameters.parameter import Parameter, Parameters, Reader, Section, Stops
from tinkie.parameters.proxy_url import ProxyUrl
from tinkie.parameters.types import (
    Host,
    HostPort,
    Mac,
    Secret,
    Url,
    elements,
    in_url,
    is_address,
    list_of,
    parse_go_boolean,
    parse_ipv4_network,
    parse_nic,
    parse_port,
    parse_text,
    parse_vlan,
    parse_word,
)
from tinkie.parameters.url_secrets import credentials_in, secrets_in_url

if TYPE_CHECKING:
    from tinkie.parameters.bond import Bond
    from tinkie.parameters.cmdline import Cmdline
    from tinkie.parameters.ipam import StaticAddress

GRPC_PORT = 42113  # Tinkerbell's default
HEGEL_PORT = 50061  # /metadata
TOOTLES_PORT = 7080  # EC2 style metadata; smee too
USUAL_SYSLOG_PORT = 514

_NETWORK = r"[0-9a-fA-F:.]+/(0|[1-9][0-9]{0,2})"
_FINGERPRINT = r"[0-9a-f]{64}"
_BOOTKIT = (Reader.BOOTKIT,)
_TINK_DOCKER = (Reader.TINK_DOCKER,)
_BOTH = (Reader.BOOTKIT, Reader.TINK_DOCKER)
_SETTINGS = (Reader.SETTINGS,)
_NETWORK_READER = (Reader.NETWORK,)
_NIC_READERS = (Reader.BOOTKIT, Reader.NETWORK)


def _grpc_authority(text: str) -> HostPort:
    return HostPort.parse(text, default_port=GRPC_PORT)


def _fingerprints(text: str) -> tuple[str, ...]:
    """Return SHA-256 sums as hashlib writes them; `openssl x509 -fingerprint` has colons."""
    sums = tuple(one.lower().removeprefix("sha256:").replace(":", "") for one in elements(text))
    bad = [str(at) for at, one in enumerate(sums, start=1) if not re.fullmatch(_FINGERPRINT, one)]
    if not sums or bad:
        where = f"element {', '.join(bad)}: " if bad else ""
        raise ValueError(f"{where}not a SHA-256 sum of 64 hexadecimal digits; none is used")
    return sums


def _insecure_registry(text: str) -> str:
    """Return host[:port] or address/bits without a scheme, which dockerd leaves out as well.

    An IPv6 address gets brackets: as that dockerd compares it with a registry's name.
    """
    value = re.sub("^https?://", "", text, flags=re.IGNORECASE).rstrip("/")
    if _is_network(value):
        return value
    if ":" in value and is_address(value):
        return in_url(value)
    name, colon, port = value.rpartition(":")
    host = name if colon and not value.endswith("]") else value
    if not is_domain(host):
        raise ValueError("not host[:port] or address/bits")
    Host.parse(host)
    if host != value:
        parse_port(port)
    return value


def _is_network(text: str) -> bool:
    """Return whether Go's netip.ParsePrefix takes it: Python also takes netmasks, zones, /08."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return re.fullmatch(_NETWORK, text) is not None


def _mirror(text: str) -> Url:
    """Refuse what dockerd refuses to start with."""
    url = Url.parse(text)
    if set("@%") & set(urlsplit(url).netloc) or set("?#") & set(url):
        raise ValueError("not a mirror that dockerd takes: http[s]://host[:port][/path]")
    return url


def _no_proxy_entry(text: str) -> str:
    """Return it without the brackets of an IPv6 address, with which Go takes it for a name."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") else parse_text(text)


def _bond(text: str) -> Bond:
    from tinkie.parameters.bond import Bond  # noqa: PLC0415 - few machines have one

    return Bond.parse(text)


def _static_address(text: str) -> StaticAddress:
    from tinkie.parameters.ipam import StaticAddress  # noqa: PLC0415 - as above

    return StaticAddress.parse(text)


WORKER_ID = Parameter[str | None](
    name="worker_id",
    section=Section.WORKER,
    read_by=_NIC_READERS,
    value="word",
    meaning="The worker's id. Without it: `hw_addr`, then `BOOTIF`, then the metadata's id",
    parse=parse_word,
    default=None,
    stops=Stops.ALWAYS,
)
HW_ADDR = Parameter[Mac | None](
    name="hw_addr",
    section=Section.WORKER,
    read_by=_NIC_READERS,
    value="MAC",
    meaning=(
        "The NIC that the machine booted from, with colons, dashes, dots (`0200.0000.0001`) or "
        "nothing in between; 20 octets for InfiniBand. The worker's id if `worker_id` is not given"
    ),
    parse=Mac.parse,
    default=None,
    stops=Stops.WITHOUT_ID,
)
BOOTIF = Parameter[Mac | None](
    name="BOOTIF",
    section=Section.WORKER,
    read_by=_NIC_READERS,
    value="MAC",
    meaning="The same as PXELINUX writes it: `01-` in front (`20-` for InfiniBand)",
    parse=Mac.parse,
    default=None,
    stops=Stops.WITHOUT_ID,
)
INSTANCE_ID = Parameter[str | None](
    name="instance_id",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="word",
    meaning="Handed to the worker as `container_uuid`",
    parse=parse_word,
    default=None,
)
GRPC_AUTHORITY = Parameter[HostPort | None](
    name="grpc_authority",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="host[:port]",
    meaning=(
        f"Tinkerbell's server, port {GRPC_PORT} if none is given. Handed to the worker; most "
        "workers end at once without it"
    ),
    parse=_grpc_authority,
    default=None,
    stops=Stops.ALWAYS,
    names_tinkerbell=True,
)
GRPC_CERT_URL = Parameter[Url | None](
    name="grpc_cert_url",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="URL",
    meaning="Handed to the worker (tink-worker up to v0.6)",
    parse=Url.parse,
    default=None,
    names_tinkerbell=True,
    secrets=secrets_in_url,
)
TINKERBELL_TLS = Parameter[str | None](
    name="tinkerbell_tls",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="true or false",
    meaning="Handed to the worker",
    parse=parse_go_boolean,
    default=None,
    stops=Stops.ALWAYS,
)
TINKERBELL_INSECURE_TLS = Parameter[str | None](
    name="tinkerbell_insecure_tls",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="true or false",
    meaning="Handed to the worker",
    parse=parse_go_boolean,
    default=None,
    stops=Stops.ALWAYS,
)
TINK_WORKER_IMAGE = Parameter[ImageReference | None](
    name="tink_worker_image",
    section=Section.WORKER,
    read_by=_BOTH,
    value="image",
    meaning="The worker's image. Overrides `docker_registry`",
    parse=ImageReference.parse,
    default=None,
    stops=Stops.ALWAYS,
)
DOCKER_REGISTRY = Parameter[Registry | None](
    name="docker_registry",
    section=Section.WORKER,
    read_by=_BOTH,
    value="host[:port][/path]",
    meaning=(
        "The worker's image is `<docker_registry>/tink-worker:latest`, or `…/tink-agent:latest` if "
        "that does not exist. Handed to the worker. Either this or `tink_worker_image` is needed"
    ),
    parse=Registry.parse,
    default=None,
    stops=Stops.WITHOUT_IMAGE,
)
METADATA_URL = Parameter[Url | None](
    name="metadata_url",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="URL",
    meaning=(
        "The metadata service: hegel's if the URL ends in `/metadata`, any other is EC2 style. "
        "Overrides `tinkerbell`"
    ),
    parse=Url.parse,
    default=None,
    names_tinkerbell=True,
    secrets=secrets_in_url,
)
TINKERBELL = Parameter[Url | None](
    name="tinkerbell",
    section=Section.WORKER,
    read_by=_BOOTKIT,
    value="URL or host",
    meaning=(
        f"The metadata is at port {HEGEL_PORT} of this host, `/metadata`. Without this and "
        f"`metadata_url`: EC2 style at port {TOOTLES_PORT} of the host in `grpc_authority`"
    ),
    parse=Url.parse_base,
    default=None,
    names_tinkerbell=True,
    secrets=secrets_in_url,
)

REGISTRY_USERNAME = Parameter[str | None](
    name="registry_username",
    section=Section.REGISTRIES,
    read_by=_BOOTKIT,
    value="text",
    meaning=(
        "With `registry_password`: for pulls from exactly the host in `docker_registry`, and "
        "handed to the worker. One of the two without the other is reported and not used"
    ),
    parse=parse_text,
    default=None,
    stops=Stops.ALWAYS,
    free_text=True,
)
REGISTRY_PASSWORD = Parameter[Secret | None](
    name="registry_password",
    section=Section.REGISTRIES,
    read_by=_BOOTKIT,
    value="text",
    meaning=(
        "The password of `registry_username`. Tinkie never shows it. The kernel prints its command "
        "line on the console before any program runs: add `quiet`"
    ),
    parse=Secret.parse,
    free_text=True,
    default=None,
    stops=Stops.ALWAYS,
    secrets=lambda text: (text,),
)
REGISTRY_AUTH_URL = Parameter[Url | None](
    name="registry_auth_url",
    section=Section.REGISTRIES,
    read_by=_BOOTKIT,
    value="URL",
    meaning=(
        "User and password of any number of registries, as a docker `config.json`: below. "
        "`registry_username` and `registry_password` win for the host in `docker_registry`"
    ),
    parse=Url.parse,
    default=None,
    secrets=secrets_in_url,
)
PACKET_BASE_URL = Parameter[Url | None](
    name="packet_base_url",
    section=Section.REGISTRIES,
    read_by=_TINK_DOCKER,
    value="URL",
    meaning="`<URL>/ca.pem` is the CA certificate of the registry in `docker_registry`",
    parse=Url.parse_base,
    default=None,
    names_tinkerbell=True,
    secrets=secrets_in_url,
)
REGISTRY_CA_URL = Parameter[Url | None](
    name="registry_ca_url",
    section=Section.REGISTRIES,
    read_by=_TINK_DOCKER,
    value="URL",
    meaning=(
        "The same by its full address, for the hosts in `docker_registry`, `tink_worker_image` and "
        "`registry_mirrors`. Not for Docker Hub, for which dockerd takes none"
    ),
    parse=Url.parse,
    default=None,
    names_tinkerbell=True,
    secrets=secrets_in_url,
)
REGISTRY_CA_SHA256 = Parameter[tuple[str, ...]](
    name="registry_ca_sha256",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="comma list",
    meaning=(
        "SHA-256 sums of the certificates that may be used from the three CA parameters, and for "
        "`registry_auth_url`: below. If one element is bad, no certificate is used"
    ),
    parse=_fingerprints,
    default=(),
)
TRUSTED_CA_URL = Parameter[Url | None](
    name="trusted_ca_url",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="URL",
    meaning=(
        "CA certificates to trust for every TLS connection of the engine, of Tinkie and of the "
        "worker, Docker Hub included; for networks that inspect TLS"
    ),
    parse=Url.parse,
    default=None,
    secrets=secrets_in_url,
)
INSECURE_REGISTRIES = Parameter[tuple[str, ...]](
    name="insecure_registries",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="comma list",
    meaning=(
        "Registries (host[:port] or address/bits) that may use plain HTTP or any certificate, and "
        "token services that may get user and password over plain HTTP: below"
    ),
    parse=list_of(_insecure_registry),
    is_list=True,
    default=(),
)
REGISTRY_MIRRORS = Parameter[tuple[Url, ...]](
    name="registry_mirrors",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="comma list",
    meaning=(
        "Mirrors, as URLs, of Docker Hub only: dockerd has none for other registries. It asks "
        "`<URL>/v2/`. Name an image of another registry by the mirror's host"
    ),
    parse=list_of(_mirror),
    is_list=True,
    default=(),
)
HTTP_PROXY = Parameter[ProxyUrl | None](
    name="HTTP_PROXY",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="URL",
    meaning=(
        "Proxy for http:// URLs, for the engine and the worker; in lower case too. User and "
        "password may have any character: the last `@` ends them"
    ),
    parse=ProxyUrl.parse,
    free_text=True,  # in a password
    default=None,
    also=("http_proxy",),
    secrets=credentials_in,
)
HTTPS_PROXY = Parameter[ProxyUrl | None](
    name="HTTPS_PROXY",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="URL",
    meaning="The same for https:// URLs",
    parse=ProxyUrl.parse,
    free_text=True,  # in a password
    default=None,
    also=("https_proxy",),
    secrets=credentials_in,
)
NO_PROXY = Parameter[tuple[str, ...]](
    name="NO_PROXY",
    section=Section.REGISTRIES,
    read_by=_BOTH,
    value="comma list",
    meaning=(
        "What is reached without a proxy: names with their subdomains, addresses, networks. The "
        "hosts of Tinkerbell (below) are added, the registry's is not"
    ),
    parse=list_of(_no_proxy_entry, free=True),  # Windows writes <local>
    is_list=True,
    default=(),
    also=("no_proxy",),
)

SYSLOG_HOST = Parameter[Host | None](
    name="syslog_host",
    section=Section.SYSTEM,
    read_by=(Reader.SETTINGS, Reader.TINK_DOCKER),
    value="host",
    meaning=(
        "Where all logs go too (UDP). Give an address: with a name, the machine's own log goes "
        "there, but containers' logs do not, because dockerd starts no container while the name "
        "does not resolve"
    ),
    parse=Host.parse,
    default=None,
)
SYSLOG_PORT = Parameter[int](
    name="syslog_port",
    section=Section.SYSTEM,
    read_by=(Reader.SETTINGS, Reader.TINK_DOCKER),
    value="port",
    meaning=f"Instead of {USUAL_SYSLOG_PORT}",
    parse=parse_port,
    default=USUAL_SYSLOG_PORT,
)
NTP = Parameter[tuple[Host, ...]](
    name="ntp",
    section=Section.SYSTEM,
    read_by=_SETTINGS,
    value="comma list",
    meaning="Time servers, used before those that DHCP names",
    parse=list_of(partial(Host.parse, zone=True)),
    is_list=True,
    default=(),
)
INTERFACE = Parameter[str | None](
    name="interface",
    section=Section.SYSTEM,
    read_by=_NETWORK_READER,
    value="name",
    meaning=(
        "A NIC to prefer, before those in `hw_addr`, `BOOTIF` and `worker_id`. The others get an "
        "address too, and are used while this one does not reach Tinkerbell's host. In Hook it is "
        "the only NIC"
    ),
    parse=parse_nic,
    default=None,
)
VLAN_ID = Parameter[int](
    name="vlan_id",
    section=Section.SYSTEM,
    read_by=_NETWORK_READER,
    value="1 to 4094",
    meaning=(
        "The bond, or else the NIC in `interface`, `hw_addr`, `BOOTIF` or `worker_id` (the first "
        "that is given) gets this VLAN, as `vlan<id>`, which is preferred to all NICs"
    ),
    parse=parse_vlan,
    default=0,
)
BOND = Parameter["Bond | None"](
    name="bond",
    section=Section.SYSTEM,
    read_by=_NETWORK_READER,
    value="2 to 4 parts, or none",
    meaning="Several NICs as one, for racks whose switches have no LACP fallback: below",
    parse=_bond,
    default=None,
)
IPAM = Parameter["StaticAddress | None"](
    name="ipam",
    section=Section.SYSTEM,
    read_by=_NETWORK_READER,
    value="3 to 11 parts",
    meaning="Addresses of one NIC without DHCP, its MTU, and routes: below",
    parse=_static_address,
    default=None,
)
ENGINE_NETWORKS = Parameter[tuple[ipaddress.IPv4Network, ...]](
    name="engine_networks",
    section=Section.SYSTEM,
    read_by=_TINK_DOCKER,
    value="comma list",
    meaning=(
        "IPv4 networks (`10.1.2.0/24`) for the engine: the first for its bridge, to which actions "
        "are attached; the others for networks that actions create. One that overlaps an earlier "
        "one, or contains a host that another parameter names by its address, is reported and not "
        "used. What is missing is chosen so that it hides no route of the machine: below"
    ),
    parse=list_of(parse_ipv4_network, overlap=ipaddress.IPv4Network.overlaps),
    is_list=True,
    default=(),
)
CONSOLE = Parameter[str | None](
    name="console",
    section=Section.SYSTEM,
    read_by=(Reader.KERNEL,),
    value="device",
    meaning="The kernel's consoles: Tinkie writes on all of them",
    parse=parse_text,
    default=None,
)
SHELL = Parameter[str | None](
    name="tinkie.shell",
    section=Section.SYSTEM,
    read_by=(Reader.INIT,),
    value="bare word",
    meaning="A root shell on the consoles; without it there is none",
    parse=parse_text,
    default=None,
)

TABLE: tuple[Parameter[Any], ...] = tuple(
    row for row in tuple(globals().values()) if isinstance(row, Parameter)
)


def read_parameters(cmdline: Cmdline) -> Parameters:
    """Return the values of all parameters on a command line; any command line can be read."""
    return Parameters.read(cmdline, TABLE)


def names_read_by(reader: Reader) -> tuple[str, ...]:
    """Return the names of the parameters that a program reads."""
    return tuple(parameter.name for parameter in TABLE if reader in parameter.read_by)


def problems_for(reader: Reader, parameters: Parameters) -> dict[str, str]:
    """Return why the bad ones among the parameters that a program reads are bad, by name."""
    names = names_read_by(reader)
    return {name: why for name, why in parameters.problems.items() if name in names}
