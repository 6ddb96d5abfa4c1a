"""Keep attempts to log in from taking all the threads of the server.

Jam.py sleeps 0.3 seconds before it looks at a password, in a thread of the server: four
guesses at once, and a server of four threads answers nobody.

Source: CWE-770 (allocation of resources without limits), CWE-400 (uncontrolled consumption).
"""

from http import HTTPStatus
from threading import Semaphore
from typing import Final

import attrs

from ..guard import Guard, Mode, Refusal
from ..jampy.logins import Attempt, may_log_in
from ..jampy.routes import API, BUILDER_LOGIN, EXT, LOGIN
from ..late import at_login
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


def _places(guard: "Concurrency") -> Semaphore:
    return Semaphore(guard.login)


@attrs.frozen(kw_only=True, eq=False)
class Concurrency(Guard):
    """Refuse an attempt to log in with 503 while as many as allowed are under way.

    Each worker process counts its own, whoever makes them. A place is taken when Jam.py is
    about to sleep, and given back when it has decided, however that went. Fails open.
    """

    fails = "open"

    mode: Mode = "enforce"
    #: attempts to log in under way in a process: one less than the threads that servers have
    login: int = attrs.field(default=3, validator=positive)

    _places: Semaphore = attrs.field(
        init=False, repr=False, default=attrs.Factory(_places, takes_self=True)
    )

    def concerns(self, route: Route) -> bool:
        return route in WATCHED

    def check(self, request: Request) -> Refusal | None:
        if may_log_in(request):
            at_login(request, self, self._decide)
        return None

    def _decide(self, request: Request, attempt: Attempt) -> Refusal | None:
        if not self._places.acquire(blocking=False):
            return BUSY
        attempt.afterwards.append((request, self, self._leave))
        return None

    def _leave(self, _: bool | None) -> None:
        self._places.release()
