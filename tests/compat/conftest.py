"""The sandbox of tests/boot, for combinations that take long to emulate."""

from tests.boot.conftest import accelerator, here

__all__ = ["accelerator", "here"]
