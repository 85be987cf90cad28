"""The sizes of an image's layers, from its manifest in the registry.

Source: OCI distribution specification, "Pulling manifests", and the image specification's index
and manifest; Docker's own media types have the same fields. pydantic checks them: an answer with a
field of a wrong type is unusable as a whole. Its messages repeat what the registry sent, so none of
them is shown, and it stops at the first error: one for each element of a list would fill the
memory. `registry.py` compares the sum with the free space.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, FailFast, Field, ValidationError

from bootkit.image.challenge import BEARER, challenges_in
from bootkit.image.token_service import Destination
from bootkit.policy import MANIFEST_LIMIT_BYTES, MANIFESTS_SECONDS
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.fetch.redirects import origin
from tinkie.parameters.insecure import InsecureRegistries
from tinkie.parameters.types import shown
from tinkie.platform import ARCHITECTURE, OS

if TYPE_CHECKING:
    from bootkit.image.challenge import Challenge
    from bootkit.plan.credentials import Credentials
    from tinkie.fetch.fetcher import Answer, Fetcher

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join(_INDEXES + _MANIFESTS)


class _Platform(BaseModel):
    os: str = ""
    architecture: str = ""


_OURS = _Platform(os=OS, architecture=ARCHITECTURE)


class _Descriptor(BaseModel):
    digest: str
    size: Annotated[int, Field(ge=0, lt=2**63)]  # the specification's int64
    platform: _Platform | None = None


_Descriptors = Annotated[tuple[_Descriptor, ...], FailFast()]


class _Manifest(BaseModel):
    """An index, which has manifests, or a manifest, which has layers."""

    manifests: _Descriptors = ()
    layers: _Descriptors = ()


_HeaderText = Annotated[str, Field(pattern="^[!-~]*$")]


class _Token(BaseModel):
    token: _HeaderText = ""
    access_token: _HeaderText = ""


Model = TypeVar("Model", _Manifest, _Token)


@dataclass(slots=True, eq=False, repr=False)
class Manifests:
    """The manifests of one repository.

    `url` is the repository's, without `/manifests`. Its host gets the credentials, and the token
    service that it names if that is safe, as dockerd's pull does.
    """

    url: str
    fetcher: Fetcher
    credentials: Credentials | None = None
    insecure: InsecureRegistries = field(default_factory=InsecureRegistries)
    _authorization: str = ""

    def layers(self, reference: str) -> dict[str, int]:
        """Return each layer's compressed size by its digest; empty if the answer has no layers.

        Raises:
            BootError: as `Fetcher.ask`; or an answer is malformed.
        """
        deadline = self.fetcher.now() + MANIFESTS_SECONDS
        self._authorization = _basic(self.credentials)
        found = self._get(reference, deadline)
        ours = [one.digest for one in found.manifests if one.platform == _OURS]
        if ours:
            found = self._get(ours[0], deadline)
        return {layer.digest: layer.size for layer in found.layers}

    def _get(self, reference: str, deadline: float) -> _Manifest:
        url = f"{self.url}/manifests/{reference}"
        answer = self._ask(url, deadline)
        # Only the registry itself says where its user and password go, not whom it redirects to.
        challenges = challenges_in(answer) if origin(answer.url) == origin(url) else ()
        bearer = next((one for one in challenges if one.scheme == BEARER), None)
        if bearer is not None:
            self._authorization = self._token(bearer, deadline)
            answer = self._ask(url, deadline)
        return _parsed(_Manifest, answer)

    def _ask(self, url: str, deadline: float) -> Answer:
        more = {"Authorization": self._authorization} if self._authorization else {}
        seconds = deadline - self.fetcher.now()
        headers = {"Accept": _ACCEPT} | more
        return self.fetcher.ask(url, limit=MANIFEST_LIMIT_BYTES, seconds=seconds, headers=headers)

    def _token(self, challenge: Challenge, deadline: float) -> str:
        """Get a token from the challenge's realm, without the credentials if that is not safe."""
        realm = challenge.get("realm")
        if origin(realm) is None:
            message = f"GET {shown(self.url)}: its token service is no URL"
            raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
        safe = Destination(urlsplit(self.url).netloc, realm).is_safe(self.insecure)
        self._authorization = _basic(self.credentials) if safe else ""
        fields = {name: challenge.get(name) for name in ("service", "scope")}
        query = urlencode({name: value for name, value in fields.items() if value})
        separator = "&" if urlsplit(realm).query else "?"
        url = f"{realm}{separator}{query}"
        answer = _parsed(_Token, self._ask(url, deadline))
        return f"Bearer {answer.token or answer.access_token}"


def _parsed(model: type[Model], answer: Answer) -> Model:
    """Return what a body has; name the first field that is bad, and repeat nothing of the body."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(map(str, first["loc"]))
    reason = f"its field {name} is missing or malformed" if name else "it is no JSON object"
    message = f"GET {shown(answer.url)}: cannot use the answer: {reason}"
    raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)


def _basic(credentials: Credentials | None) -> str:
    if credentials is None or not credentials.password:
        return ""  # an identity token takes another kind of request: the size stays unknown
    pair = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
