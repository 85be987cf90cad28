"""Which NIC the machine uses: a decision from what was tested and what came of it.

The chosen NIC stays as long as it reaches the host. Another one takes its place only if it reaches
the host itself: because the chosen one does not any more, or because it is preferred. No route
changes for a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from network.attempts import Attempt
from network.nics import candidates
from network.policy import PREFERRED_TEST_CEILING_SECONDS, PREFERRED_TEST_FIRST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from network.nics import Nic

Reasons = dict[str, str]
"""By NIC: why it does not reach the host; empty if it does."""


_FIRST = Attempt(0.0, PREFERRED_TEST_FIRST_SECONDS)


class Tester(Protocol):
    """Whatever finds out whether NICs reach the host."""

    @property
    def address(self) -> str:
        """Return the host's address; empty if it is not known."""

    def __call__(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> Reasons:
        """Return the Reasons of all these NICs.

        any_will_do: none is in use. If one answers at once, no other is waited for; and the test
        may end early when something has changed.
        """


@dataclass(slots=True, eq=False, repr=False)
class Choice:
    """Decide, look for look. `wanted` are what the command line prefers, the first one first.

    `chosen` is the name of the chosen NIC, which may have lost its address since. `reasons` are
    what the last test of each NIC gave.
    """

    wanted: Sequence[str]
    test: Tester
    chosen: str = ""
    is_reached: bool = False
    reasons: Reasons = field(default_factory=dict)
    _is_proven: bool = False  # the chosen NIC has reached the host
    _tested: dict[str, Nic] = field(default_factory=dict)
    _failed_at: float = -1.0  # when still_reaches found that the chosen NIC does not
    _again: Attempt = _FIRST  # of preferred NICs

    def look(self, nics: Sequence[Nic], now: float) -> str:
        """Choose; return the NIC to use now, empty if none has an address."""
        ranked = candidates(nics, self.wanted, self.test.address, self.chosen)
        self._forget(ranked)
        present = [nic for nic in ranked if nic.name == self.chosen]
        was_reached, has_failed = self.is_reached, now == self._failed_at
        self.is_reached = was_reached and bool(present) and not has_failed and self._test(present)
        if self.is_reached:
            self._try_preferred(ranked[: ranked.index(present[0])], now)
        else:
            failed = present if was_reached else []
            self._take([nic for nic in ranked if nic not in failed], any_will_do=True)
        if not self.is_reached:
            self._keep(ranked, present)
        return self.chosen if ranked else ""

    def still_reaches(self, nics: Sequence[Nic], now: float) -> bool:
        """Return whether a look would change nothing, if the NICs are as before.

        Otherwise `look` is to follow, with the same `now`: it tests nothing again that has failed.
        """
        ranked = candidates(nics, self.wanted, self.test.address, self.chosen)
        present = [nic for nic in ranked if nic.name == self.chosen]
        is_due = ranked[:1] != present and now >= self._again.due_at
        if not self.is_reached or is_due:
            return False
        if self._test(present):
            return True
        self._failed_at = now
        return False

    def _try_preferred(self, preferred: Sequence[Nic], now: float) -> None:
        is_new = [nic for nic in preferred if nic.name not in self._tested]
        is_due = now >= self._again.due_at
        self._take(preferred if is_due else is_new)
        if is_new or is_due:
            attempt = _FIRST if is_new else self._again
            self._again = attempt.following(now, PREFERRED_TEST_CEILING_SECONDS)

    def _take(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> None:
        """Choose the first of them that reaches the host, if there is one."""
        if nics and self._test(nics, any_will_do=any_will_do):
            self.chosen = next(nic.name for nic in nics if not self.reasons[nic.name])
            self.is_reached = self._is_proven = True

    def _keep(self, ranked: Sequence[Nic], present: Sequence[Nic]) -> None:
        """Without a NIC that reaches the host: what would be right if only the host were down."""
        if ranked and not (present and self._is_proven):
            self.chosen, self._is_proven = ranked[0].name, False

    def _test(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> bool:
        """Return whether one of them reaches the host."""
        found = self.test(nics, any_will_do=any_will_do)
        self._tested |= {nic.name: nic for nic in nics}
        self.reasons |= found
        return not all(found.values())

    def _forget(self, ranked: Sequence[Nic]) -> None:
        """Forget the tests of NICs that have changed since."""
        self._tested = {nic.name: nic for nic in ranked if self._tested.get(nic.name) == nic}
        self.reasons = {name: self.reasons[name] for name in self._tested}
