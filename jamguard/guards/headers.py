"""Put security headers on every answer, and a content security policy made for Jam.py.

Against injected scripts, framing, guessed types, leaked referrers, and cookies over http.
What the application set itself stays, unless a setting for that path says otherwise.

Source: OWASP Secure Headers Project, CSP Level 3, RFC 6797 (HSTS), RFC 6265bis (cookies).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from ..bundle import (
    WORDS,
    Bundle,
    Header,
    are_headers,
    are_origins,
    is_policy,
    policy,
    standard,
)
from ..cache import Bounded
from ..guard import Guard, Response
from ..jampy.content import Content
from ..jampy.policy import LIGHT, Policy, contain, is_jams_page, page_policy
from ..jampy.routes import API, FILE, LOGIN, PAGE, WRITTEN_BY_USERS
from ..request import Request
from ..routes import OTHER, Route
from ..site import Site
from ..values import Duration

#: an address, or a name that no certificate is for
UNNAMED: Final = re.compile(r"|(.*\.)?localhost|\[.*|[\d.]+")
SET_COOKIE: Final = "set-cookie"
#: part of the names of Jam.py's session cookies
SESSION_COOKIE: Final = "_session"
WRITTEN: Final = {"secure": "; Secure", "httponly": "; HttpOnly", "samesite": "; SameSite=Lax"}
UPGRADE: Final[Policy] = {"upgrade-insecure-requests": []}
MOST_REASONS: Final = 5


#: how a request came: what goes out only over https, and what only for a name
HTTP, HTTPS, HTTPS_NAMED = range(3)


@attrs.frozen(kw_only=True, eq=False)
class Headers(Guard):
    """Set security headers where the application did not, and mend its cookies.

    `Strict-Transport-Security`, `upgrade-insecure-requests`, `Cross-Origin-Opener-Policy`
    and the cookies' `Secure` go out only over https that can be believed, so a site on
    plain http works. Fails open: a page without these headers is better than none. Does
    not rewrite pages, and does not remove what the server itself adds (`Server`).
    """

    fails = "open"

    #: the policy of Jam.py's pages: `auto` works it out, and enforces it unless the project's
    #: own files use what a policy cannot express; `report` never enforces; `off` sends none;
    #: or a policy, for the application's pages and for whatever is not Jam.py's
    csp: str = attrs.field(default="auto", validator=is_policy)
    #: for how long browsers come by https only; "0s" makes them forget
    hsts: Duration = Duration(31536000)
    #: what pages may load from beside the site itself: "https://cdn.example.com"
    origins: tuple[str, ...] = attrs.field(default=(), validator=are_origins)
    #: path -> header -> value, which replaces what there is; an empty value removes it. A
    #: path that ends with "/" is all below it, and the longest one has the last word
    paths: Mapping[str, Mapping[str, str]] = attrs.field(
        factory=dict[str, Mapping[str, str]], validator=are_headers
    )

    #: Host -> whether a certificate can be for it
    _named: Bounded[str | None, bool] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded(256)
    )
    #: by how a request came
    _bundles: tuple[dict[Route, Bundle], ...] = attrs.field(
        init=False, repr=False, factory=lambda: ({}, {}, {})
    )
    _pages: Bounded[tuple[Content, int], Bundle] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded(32)
    )
    _missing: Bounded[tuple[str, bool, bool], str] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded(256)
    )

    def start(self, site: Site) -> None:
        if site.project and self.csp == "auto":
            for route in (PAGE, LOGIN):
                self._page(site, route, site.project.pages.content(route), HTTP)

    def finish(self, request: Request, response: Response) -> None:
        route = request.route
        came = HTTPS + self._is_named(request) if request.secure else HTTP
        names = response.names
        if SET_COOKIE in names:
            self._mend_cookies(request, response)
        if "x-powered-by" in names:
            response.remove("X-Powered-By")
        if route in WRITTEN_BY_USERS:
            contain(route, response)
        bundle = self._bundles[came].get(route) or self._bundle(route, came)
        if route.page and (project := request.site.project) and is_jams_page(request, response):
            content = project.pages.content(route)
            bundle = self._pages.get((content, came)) or self._page(
                request.site, route, content, came
            )
        bundle.set_defaults(response)
        if route is FILE and response.get("Content-Length") == "0":
            # v5 answers so for a script that there is not, as a text: browsers complain
            response.remove("X-Content-Type-Options")
        if self.paths:
            self._override(request.path, response)

    def _bundle(self, route: Route, came: int) -> Bundle:
        """Make the headers of what is not one of Jam.py's pages."""
        headers = self._standard(route, came)
        if self.csp not in WORDS and (route is OTHER or (route.page and not route.builder)):
            headers.append(policy(self.csp))
        elif self.csp != "off":
            headers.append(policy(LIGHT))
        bundle = self._bundles[came][route] = Bundle.of(headers)
        return bundle

    def _page(self, site: Site, route: Route, content: Content, came: int) -> Bundle:
        """Make the headers of one of Jam.py's pages."""
        headers = self._standard(route, came)
        made = page_policy(route, content, self.origins)
        reasons = content.objections(self.origins) if self.csp == "auto" else []
        if reasons:
            site.notice("JG006", reasons=_listed(reasons))
        if self.csp not in WORDS and not route.builder:
            headers.append(policy(self.csp))
        elif reasons or self.csp == "report":
            headers += [policy(LIGHT), policy(made, report_only=True)]
        elif self.csp != "off":
            headers.append(policy(made if came == HTTP else made | UPGRADE))
        return self._pages.put((content, came), Bundle.of(headers))

    def _standard(self, route: Route, came: int) -> list[Header]:
        """Make the headers that do not depend on what a page contains."""
        hsts = int(self.hsts) if came == HTTPS_NAMED else None
        return standard(secure=came != HTTP, stored=not _private(route), hsts=hsts)

    def _is_named(self, request: Request) -> bool:
        host = request.environ.get("HTTP_HOST")
        named = self._named.get(host)
        if named is None:
            named = self._named.put(host, not UNNAMED.fullmatch(request.host))
        return named

    def _mend_cookies(self, request: Request, response: Response) -> None:
        jams = request.site.project is not None
        for number, (name, value) in enumerate(response.headers):
            if len(name) == len(SET_COOKIE) and name.lower() == SET_COOKIE:
                pair, semicolon, attributes = value.partition(";")
                session = jams and SESSION_COOKIE in pair.partition("=")[0]
                key = (semicolon + attributes, request.secure, session)
                missing = self._missing.get(key)
                if missing is None:
                    missing = self._missing.put(key, _missing(*key))
                if missing:
                    response.headers[number] = (name, value + missing)

    def _override(self, path: str, response: Response) -> None:
        for prefix in sorted(self.paths, key=len):
            if path == prefix or (prefix.endswith("/") and path.startswith(prefix)):
                for name, value in self.paths[prefix].items():
                    response.remove(name)
                    if value:
                        response.add(name, value)


def _private(route: Route) -> bool:
    """Say whether answers are one person's, or have a password in them."""
    return route is API or route.name == LOGIN.name


def _missing(attributes: str, secure: bool, session: bool) -> str:
    """Return the attributes that a cookie should have and has not."""
    names = {part.partition("=")[0].strip().lower() for part in attributes.split(";")}
    wanted = {"secure": secure, "httponly": session, "samesite": True}
    return "".join(WRITTEN[name] for name, needed in wanted.items() if needed and name not in names)


def _listed(reasons: Sequence[str]) -> str:
    """Name the first few reasons: more do not fit into a line of a log."""
    more = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
