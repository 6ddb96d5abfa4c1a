"""Ask a site over the network, at a steady pace."""

import ipaddress
import re
import socket
import ssl
import time
import warnings
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

import attrs

from .ask import LOOKED_AT, Answer, Ask

SECONDS: Final = 10  #: for which an answer is waited for
LOCALHOST: Final = "localhost"


class AsItIs:
    """Sends any target and any method, where `http.client` would mend or refuse them."""

    def _validate_path(self, url: str) -> None:
        pass

    def _validate_method(self, method: str) -> None:
        pass

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class Plain(AsItIs, HTTPConnection):
    """A connection by http."""


class Secure(AsItIs, HTTPSConnection):
    """A connection by https."""


@attrs.define
class HttpSite:
    """A site at an address. Requests are not sent faster than `rate` a second."""

    url: str  #: without a slash at the end
    rate: float
    sent: int = attrs.field(init=False, default=0)
    _next: float = attrs.field(init=False, default=0.0)

    @classmethod
    def at(cls, url: str, rate: float) -> "HttpSite":
        """Take an address as people write it. Raises `ValueError` when it is none."""
        if not re.fullmatch(r"[!-~]*", url):
            raise ValueError("write it as it would be in a browser's address bar")
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port  # raises where it is no number
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("it has to look like https://www.example.com")
        if parts.username is not None:
            raise ValueError("leave out the user and the password")
        path = parts.path.rstrip("/")
        if "." in path.rpartition("/")[2]:  # below a page Jam.py answers with that page
            raise ValueError("name the site, and not one of its pages")
        return cls(f"{parts.scheme}://{parts.netloc}{path}", rate)

    @property
    def host(self) -> str:
        """The name or the address that is asked."""
        return urlsplit(self.url).hostname or ""

    @property
    def https(self) -> bool:
        """Whether the address is one of https."""
        return self.url.startswith("https:")

    @property
    def named(self) -> bool:
        """Whether it is a name, for which there can be a certificate."""
        return self.host != LOCALHOST and _address(self.host) is None

    @property
    def loopback(self) -> bool:
        """Whether the site is on this machine, and sees it asking."""
        address = _address(self.host)
        return self.host == LOCALHOST or (address is not None and address.is_loopback)

    @property
    def wired(self) -> bool:
        """There is a connection."""
        return True

    def visitor(self) -> "HttpSite":
        """Return this: an address is what one has."""
        return self

    def ask(self, ask: Ask) -> Answer:
        """Send a request over a connection of its own; a failure is an answer with a problem."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + 1 / self.rate
        self.sent += 1
        connection = self._connect(ask)
        try:
            return self._exchange(connection, ask)
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, problem=in_words(error), secure=self.https)
        finally:
            connection.close()

    def _connect(self, ask: Ask) -> HTTPConnection:
        port = urlsplit(self.url).port
        if self.https:
            return Secure(self.host, port, timeout=SECONDS, context=_context(ask))
        return Plain(self.host, port, timeout=SECONDS)

    def _exchange(self, connection: HTTPConnection, ask: Ask) -> Answer:
        target = urlsplit(self.url).path + ask.target
        names = {name.lower() for name, _ in ask.headers}
        connection.putrequest(ask.method, target, skip_host=True, skip_accept_encoding=True)
        if "host" not in names:
            connection.putheader("Host", urlsplit(self.url).netloc)
        for name, value in ask.headers:
            connection.putheader(name, value)
        if ask.body is not None:
            connection.putheader("Content-Length", str(len(ask.body)))
        # a body may be refused before all of it is read; it may have been said why
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(ask.body)
        response = connection.getresponse()
        start = response.read(LOOKED_AT)
        headers = tuple(response.getheaders())
        return Answer(response.status, headers, start, _size(response, start), secure=self.https)


def _size(response: HTTPResponse, start: bytes) -> int:
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isdecimal() else len(start)


def _context(ask: Ask) -> ssl.SSLContext:
    """Take any certificate, unless that is what is asked about: nothing secret is sent."""
    context = ssl.create_default_context()
    if not ask.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ask.old_tls:
        context.set_ciphers("ALL:@SECLEVEL=0")  # what is old is not spoken otherwise
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def in_words(error: Exception) -> str:
    """Say why there was no answer."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message.rstrip(".")
        case ssl.SSLError():
            return "TLS cannot be spoken there"
        case TimeoutError():
            return f"no answer within {SECONDS:g} s"
        case socket.gaierror() | UnicodeError():
            return "there is no such name"
        case OSError(strerror=str(reason)):
            return reason.lower()
        case _:
            return "what came back is not HTTP"
