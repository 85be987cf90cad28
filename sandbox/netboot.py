"""What iPXE makes of Tinkerbell's script: the kernel's command line; no I/O."""

import re

from release.errors import ReportedError

SETTING = re.compile(r"^set ([\w-]+)(?::\w+)? (.*)$", re.MULTILINE)
VARIABLE = re.compile(r"\$\{([^}]+)\}")
NEXT_COMMAND = re.compile(r"\s(?:&&|\|\||;)\s")


def command_line(script: str) -> str:
    """Return the arguments of the script's kernel command, its variables replaced.

    script: auto.ipxe as smee serves it (lines ended by a backslash go on in the next one).
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
    def value(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise ReportedError(f"the iPXE script uses ${{{place[1]}}}, which it does not set")
        return _replace(values[place[1]], values)

    return VARIABLE.sub(value, text)
