"""Command line and metadata to the worker's container, without any I/O."""
