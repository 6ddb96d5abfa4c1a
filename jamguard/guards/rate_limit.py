"""Slow down clients that send too many requests.

A logged-in user is counted by session, everybody else by network (an IPv4 address, an IPv6
/64), in classes of routes. Static files are never counted, so a page never breaks.

Source: RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After),
draft-ietf-httpapi-ratelimit-headers-10 (RateLimit, RateLimit-Policy).
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Final

import attrs

from ..address import IPNetwork, contains
from ..guard import Guard, Mode, Refusal, Response
from ..jampy.calls import Call, Taken
from ..jampy.routes import API, LOGIN, PAGE
from ..jampy.rules import METHODS_V5, is_dict
from ..request import Request
from ..routes import HEALTH, Route
from ..site import Site
from ..values import MOST, Rate, Rates

#: what all that comes from one network may do, as a multiple of what one client may
NETWORK: Final = 10

UNCOUNTED: Final = frozenset({"file", HEALTH.name})
NAMES: Final = ("ratelimit-policy", "ratelimit")


@attrs.frozen(eq=False)
class Quota:
    """A rate under a name (draft-10 section 3: q, w)."""

    name: str
    limit: int
    period: int
    policy: str
    prefix: str  #: of the keys in the store

    @classmethod
    def of(cls, name: str, rate: Rate, times: int = 1) -> "Quota":
        """Make a quota of `times` the rate."""
        limit = min(rate.limit * times, MOST)
        period = int(rate.period)
        return cls(name, limit, period, f'"{name}";q={limit};w={period}', f"{name}|")


#: quotas, and a client's key there
Counted = tuple[list[Quota], str]


def _quotas(guard: "RateLimit") -> dict[str, tuple[list[Quota], list[Quota]]]:
    found: dict[str, tuple[list[Quota], list[Quota]]] = {}
    for name in ("api", "page", "login", "upload", "ext"):
        own: list[Quota] = []
        network: list[Quota] = []
        for rate in getattr(guard, name):
            # each needs a name of its own, and the first one has that of the class
            called = f"{name}-{int(rate.period)}s" if own else name
            own.append(Quota.of(called, rate))
            network.append(Quota.of(f"{called}-network", rate, NETWORK))
        found[name] = own, network
    return found


def _are_weights(_: object, __: object, weights: Mapping[str, int]) -> None:
    for method, weight in weights.items():
        if method not in METHODS_V5:
            calls = ", ".join(sorted(METHODS_V5))
            raise ValueError(f"has {method!r}, which is no call; there are: {calls}")
        if not 0 < weight <= MOST:
            raise ValueError(f"has {weight} for {method!r}: write a number from 1 on")


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
    api: Rates = Rates([Rate(600, 60)])  #: calls
    page: Rates = Rates([Rate(300, 60)])  #: pages, and whatever is not Jam.py's
    login: Rates = Rates([Rate(60, 60)])  #: attempts to log in
    upload: Rates = Rates([Rate(60, 60)])
    ext: Rates = Rates([Rate(600, 60)])  #: requests of other programs to `/ext`
    #: method of a call -> as how many calls it counts; `open` only where it has no limit
    weights: Mapping[str, int] = attrs.field(
        factory=lambda: {"print": 10, "open": 2}, validator=_are_weights
    )
    safelist: tuple[IPNetwork, ...] = ()  #: networks that are never counted

    #: class of routes -> quotas of a client, quotas of a network
    _quotas: dict[str, tuple[list[Quota], list[Quota]]] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_quotas, takes_self=True)
    )

    def start(self, site: Site) -> None:
        _ = site.counts_alone  # the store is opened now, before there are threads

    def concerns(self, route: Route) -> bool:
        return route.name not in UNCOUNTED

    def check(self, request: Request) -> Refusal | None:
        if self.safelist and contains(self.safelist, request.client):
            return None
        return self._hit(request)

    def taken(self, request: Request, taken: Taken) -> Refusal | None:
        """Count a call that makes more work than others as several."""
        if request.route is not API or (self.safelist and contains(self.safelist, request.client)):
            return None
        call = taken.call
        if call is None or type(call.method) is not str:
            return None
        weight = self.weights.get(call.method, 1)
        if weight == 1 or (call.method == "open" and _has_limit(call)):
            return None
        return self._hit(request, weight, counted=1)

    def _hit(self, request: Request, weight: int = 1, counted: int = 0) -> Refusal | None:
        """Count a request as `weight`, of which `counted` are counted already."""
        now = monotonic()
        hit = request.site.store.hit
        for quotas, key in self._counted(request):
            for quota in quotas:
                more = min(weight, quota.limit) - counted
                if not more:
                    continue
                left, wait = hit(quota.prefix + key, quota.limit, quota.period, now, more)
                if left < 0:
                    return _refusal(quota, wait)
                told = request.quota
                if told is None or left < told[0]:
                    request.quota = left, wait, quota  # the tightest one is told
        return None

    def _counted(self, request: Request) -> Iterable[Counted]:
        """Return what a request counts in."""
        route = request.route
        if route.name == LOGIN.name and request.method != "POST":
            route = PAGE  # to look at the form is no attempt
        own, network = self._quotas.get(route.name) or self._quotas[PAGE.name]
        client = request.client
        if request.environ.get("wsgi.multiprocess") and request.site.counts_alone:
            request.site.notice("JG012")
        session = request.session
        if session is not None and route.name != LOGIN.name:  # one has as many as one likes
            return (own, session.uuid), (network, client.key)
        if client.ip is None and not request.peer_trusted:
            request.site.notice("JG004")  # of a declared proxy `proxy` has said it
        many = client.ip is None or request.undeclared
        return ((network if many else own, client.key),)

    def finish(self, request: Request, response: Response) -> None:
        if request.quota and "ratelimit" not in response.names:
            left, wait, quota = request.quota
            response.headers += [
                ("RateLimit-Policy", quota.policy),
                ("RateLimit", f'"{quota.name}";r={left};t={ceil(wait)}'),
            ]
            response.names.update(NAMES)


def _refusal(quota: Quota, wait: float) -> Refusal:
    seconds = max(1, ceil(wait))
    state = f'"{quota.name}";r=0;t={seconds}'
    return Refusal(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        reason="rate",
        sentence="too-many",
        detail=quota.name,
        headers=(("RateLimit-Policy", quota.policy), ("RateLimit", state)),
        retry_after=seconds,
        courtesy=True,
    )


def _has_limit(call: Call) -> bool:
    limit = call.params.get("__limit") if is_dict(call.params) else None
    return type(limit) is int and limit > 0  # 0 is how Jam.py's client says that there is none
