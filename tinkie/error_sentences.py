r"""The kind of error in an English sentence: dockerd reports a failed pull or start only as one.

The sentences come from dockerd 20.10 to 29, its client of the registry, containerd, runc, crun and
Go's libraries: net, net/http, crypto/tls, crypto/x509. A registry adds text of its own.

A host or an image may have any name, `eof` or `denied` too, and no name contains a blank. So a
pattern has a blank between two words, or is a whole part of the sentence: `: EOF` at its end,
`: denied: ` in it. What stands in double quotes (a URL, a page of HTML) does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tinkie.error_kinds import ErrorKind, error_kind_of_status
from tinkie.hints import Asked
from tinkie.policy import ERROR_MESSAGE_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

Meaning = TypeVar("Meaning")


class Reading(NamedTuple):
    """The meaning of a sentence: what failed, and who was asked."""

    kind: ErrorKind
    asked: Asked


# Go quotes with %q. grpc puts the cause itself into quotes, behind `desc = `.
_QUOTED = r'(?<!desc = )"(?:[^"\\]|\\.)*"'
_URL = r"(?i)\b[a-z][a-z0-9+.-]*://\S*?(?=[:,;.)\]]*(?:\s|$))"
_NAME = "<>"

# The same codes in JSON, which dockerd passes on if the registry calls it something else.
_JSON_CODE = r'\\?"code\\?": ?\\?"([A-Z_]+)'

_STATUS = r"\b(?:HTTP|status(?: [^:]*)?:) ([45]\d\d)\b"
_NO_JSON = r"response body: (?:invalid character|unexpected end|no error details)"

# A proxy that does not CONNECT: Go keeps only the reason phrase of its answer.
_REFUSED_BY_PROXY = (
    r"(?:Get|Head|Post) <>: (?:[\w ]*Forbidden|Unauthorized|Method Not Allowed|Access Denied"
    r"|authenticationrequired)$"
)
_FAILED_BY_PROXY = (
    r"(?:Get|Head|Post) <>: (?:Bad Gateway|Service Unavailable|Gateway Time-?out"
    r"|Host Unreachable|unknown status code)$"
)

# Who else than who was asked; the first match decides.
WHO: tuple[tuple[str, Asked], ...] = (
    (r"\bproxyconnect tcp: ", Asked.PROXY),
    (r"\bsocks connect ", Asked.PROXY),
    (r"Proxy Authentication Required", Asked.PROXY),
    (_REFUSED_BY_PROXY, Asked.PROXY),
    (_FAILED_BY_PROXY, Asked.PROXY),
    (r"\bdial unix ", Asked.ENGINE),
)
_NETWORK = r"\b(?:dial|read|write) (?:tcp|udp)|(?:^|: )lookup \S+(?: on \S+)?: "

# A request of dockerd; before Go 1.14 without quotes.
_REQUEST = r'\b(?:Get|Head|Post) "?https?://(?:[^/?#"\s]*@)?([^/?#"\s@]+)'
_LOOKUP = r"(?:^|: )lookup (\S+?)\.?(?: on \S+)?: "

# In any place, since servers put them on a page of HTML; nothing else contains them.
IN_PAGES: tuple[tuple[str, ErrorKind], ...] = (
    (r"No required SSL certificate was sent", ErrorKind.CLIENT_CERTIFICATE),
    (r"The SSL certificate error", ErrorKind.CLIENT_CERTIFICATE),
    (r"plain HTTP request was sent to HTTPS port", ErrorKind.BAD_ANSWER),
    (r"Client sent an HTTP request to an HTTPS server", ErrorKind.BAD_ANSWER),
)

_K = ErrorKind

# Around a code of the registry's API
_CODE = "(?:^|: )"
_END = "(?:: |:?$)"

# The first match decides, so the narrow patterns come first.
PATTERNS: tuple[tuple[str, ErrorKind], ...] = (
    # dockerd cannot reach its containerd, or a shim
    (r"\bdial unix ", _K.ENGINE_NOT_READY),
    (r"\bttrpc: closed", _K.ENGINE_NOT_READY),
    (r"transport is closing", _K.ENGINE_NOT_READY),
    # What dockerd itself lacks; a name may follow
    (r"no such (?:image|container): ", _K.NOT_FOUND),
    # The machine is full
    (r"no space left on device", _K.OUT_OF_SPACE),
    (r"disk quota exceeded", _K.OUT_OF_SPACE),
    # Proxies
    (r"Proxy Authentication Required", _K.PROXY_REFUSED),
    (r"no acceptable authentication methods", _K.PROXY_REFUSED),
    (r"username/password authentication failed", _K.PROXY_REFUSED),
    (r"invalid username/password", _K.PROXY_REFUSED),
    (_REFUSED_BY_PROXY, _K.PROXY_REFUSED),
    (_FAILED_BY_PROXY, _K.SERVER_ERROR),
    # Rules of a registry: Harbor, Artifactory with Xray, Nexus, Azure
    (r"cannot be pulled due to configured policy", _K.POLICY),
    (r"image is not signed", _K.POLICY),
    (r"quota exceeded", _K.POLICY),
    (r"(?:download )?blocking policy", _K.POLICY),
    (r"item is quarantined", _K.POLICY),
    (r"operation is disallowed", _K.POLICY),
    (r"is not allowed access", _K.POLICY),
    (r"trust data (?:does not exist|for)", _K.POLICY),
    (r"\b412 Precondition Failed", _K.POLICY),
    # Images for other machines
    (r"no matching manifest for", _K.WRONG_PLATFORM),
    (r"no match for platform in manifest", _K.WRONG_PLATFORM),
    (r"does not match the specified platform", _K.WRONG_PLATFORM),
    (r"operating system \S+ (?:cannot be used|is not supported)", _K.WRONG_PLATFORM),
    (r"operating system is not supported", _K.WRONG_PLATFORM),
    (r"cannot download image with operating system", _K.WRONG_PLATFORM),
    (r"exec format error", _K.WRONG_PLATFORM),
    # Codes of the registry's API (distribution, errcode); the registry's message may be empty
    (rf"{_CODE}(?:blob|manifest blob) unknown{_END}", _K.BAD_IMAGE),
    (rf"{_CODE}manifest (?:invalid|unverified){_END}", _K.BAD_IMAGE),
    (rf"{_CODE}(?:name|manifest) unknown{_END}", _K.NOT_FOUND),
    (rf"{_CODE}(?:name|tag|digest|size) invalid{_END}", _K.BAD_REQUEST),
    (rf"{_CODE}blob upload (?:unknown|invalid){_END}", _K.BAD_REQUEST),
    (rf"{_CODE}pagination number invalid{_END}", _K.BAD_REQUEST),
    (rf"{_CODE}unsupported{_END}", _K.BAD_REQUEST),
    (rf"{_CODE}toomanyrequests{_END}", _K.TOO_MANY_REQUESTS),
    (rf"{_CODE}unauthorized{_END}", _K.DENIED),
    (rf"{_CODE}denied{_END}", _K.DENIED),
    (rf"{_CODE}unavailable{_END}", _K.SERVER_ERROR),
    (rf"{_CODE}unknown: unknown error", _K.SERVER_ERROR),
    # Images that the engine cannot read
    (r"manifest failed signature verification", _K.BAD_IMAGE),
    (r"missing signature key", _K.BAD_IMAGE),
    (r"unverified manifest", _K.BAD_IMAGE),
    (r"errors verifying manifest", _K.BAD_IMAGE),
    (r"schema 1 support is disabled", _K.BAD_IMAGE),
    (r"(?:unsupported|unknown) (?:manifest|image) (?:schema|format|version)", _K.BAD_IMAGE),
    (r"unsupported schema version", _K.BAD_IMAGE),
    (r"manifest schema v1 unsupported", _K.BAD_IMAGE),
    (r"(?:unsupported|unexpected) (?:layer )?media ?type", _K.BAD_IMAGE),
    (r"(?:^|: )\w+/\S+ not supported", _K.BAD_IMAGE),
    (r"\bmedia ?type in (?:manifest|image)", _K.BAD_IMAGE),
    (r"(?:^|: )media-type: ", _K.BAD_IMAGE),
    (r"Encountered remote ", _K.BAD_IMAGE),
    (r"invalid rootfs in image configuration", _K.BAD_IMAGE),
    (r"layers from manifest don't match", _K.BAD_IMAGE),
    (r"no FSLayers in manifest", _K.BAD_IMAGE),
    (r"length of history not equal", _K.BAD_IMAGE),
    (r"too many non-empty layers", _K.BAD_IMAGE),
    (r"expected (?:manifest|index) but found", _K.BAD_IMAGE),
    (r"could not validate layer digest", _K.BAD_IMAGE),
    (r"invalid parent ID", _K.BAD_IMAGE),
    (r"appears multiple times in manifest", _K.BAD_IMAGE),
    (r"content size of zero", _K.BAD_IMAGE),
    (r"invalid image JSON", _K.BAD_IMAGE),
    (r"max depth exceeded", _K.BAD_IMAGE),
    (r"unknown blob", _K.BAD_IMAGE),
    (r"content at \S+ not found", _K.BAD_IMAGE),
    # Data that is not what its digest says
    (r"verification failed for digest", _K.DAMAGED),
    (r"unexpected commit (?:digest|size)", _K.DAMAGED),
    (r"unexpected size \d+, expected", _K.DAMAGED),
    (r"invalid tar header", _K.DAMAGED),
    (r"\bgzip: invalid ", _K.DAMAGED),
    (r"(?:corrupt input before|magic number mismatch)", _K.DAMAGED),
    (r"could not get decompression stream", _K.DAMAGED),
    (r"failed to register layer: .*unexpected EOF", _K.DAMAGED),
    (r"\btls: (?:bad record MAC|error decrypting message|decryption failed)", _K.DAMAGED),
    # Programs that runc or crun (with names in backquotes) cannot start
    (r"executable file not found in \$PATH", _K.BAD_ENTRYPOINT),
    (
        r"\bexec:? (?:<>|/\S+): (?:.*: )?(?:no such file|permission denied|is a dir)",
        _K.BAD_ENTRYPOINT,
    ),
    (r"\bexec user process caused: ", _K.BAD_ENTRYPOINT),
    (r"no command specified", _K.BAD_ENTRYPOINT),
    (r"executable file `[^`]*` not found", _K.BAD_ENTRYPOINT),
    (r"the path `[^`]*` is not a regular file", _K.BAD_ENTRYPOINT),
    (r"\bopen executable: ", _K.BAD_ENTRYPOINT),
    (r"\bexec container process ", _K.BAD_ENTRYPOINT),
    (r"\bchdir(?: to `[^`]*`)?: ", _K.BAD_ENTRYPOINT),
    (r"\bread init-p: ", _K.ENGINE_FAILED),
    (r"unable to find (?:user|group) ", _K.BAD_ENTRYPOINT),
    (r"no matching entries in ", _K.BAD_ENTRYPOINT),
    (r"mount a directory onto a file", _K.BAD_ENTRYPOINT),
    (r"\bchdir to cwd ", _K.BAD_ENTRYPOINT),
    (r"working directory \S+ is invalid", _K.BAD_ENTRYPOINT),
    (r"Cannot mkdir: \S+ is not a directory", _K.BAD_ENTRYPOINT),
    # Servers' certificates
    (r"certificate (?:has expired|is not valid yet)", _K.CERTIFICATE_TIME),
    (r"certificate is valid for", _K.CERTIFICATE_NAME),
    (r"certificate is not valid for any names", _K.CERTIFICATE_NAME),
    (r"cannot validate certificate for", _K.CERTIFICATE_NAME),
    (r"relies on legacy Common Name", _K.CERTIFICATE_NAME),
    (r"\bremote error: tls: unrecognized name", _K.CERTIFICATE_NAME),
    (r"certificate signed by unknown authority", _K.CERTIFICATE_UNTRUSTED),
    (r"failed to load system roots", _K.CERTIFICATE_UNTRUSTED),
    (r"no valid chains built", _K.CERTIFICATE_UNTRUSTED),
    (r"(?:^|: )x509: ", _K.CERTIFICATE_INVALID),
    (r"failed to parse certificate from server", _K.CERTIFICATE_INVALID),
    (r"(?:invalid signature by the server|server sent) certificate", _K.CERTIFICATE_INVALID),
    (r"server's certificate contains", _K.CERTIFICATE_INVALID),
    (r"certificate used with invalid signature", _K.CERTIFICATE_INVALID),
    (r"(?<!remote error: )tls: unsupported (?:certificate|public key)", _K.CERTIFICATE_INVALID),
    (r"\btls: (?:received empty|server) certificate", _K.CERTIFICATE_INVALID),
    (r"failed to verify certificate: ", _K.CERTIFICATE_INVALID),
    # Certificates of clients
    (
        r"\bremote error: tls: (?:\w+ certificate(?: authority)?|certificate \w+|access denied)",
        _K.CLIENT_CERTIFICATE,
    ),
    # TLS
    (r"server gave HTTP response to HTTPS client", _K.PLAIN_HTTP),
    (r"first record does not look like a TLS handshake", _K.PLAIN_HTTP),
    (r"\btls: oversized record received", _K.PLAIN_HTTP),
    (r"\btls: internal error", _K.SERVER_ERROR),
    (
        r"\btls: (?:user canceled|close notify|use of closed|protocol is shut|failed to send)",
        _K.CUT_OFF,
    ),
    (r"(?:^|: )tls: ", _K.TLS_MISMATCH),
    # Names
    (r"(?:^|: |: dial \w+: )lookup \S+(?: on \S+)?: ", _K.NAME_RESOLUTION),
    (r"no such host", _K.NAME_RESOLUTION),
    (r"temporary failure in name resolution", _K.NAME_RESOLUTION),
    (r"name or service not known", _K.NAME_RESOLUTION),
    # Connections
    (r"connection refused", _K.REFUSED),
    (r"no route to host", _K.UNREACHABLE),
    (r"(?:network is (?:unreachable|down)|host is down)", _K.UNREACHABLE),
    (r"cannot assign requested address", _K.UNREACHABLE),
    (r"no suitable address found", _K.UNREACHABLE),
    (r"\b(?:connect|sendto|write): (?:operation not permitted|permission denied)", _K.UNREACHABLE),
    # What the registry says without a code, and dockerd about it
    (r"too many requests", _K.TOO_MANY_REQUESTS),
    (r"pull access denied", _K.DENIED),
    (r"no basic auth credentials", _K.DENIED),
    (r"missing username or secret", _K.DENIED),
    (r"authentication (?:is )?required", _K.DENIED),
    (r"incorrect username or password", _K.DENIED),
    (r"bad credentials", _K.DENIED),
    (r"authorization failed", _K.DENIED),
    (r"unauthenticated request", _K.DENIED),
    (r"does not have permission", _K.DENIED),
    (r"access (?:to the \w+ is )?denied", _K.DENIED),
    (r"\b(?:manifest for|repository) \S+ not found", _K.NOT_FOUND),
    (r"unknown (?:manifest|repository) name=", _K.NOT_FOUND),
    (r"image manifest does not exist", _K.NOT_FOUND),
    (r"(?:^|: )(?:\S+: )?not found(?:$|: )", _K.NOT_FOUND),
    (r"(?:^|: )unknown: .* not found", _K.NOT_FOUND),
)

# After the HTTP status, if there is one.
LATE_PATTERNS: tuple[tuple[str, ErrorKind], ...] = (
    (r"invalid (?:reference|tag) format", _K.BAD_REQUEST),
    (r"repository name must ", _K.BAD_REQUEST),
    (r"invalid header field", _K.BAD_REQUEST),
    (r"invalid repository name", _K.BAD_REQUEST),
    (r"is a reserved name", _K.BAD_REQUEST),
    (r"invalid (?:port|URL port|hostport|character <> in host) ", _K.BAD_REQUEST),
    (r"invalid (?:IP-literal|userinfo|host name format|control character in URL)", _K.BAD_REQUEST),
    (r"missing (?:port in address|'\]' in host)", _K.BAD_REQUEST),
    (r"too many colons in address", _K.BAD_REQUEST),
    (r"URL (?:cannot contain colon|must have a host)", _K.BAD_REQUEST),
    (r"no Host in request URL", _K.BAD_REQUEST),
    (r"operation unsupported", _K.BAD_REQUEST),
    (r"unsupported protocol scheme", _K.BAD_REQUEST),
    # Not a registry, or not its token service
    (r"invalid character .+ (?:looking for|after|in (?:literal|string|numeric)) ", _K.BAD_ANSWER),
    (r"\b404 (?:page )?not found", _K.NOT_FOUND),
    (r"(?:^|: )unknown: <[!h?]", _K.BAD_ANSWER),
    (r"unexpected end of JSON input", _K.BAD_ANSWER),
    (r"\bcannot unmarshal ", _K.BAD_ANSWER),
    (r"unable to decode token response", _K.BAD_ANSWER),
    (r"did not include a token", _K.BAD_ANSWER),
    (r"no realm specified", _K.BAD_ANSWER),
    (r"invalid token auth challenge", _K.BAD_ANSWER),
    (r"no supported grant type", _K.BAD_ANSWER),
    (r"failed to find supported auth scheme", _K.BAD_ANSWER),
    (r"\bmalformed (?:HTTP|MIME|chunked|response) ", _K.BAD_ANSWER),
    (r"\bchunk(?:ed)? (?:length|line|encoding)", _K.BAD_ANSWER),
    (r"header (?:line too long|list too large)", _K.BAD_ANSWER),
    (r"suspiciously long trailer", _K.BAD_ANSWER),
    (r"read limit of \d+ bytes exhausted", _K.BAD_ANSWER),
    (r"failed to parse Location header", _K.BAD_ANSWER),
    (r"(?:bad|declared|multiple|parsing|missing) Content-Length", _K.BAD_ANSWER),
    (r"(?:no|in|parse|received|unhandled) Content[- ]Range", _K.BAD_ANSWER),
    (r"not a valid digest", _K.BAD_ANSWER),
    (r"invalid content digest", _K.BAD_ANSWER),
    (r"missing or empty Content-", _K.BAD_ANSWER),
    (r"failed parsing content-type", _K.BAD_ANSWER),
    (r"no error details found", _K.BAD_ANSWER),
    (r"response headers exceeded", _K.BAD_ANSWER),
    (r"stopped after 10 redirects", _K.BAD_ANSWER),
    (r"no Location header", _K.BAD_ANSWER),
    (r"(?:invalid|unsupported) (?:checksum )?digest ", _K.BAD_REQUEST),
    # Time-outs, before what was cancelled because of them
    (r"i/o timeout", _K.TIMEOUT),
    (r"Timeout exceeded", _K.TIMEOUT),
    (r"deadline exceeded", _K.TIMEOUT),
    (r"handshake timeout", _K.TIMEOUT),
    (r"timeout awaiting", _K.TIMEOUT),
    (r"timed out", _K.TIMEOUT),
    # Connections that ended
    (r"unexpected EOF", _K.CUT_OFF),
    (r"(?:^|: )EOF(?=$|:| \()", _K.CUT_OFF),
    (r"connection reset", _K.CUT_OFF),
    (r"broken pipe", _K.CUT_OFF),
    (r"software caused connection abort", _K.CUT_OFF),
    (r"use of closed network connection", _K.CUT_OFF),
    (r"transport connection broken", _K.CUT_OFF),
    (r"(?:^|: )http2: ", _K.CUT_OFF),
    (r"\bstream error: stream ID", _K.CUT_OFF),
    (r"client (?:connection lost|disconnected)", _K.CUT_OFF),
    (r"(?:^|: )connection error: ", _K.CUT_OFF),
    (r"idle connection", _K.CUT_OFF),
    (r"connection loss", _K.CUT_OFF),
    (r"short copy: ", _K.CUT_OFF),
    (r"expected HTTP 206", _K.CUT_OFF),
    (r"context cancel(?:ed|led)", _K.CUT_OFF),
    (r"operation was canceled", _K.CUT_OFF),
    (r"request canceled", _K.CUT_OFF),
    (r"(?:download|registration) cancelled", _K.CUT_OFF),
    # Servers that fail
    (r"internal server error", _K.SERVER_ERROR),
    (r"bad gateway", _K.SERVER_ERROR),
    (r"service unavailable", _K.SERVER_ERROR),
    (r"gateway time-?out", _K.SERVER_ERROR),
    (r"\bsocks connect ", _K.SERVER_ERROR),
    # This machine
    (r"cannot allocate memory", _K.ENGINE_FAILED),
    (r"input/output error", _K.ENGINE_FAILED),
    (r"read-only file system", _K.ENGINE_FAILED),
    (r"structure needs cleaning", _K.ENGINE_FAILED),
    (r"too many open files", _K.ENGINE_FAILED),
    (r"resource temporarily unavailable", _K.ENGINE_FAILED),
    (r"resource busy", _K.ENGINE_FAILED),
    (r"failed to register layer", _K.ENGINE_FAILED),
    (r"error creating overlay mount", _K.ENGINE_FAILED),
    (r"layer (?:does not exist|already exists|not retained)", _K.ENGINE_FAILED),
    (r"could not verify layer data", _K.ENGINE_FAILED),
    (r"failed to get (?:digest|layer|\w+ id|size|parent|descriptor) ", _K.ENGINE_FAILED),
    (r"failed to (?:create storage backend|read metadata|write digest data)", _K.ENGINE_FAILED),
    (r"(?:beginning of|truncating) download file", _K.ENGINE_FAILED),
    (r"missing (?:key|client certificate) \S+ for ", _K.ENGINE_FAILED),
    (r"system cert pool", _K.ENGINE_FAILED),
    (r"(?:OCI runtime|runc|shim task) (?:create|exec)? ?failed", _K.ENGINE_FAILED),
    (r"failed to (?:create|start) (?:shim|task)", _K.ENGINE_FAILED),
    (r"failed to initialize logging driver", _K.ENGINE_FAILED),
    (r"failed programming external connectivity", _K.ENGINE_FAILED),
    (r"is already in use by container", _K.ENGINE_FAILED),
    (r"removal of container \S+ is already in progress", _K.ENGINE_FAILED),
    (r"is marked for removal", _K.ENGINE_FAILED),
    (r"could not kill", _K.ENGINE_FAILED),
    (r"(?:^|: )\w+ /var/lib/docker/", _K.ENGINE_FAILED),
    (r"unable to remove filesystem", _K.ENGINE_FAILED),
)


def first_in(patterns: Iterable[tuple[str, Meaning]], text: str) -> Meaning | None:
    """Return what the first pattern means that is found in the text, or None."""
    for pattern, means in patterns:
        if re.search(pattern, text, re.IGNORECASE):
            return means
    return None


def read(text: str, asked: Asked) -> Reading:
    """Return what a sentence means that came when `asked` was asked; ErrorKind.OTHER if unknown.

    A longer one is read at its start and its end: a server may send any text, and some patterns
    take the square of its length.
    """
    if len(text) > 2 * ERROR_MESSAGE_CHARACTERS:
        text = f"{text[:ERROR_MESSAGE_CHARACTERS]} {text[-ERROR_MESSAGE_CHARACTERS:]}"
    bare = re.sub(_URL, _NAME, re.sub(_QUOTED, _NAME, text)).replace(" desc = ", ": ").strip()
    code = re.search(_JSON_CODE, text)
    bare += f": {code[1].lower().replace('_', ' ')}" if code else ""
    return Reading(_kind_in(text, bare), _who_in(bare, asked))


def host_in(text: str) -> str:
    """Return host[:port] of the request that failed, or the name that was looked up; or nothing.

    The last request counts: a registry sends dockerd on to its token service and its storage.
    """
    found: list[str] = re.findall(_REQUEST, text) or re.findall(_LOOKUP, text) or [""]
    return found[-1].rstrip(":").lower()


def _kind_in(text: str, bare: str) -> ErrorKind:
    kind = first_in(IN_PAGES, text) or first_in(PATTERNS, bare) or _kind_of_status_in(bare)
    return kind or first_in(LATE_PATTERNS, bare) or ErrorKind.OTHER


def _kind_of_status_in(bare: str) -> ErrorKind | None:
    status = re.search(_STATUS, bare)
    if not status:
        return None
    kind = error_kind_of_status(int(status[1]))
    no_registry = kind is ErrorKind.BAD_REQUEST and re.search(_NO_JSON, bare)
    return ErrorKind.BAD_ANSWER if no_registry else kind


def _who_in(bare: str, asked: Asked) -> Asked:
    """Return who it is about: dockerd, when asked to start a container, may report a server."""
    who = first_in(WHO, bare)
    if who is None and asked is Asked.ENGINE and re.search(_NETWORK, bare):
        return Asked.SERVER
    return who or asked
