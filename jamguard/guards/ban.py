"""Stop answering those who look for a way in.

What a probe asks for is refused anyway, by the guard that it has come to. But whoever has
tried twenty doors will try more, and one of them may be new. So what only an attacker comes
to is counted (`Refusal.probe`), and whoever collects too many refusals of that kind is
refused everywhere, for a while, and longer each time.

Source: fail2ban, rack-attack's Fail2Ban; OWASP AppSensor (detection points, responses).
"""

import re
from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Final

import attrs

from ..address import Address, IPNetwork, contains
from ..bans import begin, count, networks_of
from ..cache import Bounded
from ..guard import Guard, Mode, Refusal, Response, reports
from ..request import Request
from ..routes import HEALTH, Route
from ..site import Site
from ..stores import Mark
from ..values import SPANS, Duration, Rate

#: seconds between two lines in the log about one network that is banned
TOLD: Final = 60
#: values of Sec-Fetch-Site: a page of another site made a visitor's browser ask
ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
#: the host in Origin or Referer
HOST: Final = re.compile(r"https?://(\[[^\]/]*\]|[^/:?#\[]+)", re.IGNORECASE)


def ends(_: object, __: object, seconds: int) -> None:
    """Validate how long a ban lasts."""
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
    for_: Duration = attrs.field(default=Duration(3600), validator=ends)
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
        networks = self._networks.get(client)
        if networks is None:
            networks = self._networks.put(client, networks_of(client))
        now = monotonic()
        for network in networks:
            mark = request.site.store.marks.get("banned", network, now)
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
        if _from_elsewhere(request):
            return
        network, store, now = request.client.key, request.site.store, monotonic()
        if not count(store, network, self.after, now):
            return
        spared = self._spared(request) or ('mode = "report"' if reports(self) else "")
        if spared:
            mark = Mark(network, self.for_, 1, refusal.reason)
        else:
            known = store.marks.get("banned", network, now)
            if known is not None and known.left:
                return  # it was banned while this request was on its way
            mark = begin(store, network, now, self.for_, refusal.reason, grow=True)
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


def _from_elsewhere(request: Request) -> bool:
    """Say whether a page of another site made a visitor's browser ask.

    Whoever writes these headers by hand is not banned, and gets nothing else by it.
    """
    environ = request.environ
    fetched = environ.get("HTTP_SEC_FETCH_SITE")
    if fetched:
        return fetched in ELSEWHERE
    said = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER") or ""
    found = HOST.match(said)
    return found is not None and found[1].lower() != request.host
