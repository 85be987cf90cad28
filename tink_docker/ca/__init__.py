"""CA certificates: of registries, and for every connection."""
