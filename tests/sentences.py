"""Errors as dockerd 20.10 to 29 reports them: whole sentences, by kind.

From the sources of moby (distribution, registry, daemon, layer), of distribution's client, of
containerd 1.6 to 2.4, runc 1.1, crun 1.21 and Go (net, net/http, crypto/tls, crypto/x509), and from
what registries answer: Docker Hub, Harbor, Artifactory, Nexus, GitHub, AWS, Google, Azure.

HOST, IMAGE and TAG stand for any host, repository and tag.
"""

from __future__ import annotations

from tinkie.error_kinds import ErrorKind

GET = 'Get "https://HOST/v2/": '
HEAD = 'Head "https://HOST/v2/IMAGE/manifests/TAG": '
OLD_GET = "Get https://HOST/v2/: "  # dockerd 20.10
TLS = GET + "tls: failed to verify certificate: "
LATE = "error pulling image configuration: download failed after attempts=6: "
LAYER = "failed to register layer: "
RUNC = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)
CRUN = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
)
DIGEST = "sha256:" + "0" * 64

# What a pull reports.
PULLS: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.NAME_RESOLUTION: (
        GET + "dial tcp: lookup HOST on 10.0.2.3:53: no such host",
        GET + "dial tcp: lookup HOST: no such host",
        GET + "dial tcp: lookup HOST on 10.0.2.3:53: invalid DNS response",
        GET + "dial tcp: lookup HOST on 10.0.2.3:53: server misbehaving",
        GET + "dial tcp: lookup HOST: Temporary failure in name resolution",
        GET + "dial tcp: lookup HOST on [::1]:53: read udp [::1]:4->[::1]:53: read: "
        "connection refused",
        GET + "dial tcp: lookup HOST on 10.0.0.1:53: read udp 10.0.0.2:34->10.0.0.1:53: "
        "i/o timeout",
        GET + "dial tcp: lookup HOST on 10.0.0.1:53: dial udp 10.0.0.1:53: connect: "
        "network is unreachable",
        GET + "dial tcp: lookup HOST on 10.0.0.1:53: cannot unmarshal DNS message",
        GET + "dial tcp: lookup HOST on 10.0.0.1:53: no answer from DNS server",
        GET + "dial tcp: lookup HOST on 10.0.0.1:53: lame referral",
        OLD_GET + "no such host",
        "Temporary failure in name resolution",
        "Name or service not known",
    ),
    ErrorKind.REFUSED: (
        GET + "dial tcp 10.0.0.9:443: connect: connection refused",
        OLD_GET + "dial tcp [fd00::9]:443: connect: connection refused",
        LATE + "dial tcp 10.0.0.9:443: connect: connection refused",
    ),
    ErrorKind.UNREACHABLE: (
        GET + "dial tcp 10.0.0.9:443: connect: no route to host",
        GET + "dial tcp 10.0.0.9:443: connect: network is unreachable",
        GET + "dial tcp 10.0.0.9:443: connect: host is down",
        GET + "dial tcp [fd00::9]:443: connect: cannot assign requested address",
        GET + "dial tcp 10.0.0.9:443: connect: network is down",
        GET + "dial tcp 10.0.0.9:443: connect: operation not permitted",
        GET + "dial tcp 10.0.0.9:443: connect: permission denied",
        GET + "dial tcp: address HOST: no suitable address found",
    ),
    ErrorKind.TIMEOUT: (
        GET + "dial tcp 10.0.0.9:443: i/o timeout",
        GET + "net/http: request canceled while waiting for connection (Client.Timeout exceeded "
        "while awaiting headers)",
        GET + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        GET + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        GET + "net/http: TLS handshake timeout",
        GET + "net/http: timeout awaiting response headers",
        GET + "http2: timeout awaiting response headers",
        GET + "context deadline exceeded",
        HEAD + 'Get "https://HOST/token?scope=x": dial tcp 10.0.0.9:443: connect: connection '
        "timed out",
        GET + "dial tcp 10.0.0.9:443: connect: connection timed out",
        'error parsing HTTP 408 response body: unexpected end of JSON input: ""',
        LATE + "read tcp 10.0.0.2:4->10.0.0.9:443: read: connection timed out",
    ),
    ErrorKind.CUT_OFF: (
        "unexpected EOF",
        GET + "EOF",
        OLD_GET + "EOF",
        GET + "unexpected EOF",
        HEAD + "http: server closed idle connection",
        GET + "read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer",
        GET + "write tcp 10.0.0.2:1->10.0.0.1:443: write: broken pipe",
        GET + "net/http: HTTP/1.x transport connection broken: write tcp 10.0.0.2:1: closed",
        GET + "write tcp 10.0.0.2:1->10.0.0.1:443: use of closed network connection",
        GET + "read tcp 10.0.0.2:1->10.0.0.1:443: read: software caused connection abort",
        GET + "http2: server sent GOAWAY and closed the connection; LastStreamID=1, "
        'ErrCode=NO_ERROR, debug=""',
        GET + "http2: client connection lost",
        LATE + "stream error: stream ID 5; INTERNAL_ERROR; received from peer",
        LATE + "client connection lost",
        GET + "remote error: tls: user canceled",
        GET + "remote error: tls: close notify",
        GET + "tls: use of closed connection",
        GET + "tls: failed to send closeNotify alert (but connection was closed anyway): x",
        GET + "http: client disconnected",
        GET + "connection error: PROTOCOL_ERROR",
        GET + "http: idle connection timeout",
        GET + "net/http: cannot rewind body after connection loss",
        "short copy: wrote 1 of 2",
        "failed to copy: httpReadSeeker: failed open: expected HTTP 206 from byte range request",
        "failed to read expected number of bytes: unexpected EOF",
        "context canceled",
        "context cancelled",
        GET + "dial tcp 10.0.0.9:443: operation was canceled",
        GET + "net/http: request canceled",
        "download cancelled during retry delay",
        "layer registration cancelled",
    ),
    ErrorKind.DAMAGED: (
        f"filesystem layer verification failed for digest {DIGEST}",
        f"image config verification failed for digest {DIGEST}",
        f"manifest verification failed for digest {DIGEST}",
        (
            f'failed commit on ref "layer-{DIGEST}": unexpected commit digest {DIGEST}, expected '
            f"{DIGEST}: failed precondition"
        ),
        (
            f'failed commit on ref "layer-{DIGEST}": unexpected commit size 12, expected 13: '
            f"failed "
            "precondition"
        ),
        "unexpected size 12, expected 13",
        LAYER + "archive/tar: invalid tar header",
        LAYER + "ApplyLayer exit status 1 stdout:  stderr: unexpected EOF",
        LAYER + "Error processing tar file(exit status 1): unexpected EOF",
        LAYER + "gzip: invalid checksum",
        "could not get decompression stream: unexpected header",
        LAYER + "corrupt input before offset 5",
        LAYER + "magic number mismatch",
        LATE + "local error: tls: bad record MAC",
        GET + "remote error: tls: error decrypting message",
        GET + "remote error: tls: decryption failed",
    ),
    ErrorKind.PROXY_REFUSED: (
        GET + "Proxy Authentication Required",
        OLD_GET + "Proxy Authentication Required",
        GET + "proxyconnect tcp: Proxy Authentication Required",
        GET + "Forbidden",
        GET + "Unauthorized",
        GET + "Method Not Allowed",
        GET + "Tunnel or SSL Forbidden",
        GET + "Access Denied",
        GET + "authenticationrequired",
        GET + "socks connect tcp 10.0.0.1:1080->HOST:443: username/password authentication failed",
        GET + "socks connect tcp 10.0.0.1:1080->HOST:443: no acceptable authentication methods",
        GET + "socks connect tcp 10.0.0.1:1080->HOST:443: invalid username/password",
        (
            "error parsing HTTP 407 response body: invalid character '<' looking for beginning of "
            'value: "<html>"'
        ),
        "received unexpected HTTP status: 407 Proxy Authentication Required",
    ),
    ErrorKind.CERTIFICATE_UNTRUSTED: (
        GET + "x509: certificate signed by unknown authority",
        TLS + "x509: certificate signed by unknown authority",
        TLS + 'x509: certificate signed by unknown authority (possibly because of "x509: cannot '
        'verify signature: insecure algorithm SHA1-RSA" while trying to verify candidate authority '
        'certificate "HOST: connection refused")',
        TLS + "x509: failed to load system roots and no roots provided",
        TLS + "x509: no valid chains built",
    ),
    ErrorKind.CERTIFICATE_NAME: (
        TLS + "x509: certificate is valid for other.example, not HOST",
        TLS + "x509: certificate is valid for 127.0.0.1, 10.0.0.1, not 10.0.0.9",
        TLS + "x509: certificate is valid for 120 names, but none matched HOST",
        TLS + "x509: certificate is not valid for any names, but wanted to match HOST",
        TLS + "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP "
        "SANs",
        TLS + "x509: certificate relies on legacy Common Name field, use SANs instead",
        GET + "remote error: tls: unrecognized name",
    ),
    ErrorKind.CERTIFICATE_TIME: (
        TLS + "x509: certificate has expired or is not yet valid: current time "
        "2036-01-01T00:00:00Z is after 2027-01-01T00:00:00Z",
        OLD_GET + "x509: certificate has expired or is not yet valid",
    ),
    ErrorKind.CERTIFICATE_INVALID: (
        TLS + "x509: cannot verify signature: insecure algorithm SHA1-RSA",
        TLS + "x509: cannot verify signature: algorithm unimplemented",
        TLS + "x509: certificate is not authorized to sign other certificates",
        TLS + "x509: certificate specifies an incompatible key usage",
        TLS + "x509: too many intermediates for path length constraint",
        TLS + "x509: issuer name does not match subject from issuing certificate",
        TLS + "x509: issuer has name constraints but leaf doesn't have a SAN extension",
        TLS + "x509: a root or intermediate certificate is not authorized to sign for this name: "
        "DNS name HOST is not permitted by any constraint",
        TLS + "x509: unhandled critical extension",
        TLS + "x509: invalid signature: parent certificate cannot sign this kind of certificate",
        GET + "tls: failed to parse certificate from server: x509: negative serial number",
        GET + "tls: failed to parse certificate from server: asn1: structure error",
        GET + "tls: server sent certificate containing RSA key larger than 8192 bits",
        GET
        + "tls: server's certificate contains an unsupported type of public key: *dsa.PublicKey",
        GET + "tls: certificate used with invalid signature algorithm",
        GET + "tls: unsupported public key: *dsa.PublicKey",
        GET + "tls: received empty certificates message",
        GET + "tls: server certificate contains incorrect key type for selected ciphersuite",
        TLS + "crypto/x509: error fetching intermediate: x",
        GET + "tls: invalid signature by the server certificate: crypto/rsa: verification error",
    ),
    ErrorKind.CLIENT_CERTIFICATE: (
        *(
            f"{GET}remote error: tls: {alert}"
            for alert in (
                *("bad certificate", "unsupported certificate", "revoked certificate"),
                *("expired certificate", "unknown certificate", "certificate required"),
                *("unknown certificate authority", "certificate unobtainable", "access denied"),
            )
        ),
        (
            "error parsing HTTP 400 response body: invalid character '<' looking for beginning of "
            'value: "<html>\\r\\n<head><title>400 No required SSL certificate was '
            'sent</title></head>"'
        ),
        "unknown: <html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n",
    ),
    ErrorKind.TLS_MISMATCH: (
        GET + "remote error: tls: protocol version not supported",
        GET + "remote error: tls: handshake failure",
        GET + "remote error: tls: insufficient security level",
        GET + "remote error: tls: inappropriate fallback",
        GET + "remote error: tls: no application protocol",
        GET + "remote error: tls: illegal parameter",
        GET + "remote error: tls: unexpected message",
        GET + "remote error: tls: error decoding message",
        GET + "remote error: tls: missing extension",
        GET + "remote error: tls: unsupported extension",
        GET + "remote error: tls: export restriction",
        GET + "remote error: tls: no renegotiation",
        GET + "remote error: tls: unknown PSK identity",
        GET + "remote error: tls: alert(121)",
        GET + "tls: server selected unsupported protocol version 301",
        GET + "tls: server chose an unconfigured cipher suite",
        GET + "tls: no supported versions satisfy MinVersion and MaxVersion",
        GET + "tls: received record with version 303 when expecting version 301",
        LATE + "tls: server selected unsupported curve",
    ),
    ErrorKind.PLAIN_HTTP: (
        GET + "http: server gave HTTP response to HTTPS client",
        GET + "tls: first record does not look like a TLS handshake",
        GET + "tls: oversized record received with length 20527",
    ),
    ErrorKind.DENIED: (
        (
            "pull access denied for IMAGE, repository does not exist or may require 'docker "
            "login': "
            "denied: requested access to the resource is denied"
        ),
        "pull access denied for IMAGE, repository does not exist or may require 'docker login'",
        (
            "pull access denied, repository does not exist or may require authorization: server "
            "message: insufficient_scope: authorization failed"
        ),
        HEAD + "unauthorized: authentication required",
        HEAD + "unauthorized: incorrect username or password",
        HEAD + "denied: access forbidden",
        GET + "no basic auth credentials",
        GET + "unauthorized: HTTP Basic: Access denied. The provided password is wrong",
        (
            "unauthorized: unauthorized to access repository: IMAGE, action: pull: unauthorized to "
            "access repository: IMAGE, action: pull"
        ),
        "unauthorized: access to the requested resource is not authorized",
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        (
            'denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on '
            "resource "
            '"projects/p/locations/l/repositories/r" (or it may not exist)'
        ),
        "denied: installation not allowed to Read organization package",
        GET + "denied: denied",
        GET + "unauthorized: ",
        "denied: ",
        "denied",
        (
            "error from registry: Unauthenticated request. Unauthenticated requests do not have "
            'permission "artifactregistry.repositories.downloadArtifacts" on resource "x"'
        ),
        'error parsing HTTP 400 response body: x: "{\\"errors\\":[{\\"code\\":\\"DENIED\\"}]}"',
        "denied: <html>\r\n<head><title>403 Forbidden</title></head>\r\n",
        (
            "unknown: failed to resolve reference x: unexpected status from HEAD request to "
            "https://HOST/v2/IMAGE/manifests/TAG?ns=docker.io: 403 Forbidden"
        ),
        "unknown: Bad credentials",
        "unknown: The client does not have permission for manifest",
        (
            "pull access denied for IMAGE, repository does not exist or may require 'docker "
            "login': denied: User: arn:aws:sts::1:assumed-role/r is not authorized to perform: "
            "ecr:BatchGetImage"
        ),
        "unknown: Authentication is required",
        "unknown: incorrect username or password",
        "received unexpected HTTP status: 403 Forbidden",
        'error parsing HTTP 403 response body: unexpected end of JSON input: ""',
        (
            "error parsing HTTP 403 response body: invalid character '<' looking for beginning of "
            'value: "<html><title>403: i/o timeout</title></html>"'
        ),
        (
            'failed to resolve reference "HOST/IMAGE:TAG": failed to authorize: failed to fetch '
            "anonymous token: unexpected status from GET request to "
            "https://HOST/token?scope=repository%3Aa%3Apull: 401 Unauthorized"
        ),
        (
            'failed to resolve reference "HOST/IMAGE:TAG": unexpected status code [manifests TAG]: '
            "401 Unauthorized"
        ),
        "failed to authorize: no basic auth credentials",
        "failed to authorize: server message: invalid_token: authorization failed",
        "failed to handle basic auth because missing username or secret",
        "requested access to the resource is denied",
        "access denied",
    ),
    ErrorKind.POLICY: (
        (
            "unknown: current image with 77 vulnerabilities cannot be pulled due to configured "
            "policy "
            'in \'Prevent images with vulnerability severity of "Medium" or higher from '
            "running.' To "
            "continue with pull, please contact your project administrator to exempt matched "
            "vulnerabilities through configuring the CVE allowlist."
        ),
        (
            "unknown: current image without vulnerability scanning cannot be pulled due to "
            "configured "
            'policy in \'Prevent images with vulnerability severity of "High" or higher from '
            "running.'"
        ),
        "unknown: The image is not signed in Notary.",
        "unknown: The image is not signed by cosign.",
        "denied: Quota exceeded when processing the request of adding 2.1 GiB of storage resource",
        (
            "unknown: Artifact download request rejected: IMAGE/manifest.json was not "
            "downloaded due to "
            "the download blocking policy configured in Xray for IMAGE/manifest.json."
        ),
        "unknown: Requested item is quarantined",
        "unknown: The operation is disallowed.",
        (
            "denied: client with IP '192.0.2.1' is not allowed access. Refer "
            "https://aka.ms/acr/firewall to grant access."
        ),
        (
            "Error: remote trust data does not exist for HOST/IMAGE: HOST does not have trust "
            "data for "
            "HOST/IMAGE"
        ),
        (
            'failed to resolve reference "HOST/IMAGE:TAG": unexpected status from HEAD request to '
            "https://HOST/v2/IMAGE/manifests/TAG: 412 Precondition Failed"
        ),
        "received unexpected HTTP status: 451 Unavailable For Legal Reasons",
    ),
    ErrorKind.NOT_FOUND: (
        "manifest for IMAGE:TAG not found: manifest unknown: manifest unknown",
        "manifest for IMAGE:TAG not found: manifest unknown: Requested image not found",
        "manifest for IMAGE:TAG not found",
        "repository IMAGE not found: name unknown: repository name not known to registry",
        "repository IMAGE not found",
        "manifest unknown: OCI manifest unknown on repository",
        "manifest unknown: ",
        'unknown: {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
        "unknown: <html>\r\n<head><title>404 Not Found</title></head>\r\n<body>",
        "unknown: 404 page not found\n",
        "manifest unknown",
        "unknown manifest name=IMAGE tag=TAG",
        "unknown repository name=IMAGE",
        'image manifest does not exist for tag or digest "TAG"',
        "unknown: artifact IMAGE:TAG not found",
        "unknown: resource not found: repo IMAGE, tag TAG not found",
        'failed to resolve reference "HOST/IMAGE:TAG": HOST/IMAGE:TAG: not found',
        (
            "error parsing HTTP 404 response body: invalid character 'p' after top-level value: "
            '"404 '
            'page not found\\n"'
        ),
        "received unexpected HTTP status: 410 Gone",
    ),
    ErrorKind.TOO_MANY_REQUESTS: (
        (
            "toomanyrequests: You have reached your unauthenticated pull rate limit. "
            "https://www.docker.com/increase-rate-limit"
        ),
        LATE + "toomanyrequests: too many requests",
        "received unexpected HTTP status: 429 Too Many Requests",
        'error parsing HTTP 429 response body: unexpected end of JSON input: ""',
        "too many requests",
        LATE + "toomanyrequests: ",
        "toomanyrequests",
    ),
    ErrorKind.SERVER_ERROR: (
        "received unexpected HTTP status: 500 Internal Server Error",
        "received unexpected HTTP status: 502 Bad Gateway",
        "received unexpected HTTP status: 504 Gateway Time-out",
        "login attempt to https://HOST/v2/ failed with status: 503 Service Unavailable",
        (
            "error parsing HTTP 503 response body: invalid character 'u' looking for beginning of "
            'value: "unauthorized: denied: "'
        ),
        HEAD + "unavailable: service unavailable",
        "unknown: unknown error",
        GET + "remote error: tls: internal error",
        GET + "Bad Gateway",
        GET + "Service Unavailable",
        GET + "Gateway Timeout",
        "failed to copy: unexpected status resolving reader: 503 Service Unavailable",
        HEAD + "unavailable: ",
        (
            "500 Server Error for http+docker://localhost/v1.45/images/create?fromImage=IMAGE: "
            "Internal Server Error"
        ),
        "unknown: bad gateway",
        "unknown: the service unavailable for now: service unavailable",
        "unknown: Gateway Time-out",
    ),
    ErrorKind.BAD_REQUEST: (
        "invalid reference format",
        "invalid tag format",
        "invalid checksum digest length",
        "unsupported digest algorithm",
        "repository name must have at least one component",
        GET + 'net/http: invalid header field value for "Authorization"',
        "invalid reference format: repository name (IMAGE) must be lowercase",
        "name invalid: invalid repository name",
        "invalid repository name (IMAGE), cannot specify 64-byte hexadecimal strings",
        "tag invalid: manifest tag did not match URI",
        "digest invalid: provided digest did not match uploaded content",
        "size invalid: provided length did not match content length",
        "blob upload unknown: blob upload unknown to registry",
        "blob upload invalid: blob upload invalid",
        "pagination number invalid: invalid number of results requested",
        "unsupported: The operation is unsupported.",
        "'scratch' is a reserved name",
        "received unexpected HTTP status: 405 Method Not Allowed",
        'parse "https://HOST:x/v2/": invalid port ":x" after host',
        'invalid character "_" in host name',
        "dial tcp: address HOST: missing port in address",
        'parse "HOST": net/url: invalid control character in URL',
        "failed to parse registry: invalid host name format",
        'parse "HOST": first path segment in URL cannot contain colon',
        "http: no Host in request URL",
        "operation unsupported",
        "unsupported: ",
        "name invalid: ",
        'unknown: {"errors":[{"code":"PAGINATION_NUMBER_INVALID","message":"invalid number"}]}',
        "dial tcp: address fd00::1:443: too many colons in address",
        'Get "HOST://v2": unsupported protocol scheme "HOST"',
    ),
    ErrorKind.BAD_ANSWER: (
        "invalid character '<' looking for beginning of value",
        "error unmarshalling content: invalid character '<' looking for beginning of value: \"<\"",
        (
            "error parsing HTTP 400 response body: invalid character 'C' looking for beginning of "
            'value: "Client sent an HTTP request to an HTTPS server.\\n"'
        ),
        "unknown: <html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title>",
        (
            "error parsing HTTP 405 response body: invalid character '<' looking for beginning of "
            'value: "<!DOCTYPE html>"'
        ),
        "unable to decode token response: EOF",
        GET + "unable to decode token response: invalid character '<' looking for beginning of "
        "value",
        GET + "authorization server did not include a token in the response",
        GET + "no realm specified for token auth challenge",
        GET + 'invalid token auth challenge realm: parse ":": missing protocol scheme',
        GET + "no supported grant type",
        "failed to find supported auth scheme: not implemented",
        GET
        + 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15\\x03"',
        GET + "malformed MIME header line: <html>",
        GET + 'bad Content-Length "x"',
        GET + "malformed response from server: missing status pseudo header",
        GET + "invalid byte in chunk length",
        GET + "header line too long",
        GET + "http: suspiciously long trailer after chunked body",
        GET + "read limit of 10485760 bytes exhausted",
        GET + 'failed to parse Location header "x": x',
        LATE + "could not parse Content-Range header: x",
        '"x" in header not a valid digest: invalid checksum digest format',
        "invalid content digest in response: invalid checksum digest format",
        "unknown: <!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>",
        GET + "net/http: server response headers exceeded 10485760 bytes; aborted",
        GET + "stopped after 10 redirects",
        "302 response missing Location header: http: no Location header in response",
        "missing or empty Content-Type header",
        "missing or empty Content-Length header",
        "failed parsing content-type: mime: no media type",
        'error parsing HTTP 418 response body: no error details found in HTTP response body: "{}"',
        "no error details found in HTTP response body",
        "json: cannot unmarshal array into Go value of type struct",
        "unexpected end of JSON input",
    ),
    ErrorKind.WRONG_PLATFORM: (
        "no matching manifest for linux/amd64 in the manifest list entries",
        "no matching manifest for linux/amd64/v1 in the manifest list entries",
        "no match for platform in manifest: not found",
        (
            'image operating system "windows" cannot be used on this platform: operating system '
            "is not "
            "supported"
        ),
        "image operating system windows cannot be used on this platform",
        "operating system is not supported",
        'cannot download image with operating system "windows" when requesting "linux"',
        (
            "image with reference IMAGE:TAG was found but does not match the specified "
            "platform: wanted "
            "linux/amd64, actual: linux/arm64"
        ),
    ),
    ErrorKind.BAD_IMAGE: (
        (
            "error pulling image configuration: download failed after attempts=1: blob unknown: "
            "blob "
            "unknown to registry"
        ),
        "manifest blob unknown: blob unknown to registry",
        f"unknown blob {DIGEST} on manifest",
        "unknown blob",
        "manifest invalid: manifest invalid",
        "manifest unverified: manifest failed signature verification",
        "manifest failed signature verification",
        "missing signature key",
        "unverified manifest",
        "errors verifying manifest: unknown blob",
        (
            "[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, "
            "schema 1 "
            "support is disabled by default and will be removed in an upcoming release. Suggest "
            "the "
            "author of HOST/IMAGE:TAG to upgrade the image to the OCI Format or Docker Image "
            "manifest "
            "v2, schema 2."
        ),
        "unsupported manifest format",
        'unsupported schema version 1 for "IMAGE:TAG"',
        "manifest schema v1 unsupported",
        "unsupported media type application/vnd.cncf.helm.config.v1+json",
        "unsupported layer media type application/vnd.example",
        f"failed to pull: unexpected media type text/html for {DIGEST}: not found",
        "failed to pull: application/vnd.example not supported",
        "media-type: schema 1 not supported",
        "ID abc appears multiple times in manifest",
        f"unable to fetch descriptor ({DIGEST}) which reports content size of zero: invalid size",
        'unknown: {"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}',
        "blob unknown: ",
        "manifest invalid: ",
        "mediaType in manifest should be 'application/vnd.oci.image.manifest.v1+json' not ''",
        (
            "if present, mediaType in image index should be "
            "'application/vnd.oci.image.index.v1+json' not 'x'"
        ),
        'media-type: "application/x" should not have "manifests" or "fsLayers"',
        "media-type: cannot determine",
        'Encountered remote "application/vnd.docker.plugin.v1+json"(plugin) when fetching',
        "invalid rootfs in image configuration",
        "layers from manifest don't match image configuration",
        'no FSLayers in manifest for "IMAGE:TAG"',
        'length of history not equal to number of layers for "IMAGE:TAG"',
        "too many non-empty layers in History section",
        "ocimanifest: expected manifest but found index",
        f'could not validate layer digest "{DIGEST}": unsupported digest algorithm',
        "invalid parent ID. Expected a, got b",
        "invalid image JSON, no RootFS key",
        LAYER + "max depth exceeded",
        (
            f"failed to copy: httpReadSeeker: failed open: content at "
            f"https://HOST/v2/IMAGE/blobs/{DIGEST} not found: not found"
        ),
    ),
    ErrorKind.OUT_OF_SPACE: (
        LAYER + "write /usr/bin/x: no space left on device",
        LAYER + "Error processing tar file(exit status 1): write /IMAGE: no space left on device",
        "open /var/lib/docker/tmp/GetImageBlob123: no space left on device",
        "write /var/lib/docker/tmp/GetImageBlob123: disk quota exceeded",
    ),
    ErrorKind.ENGINE_FAILED: (
        LAYER + "open /etc/x: input/output error",
        LAYER + "fork/exec /proc/self/exe: cannot allocate memory",
        "open /var/lib/docker/tmp/GetImageBlob1: read-only file system",
        "mkdir /var/lib/docker/overlay2/a: structure needs cleaning",
        "open /var/lib/docker/tmp/GetImageBlob1: too many open files",
        LAYER + "rename /var/lib/docker/image/overlay2/layerdb/tmp/write-set-1: file exists",
        LAYER + "lchown /var/x: operation not permitted",
        "error creating overlay mount to /var/lib/docker/overlay2/a/merged: invalid argument",
        "layer does not exist",
        "open /var/lib/docker/tmp/GetImageBlob1: no such file or directory",
        (
            "could not verify layer data for: a. This may be because internal files in the "
            "layer store "
            "were modified. Re-pulling or rebuilding this image may resolve the issue"
        ),
        f"failed to get digest {DIGEST}: open /var/lib/docker/image/overlay2/a: no such file",
        "failed to write digest data: rename a b: file exists",
        LATE + "error seeking to beginning of download file: x",
        GET + "missing key client.key for client certificate client.cert. CA certificates must use "
        "the extension .crt",
        "unable to get system cert pool: x",
    ),
    ErrorKind.ENGINE_NOT_READY: (
        (
            'connection error: desc = "transport: error while dialing: dial unix '
            '/var/run/docker/containerd/containerd.sock: connect: connection refused": unavailable'
        ),
        "rpc error: code = Unavailable desc = transport is closing",
    ),
    ErrorKind.OTHER: (
        "something nobody has seen before",
        "",
    ),
}

