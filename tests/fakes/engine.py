"""A Docker engine in memory behind a real unix socket: what bootkit asks of one, and its problems.

The tests change the world (`engine.end_worker(1)`) and let the real client look at it.
"""

from __future__ import annotations

import json
import re
import select
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.thread import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

API = "1.41"
EVENT_POLL_SECONDS = 0.005  # how long it takes to see that a subscriber has gone
DELIVERY_SECONDS = 10.0


@dataclass
class Container:
    """A container; `spec` is what it was created with."""

    id: str
    name: str
    spec: dict[str, Any] = field(default_factory=dict)
    state: str = "created"
    exit_code: int = 0
    log: str = ""
    mounts: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.spec.get("Labels") or {})


@dataclass(frozen=True)
class Event:
    """An event of a container; exit_code as Docker writes it."""

    action: str
    name: str
    exit_code: str = ""

    def as_json(self) -> dict[str, Any]:
        about = {"name": self.name, "exitCode": self.exit_code}
        return {"Action": self.action, "Actor": {"Attributes": about}}


class Events:
    """What happens to containers; whoever subscribes gets all that happens from then on."""

    def __init__(self) -> None:
        self._all: list[Event] = []
        self._sent: dict[int, int] = {}  # how many each subscriber got, by its number
        self._changed = threading.Condition()
        self.subscriptions = 0

    def add(self, event: Event) -> None:
        """Let it happen, and return when every subscriber has it."""
        with self._changed:
            self._all.append(event)
            self._changed.notify_all()
            assert self._changed.wait_for(self._all_sent, DELIVERY_SECONDS)

    def _all_sent(self) -> bool:
        return all(sent == len(self._all) for sent in self._sent.values())

    @contextmanager
    def subscribed(self) -> Iterator[Callable[[], list[Event]]]:
        """Yield a function that waits a moment, and returns what is new since its last call."""
        with self._changed:
            self.subscriptions += 1
            number = self.subscriptions
            self._sent[number] = taken = len(self._all)

        def new() -> list[Event]:
            nonlocal taken
            with self._changed:
                self._sent[number] = taken  # its caller has sent what it took before
                self._changed.notify_all()
                self._changed.wait_for(lambda: len(self._all) > taken, EVENT_POLL_SECONDS)
                found = self._all[taken:]
                taken += len(found)
                return found

        try:
            yield new
        finally:
            with self._changed:
                del self._sent[number]
                self._changed.notify_all()


@dataclass
class FakeEngine:
    """The engine's world; `pulls` has what a pull of an image streams, as text or messages."""

    socket: Path
    images: set[str] = field(default_factory=set)
    pulls: dict[str, list[dict[str, Any]] | tuple[int, str]] = field(default_factory=dict)
    # Asked for what a pull streams, instead of `pulls`: an image, the header with the password.
    registry: Callable[[str, str], list[dict[str, Any]]] | None = None
    containers: list[Container] = field(default_factory=list)
    logging_driver: str = "json-file"
    cut: int | None = None  # streams end after so many bytes, as if the engine were killed
    broken: int = 0  # as many of the next requests are answered with 500
    requests: list[str] = field(default_factory=list)
    auth: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)  # anonymous ones that were left behind
    events: Events = field(default_factory=Events)
    _made: int = 0

    def worker(self) -> Container:
        (worker,) = (one for one in self.containers if one.name == "tink-worker")
        return worker

    def add(self, name: str, *mounts: str, state: str = "running", **spec: Any) -> Container:
        if any(one.name == name for one in self.containers):
            raise FileExistsError(name)
        self._made += 1
        one = Container(f"{self._made:064x}", name, spec, state, mounts=mounts)
        self.containers.append(one)
        return one

    def end_worker(self, exit_code: int, log: str = "") -> None:
        worker = self.worker()
        worker.state, worker.exit_code, worker.log = "exited", exit_code, log
        self.emit("die", worker.name, str(exit_code))

    def emit(self, action: str, name: str, exit_code: str = "") -> None:
        """Let a container event happen now."""
        self.events.add(Event(action, name, exit_code))

    def find(self, name: str) -> Container | None:
        return next((one for one in self.containers if name in (one.id, one.name)), None)

    def server(self) -> ThreadingUnixStreamServer:
        """Bind the socket; whoever calls answers on it."""
        return _Server(str(self.socket), type("Handler", (_Handler,), {"engine": self}))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer on the socket, in a thread of the test's own."""
        try:
            with served(self.server()):
                yield
        finally:
            self.socket.unlink()


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


_CHUNKED = ("Transfer-Encoding", "chunked")


