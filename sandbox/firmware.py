"""A machine's firmware: BIOS, or UEFI with or without Secure Boot."""

import shutil
from pathlib import Path
from typing import Literal

Firmware = Literal["BIOS", "UEFI", "UEFI with Secure Boot"]
FOLDER = Path("/usr/share/OVMF")
# graphics=off: firmware and iPXE also write to the serial port.
BIOS = ("-machine", "pc,graphics=off")
# Secure Boot needs variables that only the firmware can write, in system management mode.
UEFI = ("-machine", "q35,smm=on,graphics=off")
LOCKED = ("-global", "driver=cfi.pflash01,property=secure,value=on")


def firmware_options(firmware: Firmware, folder: Path) -> list[str]:
    """Return QEMU's options for a firmware; its variables are kept in folder."""
    if firmware == "BIOS":
        return [*BIOS]
    secure = firmware == "UEFI with Secure Boot"
    kind = ".ms.fd" if secure else ".fd"
    variables = folder / "variables.fd"
    if not variables.exists():
        shutil.copy(FOLDER / f"OVMF_VARS_4M{kind}", variables)
    code = f"if=pflash,format=raw,unit=0,readonly=on,file={FOLDER}/OVMF_CODE_4M{kind}"
    store = f"if=pflash,format=raw,unit=1,file={variables}"
    return [*UEFI, *(LOCKED if secure else ()), "-drive", code, "-drive", store]
