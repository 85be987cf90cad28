"""The service `tink-docker`: registry CA certificates, the Docker engine, reboots."""

import tinkie  # noqa: F401 - comes first
