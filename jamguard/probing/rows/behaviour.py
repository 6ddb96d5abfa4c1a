"""What is too much, odd, or from elsewhere."""

from collections.abc import Iterable
from typing import Final

from .. import judge
from ..ask import Ask, Headers
from ..judge import of_any, of_pages
from ..question import FORM, JSON, NOBODY, TEXT, Question, call, call_body, get, hardened

EVIL: Final = "evil.example.com"
MEGABYTE: Final = 1024 * 1024
OWN: Final = "Sites of your own that may do it: [tool.jamguard.origin] trusted"

#: how a page of another site makes a browser ask
FROM_ELSEWHERE: Final[tuple[Headers, ...]] = (
    (("Origin", f"https://{EVIL}"), ("Sec-Fetch-Site", "cross-site")),
    (("Origin", f"https://{EVIL}"), ("Sec-Fetch-Site", "same-site")),
    (("Origin", f"https://{EVIL}"),),
    (("Origin", "null"),),
)


def rows() -> Iterable[Question]:
    """Ask what is too much, odd or broken."""
    yield Question(
        "foreign-host",
        "No answer under a name that is not the site's",
        "medium",
        'Name the site: [tool.jamguard.host] allowed = ["www.example.com"]',
        tuple(
            get(path, ("Host", host))
            for path in ("/", "/login.html")
            for host in (EVIL, f"{EVIL}:8000")
        ),
        of_any(judge.an_answer("pages under any name, for DNS rebinding and forged links")),
    )
    yield Question(
        "cross-site-call",
        "No call from a page of another site",
        "high",
        hardened("origin", OWN),
        tuple(call("load", 1, *said, TEXT) for said in FROM_ELSEWHERE),
        of_any(judge.a_call),
    )
    yield Question(
        "cross-site-login",
        "No login by a form of another site",
        "medium",
        hardened("origin", OWN),
        tuple(Ask("POST", "/login.html", (*said, FORM), NOBODY) for said in FROM_ELSEWHERE),
        of_pages(lambda _: "any page can log its visitors in, as somebody else"),
    )
    yield Question(
        "oversize",
        "No call of 12 MB, no login of 20 kB",
        "medium",
        hardened("request-size"),
        (
            Ask("POST", "/api", (JSON,), call_body("load", 1) + b" " * (12 * MEGABYTE)),
            Ask("POST", "/login.html", (FORM,), NOBODY + b"&x=" + b"x" * 20_000),
        ),
        of_any(judge.taken),
    )
    yield Question(
        "long-head",
        "No address of 9 kB, no headers of 40 kB",
        "low",
        hardened("request-size"),
        (
            get(f"/?x={'x' * 9000}"),
            get("/", *((f"X-Probe-{number}", "x" * 8000) for number in range(5))),
        ),
        of_any(judge.an_answer("it is read and answered")),
    )
    yield Question(
        "odd-methods",
        "No method that nothing here answers",
        "low",
        hardened("path"),
        (
            Ask("TRACE", "/"),
            Ask("TRACK", "/"),
            Ask("PUT", "/login.html", (), b""),
            Ask("PROPFIND", "/"),
            Ask("DELETE", "/api"),
            Ask("GET", "/api"),
            Ask("PATCH", "/upload", (), b""),
        ),
        of_any(judge.odd),
    )
    yield Question(
        "crashes",
        "Nothing that a stranger sends makes it fail",
        "medium",
        hardened("errors"),
        (
            get("/jamguard-probe"),
            get("/static/jamguard-probe.png"),
            *(
                Ask("POST", "/api", (JSON,), body)
                for body in (b"", b"x", b"[]", b"{}", b"[1,2,3,4,5,6]", b"[" * 6000, b"\xff")
            ),
            Ask("POST", "/upload", (FORM,), b"x=1"),
        ),
        of_any(judge.a_crash),
    )
