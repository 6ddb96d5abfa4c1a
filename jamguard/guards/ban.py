"""Stop answering those who look for a way in.

What a probe asks for is refused anyway, by the guard that it has come to. But whoever has
tried twenty doors will try more, and one of them may be new. So what only an attacker comes
to is counted (`Refusal.probe`), and whoever collects too many refusals of that kind is
refused everywhere, for a while, and longer each time.

Source: fail2ban, rack-attack's Fail2Ban; OWASP AppSensor (detection points, responses).
"""

import ipaddress
from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Final

import attrs

from ..address import Address, IPNetwork, contains, parse_address
from ..cache import Bounded
from ..guard import Guard, Mode, Refusal, Response, reports
from ..request import Request
from ..routes import HEALTH, Route
from ..site import Site
from ..stores import Mark, Store
from ..values import SPANS, Duration, Rate

#: a ban grows up to this, and is remembered for as long when it is over
LONGEST: Final = SPANS["day"]
#: doublings after which any ban has come to that
DOUBLINGS: Final = 20
#: seconds between two lines in the log about one client that is banned
TOLD: Final = 60
#: besides its own, the one network that a client is looked up by: the bits of its prefix
WIDE: Final = {4: 24, 6: 48}
#: bits that an operator may write to mean a client
OWN: Final = {4: ("", "/32"), 6: ("", "/128", "/64")}
#: values of Sec-Fetch-Site: a page of another site made a visitor's browser ask
ELSEWHERE: Final = frozenset({"cross-site", "same-site"})


def _span(_: object, __: object, seconds: int) -> None:
    if not 0 < seconds <= SPANS["year"]:
        raise ValueError("must be between one second and one year")


@attrs.frozen(kw_only=True, eq=False)
class Ban(Guard):
    """Refuse everything (403) to a network whose requests were refused as probes too often.

    Never this computer, a declared proxy or the `safelist`; not an address that may stand for
    many people (of an undeclared proxy, none at all): the log says what would have happened.
    Each ban is twice as long as the one before. Fails open: what is behind decides for itself.
    """

    fails = "open"

    mode: Mode = "enforce"
    after: Rate = Rate(20, 600)  #: probes until a network is banned
    #: how long the first ban lasts; up to a day for those that follow
    for_: Duration = attrs.field(default=Duration(3600), validator=_span)
    safelist: tuple[IPNetwork, ...] = ()  #: networks that are never banned

    #: client -> the networks by which it may be banned
    _networks: Bounded[Address, tuple[str, ...]] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded[Address, tuple[str, ...]](4096)
    )
    #: network -> when the log had it last
    _told: Bounded[str, float] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded[str, float](4096)
    )

    def start(self, site: Site) -> None:
        _ = site.store  # it is opened now, before there are threads

    def concerns(self, route: Route) -> bool:
        return route is not HEALTH

    def check(self, request: Request) -> Refusal | None:
        client = request.client
        if client.loopback:
            return None
        now = monotonic()
        marks = request.site.store.marks
        for network in self._networks.get(client) or self._networks.put(client, _networks(client)):
            mark = marks.get("banned", network, now)
            if mark is not None and mark.left and not self._spared(request):
                return self._refusal(mark, now)
        return None

    def _refusal(self, mark: Mark, now: float) -> Refusal:
        told = now - self._told.get(mark.key, -TOLD) < TOLD
        if not told:
            self._told.put(mark.key, now)
        return Refusal(
            status=HTTPStatus.FORBIDDEN,
            reason="banned",
            sentence="banned",
            detail=mark.why,
            retry_after=max(1, ceil(mark.left)),
            courtesy=True,
            quiet=told,
        )

    def finish(self, request: Request, response: Response) -> None:
        del response
        refusal = request.refused
        if refusal is None or not refusal.probe:
            return
        if request.environ.get("HTTP_SEC_FETCH_SITE") in ELSEWHERE:
            return
        client, store, now = request.client, request.site.store, monotonic()
        left, _ = store.hit(_counter(client.key), self.after.limit, self.after.period, now)
        if left > 0:
            return
        spared = self._spared(request) or ('mode = "report"' if reports(self) else "")
        if spared:
            self._forget(store, client.key)
            mark = Mark(client.key, self.for_, 1, refusal.reason)
        else:
            known = store.marks.get("banned", client.key, now)
            if known is not None and known.left:
                return  # it was banned while this request was on its way
            mark = self.begin(store, client.key, now, refusal.reason)
        request.site.log.ban(request, mark, spared)

    def _spared(self, request: Request) -> str:
        """Say why this client is never banned; `""` when it may be."""
        client = request.client
        if request.undeclared or client.ip is None:
            return "it may stand for many clients"
        if client.loopback:
            return "this computer"
        if contains(request.site.proxies, client):
            return "a declared proxy"
        return "on the safelist" if contains(self.safelist, client) else ""

    def begin(
        self, store: Store, network: str, now: float, why: str, seconds: int | None = None
    ) -> Mark:
        """Ban a network, for longer than the last time where `seconds` does not say how long."""
        before = store.marks.get("banned", network, now)
        times = before.times + 1 if before else 1
        if seconds is None:
            seconds = min(self.for_ << min(times - 1, DOUBLINGS), max(self.for_, LONGEST))
        store.marks.put("banned", network, now, seconds, times=times, keep=LONGEST, why=why)
        self._forget(store, network)
        return Mark(network, seconds, times, why)

    def lift(self, store: Store, network: str) -> bool:
        """End a ban, and forget what led to it; False when there was none."""
        self._forget(store, network)
        return store.marks.remove("banned", network)

    def _forget(self, store: Store, network: str) -> None:
        store.forget(_counter(network), self.after.limit, self.after.period)


def _counter(network: str) -> str:
    return f"ban|{network}"


def _networks(client: Address) -> tuple[str, ...]:
    if client.ip is None:
        return (client.key,)
    return client.key, str(ipaddress.ip_network((client.ip, WIDE[client.ip.version]), strict=False))


def read_network(text: str) -> str:
    """Return what an operator has written as a network by which clients are looked up.

    Raises `ValueError` when it is none.
    """
    bare, slash, bits = text.strip().partition("/")
    address = parse_address(bare)
    if address is not None and address.ip is not None:
        version = address.ip.version
        if slash + bits in OWN[version]:
            return address.key
        if bits == str(WIDE[version]):
            return _networks(address)[1]
    raise ValueError(
        f'{text!r} cannot be banned: write an address or a /24, such as "192.0.2.7" or '
        '"192.0.2.0/24", of IPv6 a /64 or a /48, such as "2001:db8::/64"'
    )
