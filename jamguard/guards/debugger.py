"""Keep interactive debuggers shut, and the development server at home.

Jam.py's `server.py` runs Werkzeug's development server on 0.0.0.0 with the debugger on.
That debugger stands outside of any middleware, answers `/console` itself and shows source
code after an exception; with the PIN switched off it runs any code. So it is disarmed in
the process: whichever object was made, before or after, only passes requests on.

Source: Werkzeug documentation ("never enable the debugger on a production machine"),
CVE-2024-34069, CWE-489 (active debug code).
"""

from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import attrs

from ..guard import Guard, Refusal
from ..request import Request
from ..site import Site

#: what a debugger outside of the shield leaves in the environ: Werkzeug's, should one have
#: escaped, and the one of Paste and WebError. Others (backlash, wdb) leave nothing.
ACTIVE: Final = ("werkzeug.debug.preserve_context", "paste.evalexception")
#: the development servers of Werkzeug and of the standard library
DEVELOPMENT: Final = ("Werkzeug/", "WSGIServer/")
COMMAND: Final = "__debugger__"

A_DEBUGGER: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE, reason="debugger-active", sentence="debugger"
)
A_COMMAND: Final = Refusal(
    status=HTTPStatus.NOT_FOUND, reason="debugger-command", sentence="not-found", probe=True
)
NOT_HERE: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE, reason="development-server", sentence="development"
)


@attrs.frozen(kw_only=True, eq=False)
class Debugger(Guard):
    """Disarm Werkzeug's debugger; answer development servers' strangers with 503.

    Disarming holds for the whole process. Fails closed: a debugger of another make that
    shows itself in the environ makes every request a refusal. A reverse proxy on the same
    machine does not make the internet local: see `Request.local`.
    """

    #: leaves debuggers alone and the development server open: never on a network
    insecure_allow: bool = False

    def start(self, site: Site) -> None:
        if self.insecure_allow:
            site.notice("JG011")
        else:
            disarm(site)

    def check(self, request: Request) -> Refusal | None:
        if self.insecure_allow:
            return None
        environ = request.environ
        if not environ.keys().isdisjoint(ACTIVE):
            request.site.notice("JG010", key=next(key for key in ACTIVE if key in environ))
            return A_DEBUGGER
        query = environ.get("QUERY_STRING")
        if query and _is_command(query):
            return A_COMMAND
        if environ.get("SERVER_SOFTWARE", "").startswith(DEVELOPMENT) and not request.local:
            request.site.notice(
                "JG008",
                client=request.client.text or request.client.key,
                command="gunicorn --bind 0.0.0.0:8000 wsgi:application",
            )
            return NOT_HERE
        return None


def _is_command(query: str) -> bool:
    """Say whether `query` has a field of that name, as Werkzeug would decode it."""
    if COMMAND not in (unquote_plus(query) if "%" in query else query):
        return False
    return any(name == COMMAND for name, _ in parse_qsl(query, keep_blank_values=True))


def disarm(site: Site) -> None:
    """Make every `DebuggedApplication` of this process, and of its kind, pass requests on."""
    debug: Any = import_module("werkzeug.debug")  # only now: it is the application's Werkzeug
    if debug.DebuggedApplication.__call__ is _pass_on:
        return
    for kind in _family(debug.DebuggedApplication):
        _disarm_class(kind)
    # a subclass that is made later is disarmed when it is made
    debug.DebuggedApplication.__init_subclass__ = classmethod(_disarm_class)
    # "Debugger is active! PIN: ..." would no longer be true
    debug._log = _say_nothing  # noqa: SLF001 - what the debugger, and only it, logs with
    site.notice("JG007")


def _family(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - Werkzeug's class and those made of it
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _disarm_class(kind: Any, /, **_: object) -> None:  # noqa: ANN401 - as above
    kind.__call__ = _pass_on


def _pass_on(self: Any, environ: Any, start_response: Any) -> Any:  # noqa: ANN401 - a method of WSGI
    return self.app(environ, start_response)


def _say_nothing(*_: object, **__: object) -> None:
    pass
