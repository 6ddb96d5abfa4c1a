"""Where Jam.py reads and writes its session cookies: there they are unsealed and sealed.

Jam.py (v7, v5) reads one by `JamRequest.client_cookie` and writes it by
`JamRequest.save_client_cookie`. So what counts is the very cookie that Jam.py's parser has
picked, for the task that Jam.py wants it for: there is no second reading of the header to
differ from, and no other cookie is touched.
"""

import sys
from time import time
from typing import Any

from ..request import KEY, Request
from .routes import LOGOUT
from .session import HOST_PREFIX, Kind
from .sessions import Cookie, Reading, Rules, Sent, Sessions

JamsRequest = Any  # Jam.py's `JamRequest`, made of Werkzeug's: Jam.py has no types


def seal_cookies() -> bool:
    """Have Jam.py's requests read and write their cookies here, in the whole process.

    For what does not come through a shield a value is what plain Jam.py makes of it. Returns
    False when Jam.py's request is not as it is known; then nothing is changed.
    """
    jam: Any = sys.modules.get("jam.wsgi")
    jams: Any = getattr(jam, "JamRequest", None)
    if not hasattr(jams, "client_cookie") or not hasattr(jams, "save_client_cookie"):
        return False
    if not hasattr(jams, "reading"):
        jam.JamRequest = _sealed(jams)
    return True


def _sealed(jams: Any) -> Any:  # noqa: ANN401 - as above
    class SealedRequest(jams):  # type: ignore[misc] # its base is known only now
        """Jam.py's request, with the session cookies that count."""

        #: what `client_cookie` was made of, and for which task
        reading: Reading | None = None
        read_for: Any = None

        @property
        def client_cookie(self) -> Cookie:
            """The session that a cookie proves for `task`, in a dictionary.

            Jam.py keeps the first one that it has read: one that a project's `on_request`
            has asked for, for its own users, would do for the builder.
            """
            task = self.task
            if self.reading is None or self.read_for is not task:
                self.__dict__.pop("session_key", None)  # the name of the former task's
                self.reading = _read(self, task)
                self.read_for = task
            return self.reading.cookie

        def save_client_cookie(self, response: Any, *rest: Any) -> None:  # noqa: ANN401 - Werkzeug's
            jams.save_client_cookie(self, Sealing(self, response), *rest)

    return SealedRequest


def _read(jams: JamsRequest, task: Any) -> Reading:  # noqa: ANN401 - as above
    """Read the cookie that Jam.py wants for a task."""
    environ, key = jams.environ, jams.session_key
    sessions = Sessions.of(task.app)
    request, rules = _guarding(environ, sessions)
    sent = Sent.by(environ)
    value = sent.cookies.get(HOST_PREFIX + key) or sent.cookies.get(key) or ""
    reading = sessions.read_once(sent, value, _kind(task), rules)
    if not reading.flaw or not request or not rules:
        return reading
    rules.log(request, reading.flaw)
    return sessions.nobody() if rules.enforced else reading


def _guarding(environ: dict[str, Any], sessions: Sessions) -> tuple[Request | None, Rules | None]:
    """Return the request as a shield knows it, if it came through one, and what to keep to."""
    request: Request | None = environ.get(KEY)
    return request, sessions.rules if request else None


def _kind(task: Any) -> Kind:  # noqa: ANN401 - Jam.py has no types
    return "builder" if task is task.app.admin else "application"


def _is_logout(request: Request, jams: JamsRequest, before: Reading) -> bool:
    """Say whether a session that Jam.py took away was logged out.

    Or else its cookie came from another address than Jam.py has tied it to: whoever has a copy
    must not be able to end the session of its owner.
    """
    if request.route is LOGOUT:
        return True
    return bool(jams.task.app.valid_session(jams.task, before.info, jams))


class Sealing:
    """Takes a session cookie from Jam.py in place of a response, and passes it on sealed."""

    def __init__(self, jams: JamsRequest, response: Any) -> None:  # noqa: ANN401 - Werkzeug's
        self.jams = jams
        self.response = response

    def set_cookie(self, key: str, value: str | bytes, **attributes: Any) -> None:  # noqa: ANN401 - Werkzeug's
        """Do what `Response.set_cookie` does; when Jam.py has logged somebody out, end that."""
        jams, response = self.jams, self.response
        task, environ = jams.task, jams.environ
        value = value.decode() if isinstance(value, bytes) else value  # v5 makes bytes
        sessions = Sessions.of(task.app)
        request, rules = _guarding(environ, sessions)
        if request and rules:
            info: dict[str, Any] = jams.client_cookie.get("info") or {}
            before: Reading = jams.reading
            ended = before.uuid
            if ended and not info and _is_logout(request, jams, before):
                rules.end(ended, task.timeout)
            now = int(time())
            login = before.login if info.get("uuid") == ended else 0
            value = sessions.seal.close(value, _kind(task), login or now, now)
            if request.secure:
                if key in Sent.by(environ).cookies:
                    response.delete_cookie(key)  # from before the site was on https
                key = HOST_PREFIX + key
                attributes["secure"] = True
        response.set_cookie(key, value, **attributes)
