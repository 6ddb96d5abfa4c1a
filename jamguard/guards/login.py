"""Stop whoever guesses passwords, and lock nobody out for good.

Jam.py lets everybody try as often as the server answers. Here failures are counted: of a name
from one network, of a name from everywhere, and of a network. Who has too many is locked out
for a minute; then there is one try, and when that fails, too, five minutes, as phones have it.

A name that has logged in from a network is *known* there for a month: then only its own
failures there count, so that nobody elsewhere, and no neighbour, can lock its owner out.

Source: NIST SP 800-63B section 5.2.2 (at most 100 failures in a row on one account), OWASP
Authentication Cheat Sheet, CWE-307 (excessive authentication attempts), CWE-645 (lock-outs
that an attacker can cause).
"""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Any, Final

import attrs

from ..address import IPNetwork, contains
from ..guard import Guard, Mode, Refusal, reports
from ..jampy.logins import Attempt
from ..jampy.routes import API, BUILDER_LOGIN, EXT, LOGIN
from ..lockouts import Place, Rule, around, length, stands_for_many
from ..request import Request
from ..routes import HEALTH, OTHER, Route
from ..site import Site
from ..stores import Mark
from ..values import MOST, Rate

#: where somebody may be logged in: on Jam.py's own pages, by a call of v5, by what a project's
#: own code does, and where a middleware behind the shield has led another path
WATCHED: Final = (LOGIN, BUILDER_LOGIN, API, EXT, OTHER, HEALTH)

DAY: Final = 86400
#: seconds for which a name is known in a network where it has logged in
KNOWN: Final = 30 * DAY
#: networks in which a name can become known in a day
PLACES_A_DAY: Final = 20
#: how many times as much as one IPv6 /64 may come from the /48 around it
AROUND: Final = 4

LOCKED: Final = Refusal(
    status=HTTPStatus.TOO_MANY_REQUESTS,
    reason="locked",
    sentence="locked",
    courtesy=True,
)
NO_NAME: Final = Refusal(status=HTTPStatus.BAD_REQUEST, reason="no-name", sentence="bad-request")


@attrs.frozen(kw_only=True, eq=False)
class Login(Guard):
    """Refuse an attempt to log in, before Jam.py looks at it, while whoever tries is locked out.

    A failure is what Jam.py, or the project's own `on_login`, makes of an attempt. Where one
    address stands for many people (an undeclared proxy, a loopback address, none at all) only
    the name is locked. Fails closed; while the store is away half of the limits hold.
    """

    mode: Mode = "enforce"
    failures: Rate = Rate(5, 900)  #: of one name from one network
    name_failures: Rate = Rate(50, 86400)  #: of one name, from networks where it is not known
    network_failures: Rate = Rate(100, 86400)  #: from one network, of names not known there
    safelist: tuple[IPNetwork, ...] = ()  #: networks that are never locked as a whole

    def start(self, site: Site) -> None:
        _ = site.store  # opened now, before there are threads

    def concerns(self, route: Route) -> bool:
        return route in WATCHED

    def attempt(self, request: Request, attempt: Attempt) -> Refusal | None:
        if not attempt.possible:
            return NO_NAME
        store, now = request.site.store, monotonic()
        rules = [(rule, rule.mark(store, now)) for rule in self._rules(request, attempt, now)]
        locked = [(mark.left, rule) for rule, mark in rules if mark and mark.left]
        if locked:
            return _refusal(*max(locked, key=lambda one: one[0]))
        for rule, mark in rules:
            if not rule.enter(store, now, mark):
                return _refusal(length(mark.times + 1 if mark else 1), rule)
        for rule, mark in rules:
            if mark:  # the one try is made under the next lock-out already
                rule.lock(store, now, mark.times + 1)
        attempt.afterwards.append((request, self, partial(self._hear, request, rules)))
        return None

    def _hear(
        self,
        request: Request,
        rules: list[tuple[Rule, Mark | None]],
        succeeded: bool | None,
    ) -> None:
        """Count a failure. Forgive whoever got in, but not the network that they are in."""
        store, now = request.site.store, monotonic()
        for rule, mark in rules:
            if succeeded is False:
                self._count(request, rule, mark, now)
            elif succeeded and rule.kind == "name-here":
                rule.forgive(store)
                self._know(request, rule, now)
            elif mark:
                rule.reopen(store, now, mark.times)

    def _know(self, request: Request, rule: Rule, now: float) -> None:
        """Remember a name where it has logged in; only so many places, or one fills them all."""
        store = request.site.store
        known = store.marks.get("known", rule.key, now)
        if known or store.hit(f"known|{rule.place}|{rule.name}", PLACES_A_DAY, DAY, now)[0] >= 0:
            store.marks.put("known", rule.key, now, KNOWN)

    def _count(self, request: Request, rule: Rule, mark: Mark | None, now: float) -> None:
        if mark:  # locked since the decision
            self._log(request, rule, mark.times + 1)
            return
        store = request.site.store
        if rule.left(store, now, 0 if rule.kind == "name-here" else 1) > 0:
            return
        if rule.kind == "crowd":
            request.site.notice("JG025", peer=request.client.text or rule.network)
        elif rule.alone(store, now):  # of several that fail at this moment
            rule.lock(store, now)
            self._log(request, rule, 1)

    def _log(self, request: Request, rule: Rule, times: int) -> None:
        whom: dict[str, Any] = {"at": rule.place, "name": rule.name, "network": rule.network}
        request.site.log.locked(
            request,
            self.name,
            enforced=not reports(self),
            reason=f"locked-{rule.kind}",
            **{key: value for key, value in whom.items() if value},
            seconds=length(times),
        )

    def _rules(self, request: Request, attempt: Attempt, now: float) -> Iterator[Rule]:
        """Find whose failure this attempt would be."""
        name, network = attempt.name, request.client.key
        place: Place = "builder" if attempt.builder else "application"
        away = request.site.store.away

        def limits(rate: Rate, times: int = 1) -> tuple[int, int]:
            return min(MOST, max(1, rate.limit * times // (2 if away else 1))), rate.period

        crowd = stands_for_many(request)
        if name and not crowd:
            here = Rule("name-here", place, name, network, *limits(self.failures))
            yield here
            if request.site.store.marks.get("known", here.key, now):
                return
        if name:
            yield Rule("name", place, name, "", *limits(self.name_failures))
        if crowd:
            yield Rule("crowd", place, "", network, *limits(self.network_failures))
        elif not contains(self.safelist, request.client):
            yield Rule("network", place, "", network, *limits(self.network_failures))
            if wider := around(request.client):
                yield Rule("network", place, "", wider, *limits(self.network_failures, AROUND))


def _refusal(left: float, rule: Rule) -> Refusal:
    seconds, detail = ceil(left), rule.key
    return attrs.evolve(LOCKED, reason=f"locked-{rule.kind}", detail=detail, retry_after=seconds)
