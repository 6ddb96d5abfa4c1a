"""End what a slow client or stuck code would keep a thread for.

A body has to come fast enough. A request that the application does not answer is reported
with the stack of its thread, and its client is told, where the server lets that be done
safely. Nothing is raised into the application's code: it goes on to its end, so nothing is
left half written. While half of the threads are stuck, requests that need another one are
turned away at once.

A request is seen once its headers are there: who sends those slowly is the server's business,
or that of a proxy in front (`docs/explain/servers.md`).

Source: CWE-400 (uncontrolled consumption), RFC 9110 sections 15.5.9 (408), 15.6.4 (503) and
15.6.5 (504), Apache mod_reqtimeout (`body=30,MinRate=500`), nginx `proxy_set_header
X-Request-Start "t=${msec}"`, Heroku's `X-Request-Start` and New Relic's `X-Queue-Start`.
"""

import os
import re
import time
from http import HTTPStatus
from typing import Any, Final

import attrs

from ..body import is_announced
from ..flight import ALL, Flight, Pace, Watched
from ..guard import Guard, Mode, Refusal, reports
from ..interrupt import cut
from ..jampy.routes import EXT, UPLOAD
from ..request import Request
from ..routes import HEALTH, OTHER
from ..values import ByteRate, Duration
from ..watchdog import Watch

#: where an application may take long; which calls may, Jam.py says
LONG_ROUTES: Final = (UPLOAD, EXT, OTHER)

#: when a proxy took the request: in seconds, milliseconds or microseconds since 1970
STARTED: Final = re.compile(r"(?:t=)?([0-9]{10})\.?([0-9]{0,6})", re.ASCII)

LENGTH: Final = re.compile("[0-9]{1,18}", re.ASCII)

STUCK: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    reason="threads-stuck",
    sentence="stuck",
    retry_after=10,
    courtesy=True,
)
STALE: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    reason="queued-too-long",
    sentence="stuck",
    retry_after=1,
    courtesy=True,
)


def _watch(guard: "Timeout") -> Watch:
    return Watch(guard, guard.long)


def _pace(guard: "Timeout") -> Pace:
    return Pace(body=guard.body, stall=guard.stall, long=guard.long, rate=guard.min_rate)


@attrs.frozen(kw_only=True, eq=False)
class Timeout(Guard):
    """Refuse a body that comes too slowly with 408, and report a request that takes too long.

    What has been queued by a proxy for longer than `request` is not begun (503): nobody waits
    for it any more. Upgraded connections (WebSocket) last as long as they last. Files are not
    watched. A body is, wherever it goes to: what nobody has read of it when the answer is out
    is waited for no longer. Fails open.
    """

    fails = "open"

    mode: Mode = "enforce"
    body: Duration = Duration(30)  #: for a body to come; longer while `min_rate` is kept
    min_rate: ByteRate = ByteRate(500)  #: of a body, and of an answer's chunk
    request: Duration = Duration(60)  #: for a page or a call
    long: Duration = Duration(300)  #: for `print`, `apply`, `server`, uploads, `/ext`, own pages
    stall: Duration = Duration(60)  #: for a client to take a chunk of an answer

    _watch: Watch = attrs.field(
        init=False, repr=False, default=attrs.Factory(_watch, takes_self=True)
    )
    _pace: Pace = attrs.field(init=False, repr=False, default=attrs.Factory(_pace, takes_self=True))

    def check(self, request: Request) -> Refusal | None:
        environ = request.environ
        has_body = is_announced(environ)
        if not has_body and (request.route.name == "file" or request.route is HEALTH):
            return None
        watch = self._watch
        if watch.process != os.getpid():  # not in a hook of the fork: uWSGI calls none
            watch.begin(request.site.server(environ))
        if watch.any_overdue and watch.stuck():
            return STUCK
        if request.peer_trusted and _queued(environ) > self.request:
            return STALE
        if "HTTP_UPGRADE" in environ and not has_body and _upgrades(request):
            return None
        seconds = self.long if request.route in LONG_ROUTES else self.request
        handle = watch.server.handle(environ)
        flight = Flight(request, seconds, self._pace, handle)
        watch.flights[request] = request.flight = flight
        if handle is not None and has_body:
            length = environ.get("CONTENT_LENGTH", "")
            flight.unread = int(length) if LENGTH.fullmatch(length) else ALL
            environ["wsgi.input"] = Watched(environ["wsgi.input"], flight)
        return None

    def closed(self, request: Request) -> None:
        flight = self._watch.flights.pop(request, None)
        if flight is None:
            return
        flight.ends()
        if flight.unread and not reports(self):
            cut(flight.handle)  # otherwise the server waits for it, and nobody watches that
        if flight.reported:
            request.site.log.late(request, "ended")


def _upgrades(request: Request) -> bool:
    return request.method == "GET" and request.environ["HTTP_UPGRADE"].lower() == "websocket"


def _queued(environ: dict[str, Any]) -> float:
    """Return for how many seconds a proxy has kept a request; 0 when it does not say."""
    text = environ.get("HTTP_X_REQUEST_START") or environ.get("HTTP_X_QUEUE_START") or ""
    match = STARTED.fullmatch(text.strip())
    return time.time() - float(f"{match[1]}.{match[2]}0") if match else 0.0
