"""What is due, and what becomes of it: on connections of this process, without waiting."""

import io
import json
import logging
import math
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Final

import attrs
import pytest
from support.jam import jam_site
from support.wsgi import Answer, App, Environ, call, environ, hello, serve

from jamguard import ConfigError, Request, Shield, harden
from jamguard.flight import Flight, Pace
from jamguard.guards.headers import Headers
from jamguard.guards.proxy import Proxy
from jamguard.guards.timeout import Timeout
from jamguard.jampy.calls import Taken
from jamguard.log import as_json
from jamguard.values import ByteRate, Duration
from jamguard.watchdog import Watch

AT_ONCE: Final = Duration(0)
TRUSTED: Final = ("192.0.2.1",)
#: what a test has opened
OPEN: Final[list[socket.socket]] = []


@attrs.define
class Gunicorn:
    """As much of gunicorn's worker as shows itself, with one connection."""

    app: App
    kind: str = "gthread"
    threads: int = 4
    ours: socket.socket = attrs.field(init=False)
    theirs: socket.socket = attrs.field(init=False)
    cfg: SimpleNamespace = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        OPEN.extend((self.ours, self.theirs))
        self.theirs.settimeout(10)
        self.cfg = SimpleNamespace(
            worker_class_str=self.kind, threads=self.threads, worker_connections=1000
        )

    def request(self, path: str = "/", method: str = "GET", **more: Any) -> Answer:
        """Serve a request whose body, if it has one, comes through the connection."""
        env = environ(path, method, **{"gunicorn.socket": self.ours, **more})
        if "CONTENT_LENGTH" in env or "HTTP_TRANSFER_ENCODING" in env:
            with self.ours.makefile("rb") as env["wsgi.input"]:
                return serve(self.app, env)
        return serve(self.app, env)

    def told(self) -> bytes:
        """Return what the client has got, once the connection is ended."""
        received = b""
        with suppress(ConnectionResetError):  # something was left unread
            while part := self.theirs.recv(65536):
                received += part
        return received


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.INFO, "jamguard")
    yield caplog
    while OPEN:
        OPEN.pop().close()


def nothing(*_: object) -> Callable[[bytes], object]:
    return bytes


def watch_of(guard: Timeout) -> Watch:
    watch: Watch = guard._watch
    return watch


def look(guard: Timeout) -> None:
    """Look after the requests as the watching thread does, from another thread."""
    thread = threading.Thread(target=watch_of(guard).look)
    thread.start()
    thread.join()


