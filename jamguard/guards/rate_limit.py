"""Slow down clients that send too many requests.

A logged-in user is counted by session, everybody else by network (an IPv4 address, an IPv6
/64), in classes of routes. Static files are never counted, so a page never breaks.

Source: RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After),
draft-ietf-httpapi-ratelimit-headers-10 (RateLimit, RateLimit-Policy).
"""

from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Final

import attrs

from ..address import IPNetwork, contains
from ..guard import Guard, Mode, Refusal, Response
from ..jampy.routes import LOGIN
from ..request import Request
from ..routes import HEALTH, Route
from ..site import Site
from ..values import MOST, Rate

#: what all that comes from one network may do, as a multiple of what one client may
NETWORK: Final = 10

UNCOUNTED: Final = frozenset({"file", HEALTH.name})
NAMES: Final = ("ratelimit-policy", "ratelimit")


@attrs.frozen(eq=False)
class Quota:
    """A rate under a name, and what is said about it (draft-10 section 3: q, w)."""

    name: str
    limit: int
    period: int
    policy: tuple[str, str]

    @classmethod
    def of(cls, name: str, rate: Rate, times: int = 1) -> "Quota":
        """Make a quota of `times` the rate."""
        limit = min(rate.limit * times, MOST)
        policy = ("RateLimit-Policy", f'"{name}";q={limit};w={rate.period}')
        return cls(name, limit, rate.period, policy)


def _quotas(guard: "RateLimit") -> dict[str, tuple[Quota, Quota]]:
    rates = {name: getattr(guard, name) for name in ("api", "page", "login", "upload", "ext")}
    return {
        name: (Quota.of(name, rate), Quota.of(f"{name}-network", rate, NETWORK))
        for name, rate in rates.items()
    }


@attrs.frozen(kw_only=True, eq=False)
class RateLimit(Guard):
    """Refuse a client that is over its rate with 429, `Retry-After` and `RateLimit`.

    A session counts as a client of its own, and its network as a whole may do ten times as
    much. Where one address stands for many people (an undeclared proxy, a server that gives
    no address) they share that larger rate. Fails open: when the store is away, this
    process counts alone. In its own file it counts for the processes of one machine.
    """

    fails = "open"

    mode: Mode = "enforce"
    api: Rate = Rate(600, 60)  #: calls
    page: Rate = Rate(300, 60)  #: pages, and whatever is not Jam.py's
    login: Rate = Rate(60, 60)  #: attempts to log in
    upload: Rate = Rate(60, 60)
    ext: Rate = Rate(600, 60)  #: requests of other programs to `/ext`
    safelist: tuple[IPNetwork, ...] = ()  #: networks that are never counted

    #: class of routes -> quota of a client, quota of a network
    _quotas: dict[str, tuple[Quota, Quota]] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_quotas, takes_self=True)
    )

    def start(self, site: Site) -> None:
        _ = site.counts_alone  # the store is opened now, before there are threads

    def concerns(self, route: Route) -> bool:
        return route.name not in UNCOUNTED

    def check(self, request: Request) -> Refusal | None:
        client = request.client
        if self.safelist and contains(self.safelist, client):
            return None
        name = request.route.name
        if name not in self._quotas or (name == LOGIN.name and request.method != "POST"):
            name = "page"  # to look at the form is no attempt
        own, network = self._quotas[name]
        if request.environ.get("wsgi.multiprocess") and request.site.counts_alone:
            request.site.notice("JG012")
        now = monotonic()
        session = request.session
        if session is not None:
            refusal = self._hit(request, own, session.uuid, now)
            return refusal or self._hit(request, network, client.key, now)
        if client.ip is None:
            if not request.peer_trusted:  # of a declared proxy `proxy` has said it
                request.site.notice("JG004")
            return self._hit(request, network, client.key, now)
        return self._hit(request, network if request.undeclared else own, client.key, now)

    def _hit(self, request: Request, quota: Quota, key: str, now: float) -> Refusal | None:
        left, wait = request.site.store.hit(f"{quota.name}|{key}", quota.limit, quota.period, now)
        if left >= 0:
            if request.quota is None:
                state = f'"{quota.name}";r={left};t={ceil(wait)}'
                request.quota = [quota.policy, ("RateLimit", state)]
            return None
        seconds = max(1, ceil(wait))
        return Refusal(
            status=HTTPStatus.TOO_MANY_REQUESTS,
            reason="rate",
            sentence="too-many",
            detail=quota.name,
            headers=(quota.policy, ("RateLimit", f'"{quota.name}";r=0;t={seconds}')),
            retry_after=seconds,
            courtesy=True,
        )

    def finish(self, request: Request, response: Response) -> None:
        if request.quota and "ratelimit" not in response.names:
            response.headers += request.quota
            response.names.update(NAMES)
