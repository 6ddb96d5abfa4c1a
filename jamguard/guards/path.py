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
from ..request import Request

#: methods that no Jam.py application answers
NEVER: Final = frozenset({"TRACE", "TRACK", "CONNECT"})
METHOD: Final = re.compile(r"[A-Z][A-Z_-]{0,31}", re.ASCII)
#: control characters, and the backslash, which is a slash on Windows
FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]")
#: a segment of dots and blanks alone: `.`, `..`, and what Windows takes for them
DOT_SEGMENT: Final = re.compile(r"(?:^|/)[. ]*\.[. ]*(?:/|$)")
#: what servers turn into a path when a client sends these as headers
PATH_HEADERS: Final = ("HTTP_SCRIPT_NAME", "HTTP_PATH_INFO")


def _refusal(reason: str) -> Refusal:
    return Refusal(status=HTTPStatus.BAD_REQUEST, reason=reason, sentence="bad-request")


NOT_A_METHOD: Final = _refusal("malformed-method")
NOT_A_PATH: Final = _refusal("malformed-path")
DOTS: Final = _refusal("dot-segment")
CHARACTERS: Final = _refusal("forbidden-character")
SPOOFED: Final = _refusal("path-in-a-header")


@attrs.frozen(kw_only=True, eq=False)
class Path(Guard):
    """Refuse malformed paths (400) and methods that the application does not answer (405).

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
        if "." in path and DOT_SEGMENT.search(path):
            return DOTS
        environ = request.environ
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
        if not target.startswith("/"):
            return NOT_A_PATH  # the server has taken the host out of it: `GET http://other/`
        if not environ.keys().isdisjoint(PATH_HEADERS):
            return SPOOFED
        return self._method(request)

    def _method(self, request: Request) -> Refusal | None:
        methods = request.route.methods
        if methods is None:
            if request.method in NEVER or not METHOD.fullmatch(request.method):
                return NOT_A_METHOD
            return None
        if request.method in methods:
            return None
        return Refusal(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            reason="method-not-allowed",
            sentence="method",
            headers=(("Allow", ", ".join(sorted(methods))),),
        )
