"""The keeper of the container engine."""

import bootkit.shared  # noqa: F401 - before anything imports structlog, see there
