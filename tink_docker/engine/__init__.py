"""dockerd and containerd: processes, configuration, networks, socket and API."""
