"""What all kinds of tests share."""

from __future__ import annotations

from hypothesis import settings

# A property's example may be slow on a busy machine; that says nothing about the property.
settings.register_profile("tinkie", deadline=None, derandomize=True)
settings.load_profile("tinkie")
