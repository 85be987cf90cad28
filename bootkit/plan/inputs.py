"""From the kernel's command line and the metadata to what the worker should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootkit.machine.metadata import MachineMetadata, MetadataService, metadata_url
from bootkit.plan.parameters import WorkerParams, stopping
from bootkit.plan.worker import WorkerSpec, plan_worker
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BadParameters, PermanentError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.tinkerbell import tinkerbell_hosts

if TYPE_CHECKING:
    from tinkie.parameters.cmdline import Cmdline

# A bad one of these is told itself, and stops a worker that has no other id.
_TELLING_ID = {"hw_addr", "BOOTIF", "grpc_authority"}
_WHERE_METADATA = (
    "neither this, hw_addr nor BOOTIF is given, and none of metadata_url, tinkerbell and "
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the command line says: good parameters, the reason for each bad one, proxies."""

    params: WorkerParams
    problems: dict[str, str]
    proxies: Proxies

    @classmethod
    def from_cmdline(cls, cmdline: Cmdline) -> Inputs:
        """Read all that bootkit reads."""
        params, problems = WorkerParams.read(cmdline)
        nameless = params.known_id is None and metadata_url(params) is None
        if nameless and not _TELLING_ID & problems.keys():
            reason = _WHERE_METADATA + "grpc_authority says where the metadata is"
            problems = {"worker_id": reason} | problems
        proxies, bad = Proxies.read(cmdline)
        return cls(params, problems | bad, proxies.without(tinkerbell_hosts(cmdline)))

    def check(self) -> None:
        """Raise BadParameters with every problem if one of them stops the worker."""
        if stopping(self.params, self.problems):
            raise BadParameters(self.problems)

    def metadata(self, fetcher: Fetcher) -> MetadataService | None:
        """Return the service to ask, or None if there is none or it can tell nothing new."""
        url = metadata_url(self.params)
        nothing_new = self.params.known_id and self.params.instance_id
        return None if url is None or nothing_new else MetadataService(url, fetcher)

    def fetcher(self) -> Fetcher:
        """Return what to make requests with."""
        return Fetcher(user_agent="bootkit", proxies=self.proxies)


def plan(inputs: Inputs, machine: MachineMetadata) -> WorkerSpec:
    """Decide what the worker should be.

    Raises:
        PermanentError: nothing tells who this machine is.
    """
    worker_id = inputs.params.known_id or machine.id
    if worker_id is None:
        raise PermanentError(
            "the metadata service answered, but knows no id of this machine",
            kind=ErrorKind.NOT_FOUND,
            hint="give worker_id, or enter this machine's hardware with its addresses",
        )
    return plan_worker(inputs.params, machine, inputs.proxies, worker_id)
