"""Keep attempts to log in from taking all the threads of the server.

Jam.py sleeps 0.3 seconds before it looks at a password, in a thread of the server: four
guesses at once, and a server of four threads answers nobody.

Source: CWE-770 (allocation of resources without limits), CWE-400 (uncontrolled consumption).
"""

from collections import Counter
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Final

import attrs

from ..guard import Guard, Mode, Refusal
from ..jampy.logins import Attempt
from ..jampy.routes import API, BUILDER_LOGIN, EXT, LOGIN
from ..lockouts import stands_for_many
from ..request import Request
from ..routes import HEALTH, OTHER, Route
from ..values import positive

#: where somebody may be logged in, see the guard `login`
WATCHED: Final = (LOGIN, BUILDER_LOGIN, API, EXT, OTHER, HEALTH)

BUSY: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    reason="logins",
    sentence="busy",
    retry_after=1,
    courtesy=True,
)


class Places:
    """How many are under way, by client."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[str] = Counter()

    def take(self, client: str, most: int, most_each: int) -> bool:
        """Take a place, if fewer than `most` are taken, and by this client than `most_each`."""
        with self._lock:
            if self._taken.total() >= most or self._taken[client] >= most_each:
                return False
            self._taken[client] += 1
        return True

    def leave(self, client: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


@attrs.frozen(kw_only=True, eq=False)
class Concurrency(Guard):
    """Refuse an attempt to log in with 503 while as many as allowed are under way.

    Each worker process counts its own. A place is taken when Jam.py is about to sleep, and given
    back when it has decided, however that went. An address that stands for many people (an
    undeclared proxy, a loopback address, none at all) may have all places. Fails open.
    """

    fails = "open"

    mode: Mode = "enforce"
    #: attempts to log in under way in a process: one less than the threads that servers have
    login: int = attrs.field(default=3, validator=positive)
    #: of those, from one network: less than all, so that nobody can keep all others waiting
    login_per_client: int = attrs.field(default=2, validator=positive)

    _places: Places = attrs.field(init=False, repr=False, factory=Places)

    def concerns(self, route: Route) -> bool:
        return route in WATCHED

    def attempt(self, request: Request, attempt: Attempt) -> Refusal | None:
        client = request.client.key
        each = self.login if stands_for_many(request) else self.login_per_client
        if not self._places.take(client, self.login, each):
            return BUSY
        attempt.afterwards.append((request, self, partial(self._leave, client)))
        return None

    def _leave(self, client: str, _: bool | None) -> None:
        self._places.leave(client)
