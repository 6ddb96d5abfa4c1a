"""Jam.py's own dispatch of a path (`jam/wsgi.py`, `App.__call__`), as a table.

Jam.py strips the slashes and looks at the first segment only, so `/api`, `//api/` and
`/api/anything` are one place; so is `/%61pi`, which the server has decoded before.
"""

from typing import Final

from ..routes import OTHER, Route

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


def route(path: str) -> Route:
    """Return where Jam.py takes `path` (`PATH_INFO`): by its first segment."""
    return ROUTES.get(path.strip("/").partition("/")[0], OTHER)
