"""One request and its answer, with the guards in between: what PEP 3333 wants kept.

The application may call `start_response` late, or again with `exc_info`, may write, may
return a list, a generator or the server's own file, and may fail at any point of it.

Source: PEP 3333.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, cast

from .guard import BROKEN, Application, Guard, Headers, Refusal, Refused, Response, reports
from .plan import Closed, Closers, Failed, Side
from .refusal import render
from .request import Request

StartResponse = Callable[..., Callable[[bytes], object]]


class Exchange:
    """One request and its answer: what PEP 3333 wants kept between the two."""

    __slots__ = (
        "_broken",
        "_closed",
        "_closers",
        "_respond",
        "_side",
        "_write",
        "instead",
        "request",
        "sent",
        "started",
    )

    _write: Callable[[bytes], object]

    def __init__(self, request: Request, respond: StartResponse, side: Side) -> None:
        self.request = request
        self.started = False  #: `start_response` has been called
        self.sent = False  #: the headers are on the wire, so nothing can be taken back
        self.instead: list[bytes] | None = None  #: goes out in place of the application's body
        self._side = side
        self._closers = side.closers
        self._closed = False
        #: guards that broke and fail open: left out for the rest of this request
        self._broken: tuple[Guard, ...] = ()
        self._respond = respond

    def run(self, app: Application) -> Iterable[bytes]:
        """Serve the request by the application."""
        try:
            body: Iterable[bytes] = app(self.request.environ, self.start)
        except Exception as error:
            answer = self.failed(error, unwind=True)
            if answer is None:
                raise
            return answer
        except BaseException:  # the server ends the worker: what was taken is given back
            self.close()
            raise
        if self.instead is not None:
            close_body(body)
            return self._held(self.instead)
        if not self._side.unwinding and not self._side.finishes:
            return body  # nobody waits for its failure or its end
        if type(body) is list:
            return self._held(cast("list[bytes]", body))
        if type(body) is self.request.environ.get("wsgi.file_wrapper") and self._hears(body):
            return body  # the server sends the file itself
        return Chunks(body, self)

    def start(
        self,
        status: str,
        headers: Headers,
        exc_info: Any = None,  # noqa: ANN401 - as PEP 3333 has it
    ) -> Callable[[bytes], object]:
        """Do what `start_response` does, with the guards' `finish` in between."""
        if exc_info is not None and self.sent:
            return self._respond(status, headers, exc_info)  # the server raises it again
        response = Response(status, list(headers))
        for guard, finish in self._side.finishes:
            if guard in self._broken:
                continue
            try:
                finish(self.request, response)
            except Exception:  # noqa: BLE001 - a guard's own bug never takes the site down
                refusal = self.broke(guard)
                if refusal is not None:
                    status, headers, self.instead = render(refusal, self.request, guard.name)
                    response = Response(status, headers)
        self.started = True
        flight = self.request.flight
        if flight is not None:
            flight.answers()
        if exc_info is None:
            self._write = self._respond(response.status, response.headers)
        else:
            self._write = self._respond(response.status, response.headers, exc_info)
        return self.write

    def write(self, data: bytes) -> object:
        """Send `data` at once: the old way of answering (PEP 3333, write)."""
        if self.instead is not None:
            return None
        self.sent = True
        return self._write(data)

    def refuse(
        self, refusal: Refusal, outside: Side, guard: str, closers: Closers | None = None
    ) -> list[bytes]:
        """Answer with a refusal, by the guards outside of the one that refuses.

        `closers` are those that wait for the end of this answer, if they are more than the
        ones outside.
        """
        request = self.request
        self._side = outside
        self._closers = outside.closers if closers is None else closers
        name = refusal.guard or guard
        request.note_refusal(refusal)
        request.site.log.refusal(request, refusal, name, enforced=True)
        status, headers, body = render(refusal, request, name)
        self.instead = None
        self.start(status, headers, sys.exc_info() if self.started else None)
        return self._held(body if self.instead is None else self.instead)

    def failed(self, error: Exception, *, unwind: bool) -> list[bytes] | None:
        """Ask the guards, innermost first, for an answer to a failure of the application.

        `unwind`: there is no body that will be closed, so a guard that leaves the failure
        to those outside of it is closed here, as it would be in a shield of its own.
        """
        if isinstance(error, Refused):
            # the application met the limit of the body: this is its answer
            if self.sent:
                return None
            return self.refuse(error.refusal, self._side, "request-size", self._closers)
        for guard, failed, closed, outside in self._side.unwinding:
            refusal = self._ask(guard, failed, error) if failed else None
            if refusal is not None and not self.sent:
                closers = self._closers
                if unwind:
                    closers = ((guard, closed), *outside.closers) if closed else outside.closers
                return self.refuse(refusal, outside, guard.name, closers)
            if unwind and closed:
                self._close(guard, closed)
        return None

    def broke(self, guard: Guard) -> Refusal | None:
        """Log a guard's own failure and say what its policy makes of this request."""
        self.request.site.log.broken(self.request, guard.name, guard.fails)
        if guard.fails == "closed":
            return BROKEN
        self._broken += (guard,)
        return None

    def abandon(self, outside: Side) -> None:
        """End a request that was not even refused, for the guards that let it pass."""
        self._closers = outside.closers
        self.close()

    def close(self) -> None:
        """Tell the guards, innermost first and once, that it is over."""
        if not self._closed:
            self._closed = True
            for guard, closed in self._closers:
                self._close(guard, closed)

    def _ask(self, guard: Guard, failed: Failed, error: Exception) -> Refusal | None:
        if guard in self._broken:
            return None
        try:
            refusal = failed(self.request, error)
        except Exception:  # noqa: BLE001 - a guard's own bug must not hide the application's
            self.request.site.log.broken(self.request, guard.name, guard.fails)
            return None
        if refusal is not None and reports(guard):
            self.request.site.log.refusal(self.request, refusal, guard.name, enforced=False)
            return None
        return refusal

    def _close(self, guard: Guard, closed: Closed) -> None:
        if self._broken and guard in self._broken:
            return
        try:
            closed(self.request)
        except Exception:  # noqa: BLE001 - the answer is out; the other guards still have to close
            self.request.site.log.broken(self.request, guard.name, guard.fails)

    def _hears(self, file: Any) -> bool:  # noqa: ANN401 - the server's own kind of object
        """See to it that this is told when the server closes a file of its own."""
        if not self._closers:
            return True
        try:
            # what was there stays to be called
            file.close = partial(_close_both, getattr(file, "close", None), self)
        except AttributeError:  # made in C: mod_wsgi
            return False
        return True

    def _held(self, body: list[bytes]) -> list[bytes]:
        if not self._closers:
            return body
        held = Held(body)
        held.exchange = self
        return held


