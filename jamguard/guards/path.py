"""Let through only paths and methods that mean one thing to everybody.

Jam.py joins what follows `/jam` to a folder, so `/jam/../admin.sqlite` hands out the
project's users, and servers differ in what they resolve before. A path that leaves room
for a second reading is refused; what is decided on is what Jam.py will see.

Source: CWE-22 (path traversal), RFC 3986 section 5.2.4 (dot segments), RFC 9112 section
3.2 (request target), RFC 9110 section 9.1 (methods).
"""

import re
from http import HTTPStatus
from typing import Final

import attrs

from ..guard import Guard, Mode, Refusal
from ..jampy.failures import wrong_method
from ..request import Request

#: methods that are for proxies and for debugging: no application answers them
NEVER: Final = frozenset({"TRACE", "TRACK", "CONNECT"})
METHOD: Final = re.compile(r"[A-Z][A-Z_-]{0,31}", re.ASCII)
#: control characters, and the backslash, which is a slash on Windows
FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]")
#: a segment of dots and blanks alone: `.`, `..`, and what Windows takes for them, also
#: with the name of an NTFS stream after it; possessive, so that it is linear
DOT_SEGMENT: Final = re.compile(r"(?:^|/) *+\.[. ]*+(?:[/:]|$)")
#: what gunicorn takes the mount from when a peer on this machine sends it as a header: for
#: a declared proxy to say, not for whoever gets it past one that forwards everything
PATH_HEADERS: Final = ("HTTP_SCRIPT_NAME", "HTTP_PATH_INFO")


def _refusal(reason: str) -> Refusal:
    return Refusal(status=HTTPStatus.BAD_REQUEST, reason=reason, sentence="bad-request")


NOT_A_METHOD: Final = _refusal("malformed-method")
NOT_A_PATH: Final = _refusal("malformed-path")
DOTS: Final = _refusal("dot-segment")
CHARACTERS: Final = _refusal("forbidden-character")
SPOOFED: Final = _refusal("path-in-a-header")
NOT_IMPLEMENTED: Final = Refusal(
    status=HTTPStatus.NOT_IMPLEMENTED, reason="method-not-implemented", sentence="method"
)


@attrs.frozen(kw_only=True, eq=False)
class Path(Guard):
    """Refuse malformed paths (400) and methods that the application does not answer (405, 501).

    Decides on the path as the server decoded it, once, like Jam.py. A first segment that is
    not Jam.py's keeps all its methods. Fails closed.
    """

    mode: Mode = "enforce"

    def check(self, request: Request) -> Refusal | None:
        path = request.path
        if path and not path.startswith("/"):
            return NOT_A_PATH  # absolute form, authority form, asterisk form
        if FORBIDDEN.search(path):
            return CHARACTERS
        if ("/." in path or "/ " in path) and DOT_SEGMENT.search(path):
            return DOTS
        environ = request.environ
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
        if not target.startswith("/"):
            return NOT_A_PATH  # the server has taken the host out of it: `GET http://other/`
        if not environ.keys().isdisjoint(PATH_HEADERS) and not request.peer_trusted:
            return SPOOFED
        method = request.method
        route = request.route
        refusal = wrong_method(route, method)
        if refusal and (route.form == "page" or not _answers_first(request)):
            return refusal
        if route.methods and not refusal:
            return None
        if method in NEVER:
            return NOT_IMPLEMENTED
        return None if METHOD.fullmatch(method) else NOT_A_METHOD


def _answers_first(request: Request) -> bool:
    """Say whether the project sees calls before Jam.py does, so that it may answer OPTIONS.

    What it leaves to Jam.py still ends as 405: see `errors`.
    """
    project = request.site.project
    return project is not None and getattr(project.task, "on_request", None) is not None
