"""The addresses of the host's name, asked of each NIC's own name servers, through that NIC."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, NamedTuple

from network.dns import AAAA, A, Question
from network.policy import LOOKUP_DOMAINS_MAXIMUM, LOOKUP_SECONDS, LOOKUP_SERVERS_MAXIMUM
from network.sockets import ready

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from selectors import BaseSelector

_PORT = 53
_PACKET = 4096
_KINDS = {4: A, 6: AAAA}


class Resolver(NamedTuple):
    """How one NIC looks up names: as resolver(3) does with these lines in resolv.conf."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    versions: frozenset[int] = frozenset()  # of IP: only such addresses are of use

    def questions(self, name: str) -> list[list[Question]]:
        """Return the questions for each name that may be meant, the likeliest name first."""
        bare = name.removesuffix(".")
        longer = [f"{bare}.{domain}" for domain in self.search[:LOOKUP_DOMAINS_MAXIMUM]]
        names = [bare, *longer] if "." in bare else [*longer, bare]
        if bare != name:
            names = [bare]
        kinds = [kind for version, kind in _KINDS.items() if version in self.versions]
        return [[Question(one.removesuffix("."), kind) for kind in kinds] for one in names]


@dataclass(slots=True, eq=False, repr=False)
class _Search:
    """The search of one NIC: what each question gave; None is a server that could not say."""

    questions: list[list[Question]]
    servers: int
    answers: dict[Question, dict[int, list[str] | None]] = field(default_factory=dict)  # by server

    def take(self, question: Question, server: int, answer: list[str] | None) -> None:
        """Take an answer of a server, which may have been asked twice."""
        self.answers.setdefault(question, {})[server] = answer

    def result(self, *, is_late: bool = False) -> list[str] | None:
        """Return the addresses of the first name that has some; None if that is not known yet."""
        for questions in self.questions:
            known = [self._of(question, is_late=is_late) for question in questions]
            if any(one is None for one in known):
                return None
            if found := [address for one in known for address in one or ()]:
                return found
        return []

    def _of(self, question: Question, *, is_late: bool) -> list[str] | None:
        answers = self.answers.get(question, {})
        good = [answer for answer in answers.values() if answer is not None]
        if good:
            return good[0]
        return [] if is_late or len(answers) >= self.servers else None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Lookups:
    """Call it with a name and each NIC's Resolver: it takes LOOKUP_SECONDS at most, for all."""

    open_udp: Callable[[str, str, int], socket.socket]
    now: Callable[[], float] = time.monotonic

    def __call__(self, name: str, resolvers: Mapping[str, Resolver]) -> dict[str, list[str]]:
        """Return the name's addresses by NIC; none if it is not found there."""
        searches = {
            nic: _Search(one.questions(name), len(one.servers[:LOOKUP_SERVERS_MAXIMUM]))
            for nic, one in resolvers.items()
        }
        with ExitStack() as opened, DefaultSelector() as waiting:
            for nic, search in searches.items():
                for server in resolvers[nic].servers[:LOOKUP_SERVERS_MAXIMUM]:
                    self._open(nic, server, search, waiting, opened)
            start = self.now()
            for end in (start + LOOKUP_SECONDS / 2, start + LOOKUP_SECONDS):
                if not any(search.result() is None for search in searches.values()):
                    break
                _ask(waiting)
                for asked in ready(waiting, end, self.now):
                    asked.take_answer()
                    if not any(search.result() is None for search in searches.values()):
                        break
        return {nic: search.result(is_late=True) or [] for nic, search in searches.items()}

    def _open(
        self, nic: str, server: str, search: _Search, waiting: BaseSelector, opened: ExitStack
    ) -> None:
        try:
            made = opened.enter_context(self.open_udp(nic, server, _PORT))
        except OSError:
            search.servers -= 1
            return
        asked = [question for questions in search.questions for question in questions]
        first = int.from_bytes(os.urandom(2), "big")
        numbers = {(first + at) % 2**16: question for at, question in enumerate(asked)}
        waiting.register(made, EVENT_READ, _Asked(made, search, numbers))


def _ask(waiting: BaseSelector) -> None:
    for key in waiting.get_map().values():
        key.data.ask()


class _Asked(NamedTuple):
    """A name server, and the questions that it gets for one NIC, by their numbers."""

    link: socket.socket
    search: _Search
    numbers: Mapping[int, Question]

    def ask(self) -> None:
        for number, question in self.numbers.items():
            with suppress(OSError):  # of an earlier packet, or no buffer: it is asked again
                self.link.send(question.packet(number))

    def take_answer(self) -> None:
        """Take what the socket has received; an error means that nothing listens there."""
        try:
            packet = self.link.recv(_PACKET)
        except OSError:
            for one in self.numbers.values():
                self.search.take(one, self.link.fileno(), None)
            return
        number = int.from_bytes(packet[:2], "big")
        question = self.numbers.get(number)
        if question is None:
            return
        try:
            answer = question.answer(packet, number)
        except ValueError:
            self.search.take(question, self.link.fileno(), None)
            return
        if answer is not None:
            self.search.take(question, self.link.fileno(), answer)
