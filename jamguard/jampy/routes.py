"""Jam.py's own dispatch of a path (`jam/wsgi.py`, `App.__call__`), as tables.

v7 strips the slashes and looks at the first segment only, so `/api`, `//api/` and
`/api/anything` are one place; so is `/%61pi`, which the server has decoded before. v5 has
rules for whole paths, and trees.
"""

from typing import Final

from ..routes import OTHER, Route
from .files import fold, read

READ: Final = frozenset({"GET", "HEAD"})
POST: Final = frozenset({"POST"})

API: Final = Route("api", POST, "envelope")
UPLOAD: Final = Route("upload", POST, "envelope")
EXT: Final = Route("ext", POST, "problem")
LOGIN: Final = Route("login", READ | POST, page=True)
BUILDER_LOGIN: Final = Route("login", READ | POST, builder=True, page=True)
PAGE: Final = Route("page", READ, page=True)
BUILDER: Final = Route("page", READ, builder=True, page=True)
LOGOUT: Final = Route("logout", frozenset({"GET", "POST"}))
#: Jam.py's own files under `/jam`
PACKAGE_FILE: Final = Route("file", READ)
FILE: Final = Route("file", READ)
#: below `/static`: what users have uploaded, reports made of what they entered, and exports
#: of the whole project, code and all
UPLOADED: Final = Route("file", READ)
REPORT: Final = Route("file", READ)
EXPORT: Final = Route("file", READ, builder=True)
WRITTEN_BY_USERS: Final = frozenset({UPLOADED, REPORT, EXPORT})

ROUTES: Final = {
    "": PAGE,
    "index.html": PAGE,
    "login.html": LOGIN,
    "builder.html": BUILDER,
    "builder_login.html": BUILDER_LOGIN,
    "api": API,
    "upload": UPLOAD,
    "ext": EXT,
    "logout": LOGOUT,
    "jam": PACKAGE_FILE,
    "js": FILE,
    "css": FILE,
    "static": FILE,
    "favicon.ico": FILE,
    "dummy.html": FILE,
}


#: v5: whole paths
PLACES_V5: Final = {
    "": PAGE,
    "index.html": PAGE,
    "builder.html": BUILDER,
    "admin.html": BUILDER,
    "dummy.html": FILE,
    "api": API,
    "upload": UPLOAD,
}
#: v5: first segments
TREES_V5: Final = {name: ROUTES[name] for name in ("jam", "js", "css", "static", "ext")}

STATIC: Final = {"files": UPLOADED, "builder": UPLOADED, "reports": REPORT, "internal": EXPORT}


def route(path: str) -> Route:
    """Return where Jam.py v7 takes `path` (`PATH_INFO`): by its first segment."""
    first, _, rest = path.strip("/").partition("/")
    return _below_static(rest) if first == "static" else ROUTES.get(first, OTHER)


def route_v5(path: str) -> Route:
    """Return where Jam.py v5 takes `path`: other pages are files of the project's own."""
    path = path.lstrip("/")
    first, _, rest = path.partition("/")
    if first == "static":
        return _below_static(rest)
    return PLACES_V5.get(path) or TREES_V5.get(first, OTHER)


def _below_static(path: str) -> Route:
    folder = path.lstrip("/").partition("/")[0]
    return STATIC.get(folder) or STATIC.get(fold(read(folder)), FILE)
