"""The fault matrix of containers: every fault, when, and the line that names it."""

import datetime as dt
import hashlib
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import combinations

from sandbox.certificates import Pair
from tests.matrix.case import Case, FaultInjection, Moment, Sign
from tests.matrix.containers import faults
from tests.matrix.containers.answers import ENDLESS, Answer
from tests.matrix.containers.faults import (
    PULL_BYTES_PER_SECOND,
    SLOW_BYTES_PER_SECOND,
    Serve,
    beside,
    instead,
    killed,
    on_the_wire,
)
from tests.matrix.containers.site import CA_FILE, Site

_PORTAL = b"<html><body>Welcome to the portal</body></html>"
_HTML = Answer(200, {"Content-Type": "text/html"}, _PORTAL)


def _pull(kind: str, text: str = "") -> Sign:
    return Sign("bootkit", "run.failed", kind, text)


def _answers(status: int, **headers: str) -> FaultInjection[Site]:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return instead(lambda site: site.registry_answers(Answer(status, fields)))


def _with(certificate: Callable[[Site], Pair]) -> FaultInjection[Site]:
    return instead(lambda site: site.registry(certificate(site)))


def _registry(name: str, inject: FaultInjection[Site], sign: Sign) -> Case[Site]:
    return Case(f"registry: {name}", inject, sign)


REGISTRY = (
    _registry("nothing listens", faults.nothing, _pull("refused")),
    _registry("its name does not resolve", faults.name_unknown, _pull("name-resolution")),
    _registry("has no such image", faults.image_missing, _pull("not-found")),
    _registry("401 to everybody", _answers(401), _pull("denied")),
    _registry("403", _answers(403), _pull("denied")),
    _registry("429, Retry-After 7", _answers(429, Retry_After="7"), _pull("too-many-requests")),
    _registry("500", _answers(500), _pull("server-error")),
    _registry("503", _answers(503), _pull("server-error")),
    _registry(
        "plain HTTP instead of TLS",
        instead(lambda site: site.registry(tls=False)),
        _pull("plain-http"),
    ),
    _registry("certificate expired", _with(faults.expired), _pull("certificate-time", "it is")),
    _registry(
        "certificate of tomorrow", _with(faults.of_tomorrow), _pull("certificate-time", "it is")
    ),
    _registry(
        "certificate of another name", _with(faults.of_another_name), _pull("certificate-name")
    ),
    _registry(
        "certificate of another CA",
        _with(faults.of_another_ca),
        _pull("certificate-untrusted"),
    ),
    _registry("accepts and never answers", on_the_wire(silent=True), _pull("timeout")),
    _registry("every connection cut after 1 MB", on_the_wire(cut_after=2**20), _pull("cut-off")),
    Case(
        "registry: silent in the middle of a layer",
        on_the_wire(before=PULL_BYTES_PER_SECOND, silent=True),
        _pull("timeout", "pull"),
        Moment.PULL,
    ),
    Case("registry: killed", faults.registry_killed, _pull(""), Moment.PULL),
)


# Nothing fails: the pull is slow, and its progress is logged.
_SLOW = Sign("bootkit", "image.progress", text='"done"')
LINE = (
    Case(
        "line: 64 kB a second",
        on_the_wire(before=PULL_BYTES_PER_SECOND, bytes_per_second=SLOW_BYTES_PER_SECOND),
        _SLOW,
        Moment.PULL,
    ),
    Case(
        "line: half a second of delay",
        on_the_wire(before=PULL_BYTES_PER_SECOND, delay=0.5),
        _SLOW,
        Moment.PULL,
    ),
    Case("line: every fifth packet is lost", faults.packets_lost, _SLOW, Moment.PULL),
)


def _ca_from_site(site: Site) -> Mapping[str, str]:
    return {"registry_ca_url": f"{site.files_url}/{CA_FILE}"}


def _good_ca(site: Site) -> AbstractContextManager[object]:
    return site.file_server_answers(Answer(200, body=site.ca()))


def _ca(
    name: str,
    answer: Callable[[Site], Answer],
    text: str,
    *,
    repaired: Serve = _good_ca,
    parameters: Callable[[Site], Mapping[str, str]] = _ca_from_site,
) -> Case[Site]:
    return Case(
        f"CA: {name}",
        beside(lambda site: site.file_server_answers(answer(site)), repaired),
        Sign("tink-docker", "ca.failed", text=text),
        parameters=parameters,
    )


def _expired(site: Site) -> bytes:
    return site.another_ca(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))


