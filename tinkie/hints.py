"""What a person can do about an error: it depends on its kind, and on who was asked.

A timeout of dockerd's socket has nothing to do with firewalls, and a user that a proxy refuses
nothing with the registry's.
"""

from __future__ import annotations

from enum import Enum
from typing import Self

from tinkie.error_kinds import ErrorKind
from tinkie.platform import NAME as PLATFORM
from tinkie.policy import DOCKERD_CHECK_EVERY_SECONDS, DOCKERD_HANGS_AFTER_SECONDS


class Asked(Enum):
    """Who was asked, or stands in between. `given_by` are the parameters with the address."""

    who: str
    given_by: str

    def __new__(cls, who: str, given_by: str) -> Self:
        """Create a member from what people call it, and from where its address is."""
        member = object.__new__(cls)
        member._value_ = member.who = who
        member.given_by = given_by
        return member

    SERVER = "the server", "the address that error= names"
    REGISTRY = "the registry", "docker_registry or tink_worker_image"
    NAMED_BY_REGISTRY = "the registry's storage or token service", "the registry's configuration"
    METADATA = "the metadata service", "metadata_url, tinkerbell or grpc_authority"
    CA_SERVER = "the server of the CA certificate", "the parameter with its URL"
    AUTH_SERVER = "the server of registry_auth_url", "registry_auth_url"
    PROXY = "the proxy", "HTTP_PROXY and HTTPS_PROXY"
    ENGINE = "dockerd", "what error= names"


ABOUT_THE_HOST = frozenset(
    {
        ErrorKind.NAME_RESOLUTION,
        ErrorKind.REFUSED,
        ErrorKind.UNREACHABLE,
        ErrorKind.TIMEOUT,
        ErrorKind.CUT_OFF,
    }
)
"""The kinds of a host that gives no answer: a hint must name the host that failed."""

ABOUT_ITS_TLS = frozenset(
    {
        ErrorKind.CERTIFICATE_UNTRUSTED,
        ErrorKind.CERTIFICATE_NAME,
        ErrorKind.CERTIFICATE_TIME,
        ErrorKind.CERTIFICATE_INVALID,
        ErrorKind.CLIENT_CERTIFICATE,
        ErrorKind.TLS_MISMATCH,
        ErrorKind.PLAIN_HTTP,
    }
)
"""The same of a host with which TLS fails."""

_ENGINE_SILENT = (
    "dockerd does not answer: if it stays silent, tink-docker restarts it within "
    f"{DOCKERD_CHECK_EVERY_SECONDS + DOCKERD_HANGS_AFTER_SECONDS:.0f} s; look at tink-docker's "
    "lines, and at free memory"
)
_ENGINE_GONE = "tink-docker restarts the engine: see its lines"
_ENGINE_LOG = "look at the lines of dockerd and containerd in /var/log/messages"

# {who} and {given_by} are those of Asked.
_HINTS = {
    ErrorKind.NAME_RESOLUTION: (
        "check the host name in {given_by}, and the DNS servers that DHCP provides"
    ),
    ErrorKind.REFUSED: (
        "nothing listens there: check host and port in {given_by}, and that {who} runs"
    ),
    ErrorKind.UNREACHABLE: (
        "check this machine's address, gateway and VLAN, and the host in {given_by}"
    ),
    ErrorKind.TIMEOUT: "no answer: check firewalls and the VLAN, and that {who} runs",
    ErrorKind.CUT_OFF: "the connection closed early: check {who}, and proxies on the way",
    ErrorKind.DAMAGED: (
        "the data arrived damaged, and retries download it again: if that repeats, check the "
        "storage of {who}, and proxies and caches on the way"
    ),
    ErrorKind.PROXY_REFUSED: (
        "give the proxy's user and password in HTTP_PROXY and HTTPS_PROXY "
        "(http://user:password@host:port), allow the host on the proxy, or list it in NO_PROXY"
    ),
    ErrorKind.CERTIFICATE_UNTRUSTED: (
        "give the CA certificate of {who} by trusted_ca_url, or use http:// in {given_by}"
    ),
    ErrorKind.CERTIFICATE_NAME: (
        "the certificate is for another host name: use a name in it, or issue a new one"
    ),
    ErrorKind.CERTIFICATE_TIME: "check the clock (ntp=) and the validity dates of the certificate",
    ErrorKind.CERTIFICATE_INVALID: (
        "the certificate of {who}, or of its CA, is not usable: issue a new one (SHA-256, for TLS "
        "servers)"
    ),
    ErrorKind.CLIENT_CERTIFICATE: (
        "{who} demands a client certificate, and Tinkie has none: let it admit clients without one"
    ),
    ErrorKind.TLS_MISMATCH: (
        "{who} and this machine have no TLS version or cipher in common: allow TLS 1.2 or later "
        "there; some servers also refuse clients without a certificate like this"
    ),
    ErrorKind.PLAIN_HTTP: (
        "{who} uses plain HTTP on this port: write http:// in {given_by}, or enable TLS there"
    ),
    ErrorKind.DENIED: "check whom {who} admits, and user and password in {given_by}",
    ErrorKind.POLICY: (
        "the rules of {who} forbid it, and error= names the rule: ask its administrator, or use "
        "another image"
    ),
    ErrorKind.NOT_FOUND: "{who} answers, but has nothing of that name: check {given_by}",
    ErrorKind.TOO_MANY_REQUESTS: ("{who} limits its requests: retries wait as long as it demands"),
    ErrorKind.SERVER_ERROR: "check the log of {who}",
    ErrorKind.BAD_REQUEST: "{who} rejects the request: check {given_by}",
    ErrorKind.BAD_ANSWER: "another service answers there: check {given_by}",
    ErrorKind.WRONG_PLATFORM: (
        f"the image, or the program in it, is not for {PLATFORM}, this machine's platform: "
        "build and push it for that platform"
    ),
    ErrorKind.BAD_IMAGE: (
        "the image in the registry is incomplete, or in a format that the engine does not read: "
        "build and push it again with a current Docker"
    ),
    ErrorKind.BAD_ENTRYPOINT: (
        "the engine cannot start the image's program: check entrypoint, user and working "
        "directory of the image"
    ),
    ErrorKind.OUT_OF_SPACE: (
        "not enough memory for the image: use a smaller image, or a machine with more memory"
    ),
    ErrorKind.ENGINE_NOT_READY: _ENGINE_GONE,
    ErrorKind.ENGINE_FAILED: f"{_ENGINE_LOG}; reboot the machine if it repeats",
    ErrorKind.BAD_PARAMETER: "correct the kernel parameters and reboot",
    ErrorKind.BUG: "report it with the log: the program itself is wrong",
    ErrorKind.OTHER: "",
}

