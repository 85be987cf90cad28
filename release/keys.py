"""Where the private keys that sign a release may lie."""

from pathlib import Path

from release.errors import ReportedError
from release.version import PROJECT


def check_outside(variable: str, key: Path) -> None:
    """Raise ReportedError if a private key, which a make variable names, is where builds read."""
    if key.resolve().is_relative_to(PROJECT.resolve()):
        raise ReportedError(
            f"{variable}={key} is in the project's folder, which builds read: move it elsewhere"
        )
