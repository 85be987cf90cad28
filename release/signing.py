"""Signatures of a release by one Ed25519 key (SIGN), and the key's public part (ADR 24).

Only ssh-agent reads the private key: the one that holds it, or one that is started for a key file
and ends with the signature.
"""

import hashlib
import os
import select
import socket
import struct
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from release import keys
from release.errors import ReportedError
from release.process import Command, run, start, stop
from release.verify import IDENTITY, NAMESPACE

VARIABLE = "SIGN"
KEY_TYPE = "ssh-ed25519"
MAKE_KEY = f"make one by `ssh-keygen -t ed25519 -f FILE` and give {VARIABLE}=FILE"
OTHER_KEY = f"let this user read it, name another key file, or {MAKE_KEY}"
UNLOCK = (
    "give the passphrase on a terminal or by SSH_ASKPASS, or add the key to an agent and give"
    f" {VARIABLE}=FILE.pub"
)
PERSON_SECONDS = 300.0  # to type a passphrase, to confirm or to touch
AGENT_SECONDS = 10.0
# Messages of ssh-agent's protocol (draft-ietf-sshm-ssh-agent).
SIGN_REQUEST, SIGN_RESPONSE = 13, 14
ANSWER_BYTES = 4096  # the most that is read of an agent's answer: many times a signature


@dataclass(frozen=True)
class Signer:
    """A key that an agent holds.

    public: its line as in FILE.pub, without the comment. agent: the socket of the agent.
    """

    public: str
    agent: str

    @property
    def allowed_signers(self) -> str:
        """The public part as ssh-keygen reads it (ssh-keygen(1), "ALLOWED SIGNERS")."""
        return f'{IDENTITY} namespaces="{NAMESPACE}" {self.public}\n'

    @property
    def pem(self) -> bytes:
        """The public part as verifiers of OCI images read it."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign_file(self, path: Path) -> str:
        """Return the SSH signature of a file. Raises ReportedError."""
        with tempfile.TemporaryDirectory() as folder:
            public = Path(folder) / "key.pub"
            public.write_text(f"{self.public}\n")
            command: Command = ["ssh-keygen", "-q", "-Y", "sign", "-f", public, "-n", NAMESPACE]
            with path.open("rb") as file:
                done = run(
                    f"signing {path.name}",
                    command,
                    stdin=file,
                    env=os.environ | {"SSH_AUTH_SOCK": self.agent},
                    seconds=PERSON_SECONDS,
                )
        return done.stdout.decode()

    def sign(self, content: bytes) -> bytes:
        """Return the plain Ed25519 signature of some bytes. Raises ReportedError."""
        request = struct.pack(">B", SIGN_REQUEST) + _string(self._blob) + _string(content)
        answer = _ask(self.agent, request + struct.pack(">I", 0))
        try:
            (kind,) = struct.unpack_from(">B", answer)
            signature, _ = _next_string(answer[1:])
            name, rest = _next_string(signature)
            plain, _ = _next_string(rest)
            if kind != SIGN_RESPONSE or name != KEY_TYPE.encode():
                raise ReportedError("signing failed: the agent refused; unlock it, or confirm")
            self._key.verify(plain, content)
        except (struct.error, InvalidSignature):
            message = "signing failed: the agent did not return a signature of this key"
            raise ReportedError(f"{message}; unlock the agent, or give {VARIABLE} a file") from None
        return plain

    @property
    def _blob(self) -> bytes:
        return b64decode(self.public.split()[1])

    @property
    def _key(self) -> Ed25519PublicKey:
        _, rest = _next_string(self._blob)
        plain, _ = _next_string(rest)
        return Ed25519PublicKey.from_public_bytes(plain)


def wanted() -> Path | None:
    """Return the key file that SIGN names, or None; a public one stands for a key in an agent.

    It is not unlocked. Raises ReportedError if it cannot be used.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        return None
    path = Path(name).expanduser()
    if not path.is_file():
        raise ReportedError(f"{VARIABLE}={name}: there is no such file; {MAKE_KEY}")
    key = _read(path)
    if key.kind != "(ED25519)":
        message = f"{VARIABLE}={name} is a key of another type, {key.kind}; Ed25519 is needed"
        raise ReportedError(f"{message} (ADR 24): {MAKE_KEY}")
    if not key.public:
        keys.check_outside(VARIABLE, path)
        beside = path.with_name(f"{path.name}.pub")
        if beside.exists() and _read(beside).fingerprint != key.fingerprint:
            message = f"{beside} is not the public part of {VARIABLE}={name}"
            raise ReportedError(f"{message}: delete it, or name the right key")
    return path


