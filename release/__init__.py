"""Builds, packs and verifies a release; runs on the build host with its own python3."""
