"""The kernel command line that iPXE reads from Tinkerbell's script; no I/O."""

import re

from release.errors import ReportedError

SETTING = re.compile(r"^set ([\w-]+)(?::\w+)? (.*)$", re.MULTILINE)
VARIABLE = re.compile(r"\$\{([^}]+)\}")
NEXT_COMMAND = re.compile(r"\s(?:&&|\|\||;)\s")


def command_line(script: str) -> str:
    """Return the arguments of the script's kernel command, its variables replaced.

    script: auto.ipxe as smee serves it (a backslash at the end of a line continues it).
    Raises ReportedError if it has no kernel command, or one that names an unknown variable.
    """
    joined = script.replace("\\\n", "")
    command = re.search(r"^kernel (.*)$", joined, re.MULTILINE)
    if command is None:
        raise ReportedError(f"the iPXE script has no kernel command:\n{script}")
    _image, *words = NEXT_COMMAND.split(command[1])[0].split()
    values = dict(SETTING.findall(joined))
    return _replace(" ".join(words), values)


def _replace(text: str, values: dict[str, str]) -> str:
    def value(variable: re.Match[str]) -> str:
        if variable[1] not in values:
            raise ReportedError(f"the iPXE script uses ${{{variable[1]}}}, which it does not set")
        return _replace(values[variable[1]], values)

    return VARIABLE.sub(value, text)
