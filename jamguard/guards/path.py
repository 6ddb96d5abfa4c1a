"""Let through only paths that mean one thing to everybody, and files that browsers need.

Jam.py joins what follows `/jam` to a folder, so `/jam/../admin.sqlite` hands out the
project's users, `/jam/wsgi.py` the package's sources, and servers differ in what they
resolve before. A path that leaves room for a second reading is refused; what is decided on
is what Jam.py will see, and below its own places only what its client asks for passes.

Source: CWE-22 (path traversal), RFC 3986 section 5.2.4 (dot segments), RFC 9112 section
3.2 (request target), RFC 9110 section 9.1 (methods).
"""

import re
from http import HTTPStatus
from typing import Final

import attrs

from ..guard import Guard, Mode, Refusal
from ..jampy.failures import wrong_method
from ..jampy.files import may_be_served
from ..jampy.routes import EXPORT, PACKAGE_FILE, REPORT
from ..request import Request
from ..routes import HEALTH, OTHER

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


def _refusal(reason: str, *, probe: bool = False) -> Refusal:
    return Refusal(
        status=HTTPStatus.BAD_REQUEST, reason=reason, sentence="bad-request", probe=probe
    )


NOT_A_METHOD: Final = _refusal("malformed-method")
NOT_A_PATH: Final = _refusal("malformed-path")
DOTS: Final = _refusal("dot-segment")
#: browsers and robots resolve what leads up before they ask
UPWARDS: Final = _refusal("dot-segment", probe=True)
CHARACTERS: Final = _refusal("forbidden-character")
WAY_OUT: Final = _refusal("forbidden-character", probe=True)
SPOOFED: Final = _refusal("path-in-a-header")
NOT_IMPLEMENTED: Final = Refusal(
    status=HTTPStatus.NOT_IMPLEMENTED, reason="method-not-implemented", sentence="method"
)


def _not_found(reason: str, detail: str = "", *, probe: bool = False) -> Refusal:
    """Answer as if there were nothing at that address."""
    return Refusal(
        status=HTTPStatus.NOT_FOUND,
        reason=reason,
        sentence="not-found",
        detail=detail,
        probe=probe,
    )


NOT_SERVED: Final = _not_found("not-served")
#: what people type, robots and browsers ask for of themselves in any folder
GUESSED: Final = frozenset({"", "favicon.ico", "robots.txt"})
#: what lies in Jam.py's own package and is no part of a page: nothing links there
NOT_OF_A_PAGE: Final = _not_found("not-served", probe=True)
NOT_PUBLIC: Final = _not_found("not-served", "unless [tool.jamguard.path] public names it")
NOT_LOGGED_IN: Final = _not_found("report-without-login")
NO_BUILDER: Final = _not_found("export-without-builder", probe=True)


def _are_static(_: object, __: object, paths: tuple[str, ...]) -> None:
    for path in paths:
        if not path.startswith("/static/"):
            raise ValueError(f'has "{path}", which does not start with "/static/"')


def _exact_and_below(guard: "Path") -> tuple[frozenset[str], tuple[str, ...]]:
    paths = [path.encode().decode("latin-1") for path in guard.public]  # as in PATH_INFO
    return frozenset(paths), tuple(path for path in paths if path.endswith("/"))


@attrs.frozen(kw_only=True, eq=False)
class Path(Guard):
    """Refuse malformed paths (400), files that no browser needs (404), odd methods (405, 501).

    Decides on the path as the server decoded it, once, like Jam.py. Reports need a login and
    exports one to the builder, while Jam.py's safe mode is on. A first segment that is not
    Jam.py's keeps all its paths and methods. Fails closed.
    """

    mode: Mode = "enforce"
    #: paths below `/static` that anybody may read, whatever their names; one that ends with
    #: "/" is all below it
    public: tuple[str, ...] = attrs.field(default=(), validator=_are_static)

    _public: tuple[frozenset[str], tuple[str, ...]] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_exact_and_below, takes_self=True)
    )

    def check(self, request: Request) -> Refusal | None:
        path = request.path
        if path and not path.startswith("/"):
            return NOT_A_PATH  # absolute form, authority form, asterisk form
        if FORBIDDEN.search(path):
            return WAY_OUT if ".." in path or "\0" in path else CHARACTERS
        if ("/." in path or "/ " in path) and DOT_SEGMENT.search(path):
            return UPWARDS if ".." in path else DOTS
        environ = request.environ
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
        if not target.startswith("/"):
            return NOT_A_PATH  # the server has taken the host out of it: `GET http://other/`
        if not environ.keys().isdisjoint(PATH_HEADERS) and not request.peer_trusted:
            return SPOOFED
        return self._unserved(request) or _method(request)

    def _unserved(self, request: Request) -> Refusal | None:
        """Decide about what is asked for below a place of Jam.py's."""
        route = request.route
        path = request.path
        if route is OTHER or route is HEALTH:
            return None
        exact, below = self._public
        if path in exact or path.startswith(below):
            return None
        if not may_be_served(path):
            if path.startswith("/static/"):
                return NOT_PUBLIC
            if route is PACKAGE_FILE and path.strip("/").partition("/")[2] not in GUESSED:
                return NOT_OF_A_PAGE
            # `/api/own` is Jam.py's place, and may still be a page of the project's own
            return NOT_SERVED if route.name == "file" or not _answers_first(request) else None
        if route is REPORT and not request.session:
            return NOT_LOGGED_IN if _safe_mode(request) else None
        if route is EXPORT and not (request.builder_session and request.builder_session.admin):
            return NO_BUILDER if _safe_mode(request) else None
        return None


def _method(request: Request) -> Refusal | None:
    method = request.method
    refusal = wrong_method(request.route, method)
    if refusal and (request.route.form == "page" or not _answers_first(request)):
        return refusal
    if request.route.methods and not refusal:
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


def _safe_mode(request: Request) -> bool:
    project = request.site.project
    return project is not None and project.safe_mode
