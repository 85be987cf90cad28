from __future__ import annotations

import pytest

from release.errors import ReportedError
from sandbox.netboot import command_line

SCRIPT = """#!ipxe
set syslog 172.30.0.1
set arch x86_64
set download-url http://172.30.0.1:8080
set kernel vmlinuz-${arch}
set initrd initramfs-${arch}
set retries:int32 1

set idx:int32 0
:retry_kernel
kernel ${download-url}/${kernel} \\
facility= syslog_host=172.30.0.1 worker_id=52:54:00:00:00:01 \\
modules=loop initrd=${initrd} console=tty0 pw=a+/b=@ quiet && goto next || iseq ${idx} 1 && goto err

:next
initrd ${download-url}/${initrd} && goto boot || goto err
"""


def test_lines_are_joined_and_variables_replaced() -> None:
    assert command_line(SCRIPT) == (
        "facility= syslog_host=172.30.0.1 worker_id=52:54:00:00:00:01 "
        "modules=loop initrd=initramfs-x86_64 console=tty0 pw=a+/b=@ quiet"
    )


def test_a_script_without_kernel_is_an_error_that_shows_it() -> None:
    with pytest.raises(ReportedError, match="no kernel command:\n#!ipxe"):
        command_line("#!ipxe\nshell\n")


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(ReportedError, match=r"uses \$\{net0/mac\}, which"):
        command_line("#!ipxe\nkernel http://x/vmlinuz worker_id=${net0/mac}\n")
