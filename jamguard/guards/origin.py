"""Refuse what a page of another site makes a browser send.

A browser adds the user's cookies, and reaches what its network reaches, whoever wrote the
page that asks it to. But it says where a request was born, and no page can change that: in
`Sec-Fetch-Site`, and where that is missing (plain http to anything but localhost, browsers
from before 2023) in `Origin`.

Source: Go's `net/http.CrossOriginProtection`; W3C Fetch Metadata; RFC 6454 section 7
(Origin); CWE-352 (CSRF), CWE-1385 (missing origin validation in WebSockets).
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs

from ..address import parse_address
from ..guard import Guard, Mode, Refusal
from ..jampy.calls import Taken
from ..jampy.routes import API, EXT, LOGOUT
from ..request import LOOPBACK_HOSTS, Request
from ..routes import HEALTH, OTHER, Route

#: methods that change nothing, but for Jam.py's `/logout`
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: values of Sec-Fetch-Site: a page of this very origin, or the user with no page at all
OURS: Final = frozenset({"same-origin", "none"})
#: where the project's own code answers, to machines too
PROJECTS_OWN: Final = (EXT, OTHER, HEALTH)
#: a cookie; what a server has found out by a certificate or Kerberos
AMBIENT: Final = frozenset({"HTTP_COOKIE", "REMOTE_USER"})
#: scheme, name and port of an origin, in lower case
ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII
)
#: ports that a browser leaves out
DEFAULT: Final = {"http": ":80", "https": ":443"}
LONGEST: Final = 100  #: characters of an origin in the log

ELSEWHERE: Final = Refusal(
    status=HTTPStatus.FORBIDDEN, reason="other-origin", sentence="other-origin"
)


def _origins(_: object, __: object, origins: tuple[str, ...]) -> None:
    for origin in origins:
        if not ORIGIN.fullmatch(origin.lower()):
            raise ValueError(
                f"has {origin!r}: write scheme, name and port and nothing behind, such as "
                '"https://www.example.com" or "http://192.0.2.7:8080"'
            )


def _paths(_: object, __: object, paths: tuple[str, ...]) -> None:
    for path in paths:
        if not path.startswith("/"):
            raise ValueError(f'has {path!r}: write a path, such as "/ext/payments"')


def _exact(guard: "Origin") -> frozenset[str]:
    return frozenset(map(_without_default_port, guard.trusted))


def _below(guard: "Origin") -> tuple[str, ...]:
    return tuple(path.rstrip("/") + "/" for path in guard.insecure_bypass)


@attrs.frozen(kw_only=True, eq=False)
class Origin(Guard):
    """Refuse requests that change something and were born on a page of another origin (403).

    Programs that are no browser send neither header and pass. So does what comes to the
    project's own places, `/ext` among them, without cookies: it has no rights but those that
    everybody has. Relies on `proxy` for the scheme and for whether a proxy hides the Host.
    Fails closed. A Host that DNS rebinding chose is the business of `host`.
    """

    mode: Mode = "enforce"
    #: origins whose pages may send anything, such as `"https://shop.example.com"`
    trusted: tuple[str, ...] = attrs.field(default=(), validator=_origins)
    #: paths where nobody looks, with all that is below them
    insecure_bypass: tuple[str, ...] = attrs.field(default=(), validator=_paths)

    _exact: frozenset[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_exact, takes_self=True)
    )
    _below: tuple[str, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_below, takes_self=True)
    )

    def concerns(self, route: Route) -> bool:
        return route.name != "file"

    def check(self, request: Request) -> Refusal | None:
        refusal = self._judge(request)
        if (
            refusal
            and request.route in PROJECTS_OWN
            and request.site.project
            and not _has_rights(request.environ)
        ):
            return None  # unless a middleware leads it to Jam.py's own places: see `taken`
        return refusal

    def taken(self, request: Request, taken: Taken) -> Refusal | None:
        del taken
        return self._judge(request) if request.route in PROJECTS_OWN else None

    def _judge(self, request: Request) -> Refusal | None:
        environ = request.environ
        websocket = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        safe = request.method in SAFE and not websocket
        if safe and request.route is not LOGOUT:
            return None
        site = environ.get("HTTP_SEC_FETCH_SITE")
        if site in OURS:
            return None
        origin = environ.get("HTTP_ORIGIN", "").lower()
        if safe and not origin and not site:
            origin = _origin_of(environ.get("HTTP_REFERER", ""))
        if not site and (not origin or self._may_be_own(request, origin)):
            return None
        if site and safe and _is_clicked(environ):
            return None  # a link on another site: the user sees where it leads
        if _without_default_port(origin) in self._exact:
            return None
        if self._below and f"{request.path}/".startswith(self._below):
            return None
        return attrs.evolve(ELSEWHERE, detail=_detail(request, site, origin))

    def _may_be_own(self, request: Request, origin: str) -> bool:
        """Say, without fetch metadata, whether `origin` is this site or cannot be told from it."""
        match = ORIGIN.fullmatch(origin)
        if not match or match[1] not in DEFAULT or (request.secure and match[1] == "http"):
            return False  # `null`, two of them, no page of the web, a page that came by http
        host = request.environ.get("HTTP_HOST", "").lower()
        if match[2] + (match[3] or "") == host.removesuffix(DEFAULT[match[1]]):
            return True
        if not _is_renamed(request, host, match[2]):
            return False
        request.site.notice("JG017")
        return request.route is not API or _is_from_script(request.environ)


def _is_renamed(request: Request, host: str, name: str) -> bool:
    """Say whether `host` may be a proxy's word for this server and not the browser's.

    nginx puts the address in `proxy_pass` there, Docker's name of a container (`app:8000`) or
    that of an `upstream`, unless told otherwise; told `$host`, it leaves out the port. What a
    proxy calls by address and port is what this server listens on.
    """
    if not (request.undeclared or request.peer_trusted):
        return False
    if host == name or request.host in LOOPBACK_HOSTS:
        return True
    address = parse_address(request.host)
    if address is None:
        return "." not in request.host
    port = host[len(request.host) + 1 :] or "80"
    return address.private and port == request.environ["SERVER_PORT"]


def _origin_of(referer: str) -> str:
    """Return the origin of the page that a link or a picture was on, where it is told."""
    match = ORIGIN.match(referer.lower())
    return match[0] if match else ""


def _is_from_script(environ: Mapping[str, Any]) -> bool:
    """Say whether this is a call of Jam.py's client, or else of a page with the site's leave.

    A page of another origin cannot send either without asking first (CORS preflight), and
    Jam.py answers no such question.
    """
    kind: str = environ.get("CONTENT_TYPE", "").lower()
    return kind.startswith("application/json") or "HTTP_X_REQUESTED_WITH" in environ


def _is_clicked(environ: Mapping[str, Any]) -> bool:
    """Say whether the user went here by a click, to see the page: no picture, frame or script."""
    return (
        environ.get("HTTP_SEC_FETCH_USER") == "?1"
        and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and environ.get("HTTP_SEC_FETCH_DEST") == "document"
    )


def _has_rights(environ: Mapping[str, Any]) -> bool:
    """Say whether the browser, unasked, may have added what proves who its user is."""
    if not AMBIENT.isdisjoint(environ):
        return True
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    # a token is what a page has to add itself
    return bool(authorization) and not authorization.lower().startswith("bearer ")


def _without_default_port(origin: str) -> str:
    """Write an origin as browsers do: in lower case, without the port of its scheme."""
    origin = origin.lower()
    return origin.removesuffix(DEFAULT.get(origin.partition("://")[0], ""))


def _detail(request: Request, site: str | None, origin: str) -> str:
    """Say where it came from, and what to write where that is not another's site after all."""
    origin = origin[:LONGEST]
    detail = f"from {origin or 'another site'}"
    if not site:
        host = request.environ.get("HTTP_HOST", "")[:LONGEST]
        detail += (
            f", while Host is {host}; if a proxy changes it: "
            "proxy_set_header Host $http_host; (Apache: ProxyPreserveHost On)"
        )
    if ORIGIN.fullmatch(origin):
        detail += f'; if that is yours: [tool.jamguard.origin] trusted = ["{origin}"]'
    return detail