@contextmanager
def signer(path: Path) -> Iterator[Signer]:
    """Let a key file sign until the end of the with block; ask for its passphrase if it has one.

    Raises ReportedError.
    """
    if public := _read(path).public:
        agent = os.environ.get("SSH_AUTH_SOCK", "")
        if public not in _held(agent):
            message = f"{path} is a public key, and no agent has its private part"
            raise ReportedError(f"{message}: `ssh-add` adds it; SSH_AUTH_SOCK names the agent")
        yield Signer(public, agent)
        return
    with _own_agent() as agent:
        environment = os.environ | {"SSH_AUTH_SOCK": agent}
        command: Command = ["ssh-add", "-q", path]
        what = f"reading the key {path}"
        run(what, command, env=environment, seconds=PERSON_SECONDS, remedy=UNLOCK)
        held = _held(agent)
        if len(held) != 1:
            raise ReportedError(f"{path} is not one Ed25519 key: {MAKE_KEY}")
        yield Signer(held[0], agent)


@dataclass(frozen=True)
class _Key:
    """The first key in a file, as `ssh-keygen -l` prints it.

    kind: its type in brackets. public: its line without the comment; none of a private key.
    """

    fingerprint: str
    kind: str
    public: str


def _read(path: Path) -> _Key:
    """Return the key of a file, which is not unlocked. Raises ReportedError, OSError.

    ssh-keygen finds it: before a public key, other lines may be blank, comments, or no key.
    """
    with tempfile.TemporaryDirectory() as folder:
        # ssh-keygen would read a .pub beside the private key instead, of whatever key that is.
        alone = Path(folder) / "key"
        alone.symlink_to(path.resolve())
        command: Command = ["ssh-keygen", "-l", "-E", "sha256", "-f", alone]
        try:
            listed = run(f"reading the key {path}", command, remedy=OTHER_KEY).text
        except ReportedError as error:
            raise ReportedError(str(error).replace(str(alone), str(path))) from None
    first = listed.splitlines()[0].split()
    fingerprint = first[1]
    content = path.read_bytes()
    words = [] if _is_private(content) else content.split()
    blob = next((word.decode() for word in words if _sha256(word) == fingerprint), "")
    return _Key(fingerprint, first[-1], f"{KEY_TYPE} {blob}" if blob else "")


def _is_private(content: bytes) -> bool:
    """Return whether ssh-keygen takes a file for a private key: it looks at the first line."""
    first = content.partition(b"\n")[0].strip()
    return b"PRIVATE KEY" in first and not first.startswith(b"#")


def _sha256(word: bytes) -> str:
    """Return a public key's fingerprint as ssh-keygen prints it; nothing of any other word."""
    try:
        blob = b64decode(word, validate=True)
    except ValueError:
        return ""
    return f"SHA256:{b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _held(agent: str) -> list[str]:
    """Return the Ed25519 keys of an agent; none if there is no agent."""
    environment = os.environ | {"SSH_AUTH_SOCK": agent}
    listed = run("listing the agent's keys", ["ssh-add", "-L"], env=environment, check=False).text
    lines = [line.split()[:2] for line in listed.splitlines()]
    return [" ".join(words) for words in lines if words[0] == KEY_TYPE]


@contextmanager
def _own_agent() -> Iterator[str]:
    """Run an agent without keys; return its socket, in a folder of this user alone."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/agent"
        reader, writer = os.pipe()
        with open(reader, "rb") as output, open(writer, "wb") as log:  # noqa: PTH123 - of pipes
            process = start(["ssh-agent", "-D", "-a", name], log)
            log.close()  # so that the agent's end is the pipe's
            try:
                # It prints its variables when it listens.
                ready, _, _ = select.select([output], [], [], AGENT_SECONDS)
                if not ready or b"SSH_AUTH_SOCK" not in (line := output.readline()):
                    message = line.decode(errors="replace").strip() if ready else "it is silent"
                    raise ReportedError(f"starting ssh-agent failed: {message}")
                yield name
            finally:
                stop(process, AGENT_SECONDS)


def _ask(agent: str, request: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PERSON_SECONDS)
            connection.connect(agent)
            connection.sendall(_string(request))
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">I", stream.read(4))
                return stream.read(min(length, ANSWER_BYTES))
    except (OSError, struct.error) as error:
        raise ReportedError(f"signing failed: the agent at {agent}: {error}") from None


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _next_string(content: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack_from(">I", content)
    return content[4 : 4 + length], content[4 + length :]
