"""A kernel parameter that makes no sense, told by its name."""


class BadValueError(ValueError):
    """The value of the parameter `name` makes no sense; `instead` is written then, if anything."""

    def __init__(self, name: str, reason: str, instead: str | None = None) -> None:
        super().__init__(f"bad kernel parameter {name}: {reason}")
        self.instead = instead
