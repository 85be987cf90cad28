"""The Docker engine; only this package uses the docker library."""