def while_served(guard: Timeout, act: Callable[[Environ], object] = dict) -> App:
    """Make an application during which the watching thread looks once."""

    def app(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        act(env)
        look(guard)
        return hello(env, start)

    return app


class TestStuckCode:
    def test_its_client_is_answered_and_the_connection_ended(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(request=AT_ONCE, long=AT_ONCE)
        server = Gunicorn(Shield(while_served(guard), [Headers(), guard, Proxy()]))
        server.request()
        head, _, body = server.told().partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        assert status == "HTTP/1.1 504 Gateway Timeout"
        assert "Connection: close" in headers
        assert "X-Content-Type-Options: nosniff" in headers  # as the guard outside has it
        assert f"Content-Length: {len(body)}" in headers
        assert b"It may still be done" in body
        assert "refused guard=timeout reason=overdue status=504" in log.text
        assert "overdue guard=timeout seconds=0 answered=True id=" in log.text
        assert "look(guard)" in log.text, "the stack of the request's own thread"
        assert "ended guard=timeout id=" in log.text

    def test_is_reported_once(self, log: pytest.LogCaptureFixture) -> None:
        guard = Timeout(request=AT_ONCE, long=AT_ONCE)
        app = while_served(guard, lambda _: look(guard))
        Gunicorn(Shield(app, [guard])).request()
        assert log.text.count("overdue guard=timeout") == 1

    def test_head_gets_no_body(self) -> None:
        guard = Timeout(long=AT_ONCE)
        server = Gunicorn(Shield(while_served(guard), [guard]))
        server.request(method="HEAD")
        assert server.told().endswith(b"\r\n\r\n")

    @pytest.mark.parametrize("case", ["gevent", "unread", "gone", "closed", "tls", "late"])
    def test_nobody_is_answered_where_that_is_not_safe(
        self, log: pytest.LogCaptureFixture, case: str
    ) -> None:
        def act(_: Environ) -> None:
            if case == "unread":
                server.theirs.send(b"GET /next HTTP/1.1\r\n")
            if case == "gone":
                server.theirs.close()
            if case == "closed":
                server.ours.close()

        guard = Timeout(long=AT_ONCE)

        def late(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
            del env
            start("200 OK", [])
            yield b"one"
            next(iter(watch_of(guard).flights.values())).due = 0.0
            look(guard)
            yield b"two"

        app = late if case == "late" else while_served(guard, act)
        server = Gunicorn(Shield(app, [guard]), kind="gevent" if case == "gevent" else "sync")
        if case == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.ours = context.wrap_socket(
                server.ours, server_side=True, do_handshake_on_connect=False
            )
            OPEN.append(server.ours)
        answer = server.request()
        assert "answered=False" in log.text
        if case == "late":
            assert answer.body == b"onetwo"
        if case in {"gevent", "unread", "late", "tls"}:
            server.ours.close()
            assert server.told() == b""

    def test_the_answer_waits_for_who_tells_the_client(self) -> None:
        """What the application answers meanwhile must not mix with it."""
        guard = Timeout(long=AT_ONCE)
        answering = threading.Event()

        def answer(env: Environ, start: Callable[..., Any]) -> None:
            hello(env, start)
            answering.set()

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            (flight,) = watch_of(guard).flights.values()
            held = flight.held = threading.Event()
            thread = threading.Thread(target=answer, args=(env, start))
            thread.start()
            assert not answering.wait(0.1)
            held.set()
            thread.join()
            assert answering.is_set()
            return [b"hi"]

        assert Gunicorn(Shield(app, [guard])).request().body == b"hi"

    def test_calls_that_may_take_long_have_longer(self, log: pytest.LogCaptureFixture) -> None:
        guard = Timeout(request=AT_ONCE, long=Duration(300))
        site = jam_site()
        assert site.project
        seen: list[tuple[float, bool]] = []

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            (flight,) = watch_of(guard).flights.values()
            request: Request = env["jamguard.request"]
            method = env["HTTP_X_METHOD"]
            jams = SimpleNamespace(
                method="POST", get_data=lambda: json.dumps([method, 1, 6, ["send", []], 0]).encode()
            )
            taken = Taken("api", jams)
            request.taken = taken
            assert taken.call  # as other guards have asked for it
            look(guard)
            seen.append((flight.due - time.monotonic(), flight.overdue))
            return hello(env, start)

        shield = Shield(app, [guard], site)
        for method in ("server", "print", "apply", "open"):
            call(shield, "/api", "POST", b"", HTTP_X_METHOD=method)
        assert [overdue for _, overdue in seen] == [False, False, False, True]
        assert all(290 < due <= 300 for due, overdue in seen if not overdue)
        assert "overdue guard=timeout seconds=0 answered=False call=open item=6 id=" in log.text

    def test_what_a_client_calls_a_method_may_be_anything(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(request=AT_ONCE, long=Duration(300))

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            taken = Taken("api", SimpleNamespace(method="POST", get_data=lambda: b"[[],1,{},0,0]"))
            assert taken.call
            env["jamguard.request"].taken = taken
            look(guard)
            return hello(env, start)

        call(Shield(app, [guard], jam_site()), "/api", "POST", b"")
        assert 'answered=False call="[]" item="{}"' in log.text

    @pytest.mark.parametrize("params", [["send", []], "no list"])
    def test_the_log_names_the_function(
        self, log: pytest.LogCaptureFixture, params: object
    ) -> None:
        guard = Timeout(request=AT_ONCE, long=AT_ONCE)

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            body = json.dumps(["server", 1, 6, params, 0]).encode()
            taken = Taken("api", SimpleNamespace(method="POST", get_data=lambda: body))
            taken.item = SimpleNamespace(item_name="invoices")
            assert taken.call
            env["jamguard.request"].taken = taken
            look(guard)
            return hello(env, start)

        call(Shield(app, [guard]), "/api", "POST", b"")
        assert "call=server item=invoices" in log.text
        assert ("function=send" in log.text) == (params != "no list")

    def test_a_json_log_has_the_stack_in_a_field(self, log: pytest.LogCaptureFixture) -> None:
        guard = Timeout(long=AT_ONCE)
        shield = Shield(while_served(guard), [guard])
        shield.site.log._write = as_json
        call(shield)
        (line,) = [line for line in log.messages if '"overdue"' in line]
        assert "look(guard)" in json.loads(line)["stack"]

    @pytest.mark.parametrize("how", ["application", "body", "answer"])
    def test_who_is_gone_is_no_failure(self, log: pytest.LogCaptureFixture, how: Any) -> None:
        """A client that resets its connection, as a proxy does that has waited long enough."""
        guard = Timeout(long=AT_ONCE)

        def act(_: Environ) -> None:
            (flight,) = watch_of(guard).flights.values()
            flight.phase, flight.due = how, 0.0
            server.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.theirs.close()

        server = Gunicorn(Shield(while_served(guard, act), [guard]))
        with socket.create_server(("127.0.0.1", 0)) as door:
            server.theirs = socket.create_connection(door.getsockname())
            server.ours, _ = door.accept()
        OPEN.extend((server.ours, server.theirs))
        assert server.request().code == 200
        assert "guard-failed" not in log.text
        assert ("overdue guard=timeout" in log.text) == (how == "application")

    def test_report_mode_answers_nobody(self, log: pytest.LogCaptureFixture) -> None:
        guard = Timeout(long=AT_ONCE, mode="report")
        server = Gunicorn(Shield(while_served(guard), [guard]))
        assert server.request().body == b"hi"
        assert "answered=False" in log.text

    def test_whoever_breaks_the_watch_is_logged_and_the_others_are_looked_after(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(long=AT_ONCE)

        def spoil(env: Environ) -> None:
            del env
            (flight,) = watch_of(guard).flights.values()
            flight.plan = None  # type: ignore[assignment]

        assert Gunicorn(Shield(while_served(guard, spoil), [guard])).request().body == b"hi"
        assert "guard-failed guard=timeout outcome=passed" in log.text


class TestThreadsStuck:
    def stuck(self, guard: Timeout, shield: Shield, number: int) -> list[Flight]:
        """Leave so many requests overdue."""
        found: list[Flight] = []
        for _ in range(number):
            request = Request(environ("/api"), shield.site)
            request.plan = shield._plan(request.route)
            flight = Flight(request, 60, guard._pace, None)
            flight.overdue = True
            watch_of(guard).flights[request] = flight
            found.append(flight)
        look(guard)
        return found

    def test_half_of_them_is_too_much(self) -> None:
        guard = Timeout()
        shield = Shield(hello, [guard])
        server = Gunicorn(shield, threads=4)
        assert server.request().code == 200
        (one,) = self.stuck(guard, shield, 1)
        assert server.request().code == 200
        self.stuck(guard, shield, 1)
        answer = server.request()
        assert (answer.code, answer.get("Retry-After")) == (503, "10")
        assert b"busy with requests that take too long" in answer.body
        assert server.request("/health").code == 200
        del watch_of(guard).flights[one.request]  # at once, not only when the thread has looked
        assert server.request().code == 200

    def test_where_the_threads_have_no_number_nobody_is_turned_away(self) -> None:
        guard = Timeout()
        shield = Shield(hello, [guard])
        assert call(shield).code == 200
        self.stuck(guard, shield, 50)
        assert call(shield).code == 200

    def test_a_stream_that_goes_on_is_not_stuck_any_more(self) -> None:
        flight = flight_of(Timeout())
        flight.overdue = True
        flight.sends(b"chunk")
        assert not flight.overdue


def flight_of(guard: Timeout, seconds: float = 60) -> Flight:
    shield = Shield(hello, [guard])
    request = Request(environ(), shield.site)
    request.plan = shield._plan(request.route)
    return Flight(request, seconds, guard._pace, None)


def read_all(stream: Any) -> object:
    return stream.read()


class TestABody:
    def slow(self, guard: Timeout, act: Callable[[Any], object]) -> tuple[Gunicorn, Answer]:
        """Serve a body of which a part comes; the thread looks while the rest is waited for."""

        def app(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
            stream = env["wsgi.input"]
            assert stream.read(4) == b"abc\n"
            (flight,) = watch_of(guard).flights.values()
            reading = threading.Thread(target=wait_and_look, args=(flight,))
            reading.start()
            try:
                act(stream)
            finally:
                reading.join()
            return hello(env, start)

        def wait_and_look(flight: Flight) -> None:
            until = time.monotonic() + 10
            while flight.phase != "body" and time.monotonic() < until:
                time.sleep(0.001)
            flight.due = 0.0
            watch_of(guard).look()
            server.theirs.close()

        server = Gunicorn(Shield(app, [guard]))
        server.theirs.sendall(b"abc\n")
        return server, server.request("/", "POST", CONTENT_LENGTH="100")

    @pytest.mark.parametrize("how", ["read", "readline", "readlines"])
    def test_that_stays_away_is_given_up(self, how: str, log: pytest.LogCaptureFixture) -> None:
        _, answer = self.slow(Timeout(), lambda stream: getattr(stream, how)())
        assert answer.code == 408
        assert b"The request came too slowly" in answer.body
        assert "refused guard=timeout reason=body-too-slow status=408" in log.text

    def test_is_only_reported_in_report_mode(self, log: pytest.LogCaptureFixture) -> None:
        _, answer = self.slow(Timeout(mode="report"), read_all)
        assert answer.code == 200
        assert "would-refuse guard=timeout reason=body-too-slow status=408" in log.text

    @pytest.mark.parametrize("cut", [True, False])
    def test_an_error_of_the_server_is_one_of_the_body_if_it_was_cut(self, cut: bool) -> None:
        flight = flight_of(Timeout())
        flight.cut = cut

        def read(_: int) -> bytes:
            raise ConnectionResetError

        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one, is asserted
            flight.read(read, 10)
        assert type(raised.value).__name__ == ("Refused" if cut else "ConnectionResetError")

    def test_may_take_as_long_as_its_bytes_keep_the_rate(self) -> None:
        guard = Timeout(body=Duration(30), min_rate=ByteRate(500))
        flight = flight_of(guard)
        left: list[float] = []

        def read(size: int) -> bytes:
            left.append(flight.due - time.monotonic())
            return bytes(size)

        for size in (500, 5000, 100_000):
            flight.read(read, size)
        # 500 bytes are a second more
        assert [round(seconds) for seconds in left] == [30, 31, 41]
        # half of what 61.5 seconds must bring
        assert 15_300 < len(flight.read(read, 100_000)) <= 15_375
        assert 55 < flight.due - time.monotonic() <= 60  # its time as a request goes on

    @pytest.mark.parametrize(
        ("left", "rate", "expected"),
        [(1, 1, 1024), (-5, 500, 1024), (30, 500, 7500), (60, 100_000, 65536)],
    )
    def test_slices_are_neither_tiny_nor_huge(self, left: int, rate: int, expected: int) -> None:
        assert Pace(body=30, stall=60, long=300, rate=rate).slice(left) == expected

    @pytest.mark.parametrize(
        ("more", "watched"),
        [
            ({"CONTENT_LENGTH": "3"}, True),
            ({"HTTP_TRANSFER_ENCODING": "chunked"}, True),
            ({"CONTENT_LENGTH": "0"}, False),
            ({"CONTENT_LENGTH": ""}, False),
            ({}, False),
        ],
    )
    def test_is_watched_where_there_is_one(self, more: dict[str, str], watched: bool) -> None:
        seen: list[Any] = []

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            seen.append(env["wsgi.input"])
            return hello(env, start)

        server = Gunicorn(Shield(app, [Timeout()]))
        server.request("/", "POST", **more)
        assert (type(seen[0]).__name__ == "Watched") == watched

    def test_is_left_alone_where_other_requests_share_the_connection(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(long=AT_ONCE)
        server = Gunicorn(Shield(while_served(guard), [guard]))
        answer = server.request("/", "POST", CONTENT_LENGTH="9", SERVER_PROTOCOL="HTTP/2.0")
        assert answer.body == b"hi"
        assert "answered=False" in log.text
        server.ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.ours.recv(1)

    def test_is_left_alone_where_the_server_shows_no_connection(self) -> None:
        stream = io.BytesIO(b"abc")

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            assert env["wsgi.input"] is stream
            return hello(env, start)

        more: dict[str, Any] = {"wsgi.input": stream, "waitress.client_disconnected": bool}
        channel = SimpleNamespace(adj=SimpleNamespace(threads=4))
        assert Task(channel, Shield(app, [Timeout()])).serve(more).code == 200

    def test_reads_the_same_whichever_way_it_is_read(self) -> None:
        text = b"one\ntwo\n" + b"x" * 20_000 + b"\nend"
        guard = Timeout()

        def read(how: Callable[[Any], Any]) -> Any:
            got: list[Any] = []

            def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
                got.append(how(env["wsgi.input"]))
                return hello(env, start)

            server = Gunicorn(Shield(app, [guard]))
            server.theirs.sendall(text)
            server.theirs.shutdown(socket.SHUT_WR)
            server.request("/", "POST", CONTENT_LENGTH=str(len(text)))
            return got[0]

        lines = io.BytesIO(text).readlines()
        assert read(read_all) == text
        assert read(lambda stream: stream.read(None)) == text
        assert read(lambda stream: stream.read(15_000)) == text[:15_000]
        assert read(lambda stream: stream.read(0)) == b""
        assert read(list) == lines
        assert read(lambda stream: stream.readlines(5)) == lines
        assert read(lambda stream: [stream.readline(2), stream.readline()]) == [b"on", b"e\n"]


@attrs.frozen
class Task:
    """As much of waitress' task as shows itself."""

    channel: SimpleNamespace
    app: App

    def serve(self, more: dict[str, Any]) -> Answer:
        return call(self.app, "/", "POST", b"abc", **more)


class TestAnAnswerInParts:
    def test_whose_first_part_does_not_come_is_reported(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(long=AT_ONCE)

        def app(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
            def parts() -> Iterator[bytes]:
                look(guard)
                yield b"one"

            del env
            start("200 OK", [])
            return parts()

        server = Gunicorn(Shield(app, [guard]))
        assert server.request().body == b"one"
        assert "overdue guard=timeout seconds=0 answered=False" in log.text
        assert "in parts" in log.text

    def test_has_a_new_deadline_with_each_part(self) -> None:
        guard = Timeout(stall=Duration(60), long=Duration(300), min_rate=ByteRate(500))
        dues: list[float] = []

        def app(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
            start("200 OK", [])
            (flight,) = watch_of(guard).flights.values()
            for _ in range(2):
                dues.append(flight.due - time.monotonic())
                yield bytes(5000)

        body = Shield(app, [guard])(environ(), nothing)
        for _ in body:
            (flight,) = watch_of(guard).flights.values()
            dues.append(flight.due - time.monotonic())
        assert [round(due) for due in dues] == [300, 70, 300, 70]
        body.close()  # type: ignore[attr-defined] # it has one
        assert not watch_of(guard).flights

    @pytest.mark.parametrize("mode", ["enforce", "report"])
    def test_ends_when_its_client_does_not_take_it(
        self, mode: Any, log: pytest.LogCaptureFixture
    ) -> None:
        guard = Timeout(mode=mode)

        def app(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
            start("200 OK", [])
            yield b"one"

        server = Gunicorn(Shield(app, [guard]))
        env = environ(**{"gunicorn.socket": server.ours})
        for _ in server.app(env, nothing):
            (flight,) = watch_of(guard).flights.values()
            flight.due = 0.0
            look(guard)
        said = "cut" if mode == "enforce" else "would-cut"
        assert f"{said} guard=timeout reason=answer-not-taken id=" in log.text
        if mode == "enforce":
            assert server.theirs.recv(10) == b""
        else:
            server.ours.send(b"open")
            assert server.theirs.recv(10) == b"open"


class TestWaitingInAProxy:
    @pytest.mark.parametrize("name", ["HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START"])
    @pytest.mark.parametrize(
        ("form", "age", "code"),
        [
            ("t={:.3f}", 61, 503),
            ("t={:.3f}", 59, 200),
            ("{:.0f}", 61.6, 503),
            ("{:.6f}", 61, 503),
            ("{:.3f} ", 61, 503),
            ("t={:.3f}", -100, 200),
            ("about {:.0f}", 61, 200),
            ("-{:.3f}", 61, 200),
            ("t={:.3f}, t=1", 61, 200),
        ],
    )
    def test_for_too_long_is_not_begun(self, name: str, form: str, age: float, code: int) -> None:
        shield = Shield(hello, [Proxy(trusted=TRUSTED), Timeout()])
        answer = call(shield, **{name: form.format(time.time() - age)})
        assert answer.code == code
        if code == 503:
            assert answer.get("Retry-After") == "1"

    @pytest.mark.parametrize("digits", [13, 16], ids=["milliseconds", "microseconds"])
    def test_is_told_in_several_units(self, digits: int) -> None:
        shield = Shield(hello, [Proxy(trusted=TRUSTED), Timeout()])
        for age, code in ((61, 503), (59, 200)):
            text = str(int((time.time() - age) * 10 ** (digits - 10)))
            assert call(shield, HTTP_X_REQUEST_START=text).code == code

    def test_is_nothing_that_a_stranger_can_say(self) -> None:
        shield = Shield(hello, [Proxy(), Timeout()])
        assert call(shield, HTTP_X_REQUEST_START="t=1000000000.0").code == 200


@pytest.mark.parametrize(
    ("method", "upgrade", "watched"),
    [("GET", "websocket", False), ("GET", "WebSocket", False), ("POST", "websocket", True),
     ("GET", "h2c", True)],
)  # fmt: skip
def test_upgraded_connections_are_not_watched(method: str, upgrade: str, watched: bool) -> None:
    guard = Timeout()
    seen: list[int] = []

    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        seen.append(len(watch_of(guard).flights))
        return hello(env, start)

    call(Shield(app, [guard]), "/", method, HTTP_UPGRADE=upgrade)
    assert seen == [int(watched)]


@pytest.mark.parametrize(
    ("path", "more", "watched"),
    [
        ("/static/a.js", {}, False),
        ("/jam/js/jam.js", {}, False),
        ("/health", {}, False),
        ("/own", {}, True),
        # whoever comes with a body may keep it back
        ("/jam/js/jam.js", {"CONTENT_LENGTH": "9"}, True),
        ("/health", {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        ("/own", {"CONTENT_LENGTH": "9", "HTTP_UPGRADE": "websocket"}, True),
    ],
)
def test_files_and_monitors_are_not_watched_unless_they_have_a_body(
    path: str, more: dict[str, str], watched: bool
) -> None:
    guard = Timeout()
    seen: list[int] = []

    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        seen.append(len(watch_of(guard).flights))
        return hello(env, start)

    call(Shield(app, [guard], jam_site()), path, **more)
    assert seen == [int(watched)]


class TestTheEnd:
    @pytest.mark.parametrize(
        ("sent", "read", "more", "ended"),
        [
            (b"abc", 3, {"CONTENT_LENGTH": "3"}, False),
            (b"abc", 2, {"CONTENT_LENGTH": "3"}, True),
            (b"", 0, {"CONTENT_LENGTH": "3"}, True),
            (b"", 0, {"CONTENT_LENGTH": "three"}, True),
            (b"", 0, {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
            (b"", 0, {}, False),
        ],
    )
    @pytest.mark.parametrize("mode", ["enforce", "report"])
    def test_nobody_waits_for_what_was_not_read(
        self, sent: bytes, read: int, more: dict[str, str], ended: bool, mode: Any
    ) -> None:
        """Otherwise the server does, once the answer is out: gunicorn for five seconds."""

        def app(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
            assert len(env["wsgi.input"].read(read)) == read
            return hello(env, start)

        server = Gunicorn(Shield(app, [Timeout(mode=mode)]))
        server.theirs.sendall(sent)
        assert server.request("/", "POST", **more).code == 200
        server.ours.setblocking(False)
        if ended and mode == "enforce":
            assert server.ours.recv(10) == b""
        else:
            with pytest.raises(BlockingIOError):
                server.ours.recv(10)

    def test_who_acts_on_the_connection_is_waited_for(self) -> None:
        """After the end it is another request's."""
        guard = Timeout()
        over = threading.Event()
        held: list[threading.Event] = []

        def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
            (flight,) = watch_of(guard).flights.values()
            hello(env, start)
            held.append(threading.Event())
            flight.held = held[0]
            return [b"hi"]

        body = Shield(app, [guard])(environ(), nothing)

        def close() -> None:
            body.close()  # type: ignore[attr-defined] # it has one
            over.set()

        thread = threading.Thread(target=close)
        thread.start()
        assert not over.wait(0.1)
        held[0].set()
        thread.join()
        assert over.is_set()

    def test_what_is_over_is_not_looked_after(self, log: pytest.LogCaptureFixture) -> None:
        """The thread may have found it before, and come to it after."""
        guard = Timeout(long=AT_ONCE)
        found: list[tuple[Request, Flight]] = []

        def app(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
            del env, start
            found.extend(watch_of(guard).flights.items())
            raise ZeroDivisionError  # so the server answers, and nobody has begun to

        with pytest.raises(ZeroDivisionError):
            call(Shield(app, [guard]))
        watch_of(guard).flights.update(found)
        look(guard)
        assert "overdue" not in log.text


class Noticed(Flight):
    """Somebody looks after each of its steps."""

    look: Callable[[], object] = str

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in {"due", "phase"}:
            self.look()


class TestAStep:
    def test_is_seen_as_a_whole(self, log: pytest.LogCaptureFixture) -> None:
        """What came at the last moment is not taken for an application that is late."""
        guard = Timeout()
        flight = flight_of(guard)
        flight.phase = "body"
        flight.due = 0.0
        flight.__class__ = Noticed
        watch_of(guard).flights[flight.request] = flight
        flight.__dict__["look"] = lambda: look(guard)
        flight._go_on("application", time.monotonic() + 60)
        assert "overdue" not in log.text

    def test_is_not_lost_on_who_looks(self) -> None:
        flight = flight_of(Timeout())
        flight.held = threading.Event()
        due = time.monotonic() + 60
        thread = threading.Thread(target=flight._go_on, args=("application", due))
        thread.start()
        while flight.due != due:
            time.sleep(0.001)
        flight.due = math.inf  # as who acts on it does
        flight.held.set()
        thread.join()
        assert flight.due == due


def test_a_fork_begins_anew_with_a_thread_of_its_own() -> None:
    guard = Timeout()
    shield = Shield(hello, [guard])
    call(shield)
    flight = flight_of(guard)
    watch_of(guard).flights[flight.request] = flight
    read, write = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - its coverage is not kept
        call(shield)
        alive = [thread.name for thread in threading.enumerate()]
        os.write(write, f"{len(watch_of(guard).flights)} {alive}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(read, 1000).decode()
    os.close(read)
    os.close(write)
    assert said == "0 ['MainThread', 'jamguard-timeout']"


def test_the_thread_looks_by_itself(log: pytest.LogCaptureFixture) -> None:
    guard = Timeout(long=AT_ONCE)

    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        until = time.monotonic() + 10
        while "overdue" not in log.text and time.monotonic() < until:
            time.sleep(0.01)
        return hello(env, start)

    call(Shield(app, [guard]))
    assert "overdue guard=timeout seconds=0" in log.text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"min-rate": "500"}, 'min-rate: "500" is not a number of bytes a second; write "500 B/s"'),
        ({"min-rate": "0 B/s"}, "is not a number of bytes a second"),
        ({"min-rate": "fast/s"}, "is not a number of bytes a second"),
        ({"body": "soon"}, 'timeout.body: "soon" is not a span of time'),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"timeout": settings})
    assert problem in str(error.value)


def test_settings_are_shown_as_they_are_written() -> None:
    shield = harden(hello, {"timeout": {"min-rate": "8 KB/s"}})
    assert isinstance(shield, Shield)
    assert 'min-rate = "8 KB/s"' in shield.explain()
    assert 'total = "auto"' in shield.explain()


def test_a_second_first_request_starts_no_second_thread() -> None:
    """Two come at once, and each has seen that there is none."""
    guard = Timeout()
    call(Shield(hello, [guard]))
    before = threading.active_count()
    watch_of(guard).begin(watch_of(guard).server)
    assert threading.active_count() == before


def test_what_has_come_a_step_further_meanwhile_is_let_go(log: pytest.LogCaptureFixture) -> None:
    guard = Timeout()
    flight = flight_of(guard)
    due = flight.due
    watch_of(guard)._act(flight)
    assert (flight.due, flight.reported) == (due, False)
    flight.due = 0.0
    flight.answers()
    watch_of(guard)._act(flight)  # as long as the server sends what it has, it is its business
    assert (flight.due, flight.reported) == (math.inf, False)
    assert "overdue" not in log.text