# What a start or a removal of a container reports.
CONTAINERS: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.NOT_FOUND: (
        "No such image: IMAGE:TAG",
        "No such image: IMAGE",
        "No such container: tink-worker",
    ),
    ErrorKind.WRONG_PLATFORM: (
        RUNC + 'exec: "/usr/bin/tink-worker": exec format error: unknown',
        "exec container process `/usr/bin/tink-worker`: Exec format error",
        "standard_init_linux.go:228: exec user process caused: exec format error",
    ),
    ErrorKind.BAD_ENTRYPOINT: (
        RUNC + 'exec: "tink-worker": executable file not found in $PATH: unknown',
        RUNC + 'exec: "/tink-worker": stat /tink-worker: no such file or directory: unknown',
        RUNC + 'exec: "/tink-worker": permission denied: unknown',
        RUNC + 'exec: "/usr": is a directory: unknown: permission denied',
        CRUN + "executable file `/tink-worker` not found: No such file or directory",
        CRUN + "executable file `tink-worker` not found in $PATH: No such file or directory",
        CRUN + "the path `/usr` is not a regular file: Operation not permitted",
        CRUN + "open executable: Permission denied",
        "exec container process (missing dynamic library?) `/a`: No such file or directory",
        CRUN + "mount `/a` to `etc`: Not a directory: Are you trying to mount a directory onto a "
        "file (or vice-versa)? Check if the specified host path exists and is the expected type",
        CRUN + "chdir to `/work`: Not a directory",
        "exec /usr/bin/tink-worker: no such file or directory",
        "standard_init_linux.go:228: exec user process caused: no such file or directory",
        "no command specified",
        "unable to find user IMAGE: no matching entries in passwd file",
        RUNC + "error during container init: error mounting a to rootfs: not a directory: unknown: "
        "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified "
        "host path exists and is the expected type",
        RUNC + 'error during container init: chdir to cwd ("/work") set in config.json failed: '
        "permission denied: unknown",
        "the working directory 'work' is invalid, it needs to be an absolute path",
        "Cannot mkdir: /work is not a directory",
        "linux spec user: no matching entries in group file",
    ),
    ErrorKind.OUT_OF_SPACE: ("mkdir /var/lib/docker/overlay2/a-init: no space left on device",),
    ErrorKind.TIMEOUT: ("failed to create task for container: context deadline exceeded",),
    ErrorKind.NAME_RESOLUTION: (
        (
            "failed to create task for container: failed to initialize logging driver: dial udp: "
            "lookup HOST on 10.0.0.1:53: no such host"
        ),
    ),
    ErrorKind.REFUSED: (
        (
            "failed to create task for container: failed to initialize logging driver: dial tcp "
            "10.0.0.1:514: connect: connection refused"
        ),
    ),
    ErrorKind.ENGINE_NOT_READY: (
        (
            'connection error: desc = "transport: error while dialing: dial unix '
            '/var/run/docker/containerd/containerd.sock: connect: no such file or directory"'
        ),
        "failed to create task for container: ttrpc: closed: unknown",
        "transport is closing: unavailable",
    ),
    ErrorKind.ENGINE_FAILED: (
        RUNC + "unable to apply cgroup configuration: cgroup deleted: unknown",
        CRUN + "setrlimit `RLIMIT_NOFILE`: Operation not permitted",
        CRUN + "write to `/proc/sys/net/ipv4/ip_forward`: Invalid argument",
        RUNC + "read init-p: connection reset by peer: unknown",
        RUNC + "error during container init: cannot allocate memory: unknown",
        RUNC + "can't get final child's PID from pipe: resource temporarily unavailable: unknown",
        "failed to create task for container: failed to start shim: fork/exec: file exists",
        "failed to create shim: unknown",
        "driver failed programming external connectivity on endpoint IMAGE: iptables failed",
        "failed to initialize logging driver: unknown log opt",
        (
            'Conflict. The container name "/tink-worker" is already in use by container "a". '
            "You have "
            "to remove (or rename) that container to be able to reuse that name."
        ),
        "removal of container tink-worker is already in progress",
        "container is marked for removal and cannot be started",
        (
            'cannot remove container "/tink-worker": could not kill: tried to kill container, '
            "but did "
            "not receive an exit event"
        ),
        (
            "unable to remove filesystem for a: unlinkat /var/lib/docker/overlay2: device or "
            "resource "
            "busy"
        ),
        "unlinkat /var/lib/docker/overlay2/a/merged: device or resource busy",
        "unable to remove filesystem for a: file exists",
    ),
}

