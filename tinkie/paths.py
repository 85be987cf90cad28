"""Paths and names that the programs, the workers and the system around them share."""

from __future__ import annotations

from pathlib import Path

ENGINE_SOCKET = Path("/var/run/docker.sock")
CERTIFICATES = Path("/etc/docker/certs.d")  # dockerd looks for <host[:port]>/ca.crt below it
STATE_FOLDER = Path("/run/tinkie")  # what the programs and init tell each other, and people
WORKER_NAME = "tink-worker"  # the container's name
