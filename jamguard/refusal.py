"""Write a refusal: as Jam.py's envelope, as problem+json, as a page, or as nothing.

Jam.py's client replaces the whole page with the body of any answer that is not 2xx, so
what an ordinary user may meet on `/api` and `/upload` is answered with status 200 and the
envelope that the client shows as a message, keeping the user's form. An attack there gets
the real status and an empty body.

Source: RFC 9457 (problem details), RFC 9110 section 9.3.2 (HEAD).
"""

import base64
import hashlib
import html
import json
import re
from typing import TYPE_CHECKING, Final

from .guard import Headers, Refusal

if TYPE_CHECKING:
    from .request import Request

#: what strangers read; `[tool.jamguard.sentences]` overrides them in the operator's language
SENTENCES: Final = {
    "lang": "en",
    "refused": "This request was refused.",
    "bad-request": "The server could not understand this request.",
    "not-found": "There is nothing at this address.",
    "method": "This address does not answer requests of this kind.",
    "host": "This site is not served under that name.",
    "too-large": "That is more than this site accepts at once.",
    "too-many": "Too many requests in a short time.",
    "locked": "Too many attempts to log in.",
    "busy": "Too many people are logging in at this moment.",
    "crowded": "Too many requests are under way.",
    "slow": "The request came too slowly.",
    "stuck": "The server is busy with requests that take too long.",
    "overdue": (
        "The server needs longer than usual for this. "
        "It may still be done: look whether it is before you repeat it."
    ),
    "banned": (
        "Requests from your network are not answered at the moment. "
        "Some of them looked like attacks on this site."
    ),
    "failed": "Something went wrong on the server. It has been recorded.",
    "not-logged-in": "Please log in first.",
    "builder": (
        "The Application Builder is not open from here. "
        "It answers on the server's own computer, and where its operator allows it."
    ),
    "other-origin": (
        "This came from a page of another site, so it was not done. "
        "To do it, go to this site's own page first."
    ),
    "out-of-date": (
        "This page is older than the application, which has changed. Please load the page again."
    ),
    "development": (
        "This is Jam.py's development server, and it answers only on its own computer. "
        "To serve a network, start the application with: "
        "gunicorn --bind 0.0.0.0:8000 wsgi:application"
    ),
    "debugger": (
        "A debugger is switched on in this application, so it does not answer. "
        "Switch the debugger off and start it again."
    ),
    "wait": "Please try again in {wait}.",
    "second": "1 second",
    "seconds": "{n} seconds",
    "minutes": "{n} minutes",
    "number": "Request number",
    "back": "Back to the start page",
}

