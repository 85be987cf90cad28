"""What both programs, workers and the system around them must call by the same name."""

from __future__ import annotations

from pathlib import Path

ENGINE_SOCKET = Path("/var/run/docker.sock")
CERTIFICATES = Path("/etc/docker/certs.d")  # dockerd looks for <host[:port]>/ca.crt below it
WORKER_NAME = "tink-worker"  # of the container