def _in_chunks(raw: bytes) -> bytes:
    """Cut where an engine would not, so that nothing relies on one message being one chunk."""
    parts = [raw[at : at + 100] for at in range(0, len(raw), 100)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: ClassVar[FakeEngine]

    def _serve(self) -> None:
        url = urlsplit(self.path)
        path = re.sub(r"^/v[0-9.]+", "", unquote(url.path))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.engine.requests.append(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null") if length else None
        if self.engine.broken > 0:
            self.engine.broken -= 1
            self._answer(500, {"message": "the engine is broken"})
            return
        if path == "/events":
            self._stream_events()
            return
        for method, pattern, function in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                self._answer(*function(self, *match.groups(), query, body))
                return
        self._answer(404, {"message": "page not found"})

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _answer(self, status: int, content: Any) -> None:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        streamed = "/images/create" in self.path
        self.send_header(*_CHUNKED if streamed else ("Content-Length", str(len(raw))))
        self.end_headers()
        data = _in_chunks(raw) if streamed else raw
        cut = self.engine.cut if streamed else None
        self.wfile.write(data[:cut])
        # Only what was cut is closed: after a whole answer the client may use the connection again,
        # and whether it sees the end of it in time would be chance.
        self.close_connection = cut is not None and cut < len(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        pass

    def version(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, {"ApiVersion": API, "Version": "26.1.5"}

    def info(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, {"LoggingDriver": self.engine.logging_driver}

    def image(self, name: str, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        if name in self.engine.images:
            return 200, {"Id": name}
        return 404, {"message": f"No such image: {name}"}

    def pull(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        image = query["fromImage"] + (":" + query["tag"] if "tag" in query else "")
        self.engine.auth.append(self.headers["X-Registry-Auth"])
        script = self._script(image)
        if isinstance(script, tuple):
            return script[0], {"message": script[1]}
        if self.engine.cut is None and not any(
            key.startswith("error") for message in script for key in message
        ):
            self.engine.images.add(image)
        return 200, "\r\n".join(map(json.dumps, script)).encode()

    def _script(self, image: str) -> list[dict[str, Any]] | tuple[int, str]:
        if self.engine.registry is not None:
            return self.engine.registry(image, self.headers["X-Registry-Auth"])
        return self.engine.pulls.get(image, [{"error": f"manifest for {image} not found"}])

    def _stream_events(self) -> None:
        """Send what happens from now on, until the client closes, or as much as `engine.cut` says.

        Like dockerd, answer HTTP/1.0, which the client asks for, without chunks.
        """
        self.close_connection = True
        with suppress(BrokenPipeError), self.engine.events.subscribed() as new:
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not select.select([self.connection], [], [], 0)[0]:
                events = new()
                data = "".join(json.dumps(event.as_json()) + "\n" for event in events).encode()
                cut = self.engine.cut
                self.wfile.write(data[:cut])
                if cut is not None and data:
                    return

    def list(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, [
            {
                "Id": one.id,
                "Names": [f"/{one.name}"],
                "State": one.state,
                "Image": one.spec.get("Image", ""),
                "Labels": one.labels,
                "Mounts": [{"Destination": mount} for mount in one.mounts],
            }
            for one in self.engine.containers
        ]

    def create(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if body["Image"] not in self.engine.images:
            return 404, {"message": f"No such image: {body['Image']}"}
        try:
            one = self.engine.add(query["name"], state="created", **body)
        except FileExistsError:
            return 409, {"message": f'Conflict. The name "/{query["name"]}" is in use'}
        return 201, {"Id": one.id, "Warnings": []}

    def start(self, name: str, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        def go(one: Container) -> Any:
            one.state = "running"
            return b""

        return self._with(name, go)

    def inspect(self, name: str, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return self._with(
            name,
            lambda one: {
                "Id": one.id,
                "Config": {"Tty": False, "Env": one.spec.get("Env")},
                "State": {
                    "Running": one.state == "running",
                    "Restarting": False,
                    "ExitCode": one.exit_code,
                    "Error": "",
                    "OOMKilled": one.exit_code == 137,
                },
            },
        )

    def logs(self, name: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        def frames(one: Container) -> bytes:
            lines = one.log.encode().splitlines(keepends=True)[-int(query["tail"]) :]
            return b"".join(b"\1\0\0\0" + len(line).to_bytes(4, "big") + line for line in lines)

        return self._with(name, frames)

    def remove(self, name: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        one = self.engine.find(name)
        if one and one.state == "running" and query.get("force") not in ("1", "True", "true"):
            return 409, {"message": f"You cannot remove a running container {name}"}
        if one and query.get("v") not in ("1", "True", "true"):
            self.engine.volumes.append(one.name)

        def go(one: Container) -> Any:
            self.engine.containers.remove(one)
            return b""

        return self._with(name, go)

    def _with(self, name: str, function: Callable[[Container], Any]) -> tuple[int, Any]:
        one = self.engine.find(name)
        if one is None:
            return 404, {"message": f"No such container: {name}"}
        content = function(one)
        return (204 if content == b"" and self.command != "GET" else 200), content


_ROUTES: tuple[tuple[str, str, Callable[..., tuple[int, Any]]], ...] = (
    ("GET", r"/version", _Handler.version),
    ("GET", r"/info", _Handler.info),
    ("GET", r"/images/(.+)/json", _Handler.image),
    ("POST", r"/images/create", _Handler.pull),
    ("GET", r"/containers/json", _Handler.list),
    ("POST", r"/containers/create", _Handler.create),
    ("POST", r"/containers/([^/]+)/start", _Handler.start),
    ("GET", r"/containers/([^/]+)/json", _Handler.inspect),
    ("GET", r"/containers/([^/]+)/logs", _Handler.logs),
    ("DELETE", r"/containers/([^/]+)", _Handler.remove),
)
