"""The one error that a person at the terminal is meant to read."""


class SandboxError(Exception):
    """What was attempted, on what, what came back; no traceback is shown for it."""
