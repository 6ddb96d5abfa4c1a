"""The content security policy of each of Jam.py's pages.

Measured in Chromium on jam.py-v7 7.0.120: the strictest policies with which every flow of
the application and of the builder works without a violation. The application's scripts need
no `eval`, no inline handler and no other origin; its templates carry `style="..."` attributes
that jQuery parses, its icons are `data:` images, and the builder's code editor injects `<style>`.

Source: CSP Level 3 (W3C).
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ..bundle import Bundle
from ..bundle import policy as header
from ..guard import Response
from ..routes import Route
from .content import Content
from .routes import BUILDER, LOGIN, UPLOADED

if TYPE_CHECKING:
    from ..request import Request

#: for what nothing is known about: it cannot break a page
LIGHT: Final = {
    "base-uri": ["'self'"],
    "object-src": ["'self'"],  # a page of its own may show a PDF that way
    "frame-ancestors": ["'self'"],
}

#: for what users upload and reports contain: shown, but no script in it ever runs. Not
#: `sandbox`: browsers refuse that together with Cross-Origin-Opener-Policy (HTML Standard,
#: "create navigation params"), and the application could no longer print a report
CONTAINED: Final = {
    "default-src": ["'none'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'", "data:"],
    "media-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
}
CONTAINED_FILE: Final = Bundle.of([header(CONTAINED)])

#: pictures, sound, film, PDF and plain text hold no code; a drawing (SVG) does, as all XML may
HARMLESS: Final = re.compile(r"(?:image|audio|video)/(?!.*xml)[^;]+|application/pdf|text/plain")
#: media types that a browser runs as a script (WHATWG MIME Sniffing, "JavaScript MIME type")
SCRIPT: Final = re.compile(
    r"(?:application|text)/(?:x-)?(?:java|ecma)script|text/(?:javascript1\.[0-5]|jscript|livescript)"
)

#: what `origins` of the settings may be used for
LOADING: Final = (
    "script-src",
    "style-src",
    "img-src",
    "font-src",
    "connect-src",
    "media-src",
    "frame-src",
    "worker-src",
)

Policy = dict[str, list[str]]


def page_policy(route: Route, content: Content, origins: Iterable[str]) -> Policy:
    """Return the policy of the page at `route`, which may also load from `origins`."""
    own = "'self'"
    policy: Policy = {
        "default-src": ["'none'"],
        "script-src": [own, *content.scripts],
        "style-src": [own, *content.styles],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [own, "data:", "blob:"],
        "font-src": [own, "data:"],
        "connect-src": [own],
        "media-src": [own, "data:", "blob:"],
        "frame-src": [own],
        "worker-src": [own],
        "manifest-src": [own],
        "form-action": [own],
        # jQuery parses HTML in a document of its own with a <base>
        "base-uri": [own],
        "object-src": ["'none'"],
        "frame-ancestors": [own],
    }
    if route is BUILDER:
        policy["worker-src"].append("blob:")  # v5's code editor makes its worker itself
    if content.evaluates:
        policy["script-src"].append("'unsafe-eval'")
    if route is BUILDER or content.styles_itself:
        policy["style-src"] = [own, "'unsafe-inline'"]
        del policy["style-src-attr"]
    for directive, found in content.origins.items():
        policy[directive] = [source for source in policy[directive] if source != "'none'"]
        policy[directive] += sorted(found - {*policy[directive]})
    for directive in LOADING:
        policy[directive] += [origin for origin in origins if origin not in policy[directive]]
    return policy


def contain(route: Route, response: Response) -> None:
    """Keep a file that users have written from running in the site's origin.

    What cannot hold code stays as it is; the rest is shown without its scripts. Reports and
    exports are not kept in caches that do not ask who is logged in.
    """
    kind = (response.get("Content-Type") or "").partition(";")[0].strip().lower()
    if SCRIPT.fullmatch(kind):
        # 'self' of a page's policy would let it run
        response.replace("Content-Type", "text/plain; charset=utf-8")
    elif not HARMLESS.fullmatch(kind):
        CONTAINED_FILE.set_defaults(response)
    if route is not UPLOADED:
        response.remove("Expires")
        response.replace("Cache-Control", "no-store")


def is_jams_page(request: "Request", response: Response) -> bool:
    """Say whether an answer is the page that Jam.py serves there, and not a project's own.

    A project's `on_request` may answer in Jam.py's place. Jam.py's file server sends an
    ETag; its log-in page has none, so there the function's own words have to tell.
    """
    if not response.status.startswith(("2", "304")):
        return False
    task = request.site.project.task if request.site.project else None
    on_request = getattr(task, "on_request", None)
    if on_request is None:
        return True
    if request.route.name != LOGIN.name:
        return "etag" in response.names
    words = getattr(getattr(on_request, "__code__", None), "co_consts", ())
    return not any(isinstance(word, str) and "login" in word for word in words)
