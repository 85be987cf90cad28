"""The registries' CA certificates."""