# What a pull reports if a proxy is the trouble.
PROXIES: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.PROXY_REFUSED: PULLS[ErrorKind.PROXY_REFUSED][:12],
    ErrorKind.SERVER_ERROR: (
        GET + "Bad Gateway",
        GET + "Service Unavailable",
        GET + "Gateway Timeout",
        GET + "Gateway Time-out",
        GET + "Host Unreachable",
        GET + "unknown status code",
        GET + "socks connect tcp 10.0.0.1:1080->HOST:443: unknown error general SOCKS failure",
    ),
    ErrorKind.REFUSED: (
        GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
    ),
    ErrorKind.NAME_RESOLUTION: (
        GET + "proxyconnect tcp: dial tcp: lookup HOST on 10.0.0.1:53: no such host",
    ),
    ErrorKind.TIMEOUT: (
        GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout",
        GET + "socks connect tcp 10.0.0.1:1080->HOST:443: dial tcp 10.0.0.1:1080: i/o timeout",
    ),
    ErrorKind.CUT_OFF: (GET + "proxyconnect tcp: EOF",),
    ErrorKind.PLAIN_HTTP: (
        GET + "proxyconnect tcp: tls: first record does not look like a TLS handshake",
    ),
    ErrorKind.CERTIFICATE_UNTRUSTED: (
        GET + "proxyconnect tcp: tls: failed to verify certificate: x509: certificate signed by "
        "unknown authority",
    ),
}
