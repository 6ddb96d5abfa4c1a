"""What the answers say that everybody gets."""

from collections.abc import Iterable

from .. import judge
from ..judge import of_any, of_pages
from ..question import PROXY, Question, call, get, hardened


def rows() -> Iterable[Question]:
    """Ask what the answers to everybody say."""
    pages = (get("/"), get("/login.html"))
    yield Question(
        "scripts",
        "A content security policy that stops injected scripts",
        "medium",
        hardened("headers", '[tool.jamguard.headers] csp = "auto" enforces a policy'),
        pages,
        of_pages(judge.policy),
    )
    yield Question(
        "framing",
        "No other site shows this one in a frame",
        "medium",
        hardened("headers"),
        pages,
        of_pages(judge.framing),
    )
    yield Question(
        "small-headers",
        "The other headers that browsers heed",
        "low",
        hardened("headers"),
        pages,
        of_pages(judge.small_headers),
    )
    yield Question(
        "stored",
        "What is for one user is not kept by browsers and proxies",
        "low",
        hardened("headers"),
        (get("/login.html"), call("load", 1)),
        of_any(judge.stored),
    )
    yield Question(
        "cookies",
        "Cookies that only this site and no script can read",
        "medium",
        hardened("headers", PROXY),
        (call("load", 1), get("/login.html")),
        of_any(judge.cookies),
    )
    yield Question(
        "version",
        "The server does not say how old it is",
        "low",
        "Serve with gunicorn or waitress, not with server.py; in nginx: server_tokens off",
        (get("/"),),
        of_any(judge.version),
    )
    yield Question(
        "rate",
        "A limit to how much one client may ask",
        "medium",
        hardened("rate-limit"),
        (call("load", 1),),
        of_any(judge.no_rate),
    )
