"""The running Jam.py project behind a WSGI application.

`jam.wsgi.create_application` returns a closure around middlewares around the `App` object,
which has the project's folder, its secret key and, once a page was asked for, its task.
Jam.py is never imported here: it is there when the application is one of its own.
"""

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from .pages import Pages
from .routes import route, route_v5
from .sessions import Sessions

#: objects looked at in search of Jam.py's `App`: enough for any stack of middlewares
SEARCHED: Final = 100


class Project:
    """A Jam.py project, as far as the guards need to know it."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - Jam.py has no types
        self.app = app
        self.folder = Path(app.work_dir)
        #: where the package keeps its own pages
        self.package = Path(app.jam_dir)
        self.pages = Pages(self.folder, self.package)
        #: where this version of Jam.py takes a path: v5 has Werkzeug's map of rules
        self.route = route_v5 if hasattr(app, "url_map") else route
        self.sessions = Sessions.of(app)

    @classmethod
    def find(cls, application: Any) -> "Project | None":  # noqa: ANN401 - any WSGI application
        """Return the project that `application` serves, or None when it is not Jam.py's.

        Looks for Jam.py's `App` through whatever wraps it: what middleware objects, bound
        methods, partials and functions hold; the nearest one counts.
        """
        if "jam.wsgi" not in sys.modules:
            return None
        jam_app = sys.modules["jam.wsgi"].App
        found = [application]
        for one in found:
            if isinstance(one, jam_app):
                return cls(one)
            if len(found) < SEARCHED:
                found += [inner for inner in _held(one) if not any(inner is old for old in found)]
        return None

    @property
    def task(self) -> Any:  # noqa: ANN401 - Jam.py has no types
        """Jam.py's task tree, or None before it is loaded: `App.task` would load it."""
        return self.app._App__task  # noqa: SLF001 - there is no public way that does not load it

    @property
    def safe_mode(self) -> bool:
        """Whether Jam.py wants logins: asked each time, since the builder changes it."""
        common = sys.modules.get("jam.common")
        return bool(common and common.consts.SAFE_MODE)


def _held(one: Any) -> list[Any]:  # noqa: ANN401 - any WSGI application
    """Return what a wrapper holds and could call."""
    held: list[Any] = []
    with suppress(RuntimeError):  # Flask's proxies stand for nothing before a request
        held += getattr(one, "__dict__", {}).values()
        held += [getattr(one, name, None) for name in ("__self__", "app")]
    if isinstance(one, partial):
        held += [one.func, *one.args, *one.keywords.values()]
    elif isinstance(one, FunctionType):
        held += [one.__globals__.get(name) for name in one.__code__.co_names]
        for cell in one.__closure__ or ():
            with suppress(ValueError):  # an empty cell
                held.append(cell.cell_contents)
    return [inner for inner in held if callable(inner) and not isinstance(inner, type)]