STYLE: Final = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f4f6f8;color:#1c2733;
font:1.0625rem/1.6 system-ui,sans-serif}
main{box-sizing:border-box;width:min(34rem,100% - 2rem);margin:1rem;padding:2rem;background:#fff;
border:1px solid #d5dce3;border-radius:.75rem}
h1{margin:0 0 1rem;font-size:1.375rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:0 0 1rem;overflow-wrap:anywhere}
p:last-child{margin:0}
small{color:#51606f}
a{color:#0b57a4;display:inline-block;padding:.5rem 0}
@media (prefers-color-scheme:dark){body{background:#12181f;color:#e7ecf1}
main{background:#1b232c;border-color:#35414d}small{color:#a9b6c3}a{color:#8cc0ff}}
"""

PAGE: Final = """<!DOCTYPE html>
<html lang="{lang}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>{status}</title><style>{style}</style></head>
<body><main><h1>{title}</h1>{text}<p><a href="{back_to}">{back}</a></p>
<p><small>{number} {id}</small></p></main></body>
</html>
"""

#: a status of Jam.py's (`jam/common.py`)
PROJECT_ERROR: Final = 4

#: the page's own policy: nothing but its own style
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

MOUNT = re.compile(r"(/[\w.~-]+)+", re.ASCII)


def render(refusal: Refusal, request: "Request", guard: str) -> tuple[str, Headers, list[bytes]]:
    """Return status line, headers and body of a refusal by `guard`."""
    status = f"{int(refusal.status)} {refusal.status.phrase}"
    headers: Headers = [
        ("Cache-Control", "no-store"),
        ("X-Request-ID", request.id),
        ("Jamguard-Refused", guard),
        *refusal.headers,
    ]
    if refusal.retry_after is not None:
        headers.append(("Retry-After", str(refusal.retry_after)))
    kind, body = _body(refusal, request)
    if kind == "application/json":
        status = "200 OK"
    if kind:
        headers.append(("Content-Type", kind))
    if kind == HTML:
        headers.append(("Content-Security-Policy", PAGE_POLICY))
    headers.append(("Content-Length", str(len(body))))
    return status, headers, [] if request.method == "HEAD" else [body]


HTML: Final = "text/html; charset=utf-8"


def _body(refusal: Refusal, request: "Request") -> tuple[str, bytes]:
    """Return media type and content in the form that this client can use."""
    if 300 <= refusal.status < 400:  # noqa: PLR2004 - a redirect speaks by its Location
        return "", b""
    accepts = request.environ.get("HTTP_ACCEPT", "")
    if "application/problem+json" in accepts:
        return "application/problem+json", _problem(refusal, request)
    form = refusal.form or request.route.form
    if form == "notice":
        return "application/json", _notice(refusal, request)
    if form == "envelope":
        if refusal.courtesy:
            return "application/json", _envelope(refusal, request)
        return "", b""
    if form == "problem" or ("application/json" in accepts and "text/html" not in accepts):
        return "application/problem+json", _problem(refusal, request)
    return HTML, _page(refusal, request)


def sentence(request: "Request", key: str) -> str:
    """Return what strangers read under `key`, in the operator's words if there are any."""
    return request.site.settings.sentences.get(key) or SENTENCES[key]


def wait(request: "Request", seconds: int) -> str:
    """Say in words how long to wait."""
    if seconds < 120:  # noqa: PLR2004 - two minutes: from there on minutes are precise enough
        span = "second" if seconds == 1 else "seconds"
        amount = sentence(request, span).format(n=seconds)
    else:
        amount = sentence(request, "minutes").format(n=-(-seconds // 60))
    return sentence(request, "wait").format(wait=amount)


def _message(refusal: Refusal, request: "Request") -> str:
    message = sentence(request, refusal.sentence)
    if refusal.retry_after is not None:
        message += " " + wait(request, refusal.retry_after)
    return message


def _envelope(refusal: Refusal, request: "Request") -> bytes:
    message = f"{_message(refusal, request)} ({sentence(request, 'number')} {request.id})"
    return json.dumps({"result": {"data": [None, message]}, "error": message}).encode()


def _notice(refusal: Refusal, request: "Request") -> bytes:
    """Say it as v5 says that a project cannot be loaded: its client writes that as markup."""
    message = html.escape(
        f"{_message(refusal, request)} ({sentence(request, 'number')} {request.id})"
    )
    title, _, text = message.partition(". ")
    said = {"error": title, "project_error": text}
    return json.dumps({"result": {"status": PROJECT_ERROR, "data": said}, "error": None}).encode()


def _problem(refusal: Refusal, request: "Request") -> bytes:
    return json.dumps(
        {
            "type": "about:blank",
            "title": refusal.status.phrase,
            "status": int(refusal.status),
            "detail": _message(refusal, request),
            "instance": f"urn:request:{request.id}",
        }
    ).encode()


def _page(refusal: Refusal, request: "Request") -> bytes:
    title, *more = _message(refusal, request).split(". ", 1)
    return PAGE.format(
        lang=html.escape(sentence(request, "lang")),
        status=f"{int(refusal.status)} {refusal.status.phrase}",
        style=STYLE,
        title=html.escape(title),
        text="".join(f"<p>{html.escape(text)}</p>" for text in more),
        back_to=(request.mount if MOUNT.fullmatch(request.mount) else "") + "/",
        back=html.escape(sentence(request, "back")),
        number=html.escape(sentence(request, "number")),
        id=request.id,
    ).encode()
