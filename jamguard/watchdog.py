"""The one thread of a process that looks after requests that take too long.

Twice a second it looks which of them are due. So nothing waits for another thread, and a
request that is quick is never looked at.
"""

import os
import sys
import threading
import time
import traceback
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Final
from weakref import ref

from .flight import SLOW, Flight
from .guard import Guard, Refusal, reports
from .interrupt import answer, cut, hang_up
from .jampy.rules import is_list
from .log import LONGEST
from .servers import Server
from .stores.locks import Threaded

if TYPE_CHECKING:
    from .jampy.calls import Call, Taken
    from .request import Request

#: seconds between two looks
TICK: Final = 0.5
#: calls that may take long
LONG_CALLS: Final = frozenset({"apply", "print", "server"})
#: innermost functions of a stuck thread that are logged
DEEPEST: Final = 40

OVERDUE: Final = Refusal(
    status=HTTPStatus.GATEWAY_TIMEOUT, reason="overdue", sentence="overdue", courtesy=True
)


class Watch(Threaded):
    """The requests under way in this process, which a guard has put under its watch."""

    def __init__(self, guard: Guard, long: float) -> None:
        super().__init__()
        self.process = 0  #: whose requests they are: a fork begins anew
        self.server = Server()
        self.flights: dict[Request, Flight] = {}
        #: whether any was found overdue, when the thread looked last
        self.any_overdue = False
        self._guard = guard
        self._long = long

    def begin(self, server: Server) -> None:
        """Start the thread in this process, unless it is there."""
        with self.threads:
            if self.process != os.getpid():
                self.flights = {}
                self.server = server
                _start(ref(self))
                self.process = os.getpid()

    def stuck(self) -> bool:
        """Say whether half of the server's threads are with requests that are overdue."""
        threads = self.server.threads
        overdue = sum(flight.overdue for flight in list(self.flights.values()))
        return threads is not None and overdue * 2 >= threads

    def look(self) -> None:
        """Do what has to be done about requests that are due."""
        any_overdue = False
        for flight in list(self.flights.values()):
            if flight.due < time.monotonic():
                flight.holder = threading.get_ident()
                held = flight.held = threading.Event()  # its own thread goes no step further
                try:
                    self._act(flight)
                except Exception:  # noqa: BLE001 - the others have to be looked after all the same
                    request = flight.request
                    request.site.log.broken(request, self._guard.name, self._guard.fails)
                finally:
                    flight.held = None
                    held.set()
            any_overdue = any_overdue or flight.overdue
        self.any_overdue = any_overdue

    def _act(self, flight: Flight) -> None:
        phase = flight.phase  # first: see `Flight._go_on`
        if flight.due >= time.monotonic():
            return  # it has just come a step further
        flight.due = inf
        if phase == "body":
            self._cut_body(flight)
        elif phase == "answer":
            self._hang_up(flight)
        elif flight.streams or not flight.answered:
            self._report(flight)

    def _cut_body(self, flight: Flight) -> None:
        if reports(self._guard):
            log = flight.request.site.log
            log.refusal(flight.request, SLOW, self._guard.name, enforced=False)
        else:
            flight.cut = True  # first, so that the thread that is woken sees it
            flight.cut = cut(flight.handle)

    def _hang_up(self, flight: Flight) -> None:
        done = not reports(self._guard) and hang_up(flight.handle)
        event = "cut" if done else "would-cut"
        flight.request.site.log.late(flight.request, event, reason="answer-not-taken")

    def _report(self, flight: Flight) -> None:
        taken = flight.request.taken
        call = taken.__dict__.get("call") if taken else None  # if it is known already
        may_take_long = call and type(call.method) is str and call.method in LONG_CALLS
        if may_take_long and flight.seconds < self._long:
            flight.due = time.monotonic() + self._long - flight.seconds
            flight.seconds = self._long
            return
        flight.overdue = flight.reported = True
        answered = self._answer(flight)
        frame = sys._current_frames().get(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            flight.thread
        )  # not on gevent, whose greenlets are no threads
        stack = "".join(traceback.format_stack(frame, DEEPEST)) if frame else ""
        about = {"seconds": int(flight.seconds), "answered": answered, **_said(taken, call)}
        flight.request.site.log.late(flight.request, "overdue", stack, **about)

    def _answer(self, flight: Flight) -> bool:
        if flight.answered or not self.server.answers or reports(self._guard):
            return False
        outside = flight.plan.outside(self._guard)
        return answer(flight.request, flight.handle, OVERDUE, self._guard.name, outside)


def _start(watch: "ref[Watch]") -> None:
    """Start a thread that looks, until the watch is gone or the interpreter ends."""
    ends = threading.Event()

    def run() -> None:
        while not ends.wait(TICK):
            there = watch()
            if there is None:
                return
            there.look()
            del there

    # a daemon would outlive a sub-interpreter (Apache's mod_wsgi), which is fatal; threads of
    # `concurrent.futures` are told in the same way
    threading._register_atexit(ends.set)  # type: ignore[attr-defined] # noqa: SLF001 # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    threading.Thread(target=run, name="jamguard-timeout").start()


def _said(taken: "Taken | None", call: "Call | None") -> dict[str, object]:
    """Say which call it is, as the client has named it."""
    if not call:
        return {}
    said: dict[str, object] = {"call": str(call.method)[:LONGEST]}
    item = getattr(taken, "item", None)
    said["item"] = item.item_name if item else str(call.item_id)[:LONGEST]
    if call.method == "server" and is_list(call.params, 2):
        said["function"] = str(call.params[0])[:LONGEST]
    return said
