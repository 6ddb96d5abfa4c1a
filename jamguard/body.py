"""The body of a request: bounded, counted, and read at most once.

Whoever reads first, guard or application, reads through here, so no one sees a byte
more than the limit, whether the length was declared, not declared (chunked) or a lie.

Source: PEP 3333 (input stream), RFC 9112 section 6 (message body), CWE-770.
"""

import io
from collections.abc import Iterator
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from .guard import Refusal, Refused

MEGABYTE: Final = 1024 * 1024
CHUNK: Final = 64 * 1024
#: seconds spent on reading what will be thrown away, so that a client that is still
#: sending gets to read the answer
DRAIN_SECONDS: Final = 2.0
#: lengths of no body
NONE: Final = frozenset({None, "", "0"})


def is_announced(environ: dict[str, Any]) -> bool:
    """Say whether the headers announce a body that is not empty."""
    return environ.get("CONTENT_LENGTH") not in NONE or "HTTP_TRANSFER_ENCODING" in environ


class Body:
    """What the client sends after the headers."""

    _content: bytes | None = None

    def __init__(self, environ: dict[str, Any], limit: int = 8 * MEGABYTE) -> None:
        self._environ = environ
        self._limit = limit

    @property
    def declared(self) -> int | None:
        """`Content-Length` in bytes; None when there is none, or the body is chunked."""
        environ = self._environ
        length = environ.get("CONTENT_LENGTH")
        if not length or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        return int(length)

    def bound(self, delimiter: bytes | None = None, parts: int = 0) -> None:
        """Let the application read the body itself, but no further than the limit.

        `delimiter` is what stands before or between the parts of a form; there may be
        `parts` of it.
        """
        environ = self._environ
        environ["wsgi.input"] = Bounded(
            environ["wsgi.input"], self._limit, self._readable(), delimiter, parts
        )

    def read(self) -> bytes:
        """Return the whole body, and put it back for whoever reads next.

        Raises `Refused` when it is longer than the limit or breaks off with an error.
        """
        if self._content is None:
            environ = self._environ
            stream = Bounded(environ["wsgi.input"], self._limit, self._readable())
            self._content = stream.read()
            environ["wsgi.input"] = io.BytesIO(self._content)
        return self._content

    def drain(self) -> None:
        """Throw away what the client is still sending, within bounds of size and time.

        A server that closes a connection with unread bytes resets it, and the client
        then never reads why it was refused.
        """
        drain(self._environ["wsgi.input"], min(self._limit, self._readable()))

    def _readable(self) -> int:
        """Bytes that can be read without waiting for ever, as Werkzeug decides it."""
        declared = self.declared
        if declared is not None:
            return declared
        # without a length only a server that ends the stream itself can be read
        ends = "wsgi.input_terminated" in self._environ
        return 1 << 62 if ends else 0


class Bounded:
    """A `wsgi.input` that ends where it should and refuses to go on beyond the limit."""

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - whatever the server has for a stream
        limit: int,
        readable: int,
        delimiter: bytes | None = None,
        parts: int = 0,
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._readable = readable
        self._delimiter = delimiter
        self._parts = parts
        self._tail = b""
        self._taken = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes, or all."""
        if size is not None and size >= 0:
            return self._take(self._stream.read, size)
        chunks = [self._take(self._stream.read, CHUNK)]
        while chunks[-1] and self._taken < self._readable:
            chunks.append(self._take(self._stream.read, CHUNK))
        return b"".join(chunks)

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to and with the next line feed, at most `size` bytes."""
        return self._take(self._stream.readline, CHUNK if size is None or size < 0 else size)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read all lines."""
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _take(self, read: Any, size: int) -> bytes:  # noqa: ANN401 - a bound method of the stream
        # one byte beyond the limit tells a body that fits from one that does not
        size = min(size, self._readable - self._taken, self._limit + 1 - self._taken)
        if size <= 0:
            return b""
        try:
            chunk: bytes = read(size)
        except OSError as error:
            raise Refused(
                Refusal(
                    status=HTTPStatus.BAD_REQUEST,
                    reason="body-broken",
                    detail=type(error).__name__,
                    courtesy=True,
                    guard="request-size",
                )
            ) from error
        self._taken += len(chunk)
        if self._taken > self._limit:
            drain(self._stream, min(self._limit, self._readable - self._taken))
            raise Refused(too_large(self._limit))
        if self._delimiter:
            self._count_parts(chunk, self._delimiter)
        return chunk

    def _count_parts(self, chunk: bytes, delimiter: bytes) -> None:
        seen = self._tail + chunk
        self._parts -= seen.count(delimiter)
        self._tail = seen[max(0, len(seen) - len(delimiter) + 1) :]
        if self._parts < 0:
            drain(self._stream, min(self._limit, self._readable - self._taken))
            raise Refused(too_many_parts())


def drain(stream: Any, size: int) -> None:  # noqa: ANN401 - whatever the server has for a stream
    """Read and drop up to `size` bytes, for `DRAIN_SECONDS` at most."""
    until = monotonic() + DRAIN_SECONDS
    try:
        while size > 0 and monotonic() < until:
            dropped = len(stream.read(min(size, CHUNK)))
            if not dropped:
                return
            size -= dropped
    except OSError:
        # the client is gone or broke off: there is nothing left to be polite about
        return


def too_large(limit: int) -> Refusal:
    """Refuse a body of more than `limit` bytes."""
    return Refusal(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        reason="body-too-large",
        sentence="too-large",
        detail=f"more than {limit:d} bytes",
        courtesy=True,
        guard="request-size",
    )


def too_many_parts() -> Refusal:
    """Refuse a form of too many parts."""
    return Refusal(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        reason="too-many-form-parts",
        sentence="too-large",
        courtesy=True,
        guard="request-size",
    )
