"""Networks that a killed sandbox or test left behind are found; those in use are left alone."""

import os
import signal
from multiprocessing import get_context

import pytest

from release.errors import ReportedError
from sandbox.network import PREFIX, Namespace, abandoned, namespace

NAME = f"test-{os.getpid()}"


def _make_it_and_die() -> None:
    with namespace(NAME):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_network_in_use_is_neither_taken_nor_removed() -> None:
    with namespace(NAME) as made:
        with pytest.raises(ReportedError, match="File exists"), namespace(NAME):
            pass
        assert made.exists()
        assert made not in abandoned()
    assert not made.exists()


def test_a_network_that_a_killed_program_left_is_found() -> None:
    process = get_context("fork").Process(target=_make_it_and_die)
    process.start()
    process.join()
    left = Namespace(PREFIX + NAME)
    try:
        assert left in abandoned()
    finally:
        left.delete()
    assert not left.exists()
