"""Build, pack and verify a release, on the build host."""
