"""Metadata services: what they answer by path, one outcome after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class FakeMetadata:
    """Answers a path with a body, a status or an exception; other paths with 404."""

    answers: Mapping[str, bytes | int | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # that each answer may take

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        self.seconds.append(request.extensions["timeout"]["read"])
        answer = self.answers.get(request.url.path, 404)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        return httpx.Response(200, content=answer)
