"""What all kinds of tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

# Who ends the tests by this signal wants to find nothing of them afterwards, as after ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# A property's example may be slow on a busy machine; that says nothing about the property.
settings.register_profile("tinkie", max_examples=50, deadline=None, derandomize=True)
# `make fuzz`: other examples each time. What fails is kept in .hypothesis/ and tried first.
settings.register_profile("fuzz", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("tinkie")
