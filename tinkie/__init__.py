"""The library that the programs of the OS share; it imports none of them.

It comes before all else that a program loads (each package's `__init__.py`), to make that cheaper.
"""

import gc

from tinkie.running.late import loaded_when_used

# Loading makes many objects and no garbage: to look for some again and again is a thirtieth of it.
gc.set_threshold(100_000)

# The standard library's `inspect`, which this loads, has a parser of Python that nobody uses.
with loaded_when_used("ast", "tokenize"):
    import dataclasses  # noqa: F401
