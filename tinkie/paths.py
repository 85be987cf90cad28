"""Paths and names that the programs, the workers and the system around them share."""

from __future__ import annotations

from pathlib import Path

ENGINE_SOCKET = Path("/var/run/docker.sock")
CERTIFICATES = Path("/etc/docker/certs.d")  # dockerd looks for <host[:port]>/*.crt below it
TRUSTED_CERTIFICATES = CERTIFICATES / ".trusted"  # for every connection; no host has such a name
TRUSTED_CA = TRUSTED_CERTIFICATES / "ca.crt"  # the one file in it
# For SSL_CERT_DIR: Go reads these folders besides the bundle that an image brings.
GO_CERTIFICATE_FOLDERS = f"/etc/ssl/certs:{TRUSTED_CERTIFICATES}"
STATE_FOLDER = Path("/run/tinkie")  # a folder for each program, which alone may write there
METADATA_BOND = STATE_FOLDER / "bootkit/bond"  # as the parameter `bond`, for the network service
TINK_DOCKER_FOLDER = STATE_FOLDER / "tink-docker"  # what tink-docker leaves for bootkit and init
WORKER_NAME = "tink-worker"  # the container's name
