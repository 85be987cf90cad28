"""The fault matrix of the engine level: every fault, when, and the line that names it."""

import datetime as dt
import hashlib
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import combinations

from tests.engine.matrix import happenings as happen
from tests.engine.matrix.answers import ENDLESS, Answer
from tests.engine.matrix.case import Case, Moment, Sign
from tests.engine.matrix.happenings import (
    PULL_BYTES_PER_SECOND,
    SLOW_BYTES_PER_SECOND,
    Happening,
    Place,
    beside,
    instead,
    killed,
    on_the_wire,
)
from tests.engine.matrix.site import AUTHORITY, Site

_WORDS = b"<html><body>Welcome to the portal</body></html>"
_HTML = Answer(200, {"Content-Type": "text/html"}, _WORDS)


def _pull(kind: str, text: str = "") -> Sign:
    return Sign("bootkit", "run.failed", kind, text)


def _says(status: int, **headers: str) -> Happening:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return instead(lambda site: site.registry_answers(Answer(status, given)))


def _with(certificate: Callable[[Site], object]) -> Happening:
    return instead(lambda site: site.registry(certificate(site)))  # type: ignore[arg-type]


def _registry(name: str, happens: Happening, sign: Sign) -> Case:
    return Case(f"registry: {name}", happens, sign)


REGISTRY = (
    _registry("nothing listens", happen.nothing, _pull("refused")),
    _registry("its name is unknown", happen.name_unknown, _pull("name-resolution")),
    _registry("has no such image", happen.image_missing, _pull("not-found")),
    _registry("401 to everybody", _says(401), _pull("denied")),
    _registry("403", _says(403), _pull("denied")),
    _registry("429, Retry-After 7", _says(429, Retry_After="7"), _pull("too-many-requests")),
    _registry("500", _says(500), _pull("server-error")),
    _registry("503", _says(503), _pull("server-error")),
    _registry(
        "speaks plain HTTP",
        instead(lambda site: site.registry(tls=False)),
        _pull("plain-http"),
    ),
    _registry("certificate expired", _with(happen.expired), _pull("certificate-time", "it is")),
    _registry(
        "certificate of tomorrow", _with(happen.of_tomorrow), _pull("certificate-time", "it is")
    ),
    _registry(
        "certificate of another name", _with(happen.of_another_name), _pull("certificate-name")
    ),
    _registry(
        "certificate of another authority",
        _with(happen.of_another_authority),
        _pull("certificate-untrusted"),
    ),
    _registry("accepts and says nothing", on_the_wire(silent=True), _pull("timeout")),
    _registry("every connection cut after 1 MB", on_the_wire(cut_after=2**20), _pull("cut-off")),
    Case(
        "registry: silent in the middle of a layer",
        on_the_wire(before=PULL_BYTES_PER_SECOND, silent=True),
        _pull("timeout", "pull"),
        Moment.PULL,
    ),
    Case("registry: killed", happen.registry_killed, _pull(""), Moment.PULL),
)


# Nothing fails: it is slow, and says how far it is.
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
    Case("line: every fifth packet is lost", happen.packets_lost, _SLOW, Moment.PULL),
)


def _authority_from_site(site: Site) -> Mapping[str, str]:
    return {"registry_ca_url": f"{site.files_url}/{AUTHORITY}"}


def _good_authority(site: Site) -> AbstractContextManager[object]:
    return site.file_server_answers(Answer(200, body=site.authority()))


def _authority(
    name: str,
    answer: Callable[[Site], Answer],
    text: str,
    *,
    healed: Place = _good_authority,
    parameters: Callable[[Site], Mapping[str, str]] = _authority_from_site,
) -> Case:
    return Case(
        f"authority: {name}",
        beside(lambda site: site.file_server_answers(answer(site)), healed),
        Sign("tink-docker", "ca.failed", text=text),
        parameters=parameters,
    )


def _expired(site: Site) -> bytes:
    return site.another_authority(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))


def _bundle(site: Site) -> AbstractContextManager[object]:
    """Answer with several certificates, one of which is right and one expired."""
    several = _expired(site) + site.another_authority() + site.authority()
    return site.file_server_answers(Answer(200, body=several))


