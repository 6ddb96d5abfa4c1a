"""What can be done to the connection of a request while another thread serves it.

Its own thread may be stuck anywhere, and nothing is raised there: what is left half written
would be worse than what is late. But a connection can be shut down from outside, and where
nothing has been answered yet a client can be told how things stand.

To be called while the request's own thread is kept from going on, so that the connection is
still its own: see `flight`.

Source: POSIX.1-2017 `shutdown`, RFC 9112 section 9.6 (`Connection: close`).
"""

import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from .exchange import Exchange
from .servers import duplicate, is_plain

if TYPE_CHECKING:
    from .guard import Headers, Refusal
    from .plan import Side
    from .request import Request

#: not on Windows, where nobody is answered for that reason
DONT_WAIT: Final = getattr(socket, "MSG_DONTWAIT", 0)


def cut(handle: Any) -> bool:  # noqa: ANN401 - see `servers`
    """Let no more of the body come: whoever reads it meets its end. False: there is no socket."""
    return _shut(handle, socket.SHUT_RD)


def hang_up(handle: Any) -> bool:  # noqa: ANN401 - see `servers`
    """End the connection: whoever writes to it fails. False: there is no socket."""
    return _shut(handle, socket.SHUT_RDWR)


def answer(
    request: "Request",
    handle: Any,  # noqa: ANN401 - see `servers`
    refusal: "Refusal",
    guard: str,
    outside: "Side",
) -> bool:
    """Answer in place of the application, and end the connection.

    False, and nothing is done, where that is not safe: the connection is encrypted, or it
    holds something that is unread, the client's next request for all that is known.
    """
    connection = duplicate(handle) if DONT_WAIT and is_plain(handle) else None
    if connection is None:
        return False
    with connection:
        try:
            if not _is_quiet(connection):
                return False
            connection.send(_written(request, refusal, guard, outside), DONT_WAIT)
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # the client is gone
            return False
    return True


def _shut(handle: Any, how: int) -> bool:  # noqa: ANN401 - see `servers`
    connection = duplicate(handle)
    if connection is None:
        return False
    with connection:
        try:
            connection.shutdown(how)
        except OSError:  # the client is gone
            return False
    return True


def _is_quiet(connection: socket.socket) -> bool:
    try:
        connection.recv(1, socket.MSG_PEEK | DONT_WAIT)
    except BlockingIOError:
        return True
    return False  # something is unread, or the client is gone


def _written(request: "Request", refusal: "Refusal", guard: str, outside: "Side") -> bytes:
    """Write out a refusal as the guards outside of this one make it."""
    lines: list[str] = []

    def start(status: str, headers: "Headers", _: object = None) -> Callable[[bytes], object]:
        lines.append(f"HTTP/1.1 {status}")
        lines.extend(f"{name}: {value}" for name, value in headers)
        return lines.append  # type: ignore[return-value]

    exchange = Exchange(request, start, outside)
    body = exchange.refuse(refusal, outside, guard, ())
    lines += [f"Date: {formatdate(usegmt=True)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + b"".join(body)
