"""What the files of a release are called, and the files in its archives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from release import arch, verify
from release.arch import Architecture
from release.version import version

# By default Hook's installer downloads two kernels: the unnamed one and this one.
LTS = "latest-lts-"
PEM = "tinkie.pem"
# setup.sh of Tinkerbell's 2021 sandbox moves these two to its web server, and fails without them.
HELPERS = ("workflow-helper.sh", "workflow-helper-rc")
HELPER = b"#!/bin/sh\n# Tinkie does not use this file; Tinkerbell's 2021 sandbox requires it.\n"

Content = TypeVar("Content")


@dataclass(frozen=True)
class Names:
    """The names of a release's files for an architecture.

    has_uki: whether a unified kernel image is among them.
    """

    target: Architecture
    has_uki: bool = False

    @property
    def flat(self) -> str:
        """Kernel and initramfs, for Hook's installer."""
        return f"tinkie-{version()}-{self.target.name}.tar.gz"

    @property
    def flat_lts(self) -> str:
        """The same, as the other kernel that Hook's installer asks for."""
        return f"tinkie-{version()}-{LTS}{self.target.name}.tar.gz"

    @property
    def iso(self) -> str:
        """The CD image."""
        return f"tinkie-{version()}-{self.target.name}.iso"

    @property
    def uki(self) -> str:
        """The unified kernel image."""
        return f"tinkie-{version()}-{self.target.name}.efi"

    @property
    def oci(self) -> str:
        """The OCI image, which is of all architectures."""
        return f"tinkie-{version()}.oci.tar"

    @property
    def oci_signatures(self) -> str:
        """The signatures of the OCI image."""
        return f"tinkie-{version()}.oci.sig.tar"

    @property
    def licences(self) -> str:
        """All licences. Hook's installer unpacks each .tar.gz in checksum.txt, so not that."""
        return f"tinkie-{version()}-{self.target.name}-licences.tgz"

    @property
    def manifest(self) -> str:
        """The contents of all images."""
        return f"manifest-{self.target.name}.json"

    @property
    def sbom(self) -> str:
        """The same as CycloneDX."""
        return f"tinkie-{version()}-{self.target.name}.cdx.json"

    @property
    def provenance(self) -> str:
        """What the release was built from, and how."""
        return f"tinkie-{version()}-{self.target.name}.intoto.json"

    @property
    def dtbs(self) -> str:
        """The device trees of the kernel's package, for boot loaders that have none."""
        return f"dtbs-{self.target.name}.tar.gz"

    @property
    def osie(self) -> str:
        """The form of 2021, which had x86_64 only."""
        return f"osie-{version()}.tar.gz"

    @property
    def osie_sum(self) -> str:
        """The checksum of that file."""
        return f"{self.osie}.sha512sum"

    @property
    def _built(self) -> tuple[str, ...]:
        archives = (self.flat, self.flat_lts, self.iso, self.licences)
        dtbs = (self.dtbs,) if self.target.has_device_trees else ()
        signed = (self.uki,) if self.has_uki else ()
        return (*archives, self.manifest, self.sbom, self.oci, *dtbs, *signed)

    @property
    def attested(self) -> tuple[str, ...]:
        """The files that the provenance is about."""
        return (*self._built, self.osie) if self.has_osie else self._built

    @property
    def summed(self) -> tuple[str, ...]:
        """The files in checksum.txt. Older installers unpack its .tar.gz: osie's sum stands in."""
        return (*self._built, self.provenance, *((self.osie_sum,) if self.has_osie else ()))

    @property
    def has_osie(self) -> bool:
        """Whether there is a form of 2021."""
        return self.target == arch.X86_64

    @property
    def results(self) -> tuple[str, ...]:
        """All files without a signature."""
        return (*self.summed, verify.CHECKSUMS, *((self.osie,) if self.has_osie else ()))

    @property
    def of_key(self) -> tuple[str, ...]:
        """The files in checksum.txt that a release has only if it is signed."""
        return (self.oci_signatures, verify.SIGNERS, PEM)


def in_archives(
    names: Names, files: Mapping[str, Content], helper: Content
) -> dict[str, dict[str, Content]]:
    """Return what each .tar.gz of kernel and initramfs holds, by the paths inside.

    files: kernel and initramfs, as bytes or as their digests. helper: the same of each of HELPERS.
    """
    own = names.target.name
    lts = {name.replace(own, f"{LTS}{own}"): content for name, content in files.items()}
    found = {names.flat: dict(files), names.flat_lts: lts}
    if names.has_osie:
        folder = names.osie.removesuffix(".tar.gz")
        held = {**files, **dict.fromkeys(HELPERS, helper)}
        found[names.osie] = {f"{folder}/{name}": content for name, content in held.items()}
    return found
