"""The service `tink-docker`: registry CA certificates, the Docker engine, reboots."""
