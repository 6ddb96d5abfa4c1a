"""Bound what a request may weigh: body, form parts, URL, headers.

Jam.py reads a body of any length into memory (its own limit is off by default), and most
servers take URLs and headers of many kilobytes.

Source: CWE-770, RFC 9110 sections 15.5.14 (413) and 15.5.15 (414), RFC 6585 section 5 (431).
"""

import re
from http import HTTPStatus
from operator import length_hint
from typing import Any, Final

import attrs

from ..body import too_large
from ..guard import Guard, Mode, Refusal
from ..jampy.routes import API, BUILDER_LOGIN, EXT, LOGIN, UPLOAD
from ..request import Request
from ..routes import Route
from ..values import ByteSize, positive

MEGABYTE: Final = 1024 * 1024
LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)

#: routes whose body is taken as it is, whatever type it says to be of
NO_FORM: Final = (API, EXT)
AMPERSAND: Final = b"&"

BAD_LENGTH: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="malformed-length", sentence="bad-request"
)
LONG_URL: Final = Refusal(
    status=HTTPStatus.REQUEST_URI_TOO_LONG, reason="url-too-long", sentence="too-large"
)
BIG_HEADERS: Final = Refusal(
    status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    reason="headers-too-large",
    sentence="too-large",
)


def _limits(guard: "RequestSize") -> dict[Route, ByteSize]:
    return {
        API: guard.api,
        UPLOAD: guard.upload,
        LOGIN: guard.login,
        BUILDER_LOGIN: guard.login,
        EXT: guard.ext,
    }


@attrs.frozen(kw_only=True, eq=False)
class RequestSize(Guard):
    """Refuse a request that is too large: 413, 414 or 431.

    A declared length decides at once; a body without one is counted as it is read, and the
    application never gets a byte beyond the limit. Fails closed. Header limits of the server
    in front come first: gunicorn refuses 100 headers or 8190 bytes in one.
    """

    mode: Mode = "enforce"
    api: ByteSize = ByteSize(8 * MEGABYTE)  #: body of a call
    upload: ByteSize = ByteSize(50 * MEGABYTE)  #: body of an upload
    login: ByteSize = ByteSize(8 * 1024)  #: body of a login form
    ext: ByteSize = ByteSize(8 * MEGABYTE)  #: body of a request to `/ext`
    page: ByteSize = ByteSize(8 * MEGABYTE)  #: body of anything else
    form_parts: int = attrs.field(default=1000, validator=positive)  #: fields and files of a form
    url: ByteSize = ByteSize(8 * 1024)  #: path and query together
    headers: ByteSize = ByteSize(32 * 1024)  #: all headers together
    header_count: int = attrs.field(default=100, validator=positive)

    _limits: dict[Route, ByteSize] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_limits, takes_self=True)
    )

    def check(self, request: Request) -> Refusal | None:
        environ = request.environ
        if len(request.path) + len(environ.get("QUERY_STRING", "")) > self.url:
            return LONG_URL
        if len(environ) > self.header_count and self._count(environ) > self.header_count:
            return BIG_HEADERS
        # the sum of all lengths is quick to get, and never less than the headers weigh
        quick = sum(map(length_hint, environ.values()))
        if quick > self.headers and self._weight(environ) > self.headers:
            return BIG_HEADERS
        length = environ.get("CONTENT_LENGTH")
        if not length and "HTTP_TRANSFER_ENCODING" not in environ:
            return None
        return self._body(request, length)

    def _body(self, request: Request, length: str | None) -> Refusal | None:
        """Decide on a declared length, and see to it that an undeclared one is counted."""
        environ = request.environ
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if length and (coding is not None or not LENGTH.fullmatch(length)):
            return BAD_LENGTH  # two lengths, or one that is no number: no two readers agree
        if coding is not None and coding.lower() != "chunked":
            return BAD_LENGTH
        limit = self._limits.get(request.route, self.page)
        if length and int(length) > limit:
            if self.mode == "enforce":
                request.body_limit = limit
                request.body.drain()
            return too_large(limit)
        if self.mode == "report":
            return None  # what is not declared would only be known by cutting it off
        request.body_limit = limit
        form = request.route not in NO_FORM
        delimiter = _delimiter(environ.get("CONTENT_TYPE", "")) if form else None
        if delimiter:
            # one delimiter more ends a multipart form, and one less parts plain fields
            more = -1 if delimiter == AMPERSAND else 1
            request.body.bound(delimiter, self.form_parts + more)
        elif not length and request.route in self._limits:
            request.body.read()
        elif not length or "wsgi.input_terminated" not in environ:
            request.body.bound()
        return None

    @staticmethod
    def _count(environ: dict[str, Any]) -> int:
        return sum(key.startswith("HTTP_") for key in environ)

    @staticmethod
    def _weight(environ: dict[str, Any]) -> int:
        # what the server adds itself is a few hundred bytes: not worth telling apart
        return sum(len(value) for value in environ.values() if isinstance(value, str))


def _delimiter(content_type: str) -> bytes | None:
    """Return what stands before or between the parts of a form of this `Content-Type`."""
    if not content_type:
        return None
    from werkzeug.http import parse_options_header  # noqa: PLC0415 - the application's Werkzeug

    kind, options = parse_options_header(content_type)
    if kind.lower() == "application/x-www-form-urlencoded":
        return AMPERSAND
    boundary = options.get("boundary") if kind[:10].lower() == "multipart/" else None
    return b"--" + boundary.encode("latin-1", "replace") if boundary else None
