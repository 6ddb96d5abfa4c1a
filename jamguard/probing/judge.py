"""What an answer gives away. A judge says it in words, and `""` where it gives nothing away.

What is said has sizes and types, names of headers, and never a word of what was there.
"""

import json
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from .ask import REFUSED, Answer

Judge = Callable[[Sequence[Answer]], str]

#: how the content of a file begins -> what it is
KINDS: Final = (
    (re.compile(rb"\ASQLite format 3\0"), "an SQLite database"),
    (re.compile(rb"\APK\x03\x04"), "a zip archive or an office document"),
    (re.compile(rb"\A(?:ref: refs/|\[core\])"), "a part of a Git repository"),
    (
        re.compile(rb"(?m)^(?:#!.*python|import \w|from [\w.]+ import|def \w|class \w)"),
        "Python source",
    ),
    (re.compile(rb"(?m)^\w+ *= *\S"), "settings"),
)
#: what Werkzeug's debugger writes into its pages, and a traceback anywhere
DEBUGGER: Final = re.compile(rb"EVALEX|__debugger__|Traceback \(most recent call last\)")
BUILDER: Final = re.compile(rb"Application builder|type=\"password\"", re.IGNORECASE)
NUMBERS: Final = re.compile(r"\d+\.\d+")
HASHED: Final = re.compile(r"'(?:sha\d+|nonce)-|'strict-dynamic'")
#: how Jam.py answers a call by more than is looked at
LONG_RESULT: Final = re.compile(rb'\{"result": \{"status": (\d{1,3}), "data": ')
#: a status of Jam.py's: the call was carried out
CARRIED_OUT: Final = 9
HALF_A_YEAR: Final = 15_552_000


class NotThereError(Exception):
    """There is nothing that a row could ask; the text says what is missing."""


def of_any(got: Callable[[Answer], str]) -> Judge:
    """Say the first thing that was got, and by how many of the ways of asking."""

    def judge(answers: Sequence[Answer]) -> str:
        found = [said for answer in answers if (said := got(answer))]
        if not found:
            return ""
        ways = f" ({len(found)} of {len(answers)} ways of asking)" if len(answers) > 1 else ""
        return found[0] + ways

    return judge


def of_pages(got: Callable[[Answer], str]) -> Judge:
    """Look at the pages alone: a redirect or a refusal has nothing to protect."""
    return of_any(lambda answer: got(answer) if answer.page else "")


def a_file(answer: Answer) -> str:
    """Take what is not a page for a file that was given away."""
    if answer.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT} or not answer.size:
        return ""
    if answer.page or answer.start.lstrip()[:1] == b"<":
        return ""  # many sites answer anything with their start page
    kind = next((kind for sign, kind in KINDS if sign.search(answer.start)), "a file")
    return f"{answer.size:,} bytes: {kind}"


def a_debugger(answer: Answer) -> str:
    """Find Werkzeug's debugger, or a traceback."""
    if answer.status == HTTPStatus.OK and "css" in answer.get("Content-Type"):
        return "the debugger answers its commands"
    if DEBUGGER.search(answer.start):
        return f"{answer.size:,} bytes: the debugger's page, with source code or a console"
    return ""


def call_result(answer: Answer) -> dict[str, Any] | None:
    """Return what Jam.py says of a call; None when it did not answer it."""
    if answer.status != HTTPStatus.OK or answer.get(REFUSED):
        return None
    try:
        said = json.loads(answer.start)
    except (ValueError, RecursionError):
        cut_off = LONG_RESULT.match(answer.start)
        return {"status": int(cut_off[1]), "data": True} if cut_off else None
    result = cast("dict[str, Any]", said).get("result") if isinstance(said, dict) else None
    return cast("dict[str, Any]", result) if isinstance(result, dict) else None


def a_call(answer: Answer) -> str:
    """Notice that a call has reached Jam.py, whatever it said."""
    return "Jam.py reads the call and answers it" if call_result(answer) is not None else ""


def carried_out(answer: Answer) -> str:
    """Notice that a call was carried out for somebody who is not logged in."""
    result = call_result(answer)
    if result is None or result.get("status") != CARRIED_OUT or not result.get("data"):
        return ""
    return f"{answer.size:,} bytes: the call is carried out, and nobody has logged in"


def a_builder(answer: Answer) -> str:
    """Find a page of the Application Builder, or the one to log in to it."""
    if answer.page and BUILDER.search(answer.start):
        return "a page of the builder, or the form where an administrator's password is tried"
    return ""


