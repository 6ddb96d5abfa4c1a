"""What a request may weigh, declared or not."""

import io
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest
from support.jam import jam_site
from support.wsgi import Answer, Environ, call, environ, hello, serve

from jamguard import ConfigError, Shield, harden
from jamguard.body import Body
from jamguard.guards.errors import Errors
from jamguard.guards.request_size import RequestSize
from jamguard.values import ByteSize

LIMIT = 1000
SIZES: dict[str, Any] = {
    name: ByteSize(LIMIT) for name in ("api", "upload", "login", "ext", "page")
}
CHUNKED: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked"}


class Reading:
    """An application that reads the body in its own way, and remembers what it got."""

    def __init__(self, read: Callable[[Any], bytes] = lambda stream: stream.read()) -> None:
        self.read = read
        self.got: bytes | None = None

    def __call__(self, env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        self.got = self.read(env["wsgi.input"])
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"read"]


READERS: dict[str, Callable[[Any], bytes]] = {
    "read": lambda stream: stream.read(),
    "read(None)": lambda stream: stream.read(None),
    "read(n)": lambda stream: b"".join(iter(lambda: stream.read(7), b"")),
    "readline": lambda stream: b"".join(iter(stream.readline, b"")),
    "readline(n)": lambda stream: b"".join(iter(lambda: stream.readline(5), b"")),
    "readlines": lambda stream: b"".join(stream.readlines()),
    "iteration": b"".join,
}
ROUTES = ["/api", "/upload", "/login.html", "/builder_login.html", "/ext/x", "/", "/own"]