class Held(list[bytes]):
    """A body in memory whose end somebody waits for; a list, so that servers see its length."""

    __slots__ = ("exchange",)

    exchange: Exchange

    def close(self) -> None:
        """End the exchange."""
        self.exchange.close()


class Chunks:
    """The application's body, passed on chunk by chunk as it comes."""

    __slots__ = ("_body", "_exchange")

    def __init__(self, body: Iterable[bytes], exchange: Exchange) -> None:
        self._body = body
        self._exchange = exchange
        flight = exchange.request.flight
        if flight:
            flight.streams = True

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        flight = exchange.request.flight
        try:
            for chunk in self._body:
                if exchange.instead is not None:
                    break
                if chunk:
                    exchange.sent = True
                if flight:
                    flight.sends(chunk)
                yield chunk
                if flight:
                    flight.works()
        except Exception as error:
            answer = exchange.failed(error, unwind=False)
            if answer is None:
                raise
            yield from answer
            return
        if exchange.instead is not None:
            yield from exchange.instead

    def close(self) -> None:
        """Close the application's body, then end the exchange."""
        _close_both(getattr(self._body, "close", None), self._exchange)


def _close_both(close: Callable[[], object] | None, exchange: Exchange) -> None:
    try:
        if close is not None:
            close()
    finally:
        exchange.close()


def close_body(body: Iterable[bytes]) -> None:
    """Close what an application returned, if it wants to be closed."""
    close = getattr(body, "close", None)
    if close is not None:
        close()
