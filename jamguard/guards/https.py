"""Send visitors who came over http to https.

Source: RFC 6797 section 7.2 (redirect to a secure resource), RFC 8555 section 8.3 (the
ACME challenge comes over http).
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import attrs

from ..guard import Guard, Mode, Refusal
from ..request import Request
from ..routes import HEALTH, Route

#: what stands for itself in a path (RFC 3986 section 3.3)
PLAIN: Final = "/:@!$&'()*+,;=~"
ACME_CHALLENGE: Final = "/.well-known/acme-challenge/"


@attrs.frozen(kw_only=True, eq=False)
class Https(Guard):
    """Redirect GET and HEAD to https when asked to.

    Off by default: an installation in a LAN may have no https. Health paths and the ACME
    challenge stay on http. Fails open. Other methods pass: what they carry is on the wire
    already, and the page that sent them will be redirected.
    """

    fails = "open"

    mode: Mode = "enforce"
    redirect: bool = False  #: whether to redirect

    def concerns(self, route: Route) -> bool:
        del route
        return self.redirect

    def check(self, request: Request) -> Refusal | None:
        if request.secure or request.method not in {"GET", "HEAD"}:
            return None
        if request.undeclared:
            return None  # a proxy that ends TLS and is not believed would be redirected for ever
        if request.route is HEALTH or request.path.startswith(ACME_CHALLENGE):
            return None
        if not request.host:
            return None  # HTTP/1.0 without a Host: there is nowhere to send it
        path = quote(f"{request.mount}{request.path}".encode("latin-1"), safe=PLAIN)
        # quoted as it came; but uWSGI passes line ends on, which would start a header
        query = quote(
            request.environ.get("QUERY_STRING", "").encode("latin-1"), safe=PLAIN + "%?[]"
        )
        location = f"https://{request.host}{path or '/'}" + (f"?{query}" if query else "")
        return Refusal(
            status=HTTPStatus.PERMANENT_REDIRECT, reason="http", headers=(("Location", location),)
        )
