"""How a build that cannot go on tells it to the person who started it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class BuildError(Exception):
    """What was attempted, on what, what came back, and what to do."""


@contextmanager
def told() -> Iterator[None]:
    """Ends the program with a sentence, not a traceback, for what a person can change.

    The signals that ask a program to end are taken as ctrl-C is, so that it puts things in order.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except BuildError as error:
        sys.exit(f"tinkie: {error}")
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        sys.exit(f"tinkie: this ended with {error.returncode} (its own words are above): {command}")
    except OSError as error:
        sys.exit(f"tinkie: {error.filename or 'a system call'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