def _bundle(site: Site) -> AbstractContextManager[object]:
    """Answer with several certificates, one of which is right and one expired."""
    several = _expired(site) + site.another_ca() + site.ca()
    return site.file_server_answers(Answer(200, body=several))


def _pinned(site: Site) -> Mapping[str, str]:
    der = ssl.PEM_cert_to_DER_cert(site.ca().decode())
    return {**_ca_from_site(site), "registry_ca_sha256": hashlib.sha256(der).hexdigest()}


def _redirect(site: Site) -> Answer:
    return Answer(302, {"Location": f"{site.files_url}/{CA_FILE}"})


CAS = (
    _ca("404", lambda _: Answer(404), "404"),
    _ca("500", lambda _: Answer(500), "500"),
    _ca("HTML", lambda _: _HTML, "no PEM certificate"),
    _ca("empty", lambda _: Answer(200), "no PEM certificate"),
    _ca("cut", lambda site: Answer(200, body=site.ca()[:300]), "no PEM certificate"),
    _ca("ends early", lambda site: Answer(200, body=site.ca()[:300], length=4000), "GET"),
    _ca("without end", lambda _: Answer(200, body=b"x" * 65536, length=ENDLESS), "larger than"),
    _ca("redirects to itself", _redirect, "redirects"),
    _ca("expired", lambda site: Answer(200, body=_expired(site)), "has expired", repaired=_bundle),
    _ca(
        "none of it is pinned",
        lambda site: Answer(200, body=site.another_ca()),
        "registry_ca_sha256 names none",
        parameters=_pinned,
    ),
    Case(
        "CA: 500, and tink-docker is killed",
        faults.ca_gone,
        Sign("tink-docker", "ca.failed", text="500"),
        Moment.IDLE,
        _ca_from_site,
    ),
)


def _record_of_the_machine(site: Site) -> AbstractContextManager[object]:
    record = json.dumps({"id": site.identity.mac}).encode()
    return site.file_server_answers(Answer(200, body=record))


def _metadata(name: str, answer: Answer, kind: str) -> Case[Site]:
    return Case(
        f"metadata, needed: {name}",
        beside(lambda site: site.file_server_answers(answer), _record_of_the_machine),
        _pull(kind),
        parameters=lambda site: {"worker_id": "", "metadata_url": f"{site.files_url}/metadata"},
    )


METADATA = (
    _metadata("404", Answer(404), "not-found"),
    _metadata("500", Answer(500), "server-error"),
    _metadata("HTML", _HTML, "bad-answer"),
    _metadata("has no id", Answer(200, body=b"{}"), "not-found"),
)

_NAMED = {
    "worker": Sign("bootkit", "worker.ended"),
    "bootkit": Sign("bootkit", "program.started"),
    "dockerd": Sign("tink-docker", "engine.ended"),
    "tink-docker": Sign("tink-docker", "program.started"),
    "containerd": Sign("tink-docker", "containerd.ended"),
}
# Of two that die together, the later one of these is sure to be logged.
_LOGGED_LAST = ("worker", "bootkit", "containerd", "dockerd", "tink-docker")


def _death(programs: tuple[str, ...], when: Moment, times: int = 1) -> Case[Site]:
    often = ", twice" if times > 1 else ""
    name = f"killed: {' and '.join(programs)}{often}"
    logged = max(programs, key=_LOGGED_LAST.index)
    return Case(name, killed(*programs, times=times), _NAMED[logged], when)


_AT_REST = tuple(_death((program,), Moment.IDLE, times=2) for program in _NAMED)
_IN_ACTION = tuple(_death((program,), Moment.ACTION) for program in _NAMED)
_IN_PULL = tuple(_death((program,), Moment.PULL) for program in _NAMED if program != "worker")
_PAIRS = tuple(_death(pair, Moment.ACTION) for pair in combinations(_NAMED, 2))
_UNNOTICED = Case(
    "killed: containerd, and the action ends that moment",
    faults.end_unnoticed,
    _NAMED["containerd"],
    Moment.ACTION,
)
DEATHS = (*_AT_REST, *_IN_ACTION, *_IN_PULL, *_PAIRS, _UNNOTICED)

WORKER = (
    Case(
        "worker: ends at once, again and again",
        faults.worker_that_ends,
        Sign("bootkit", "run.crash_looping"),
    ),
)

TABLE: tuple[Case[Site], ...] = REGISTRY + LINE + CAS + METADATA + DEATHS + WORKER
