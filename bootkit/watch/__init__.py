"""A running worker."""
