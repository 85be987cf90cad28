"""Short commands of the machine (ip, skopeo, mkfs), run to their end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.errors import SandboxError


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    stdin: str = "",
    seconds: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a short command to its end and return what it printed; SandboxError if it fails.

    what: the attempt as a person would say it ("making the bridge"). env: instead of our own.
    """
    argv = [str(part) for part in command]
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=env,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{what} failed: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise SandboxError(f"{what} failed: {argv[0]} ended with {done.returncode}: {said}")
    return done.stdout
