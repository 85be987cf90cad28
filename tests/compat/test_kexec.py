"""An action starts another kernel in place of the machine's own."""

from pathlib import Path

from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot.machines import Lab, booted
from tests.compat.builds import push_python
from tests.compat.cd_boot import WORKFLOW_SECONDS

IDENTITY = MachineIdentity("kexec", "52:54:00:00:01:11", "172.30.0.117", "172.30.0.1")
MARK = "started-by-kexec"
# kexec_file_load(2) without an initramfs, then reboot(2): as kexec-tools do it.
PROGRAM = """
import ctypes, os, urllib.request
libc = ctypes.CDLL(None, use_errno=True)
urllib.request.urlretrieve(os.environ['KERNEL'], '/tmp/kernel')
line = os.environ['COMMAND_LINE'].encode() + bytes(1)
kernel = os.open('/tmp/kernel', os.O_RDONLY)
if libc.syscall(320, kernel, -1, len(line), line, 4) == 0:
    libc.syscall(169, 0xFEE1DEAD, 672274793, 0x45584543, None)
raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_an_action_starts_another_kernel(lab: Lab) -> None:
    push_python(lab.sandbox, lab.folder)
    template = (Path(__file__).parent / "kexec.yml").read_text()
    line = f"console=ttyS0,115200 panic=1 {MARK}"
    with booted(lab, IDENTITY) as box:
        program = PROGRAM.replace("\n", "\\n")
        lab.sandbox.start_workflow("kexec", template, IDENTITY, program=program, line=line)
        started = f"Command line: {line}"
        wait_for(started, lambda: box.console.poll_for(started), seconds=WORKFLOW_SECONDS)
