"""dockerd and containerd: their processes, configuration, socket and API."""
