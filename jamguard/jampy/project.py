"""The running Jam.py project behind a WSGI application.

`jam.wsgi.create_application` returns a closure around middlewares around the `App` object,
which has the project's folder, its secret key and, once a page was asked for, its task.
Jam.py is never imported here: it is there when the application is one of its own.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, Final

from ..cache import Bounded
from .pages import Pages
from .session import Session

#: seconds for which a cookie's proof is believed without looking again
BELIEVED: Final = 10.0


class Project:
    """A Jam.py project, as far as the guards need to know it."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - Jam.py has no types
        self.app = app
        self.folder = Path(app.work_dir)
        #: where the package keeps its own pages
        self.package = Path(app.jam_dir)
        self.pages = Pages(self.folder, self.package)
        self._sessions: Bounded[str, tuple[float, Session | None]] = Bounded(4096)

    @classmethod
    def find(cls, application: Any) -> "Project | None":  # noqa: ANN401 - any WSGI application
        """Return the project that `application` serves, or None when it is not Jam.py's.

        Looks for Jam.py's `App` through whatever wraps it: attributes such as `app` and
        `wsgi_app`, and the variables of closures.
        """
        if "jam.wsgi" not in sys.modules:
            return None
        jam_app = sys.modules["jam.wsgi"].App
        seen: set[int] = set()
        found = [application]
        while found:
            one = found.pop()
            if isinstance(one, jam_app):
                return cls(one)
            if id(one) not in seen and len(seen) < 100:  # noqa: PLR2004 - deep enough for any stack
                seen.add(id(one))
                found.extend(_wrapped(one))
        return None

    @property
    def task(self) -> Any:  # noqa: ANN401 - Jam.py has no types
        """Jam.py's task tree, or None before it is loaded: `App.task` would load it."""
        return self.app._App__task  # noqa: SLF001 - there is no public way that does not load it

    def session(self, environ: dict[str, Any]) -> Session | None:
        """Return the logged-in user's session that a cookie of this request proves."""
        header = environ.get("HTTP_COOKIE")
        if not header or "_session" not in header:
            return None
        now = monotonic()
        known = self._sessions.get(header)
        if known is None or known[0] < now:
            known = self._sessions.put(header, (now + BELIEVED, self._prove(environ)))
        return known[1]

    def _prove(self, environ: dict[str, Any]) -> Session | None:
        from werkzeug.http import parse_cookie  # noqa: PLC0415 - only once Jam.py chose its Werkzeug

        cookie = sys.modules["jam.wsgi"].JamSecureCookie
        try:
            values = parse_cookie(environ)
        except UnicodeError:  # Jam.py fails on these bytes as well
            return None
        for name, value in values.items():
            if "_session" not in name:
                continue
            try:
                info = cookie.unserialize(value, self.app.admin.secret_key).get("info")
            except ValueError:  # odd base64; Jam.py fails on it as well
                continue
            user = info.get("user_info") if info else None
            if user and user.get("user_id"):
                builder = name.startswith("admin_session")
                return Session(str(info["uuid"]), user["user_id"], bool(user["admin"]), builder)
        return None


def _wrapped(one: Any) -> Iterator[Any]:  # noqa: ANN401 - any WSGI application
    for name in ("app", "wsgi_app", "application", "__wrapped__", "__self__"):
        inner = getattr(one, name, None)
        if callable(inner) or name == "__self__":
            yield inner
    for cell in getattr(one, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # an empty cell
            continue