def _pinned(site: Site) -> Mapping[str, str]:
    der = ssl.PEM_cert_to_DER_cert(site.authority().decode())
    return {**_authority_from_site(site), "registry_ca_sha256": hashlib.sha256(der).hexdigest()}


def _redirect(site: Site) -> Answer:
    return Answer(302, {"Location": f"{site.files_url}/{AUTHORITY}"})


AUTHORITIES = (
    _authority("404", lambda _: Answer(404), "404"),
    _authority("500", lambda _: Answer(500), "500"),
    _authority("HTML", lambda _: _HTML, "no PEM certificate"),
    _authority("empty", lambda _: Answer(200), "no PEM certificate"),
    _authority("cut", lambda site: Answer(200, body=site.authority()[:300]), "no PEM certificate"),
    _authority(
        "ends early", lambda site: Answer(200, body=site.authority()[:300], length=4000), "GET"
    ),
    _authority(
        "without end", lambda _: Answer(200, body=b"x" * 65536, length=ENDLESS), "larger than"
    ),
    _authority("redirects to itself", _redirect, "redirects"),
    _authority(
        "expired", lambda site: Answer(200, body=_expired(site)), "has expired", healed=_bundle
    ),
    _authority(
        "none of it is pinned",
        lambda site: Answer(200, body=site.another_authority()),
        "registry_ca_sha256 names none",
        parameters=_pinned,
    ),
    Case(
        "authority: 500, and tink-docker is killed",
        happen.authority_gone,
        Sign("tink-docker", "ca.failed", text="500"),
        Moment.IDLE,
        _authority_from_site,
    ),
)


def _knows_the_machine(site: Site) -> AbstractContextManager[object]:
    record = json.dumps({"id": site.identity.mac}).encode()
    return site.file_server_answers(Answer(200, body=record))


def _metadata(name: str, answer: Answer, sign: str) -> Case:
    return Case(
        f"metadata, needed: {name}",
        beside(lambda site: site.file_server_answers(answer), _knows_the_machine),
        _pull(sign),
        parameters=lambda site: {"worker_id": "", "metadata_url": f"{site.files_url}/metadata"},
    )


METADATA = (
    _metadata("404", Answer(404), "not-found"),
    _metadata("500", Answer(500), "server-error"),
    _metadata("HTML", _HTML, "bad-answer"),
    _metadata("knows no id", Answer(200, body=b"{}"), "not-found"),
)

_NAMED = {
    "worker": Sign("bootkit", "worker.ended"),
    "bootkit": Sign("bootkit", "program.started"),
    "dockerd": Sign("tink-docker", "engine.ended"),
    "tink-docker": Sign("tink-docker", "program.started"),
    "containerd": Sign("tink-docker", "containerd.ended"),
}
# Of two that die together, the later one of these is sure to be told.
_TELLS_LAST = ("worker", "bootkit", "containerd", "dockerd", "tink-docker")


def _death(programs: tuple[str, ...], when: Moment, times: int = 1) -> Case:
    often = ", twice" if times > 1 else ""
    name = f"killed: {' and '.join(programs)}{often}"
    told = max(programs, key=_TELLS_LAST.index)
    return Case(name, killed(*programs, times=times), _NAMED[told], when)


_AT_REST = tuple(_death((program,), Moment.IDLE, times=2) for program in _NAMED)
_IN_ACTION = tuple(_death((program,), Moment.ACTION) for program in _NAMED)
_IN_PULL = tuple(_death((program,), Moment.PULL) for program in _NAMED if program != "worker")
_PAIRS = tuple(_death(pair, Moment.ACTION) for pair in combinations(_NAMED, 2))
_UNNOTICED = Case(
    "killed: containerd, and the action ends that moment",
    happen.end_unnoticed,
    _NAMED["containerd"],
    Moment.ACTION,
)
DEATHS = (*_AT_REST, *_IN_ACTION, *_IN_PULL, *_PAIRS, _UNNOTICED)

WORKER = (
    Case(
        "worker: ends at once, again and again",
        happen.worker_that_ends,
        Sign("bootkit", "run.crash_looping"),
    ),
)

TABLE = REGISTRY + LINE + AUTHORITIES + METADATA + DEATHS + WORKER
