"""How the build and the sandbox end with an error: one line, no traceback, status 1 or 130."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130  # as a shell reports a program that ctrl-C ended


class ReportedError(Exception):
    """An error that its message explains: `what failed: cause; next step`."""


@contextmanager
def reported_errors() -> Iterator[None]:
    """End the program with the message of a ReportedError, an OSError or an interruption.

    SIGINT, SIGTERM and SIGHUP interrupt the with block once, so that it can clean up. Later ones
    are ignored: they would leave behind what the clean-up removes.
    """
    with _interrupted_once():
        try:
            yield
        except ReportedError as error:
            sys.exit(f"tinkie: {error}")
        except OSError as error:
            sys.exit(f"tinkie: {error.filename or 'a system call'}: {error.strerror or error}")
        except KeyboardInterrupt:
            print("tinkie: interrupted; everything it started has ended", file=sys.stderr)
            sys.exit(INTERRUPTED)


@contextmanager
def _interrupted_once() -> Iterator[None]:
    interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
