"""Settings of all kinds of tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# SIGTERM ends the tests as ctrl-C does: nothing of them is left over.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# An example of a property may be slow on a busy machine, which is no failure.
settings.register_profile("tinkie", max_examples=50, deadline=None, derandomize=True)
# `make fuzz`: other examples each time. Failures are kept in .hypothesis/ and tried first.
settings.register_profile("fuzz", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("tinkie")
