"""A request under way, and the moment at which somebody has to look after it.

That moment, `due`, is put off whenever the request comes a step further: a part of its body
has arrived, its answer begins, a chunk of it has been taken. See `watchdog`.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from math import inf
from threading import Event, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

from .guard import Refusal, Refused

if TYPE_CHECKING:
    from .request import Request

#: bytes that are read at once: nobody sees how slowly they come
LEAST: Final = 1024
MOST: Final = 65536
ALL: Final = 1 << 62

#: what a request waits for: its application, or its client, who sends or has to take
Phase = Literal["application", "body", "answer"]

SLOW: Final = Refusal(
    status=HTTPStatus.REQUEST_TIMEOUT,
    reason="body-too-slow",
    sentence="slow",
    courtesy=True,
    guard="timeout",
)


class Pace:
    """How long things may take, in seconds; longer while `rate` bytes a second come or go."""

    def __init__(self, *, body: float, stall: float, long: float, rate: int) -> None:
        self.body = body  #: for a body to arrive
        self.stall = stall  #: for a client to take a chunk of the answer
        self.long = long  #: for the application to make the next chunk
        self.rate = rate

    def slice(self, seconds: float) -> int:
        """Return how many bytes to read at once, of what has to come within `seconds`.

        It is half of it, so that who is fast enough is seen to be.
        """
        return min(max(int(seconds * self.rate) // 2, LEAST), MOST)


class Flight:
    """A request under way, of `seconds` until its answer has to begin.

    Its own thread notes how far it is, and then looks whether it is `held`: meanwhile another
    one may act on its connection, which must not be another request's by then. Who holds it
    looks how far it is after that. So one of the two always sees the other, without a lock.
    """

    phase: Phase = "application"
    #: its answer has begun
    answered = False
    #: its answer goes out in parts
    streams = False
    #: nothing more is read of its body
    cut = False
    #: it takes too long, and keeps its thread for that
    overdue = False
    #: that was logged
    reported = False
    #: by which thread it is held, and what is set when it may go on
    holder = 0
    held: Event | None = None
    #: bytes of its body that nobody has read
    unread = 0
    _reading = 0.0  #: seconds spent on reading its body
    _received = 0  #: bytes

    def __init__(self, request: "Request", seconds: float, pace: Pace, handle: Any) -> None:  # noqa: ANN401 - servers have no types
        self.request = request
        self.plan = request.plan
        self.seconds = seconds
        #: what leads to its connection: see `servers`
        self.handle = handle
        self.thread = get_ident()
        self.due = monotonic() + seconds
        self._pace = pace

    def read(self, read: Callable[[int], bytes], size: int) -> bytes:
        """Read a part of the body. Raises `Refused` when it came too slowly."""
        pace, due, began = self._pace, self.due, monotonic()
        left = pace.body + self._received / pace.rate - self._reading
        self._go_on("body", began + left)
        try:
            part = read(min(size, pace.slice(left)))
        except OSError:
            if self.cut:  # most servers come to the end of the stream, gevent and uWSGI fail
                raise Refused(SLOW) from None
            raise
        finally:
            spent = monotonic() - began
            self._reading += spent
            self._go_on("application", due + spent)
        if self.cut:
            raise Refused(SLOW)
        self._received += len(part)
        self.unread = max(self.unread - len(part), 0) if part else 0
        return part

    def sends(self, chunk: bytes) -> None:
        """Note that a chunk goes out, and that its client may take so and so long to take it."""
        pace = self._pace
        self.overdue = False
        self._go_on("answer", monotonic() + pace.stall + len(chunk) / pace.rate)

    def works(self) -> None:
        """Note that a chunk has gone out, and that the application is asked for the next."""
        self._go_on("application", monotonic() + self._pace.long)

    def answers(self) -> None:
        """Note that the answer begins: from now on the connection is the server's alone."""
        self.answered = True
        if self.held:
            self._wait()

    def ends(self) -> None:
        """Note that it is over: from now on the connection may be another request's."""
        self._go_on("application", inf)

    def _go_on(self, phase: Phase, due: float) -> None:
        self.due = due  # first, so that what is found late is found in the phase it is late in
        self.phase = phase
        if self.held:
            self._wait()
            self.due = due

    def _wait(self) -> None:
        held = self.held
        if held and self.holder != get_ident():
            held.wait()


class Watched:
    """A `wsgi.input` whose bytes have to come fast enough."""

    def __init__(self, stream: Any, flight: Flight) -> None:  # noqa: ANN401 - as the server has it
        self._stream = stream
        self._flight = flight

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, or all."""
        return self._gather(self._stream.read, size, None)

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to and with the next line feed, at most `size` bytes."""
        return self._gather(self._stream.readline, size, b"\n")

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read all lines."""
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _gather(self, read: Callable[[int], bytes], size: int | None, end: bytes | None) -> bytes:
        left = ALL if size is None or size < 0 else size
        parts: list[bytes] = []
        while left > 0:
            part = self._flight.read(read, left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
            if end and part.endswith(end):
                break
        return b"".join(parts)