_ABOUT_A_FILE = dict.fromkeys(
    (
        ErrorKind.NOT_FOUND,
        ErrorKind.DENIED,
        ErrorKind.POLICY,
        ErrorKind.BAD_REQUEST,
        ErrorKind.BAD_ANSWER,
    ),
    "check {given_by}, and the file at that URL",
)

_UNTRUSTED_BY_DOCKERD = (
    "give the CA certificate by registry_ca_url, packet_base_url or trusted_ca_url, or use "
    "insecure_registries"
)

# Where the hint above does not fit.
_SPECIAL_HINTS = {
    Asked.REGISTRY: {
        ErrorKind.CERTIFICATE_UNTRUSTED: _UNTRUSTED_BY_DOCKERD,
        ErrorKind.PLAIN_HTTP: (
            "the registry uses plain HTTP on this port: list it in insecure_registries, or enable "
            "TLS"
        ),
        ErrorKind.DENIED: (
            "check the name of the image: registries also deny names that they do not have; then "
            "registry_username and registry_password"
        ),
        ErrorKind.NOT_FOUND: (
            "check name and tag of the image, that it was pushed, and that it is a registry that "
            "answers there"
        ),
        ErrorKind.BAD_REQUEST: (
            "the image's name is invalid, or the registry rejects it: check tink_worker_image and "
            "docker_registry"
        ),
        ErrorKind.BAD_ANSWER: (
            "no registry answers there, but another service, a login page, or TLS where plain HTTP "
            "was expected: check docker_registry, tink_worker_image, insecure_registries"
        ),
    },
    Asked.NAMED_BY_REGISTRY: {
        ErrorKind.NAME_RESOLUTION: (
            "the name is not the registry's: check the host of its storage or token service in "
            "{given_by}, and the DNS servers that DHCP provides"
        ),
        ErrorKind.CERTIFICATE_UNTRUSTED: _UNTRUSTED_BY_DOCKERD,
        ErrorKind.PLAIN_HTTP: (  # a token service gets passwords: never advise http://
            "{who} uses plain HTTP on this port: enable TLS there, or correct its address in "
            "{given_by}"
        ),
    },
    # It has passwords: never advise it to do without TLS.
    Asked.AUTH_SERVER: _ABOUT_A_FILE
    | {
        ErrorKind.CERTIFICATE_UNTRUSTED: (
            "give the CA certificate of {who} by trusted_ca_url, and its sum in registry_ca_sha256 "
            "if that is given"
        ),
        ErrorKind.PLAIN_HTTP: (
            "{who} uses plain HTTP on this port, with which anybody in between could read the "
            "passwords: enable TLS there, or give the https:// address of another port"
        ),
    },
    Asked.CA_SERVER: _ABOUT_A_FILE
    | {
        ErrorKind.CERTIFICATE_UNTRUSTED: (
            "use a certificate of a public CA there, or http:// in {given_by} together with "
            "registry_ca_sha256"
        ),
        ErrorKind.PLAIN_HTTP: (
            "{who} uses plain HTTP on this port: enable TLS there, or write http:// in {given_by} "
            "together with registry_ca_sha256"
        ),
    },
    Asked.PROXY: {
        ErrorKind.SERVER_ERROR: (
            "the proxy does not reach the server: check the proxy's log, or list the host in "
            "NO_PROXY"
        ),
    },
    Asked.ENGINE: {
        ErrorKind.TIMEOUT: _ENGINE_SILENT,
        ErrorKind.REFUSED: _ENGINE_GONE,
        ErrorKind.UNREACHABLE: _ENGINE_GONE,
        ErrorKind.CUT_OFF: _ENGINE_GONE,
        ErrorKind.NOT_FOUND: "it was removed meanwhile: bootkit starts over",
        ErrorKind.DENIED: _ENGINE_LOG,
        ErrorKind.SERVER_ERROR: _ENGINE_LOG,
        ErrorKind.BAD_REQUEST: "this dockerd does not fit: report it with the log",
        ErrorKind.BAD_ANSWER: "this dockerd does not fit: report it with the log",
    },
}


def hint_for(kind: ErrorKind, asked: Asked = Asked.SERVER, given_by: str = "") -> str:
    """Return what a person can do about an error of `kind` that came when `asked` was asked.

    given_by: the parameter with its address, if that is known better than from `asked`.
    """
    hint = _SPECIAL_HINTS.get(asked, {}).get(kind, _HINTS[kind])
    return hint.format(who=asked.who, given_by=given_by or asked.given_by)