def an_answer(what: str) -> Callable[[Answer], str]:
    """Take anything but a refusal for a failure; Jam.py v5 has empty pages where nothing is."""

    def got(answer: Answer) -> str:
        refused = answer.status >= HTTPStatus.BAD_REQUEST or _is_nothing(answer)
        return what if answer.status and not refused else ""

    return got


def _is_nothing(answer: Answer) -> bool:
    return answer.status == HTTPStatus.NOT_FOUND or (
        answer.status == HTTPStatus.OK and not answer.size
    )


def taken(answer: Answer) -> str:
    """Notice that a call or a form was read to its end."""
    return a_call(answer) or ("the form was read" if answer.page else "")


def a_crash(answer: Answer) -> str:
    """Notice a failure of the server that a client can cause."""
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "the application fails, with status 500"
    return ""


def odd(answer: Answer) -> str:
    """Notice a method that was served, or that made the application fail."""
    return a_crash(answer) or an_answer("it is answered like GET")(answer)


def guesses(answers: Sequence[Answer]) -> str:
    """See whether the last of many wrong passwords was heard like the first."""
    if all(map(_is_nothing, answers)):
        raise NotThereError("there is no form to log in at /login.html")
    if not answers[-1].page:
        return ""
    return f"{len(answers)} wrong passwords in a row were heard, and none was one too many"


def policy(answer: Answer) -> str:
    """Find what lets an injected script run."""
    written = answer.get("Content-Security-Policy")
    directives = {
        name.lower(): value
        for name, _, value in (part.strip().partition(" ") for part in written.split(";"))
    }
    scripts = directives.get("script-src", directives.get("default-src"))
    if scripts is None and answer.get("Content-Security-Policy-Report-Only"):
        return "the policy is only reported: an injected script would run"
    if scripts is None:
        return "no policy for scripts: an injected one would run"
    if "'unsafe-inline'" in scripts and not HASHED.search(scripts):
        return "the policy allows scripts in the page: an injected one would run"
    return ""


def framing(answer: Answer) -> str:
    """Find out whether any site may show this one inside of a page of its own."""
    if answer.get("X-Frame-Options").upper() in {"DENY", "SAMEORIGIN"}:
        return ""
    if "frame-ancestors" in answer.get("Content-Security-Policy"):
        return ""
    return "any site can show the page in a frame, and lead its users' clicks"


def small_headers(answer: Answer) -> str:
    """Name the headers that are missing."""
    wanted = ("X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy")
    missing = [name for name in wanted if not answer.get(name)]
    return f"missing: {', '.join(missing)}" if missing else ""


def stored(answer: Answer) -> str:
    """Notice an answer to one user that browsers and proxies may keep."""
    kept = not re.search("no-store|private", answer.get("Cache-Control"))
    if answer.status != HTTPStatus.OK or not answer.size or not kept:
        return ""
    return "Cache-Control does not say no-store"


def cookies(answer: Answer) -> str:
    """Find cookies without the attributes that keep them from strangers."""
    wanted = ["httponly", "samesite", *(["secure"] if answer.secure else [])]
    for cookie in answer.all("Set-Cookie"):
        has = {part.partition("=")[0].strip().lower() for part in cookie.split(";")[1:]}
        missing = [name for name in wanted if name not in has]
        if missing:
            return f"a cookie without {', '.join(missing)}"
    return ""


def version(answer: Answer) -> str:
    """Notice a server that says how old it is."""
    for name in ("Server", "X-Powered-By"):
        if NUMBERS.search(answer.get(name)):
            return f"{name}: {answer.get(name)[:60]}"
    return ""


def no_rate(answer: Answer) -> str:
    """Notice that nothing says how much one client may ask."""
    names = {name.lower() for name, _ in answer.headers}
    if answer.status == 0 or names & {"ratelimit", "ratelimit-limit", "x-ratelimit-limit"}:
        return ""
    return "no RateLimit header: one client may ask as much as the server can do"


def certificate(answer: Answer) -> str:
    """Say what browsers find wrong with the certificate."""
    return answer.problem


def no_hsts(answer: Answer) -> str:
    """Notice that browsers may come by http the next time."""
    found = re.search(r"max-age=\"?(\d+)", answer.get("Strict-Transport-Security"))
    if not answer.status or (found and int(found[1]) >= HALF_A_YEAR):
        return ""
    return "Strict-Transport-Security is missing, or for less than half a year"
