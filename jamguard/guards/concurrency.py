"""Keep one client, and slow requests, from taking all the threads of the server.

A server answers as many requests at once as it has threads. Whoever sends its bodies slowly,
reads its answers slowly or calls what takes long holds one for each connection. Jam.py also
sleeps 0.3 seconds before it looks at a password: four guesses, and four threads are asleep.

Source: CWE-770 (allocation of resources without limits), CWE-400 (uncontrolled consumption).
"""

from http import HTTPStatus
from typing import Final

import attrs

from ..body import is_announced
from ..guard import Guard, Mode, Refusal
from ..jampy.logins import Attempt
from ..lockouts import stands_for_many
from ..places import Places, Room
from ..request import Request
from ..routes import HEALTH
from ..values import Threads, positive

#: of so many threads one is left to files and to monitors; with fewer, none can be spared
SPARED: Final = 8
#: with fewer threads than this one client may have them all
FEW: Final = 4

#: the rooms of all that needs the application, and of all files
ALL: Final = "all"
FILES: Final = "files"

CROWDED: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    reason="in-flight",
    sentence="crowded",
    retry_after=1,
    courtesy=True,
)
LOGINS: Final = attrs.evolve(CROWDED, reason="logins", sentence="busy")


@attrs.frozen(kw_only=True, eq=False)
class Concurrency(Guard):
    """Refuse what is too much at once with 503: of one client, of logins, and in all.

    A place is held until the response is closed, so a client that takes an answer slowly keeps
    it; it is taken before a byte of the body is read. A logged-in session is a client of its own,
    everybody else is a network. An address that stands for many people (an undeclared proxy,
    a loopback address, none at all) has no limit but that of all. Files count by themselves;
    monitors do not, unless they send a body. Each worker process counts its own. Fails open.
    """

    fails = "open"

    mode: Mode = "enforce"
    #: requests under way of one client: a browser has six connections to a site
    per_client: int = attrs.field(default=8, validator=positive)
    #: attempts to log in under way: one less than the threads that most servers have
    login: int = attrs.field(default=3, validator=positive)
    #: of those, from one network: less than all, so that nobody can keep all others waiting
    login_per_client: int = attrs.field(default=2, validator=positive)
    #: requests under way that need the application; `auto` leaves one thread in eight
    total: Threads = Threads(0)

    #: by the threads of the server: how many in all, and of each client
    _limits: dict[int | None, tuple[int, int]] = attrs.field(
        init=False, repr=False, factory=dict[int | None, tuple[int, int]]
    )
    _places: Places = attrs.field(init=False, repr=False, factory=Places)
    _logins: Places = attrs.field(init=False, repr=False, factory=Places)

    def check(self, request: Request) -> Refusal | None:
        if request.route is HEALTH and not is_announced(request.environ):
            return None
        threads = request.site.server(request.environ).threads
        total, each = self._limits.get(threads) or self._limit(threads)
        is_file = request.route.name == "file"
        rooms: list[Room] = [(FILES if is_file else ALL, total)] if total else []
        if not stands_for_many(request):
            session = None if is_file else request.session
            rooms.append((session.uuid if session else request.client.key, each))
        full = self._places.take(request, rooms) if rooms else ""
        if not full:
            return None
        # behind one address, which has too many files under way, are those who are logged in
        if is_file and full != FILES and request.session:
            rooms[-1] = (request.session.uuid, each)
            if not self._places.take(request, rooms):
                return None
        return CROWDED

    def _limit(self, threads: int | None) -> tuple[int, int]:
        """Work out how many there may be in all (0: any number), and of each client."""
        total, each = int(self.total), self.per_client
        if threads:
            total = total or threads - threads // SPARED
            if threads >= FEW:  # a place is left to others
                each = max(1, min(each, total - 1))
        self._limits[threads] = total, each
        return total, each

    def attempt(self, request: Request, attempt: Attempt) -> Refusal | None:
        each = self.login if stands_for_many(request) else self.login_per_client
        rooms = [(ALL, self.login), (request.client.key, each)]
        if self._logins.take(attempt, rooms, patient=False):
            return LOGINS
        attempt.afterwards.append((request, self, lambda _: self._logins.leave(attempt)))
        return None

    def closed(self, request: Request) -> None:
        self._places.leave(request)
