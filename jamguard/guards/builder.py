"""Keep the Application Builder to those who may build, and to where they may do so.

Jam.py's builder runs any SQL and writes any file, and it lives in the same process as the
application: on its own pages, on `/api` with task 0 and on `/upload` with task 0. A new
project has no login at all until its safe mode is on; with it, Jam.py asks whether somebody
is logged in, but not whether it is an administrator.

Source: CWE-749 (exposed dangerous function), CWE-1327 (binding to an unrestricted address).
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import attrs

from ..address import Address, IPNetwork, contains
from ..cache import Bounded
from ..guard import Guard, Mode, Refusal
from ..jampy.calls import Taken
from ..jampy.routes import API, BUILDER_LOGIN, UPLOAD
from ..request import Request
from ..routes import HEALTH, OTHER, Route
from ..values import parse_network

#: where Jam.py itself says whether a request is the builder's: by what is in a call or a
#: form, and where a middleware behind the shield has led a path that is not Jam.py's own
WATCHED: Final = (API, UPLOAD, OTHER, HEALTH)

LOOPBACK: Final = (parse_network("127.0.0.0/8"), parse_network("::1"))

NOT_HERE: Final = Refusal(status=HTTPStatus.FORBIDDEN, reason="builder", sentence="builder")
NOT_AN_ADMINISTRATOR: Final = Refusal(status=HTTPStatus.FORBIDDEN, reason="not-an-administrator")


@attrs.frozen(kw_only=True, eq=False)
class Builder(Guard):
    """Refuse the Application Builder to everybody outside of `allow`, and to mere users.

    A loopback address counts only for a browser on this very machine (`Request.local`): a
    reverse proxy makes the whole internet come from there. Behind an undeclared proxy
    nobody is in `allow`, since its clients cannot be told apart. With safe mode on, a
    session in the builder must be an administrator's; without one Jam.py shows its login.
    Fails closed.
    """

    mode: Mode = "enforce"
    #: networks that may build; the default is this computer
    allow: tuple[IPNetwork, ...] = LOOPBACK

    #: client -> whether it lies in `allow`
    _allowed: Bounded[Address, bool] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded[Address, bool](4096)
    )

    def concerns(self, route: Route) -> bool:
        return route.builder or route in WATCHED

    def check(self, request: Request) -> Refusal | None:
        if not request.route.builder:
            return None  # Jam.py says whether it is: see `taken`
        if not self._may_build(request):
            # a page asked for in a browser is no attack; a form that nobody was given is
            return self._refusal(request, probe=request.method == "POST")
        # whoever logs in gets a session of their own
        return None if request.route is BUILDER_LOGIN else _not_an_administrator(request)

    def taken(self, request: Request, taken: Taken) -> Refusal | None:
        if request.route.builder or not taken.builder:
            return None
        if not self._may_build(request):
            return self._refusal(
                request, probe=taken.place != "builder" and not _is_of_an_open_page(request)
            )
        # of a page below another path it is not said which one it is, and it has no secrets
        return None if taken.place == "builder" else _not_an_administrator(request)

    def _may_build(self, request: Request) -> bool:
        client = request.client
        allowed = self._allowed.get(client)
        if allowed is None:
            allowed = self._allowed.put(client, contains(self.allow, client))
        if not allowed:
            return False
        if client.loopback:
            # what browsers send, to the letter: a proxy that shows no other sign takes it away
            # or writes its own (nginx `upgrade`, Apache `Keep-Alive`)
            return request.local and request.environ.get("HTTP_CONNECTION") == "keep-alive"
        return not request.undeclared

    def _refusal(self, request: Request, *, probe: bool) -> Refusal:
        name = request.client.text
        # an administrator who has come to another network
        probe = probe and request.builder_session is None
        if not name or request.undeclared or request.client.loopback:
            return attrs.evolve(NOT_HERE, detail="not known to be on this computer", probe=probe)
        allow = ", ".join(f'"{network}"' for network in (*self.allow, name))
        detail = f"[tool.jamguard.builder] allow = [{allow}]"
        return attrs.evolve(NOT_HERE, detail=detail, probe=probe)


def _is_of_an_open_page(request: Request) -> bool:
    """Say whether a page of the builder sends this: in a tab that was there before `allow`."""
    referer: str = request.environ.get("HTTP_REFERER", "")
    try:
        path = urlsplit(referer).path
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return request.site.route(path.removeprefix(request.mount)).builder


def _not_an_administrator(request: Request) -> Refusal | None:
    project, session = request.site.project, request.builder_session
    if session is None or session.admin or project is None or not project.safe_mode:
        return None
    return NOT_AN_ADMINISTRATOR