def send(app: Any, path: str, size: int, *, chunked: bool, **more: Any) -> Answer:
    env: dict[str, Any] = dict(more)
    if chunked:
        env |= CHUNKED
    else:
        env["CONTENT_LENGTH"] = str(size)
    stream = io.BytesIO((b"x" * 9 + b"\n") * (size // 10) + b"y" * (size % 10))
    shield = Shield(app, [Errors(), RequestSize(**SIZES)], jam_site())
    return call(shield, path, "POST", **{"wsgi.input": stream}, **env)


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("path", ROUTES)
def test_the_limit_passes_whole(path: str, reader: str, *, chunked: bool) -> None:
    app = Reading(READERS[reader])
    assert send(app, path, LIMIT, chunked=chunked).code == 200
    assert app.got is not None
    assert len(app.got) == LIMIT


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("path", ROUTES)
def test_one_byte_more_is_refused_and_never_read(path: str, reader: str, *, chunked: bool) -> None:
    app = Reading(READERS[reader])
    answer = send(app, path, LIMIT + 1, chunked=chunked)
    assert answer.get("Jamguard-Refused") == "request-size"
    assert answer.code == (200 if path in {"/api", "/upload"} else 413)
    assert app.got is None
    if answer.code == 200:
        assert "more than this site accepts" in json.loads(answer.body)["error"]


def test_an_application_that_swallows_the_refusal_gets_no_byte_beyond_the_limit() -> None:
    got: list[bytes] = []

    def app(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        try:
            while chunk := env["wsgi.input"].read(64):
                got.append(chunk)
        except Exception:  # noqa: BLE001 - what careless code does
            got.append(b"")
        start("200 OK", [])
        return [b"swallowed"]

    assert send(app, "/own", 5 * LIMIT, chunked=True).body == b"swallowed"
    assert len(b"".join(got)) <= LIMIT


@pytest.mark.parametrize(
    ("length", "more", "code"),
    [
        ("3, 5", {}, 400),
        ("+3", {}, 400),
        ("-3", {}, 400),
        ("0x10", {}, 400),
        ("3" * 20, {}, 400),
        ("٣", {}, 400),
        ("3", CHUNKED, 400),
        (None, {"HTTP_TRANSFER_ENCODING": "xchunked"}, 400),
        (None, {"HTTP_TRANSFER_ENCODING": "chunked, identity"}, 400),
        (None, {"HTTP_TRANSFER_ENCODING": "Chunked"}, 200),
        ("", {}, 200),
        ("0", {}, 200),
        ("5000000000", {}, 413),
    ],
)
def test_a_length_that_two_readers_could_read_differently_is_refused(
    length: str | None, more: dict[str, str], code: int
) -> None:
    shield = Shield(hello, [RequestSize()], jam_site())
    assert call(shield, "/own", "POST", CONTENT_LENGTH=length, **more).code == code


@pytest.mark.parametrize("size", [10, 500])
def test_a_length_that_lies_ends_the_body_where_it_said(size: int) -> None:
    """As on werkzeug and wsgiref, whose input is the socket itself."""
    app = Reading()
    env: dict[str, Any] = {
        "wsgi.input": io.BytesIO(b"x" * 9999),
        "CONTENT_LENGTH": str(size),
        "wsgi.input_terminated": None,
    }
    made = environ("/own", "POST", **env)
    del made["wsgi.input_terminated"]
    answer = serve(Shield(app, [RequestSize()]), made)
    assert answer.code == 200
    assert app.got == b"x" * size


def test_no_length_on_a_server_that_does_not_end_the_body_is_no_body() -> None:
    app = Reading()
    made = environ("/own", "POST", **CHUNKED)
    del made["wsgi.input_terminated"]
    made["wsgi.input"] = io.BytesIO(b"x" * 99)
    assert serve(Shield(app, [RequestSize()]), made).code == 200
    assert app.got == b""


class Failing(io.BytesIO):
    """An input that breaks off, as uWSGI's and gevent's do."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("connection reset")


@pytest.mark.parametrize("path", ["/api", "/own"])
def test_a_body_that_breaks_off_is_a_refusal_and_no_traceback(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    shield = Shield(Reading(), [Errors(), RequestSize()], jam_site())
    answer = call(shield, path, "POST", **{"wsgi.input": Failing()}, **CHUNKED)
    assert answer.get("Jamguard-Refused") == "request-size"
    assert "reason=body-broken" in caplog.text
    assert "Traceback" not in caplog.text


def test_what_a_client_still_sends_is_thrown_away_within_bounds() -> None:
    """So that it can read the answer before the server closes the connection."""
    stream = io.BytesIO(b"x" * 10 * LIMIT)
    shield = Shield(hello, [RequestSize(**SIZES)], jam_site())
    call(shield, "/upload", "POST", **{"wsgi.input": stream, "CONTENT_LENGTH": str(10 * LIMIT)})
    assert stream.tell() == LIMIT
    stream = io.BytesIO(b"x" * (LIMIT + 200))
    call(shield, "/upload", "POST", **{"wsgi.input": stream, "CONTENT_LENGTH": str(LIMIT + 200)})
    assert stream.tell() <= LIMIT + 200
    call(shield, "/upload", "POST", **{"wsgi.input": Failing(), "CONTENT_LENGTH": "99999"})


# --- forms ------------------------------------------------------------------------------


def form(parts: int) -> bytes:
    part = b'--b0undary\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
    return part * parts + b"--b0undary--\r\n"


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=b0undary", 'Multipart/Form-Data; boundary="b0undary"'],
)
@pytest.mark.parametrize(("parts", "refused"), [(20, False), (21, True)])
def test_the_parts_of_a_form_are_counted(
    reader: str, content_type: str, parts: int, *, refused: bool
) -> None:
    shield = Shield(Reading(READERS[reader]), [RequestSize(form_parts=20)], jam_site())
    answer = call(shield, "/upload", "POST", form(parts), CONTENT_TYPE=content_type)
    assert (answer.get("Jamguard-Refused") == "request-size") == refused


URLENCODED: Final = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize(
    "content_type", [URLENCODED, " Application/X-WWW-Form-Urlencoded; charset=utf-8"]
)
@pytest.mark.parametrize(("fields", "refused"), [(20, False), (21, True)])
def test_the_fields_of_a_form_without_files_are_counted(
    reader: str, content_type: str, fields: int, *, refused: bool
) -> None:
    shield = Shield(Reading(READERS[reader]), [RequestSize(form_parts=20)], jam_site())
    body = b"&".join([b"a=1"] * fields)
    answer = call(shield, "/upload", "POST", body, CONTENT_TYPE=content_type)
    assert (answer.get("Jamguard-Refused") == "request-size") == refused


@pytest.mark.parametrize("path", ["/api", "/ext/orders"])
def test_what_is_no_form_is_not_counted_as_one(path: str) -> None:
    """`curl -d` sends JSON under the type of a form."""
    shield = Shield(Reading(), [RequestSize(form_parts=20)], jam_site())
    body = b'{"text": "' + b"&nbsp;" * 100 + b'"}'
    assert call(shield, path, "POST", body, CONTENT_TYPE=URLENCODED).body == b"read"


def test_a_multipart_body_without_a_boundary_is_only_weighed() -> None:
    shield = Shield(Reading(), [RequestSize(form_parts=1)], jam_site())
    answer = call(shield, "/upload", "POST", form(5), CONTENT_TYPE="multipart/form-data")
    assert answer.body == b"read"


# --- URL and headers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/" + "a" * 99, "", 200),
        ("/" + "a" * 100, "", 414),
        ("/", "q" * 99, 200),
        ("/", "q" * 100, 414),
    ],
)
def test_a_url_has_a_length(path: str, query: str, code: int) -> None:
    shield = Shield(hello, [RequestSize(url=ByteSize(100))])
    assert call(shield, path, QUERY_STRING=query).code == code


def test_headers_have_a_number_and_a_weight() -> None:
    def headers(count: int, size: int) -> dict[str, str]:
        return {f"HTTP_X_{number}": "v" * size for number in range(count)}

    shield = Shield(hello, [RequestSize(header_count=50, headers=ByteSize(10_000))])
    assert call(shield, **headers(49, 1)).code == 200  # and Host
    assert call(shield, **headers(50, 1)).code == 431
    assert call(shield, **headers(1, 9000)).code == 200
    assert call(shield, **headers(1, 10_001)).code == 431
    assert call(shield, **headers(40, 300)).code == 431


# --- the rest ---------------------------------------------------------------------------


def test_report_mode_lets_a_declared_length_pass(caplog: pytest.LogCaptureFixture) -> None:
    app = Reading()
    shield = Shield(app, [RequestSize(mode="report", **SIZES)], jam_site())
    assert call(shield, "/api", "POST", b"x" * 2000).body == b"read"
    assert app.got == b"x" * 2000
    assert "would-refuse guard=request-size reason=body-too-large status=413" in caplog.text
    assert (
        call(shield, "/api", "POST", **{"wsgi.input": io.BytesIO(b"x" * 2000)}, **CHUNKED).code
        == 200
    )
    assert app.got == b"x" * 2000


def test_the_body_is_read_once_and_put_back() -> None:
    stream = io.BytesIO(b'["load",1,0,null,0]')
    env: dict[str, Any] = {
        "wsgi.input": stream,
        "CONTENT_LENGTH": "19",
        "wsgi.input_terminated": True,
    }
    body = Body(env)
    assert body.read() == body.read() == b'["load",1,0,null,0]'
    assert env["wsgi.input"].read() == b'["load",1,0,null,0]'


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"api": "8 megabytes"}, 'request-size.api: "8 megabytes" is not a size'),
        ({"header-count": 0}, "request-size.header-count: 0 must be at least 1"),
        ({"form-parts": "many"}, 'request-size.form-parts: "many" must be a whole number'),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"request-size": settings})
    assert problem in str(error.value)
