"""A small HTTP server: GET serves a folder, POST /NAME stores the body.

Run as a program of its own: webserver.py ADDRESS PORT FOLDER UPLOADS. Standard library only.
"""

import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOST_BYTES = 256 * 1024 * 1024


class Handler(SimpleHTTPRequestHandler):
    """Serves one folder and writes posted bodies to another."""

    protocol_version = "HTTP/1.1"
    uploads: Path

    def do_POST(self) -> None:
        """Store the body as the last part of the path; the name appears once it is complete."""
        size = int(self.headers.get("Content-Length", "-1"))
        if not 0 <= size <= MOST_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        name = Path(self.path).name
        part = self.uploads / f".{name}.part"
        part.write_bytes(self.rfile.read(size))
        part.rename(self.uploads / name)
        self.send_response(HTTPStatus.CREATED)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main(address: str, port: str, folder: str, uploads: str) -> None:
    """Serve until the process ends."""
    Handler.uploads = Path(uploads)
    server = ThreadingHTTPServer((address, int(port)), partial(Handler, directory=folder))
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
