"""What both programs share.

Both are waited for by a machine that boots, and what they load is most of what they cost then.
structlog loads asyncio, for methods that nobody calls here: a quarter of its own time. So asyncio
is put off until somebody uses it. Whoever imports structlog imports this package before.
"""

import sys
from importlib import import_module
from types import ModuleType


class _PutOff(ModuleType):
    """Stands for a module until one of its names is asked for.

    False, since logging (Python 3.12 and later) asks asyncio for its task as soon as it is loaded.
    """

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


if "asyncio" not in sys.modules:
    sys.modules["asyncio"] = _PutOff("asyncio")
