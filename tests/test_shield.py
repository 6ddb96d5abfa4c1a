"""The law of composition, and PEP 3333 on both sides."""

import io
import logging
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Literal
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.wsgi import Answer, App, Environ, call, environ, hello, serve

from jamguard import Guard, Refusal, Request, Response, Shield
from jamguard.config import Settings
from jamguard.exchange import Chunks
from jamguard.guard import Refused
from jamguard.jampy.calls import Taken
from jamguard.late import decide
from jamguard.routes import Route
from jamguard.site import Site

REFUSAL = Refusal(status=HTTPStatus.FORBIDDEN, reason="no", courtesy=True)

# --- the law ----------------------------------------------------------------------------

Events = list[tuple[str, ...]]


@attrs.frozen
class Script:
    """What a guard does at each of its hooks; None: it does not override the hook."""

    name: str
    check: Literal["pass", "refuse", "raise", "body", "exit"] | None
    taken: Literal["pass", "refuse", "raise", "body"] | None
    finish: Literal["amend", "mend", "raise"] | None
    failed: Literal["leave", "answer", "raise"] | None
    closed: Literal["note", "raise"] | None
    fails: Literal["open", "closed"]
    mode: Literal["enforce", "report"]


def make_guard(script: Script, events: Events) -> Guard:
    def check(self: Guard, request: Request) -> Refusal | None:
        events.append(("check", script.name))
        if script.check == "raise":
            raise LookupError(script.name)
        if script.check == "body":
            raise Refused(REFUSAL)
        if script.check == "exit":
            raise SystemExit(1)
        return REFUSAL if script.check == "refuse" else None

    def taken(self: Guard, request: Request, taken: Taken) -> Refusal | None:
        events.append(("taken", script.name))
        if script.taken == "raise":
            raise LookupError(script.name)
        if script.taken == "body":
            raise Refused(REFUSAL)
        return REFUSAL if script.taken == "refuse" else None

    def finish(self: Guard, request: Request, response: Response) -> None:
        events.append(("finish", script.name, response.status))
        if request.refused:
            events.append(("refused", script.name, request.refused.reason))
        response.add("X-Finished", script.name)
        if script.finish == "mend":
            response.status = "404 Not Found"
        if script.finish == "raise":
            raise LookupError(script.name)

    def failed(self: Guard, request: Request, error: Exception) -> Refusal | None:
        events.append(("failed", script.name, type(error).__name__))
        if script.failed == "raise":
            raise LookupError(script.name)
        return REFUSAL if script.failed == "answer" else None

    def closed(self: Guard, request: Request) -> None:
        events.append(("closed", script.name))
        if script.closed == "raise":
            raise LookupError(script.name)

    hooks: dict[str, Any] = {
        "check": check,
        "taken": taken,
        "finish": finish,
        "failed": failed,
        "closed": closed,
    }
    chosen = {name: hook for name, hook in hooks.items() if getattr(script, name) is not None}
    made: Guard = type(
        "Scripted", (Guard,), {**chosen, "fails": script.fails, "mode": script.mode}
    )()
    return made


class Closing:
    """A body that says when it is closed."""

    def __init__(self, chunks: Iterable[bytes], events: Events) -> None:
        self.chunks = chunks
        self.events = events

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.events.append(("closed", "app"))


AppKind = Literal[
    "list",
    "closing",
    "generator",
    "lazy",
    "empty",
    "write",
    "raise early",
    "raise started",
    "raise at first",
    "raise in the middle",
    "restart",
    "restart late",
    "body",
    "body late",
    "body in the middle",
    "empty chunk",
    "exit",
]


def make_app(kind: AppKind, events: Events) -> App:
    headers = [("Content-Type", "text/plain")]

    def chunks(start: Callable[..., Any]) -> Iterator[bytes]:
        if kind in {"lazy", "raise at first", "empty"}:
            start("200 OK", headers)
        if kind == "raise at first":
            raise ZeroDivisionError
        if kind == "restart":
            try:
                raise ZeroDivisionError
            except ZeroDivisionError as error:
                start("500 Mended", headers, (type(error), error, None))
        if kind == "body late":
            raise Refused(REFUSAL)
        if kind == "empty":
            return
        if kind == "empty chunk":
            yield b""
            raise ZeroDivisionError
        yield b"one"
        if kind == "raise in the middle":
            raise ZeroDivisionError
        if kind == "body in the middle":
            raise Refused(REFUSAL)
        if kind == "restart late":
            try:
                raise ZeroDivisionError
            except ZeroDivisionError as error:
                start("500 Too late", headers, (type(error), error, None))
        yield b"two"

    def app(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        decide(env, Taken("api", None))
        events.append(("app",))
        if kind == "raise early":
            raise ZeroDivisionError
        if kind == "body":
            raise Refused(REFUSAL)
        if kind == "exit":
            raise SystemExit(1)
        if kind not in {"lazy", "raise at first", "empty"}:
            write = start("200 OK", headers)
            if kind == "write":
                write(b"zero")
        if kind == "raise started":
            raise ZeroDivisionError
        if kind == "list":
            return [b"one", b"two"]
        return Closing(chunks(start), events)

    return app


def outcome(app: App, chunks_read: int, events: Events) -> object:
    """What a server sees: calls, bytes, an exception; with headers sent as servers do it."""
    sent = False
    seen: list[object] = []

    def write(data: bytes) -> None:
        nonlocal sent
        sent = True
        seen.append(data)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and sent:
            raise exc_info[1]
        named = [pair for pair in headers if pair[0] != "X-Request-ID"]
        seen.append(
            (status, [pair for pair in named if pair[0] != "Content-Length"], bool(exc_info))
        )
        return write

    request: Environ = environ("/api", "POST", b"[]")
    try:
        body = app(request, start_response)
        try:
            for number, chunk in enumerate(body):
                if number == chunks_read:
                    break
                if chunk:
                    sent = True
                    seen.append(b"..." if len(chunk) > 10 else chunk)  # the request id differs
        finally:
            close = getattr(body, "close", None)
            if close:
                close()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - compared below
        seen.append(repr(error))
    # a restart after the headers went out is refused by the server, whatever `finish` says
    return seen, [event for event in events if event[2:] != ("500 Too late",)]


@contextmanager
def quiet() -> Generator[None]:
    """Keep a thousand tracebacks of scripted guards out of the report."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


scripts = st.builds(
    Script,
    name=st.sampled_from("abc"),
    check=st.sampled_from([None, "pass", "pass", "pass", "refuse", "raise", "body", "exit"]),
    taken=st.sampled_from([None, "pass", "pass", "pass", "refuse", "raise", "body"]),
    finish=st.sampled_from([None, "amend", "mend", "raise"]),
    failed=st.sampled_from([None, "leave", "answer", "raise"]),
    closed=st.sampled_from([None, "note", "raise"]),
    fails=st.sampled_from(["open", "closed"]),
    mode=st.sampled_from(["enforce", "enforce", "report"]),
)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(scripts, min_size=1, max_size=4),
    st.sampled_from(AppKind.__args__),  # type: ignore[attr-defined] # a Literal has them
    st.sampled_from([0, 1, 99]),
)
def test_a_shield_of_guards_behaves_as_shields_of_one_guard_each(
    given_scripts: list[Script], kind: AppKind, chunks_read: int
) -> None:
    """`Shield(app, [a, b])` behaves as `Shield(Shield(app, [b]), [a])`."""
    site = Site(Settings(), None)
    fused_events: Events = []
    fused = Shield(
        make_app(kind, fused_events),
        [make_guard(script, fused_events) for script in given_scripts],
        site,
    )
    nested_events: Events = []
    nested: App = make_app(kind, nested_events)
    for script in reversed(given_scripts):
        nested = Shield(nested, [make_guard(script, nested_events)], site)

    with quiet():
        one = outcome(fused, chunks_read, fused_events)
        many = outcome(nested, chunks_read, nested_events)
    assert one == many


# --- PEP 3333 ---------------------------------------------------------------------------


@attrs.frozen(kw_only=True, eq=False)
class Everything(Guard):
    """Overrides all hooks and changes nothing, so that all wrapping is in place."""

    name = "everything"

    def check(self, request: Request) -> Refusal | None:
        return None

    def finish(self, request: Request, response: Response) -> None:
        return None

    def failed(self, request: Request, error: Exception) -> Refusal | None:
        return None

    def closed(self, request: Request) -> None:
        return None


@attrs.frozen(kw_only=True, eq=False)
class Refusing(Guard):
    """Refuses everything."""

    name = "refusing"

    def check(self, request: Request) -> Refusal | None:
        return REFUSAL


@attrs.frozen(kw_only=True, eq=False)
class Amending(Guard):
    """Adds a header to every answer."""

    name = "amending"

    def finish(self, request: Request, response: Response) -> None:
        response.add("X-Amended", "yes")


@attrs.frozen(kw_only=True, eq=False)
class Answering(Guard):
    """Answers every failure."""

    name = "answering"

    def failed(self, request: Request, error: Exception) -> Refusal | None:
        return REFUSAL


@attrs.frozen(kw_only=True, eq=False)
class Closing2(Guard):
    """Notes that a request is over."""

    name = "closing"
    over: list[str] = attrs.field(factory=list[str])

    def closed(self, request: Request) -> None:
        self.over.append(request.path)


def _start(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def strict(app: App) -> App:
    """An application that complains of a server that breaks PEP 3333, and the other way round."""
    checked: App = validator(app)
    return checked


@pytest.mark.parametrize("kind", ["list", "closing", "generator", "lazy", "write"])
@pytest.mark.parametrize(
    "guards",
    [[], [Amending()], [Everything()], [Answering()], [Refusing()], [Everything(), Refusing()]],
    ids=lambda guards: "+".join(guard.name for guard in guards) or "none",
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_shield_keeps_pep_3333_towards_the_server_and_the_application(
    kind: AppKind, guards: list[Guard], method: str
) -> None:
    shield = Shield(strict(make_app(kind, [])), guards, Site(Settings(), None))

    answer = serve(strict(shield), environ("/", method, b"" if method == "POST" else None))

    refused = any(guard.name == "refusing" for guard in guards)
    assert answer.code == (403 if refused else 200)
    if not refused:
        assert answer.body.endswith(b"onetwo")
    elif method == "HEAD":
        assert answer.body == b""


def test_a_generator_stays_lazy() -> None:
    produced: list[int] = []

    def app(env: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        for number in range(3):
            produced.append(number)
            yield b"x"

    body = iter(Shield(app, [Everything()])(environ(), lambda *_: lambda _: None))
    assert produced == []
    next(body)
    assert produced == [0]


def test_close_is_called_once_when_the_client_goes_away_in_the_middle() -> None:
    events: Events = []
    guard = Closing2()
    shield = Shield(make_app("closing", events), [guard])

    body = shield(environ("/gone"), lambda *_: lambda _: None)
    next(iter(body))
    body.close()  # type: ignore[attr-defined] # it has one: the guard waits for it
    body.close()  # type: ignore[attr-defined] # a second time, as careless servers do

    assert [event for event in events if event[0] == "closed"] == [("closed", "app")] * 2
    assert guard.over == ["/gone"]


def test_close_is_called_on_a_refusal() -> None:
    guard = Closing2()
    call(Shield(hello, [guard, Refusing()]), "/refused")
    assert guard.over == ["/refused"]


def test_an_exception_after_the_headers_is_raised_again_for_the_server() -> None:
    shield = Shield(make_app("raise in the middle", []), [Answering()])
    body = shield(environ(), lambda *_: lambda _: None)
    chunks = iter(body)
    assert next(chunks) == b"one"
    with pytest.raises(ZeroDivisionError):
        next(chunks)


def test_a_body_over_the_limit_after_the_headers_ends_the_answer() -> None:
    body = iter(Shield(make_app("body in the middle", []), [Everything()])(environ(), _start))
    assert next(body) == b"one"
    with pytest.raises(Refused):
        next(body)


def test_a_failure_before_the_headers_is_answered() -> None:
    assert call(Shield(make_app("empty chunk", []), [Answering()])).code == 403
    assert call(Shield(make_app("raise at first", []), [Answering()])).code == 403
    assert call(Shield(make_app("raise started", []), [Answering()])).code == 403


def test_a_failure_that_no_guard_answers_reaches_the_server() -> None:
    with pytest.raises(ZeroDivisionError):
        call(Shield(make_app("raise early", []), [Everything()]))


def test_a_file_of_the_servers_own_kind_is_passed_through_unwrapped() -> None:
    wrapper = FileWrapper(io.BytesIO(b"content"))

    def app(env: Environ, start: Callable[..., Any]) -> FileWrapper:
        start("200 OK", [])
        return wrapper

    server: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}
    env = environ(**server)
    assert Shield(app, [Amending(), Answering()])(env, lambda *_: lambda _: None) is wrapper


def test_the_end_of_a_file_of_the_servers_own_kind_is_heard_of() -> None:
    closing = Closing2()
    file = io.BytesIO(b"content")

    def app(env: Environ, start: Callable[..., Any]) -> Any:
        start("200 OK", [])
        return env["wsgi.file_wrapper"](file)

    env = environ(**{"wsgi.file_wrapper": FileWrapper})
    body = Shield(Shield(app, [closing]), [closing])(env, lambda *_: lambda _: None)
    assert type(body) is FileWrapper
    assert not closing.over
    body.close()
    assert len(closing.over) == 2
    assert file.closed
    # one that is made in C takes no attribute: mod_wsgi
    wrapped = [b"content"].__iter__
    env = environ(**{"wsgi.file_wrapper": type(wrapped())})

    def in_c(env: Environ, start: Callable[..., Any]) -> Any:
        del env
        start("200 OK", [])
        return wrapped()

    assert isinstance(Shield(in_c, [closing])(env, lambda *_: lambda _: None), Chunks)


def test_a_body_that_cannot_be_closed_is_over_all_the_same() -> None:
    closing = Closing2()

    def app(env: Environ, start: Callable[..., Any]) -> tuple[bytes]:
        del env
        start("200 OK", [])
        return (b"content",)

    body: Any = Shield(app, [closing])(environ(), _start)
    assert list(body) == [b"content"]
    body.close()
    assert closing.over


def test_a_failure_after_the_headers_went_out_is_the_servers_to_raise() -> None:
    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        del env
        start("200 OK", [])(b"part")
        try:
            raise RuntimeError
        except RuntimeError:
            start("500 Internal Server Error", [], sys.exc_info())
        return []

    told: list[tuple[str, object]] = []

    def start(status: str, _: object, exc_info: object = None) -> Callable[[bytes], object]:
        told.append((status, exc_info and type(exc_info)))
        return bytes

    Shield(app, [Everything()])(environ(), start)
    assert told == [("200 OK", None), ("500 Internal Server Error", tuple)]


def test_a_list_keeps_its_length_so_that_servers_can_count_it() -> None:
    body = Shield(hello, [Everything()])(environ(), lambda *_: lambda _: None)
    assert len(body) == 1  # type: ignore[arg-type] # a list


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("204 No Content", [], []),
        ("304 Not Modified", [("ETag", '"1"')], []),
        (
            "206 Partial Content",
            [("Content-Range", "bytes 0-1/9"), ("Content-Length", "2")],
            [b"01"],
        ),
        (
            "200 OK",
            [("Content-Encoding", "gzip"), ("Content-Length", "3"), ("Vary", "Accept-Encoding")],
            [b"gzi"],
        ),
    ],
    ids=["no content", "not modified", "range", "gzip"],
)
def test_an_answer_passes_unharmed(
    status: str, headers: list[tuple[str, str]], body: list[bytes]
) -> None:
    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        start(status, headers)
        return body

    assert call(Shield(app, [Everything()])) == Answer(status, headers, b"".join(body))


def test_the_applications_own_list_of_headers_is_not_changed() -> None:
    headers = [("Content-Type", "text/plain")]

    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", headers)
        return []

    assert call(Shield(app, [Amending()])).get("X-Amended") == "yes"
    assert headers == [("Content-Type", "text/plain")]


@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket"])
def test_the_servers_socket_stays_in_the_environ(key: str) -> None:
    seen: list[object] = []

    def app(env: Environ, start: Callable[..., Any]) -> list[bytes]:
        seen.append(env[key])
        start("200 OK", [])
        return []

    socket: Any = object()
    call(Shield(app, [Everything()]), **{key: socket})
    assert seen == [socket]


# --- guards that break ------------------------------------------------------------------


def broken(hook: str, fails: str) -> Guard:
    def fail(self: Guard, *_: object) -> None:
        raise LookupError(hook)

    made: Guard = type("Broken", (Guard,), {hook: fail, "fails": fails})()
    return made


@pytest.mark.parametrize("hook", ["check", "finish"])
def test_a_guard_that_breaks_and_fails_closed_refuses_that_request(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(Shield(hello, [Amending(), broken(hook, "closed")]))
    assert (answer.code, answer.get("X-Amended")) == (503, "yes")
    assert answer.get("Jamguard-Refused") == "broken"
    assert "guard-failed guard=broken outcome=refused" in caplog.text
    assert "LookupError" in caplog.text


def test_a_guard_that_breaks_late_and_fails_closed_replaces_a_lazy_answer() -> None:
    events: Events = []
    answer = call(Shield(make_app("lazy", events), [Everything(), broken("finish", "closed")]))
    assert answer.code == 503
    assert b"one" not in answer.body
    assert ("closed", "app") in events
    answer = call(Shield(make_app("write", events), [broken("finish", "closed")]))
    assert b"zero" not in answer.body


@pytest.mark.parametrize("hook", ["check", "finish", "closed"])
def test_a_guard_that_breaks_and_fails_open_is_left_out_of_that_request(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(Shield(hello, [Amending(), broken(hook, "open")]))
    assert (answer.code, answer.body, answer.get("X-Amended")) == (200, b"hi", "yes")
    assert "guard-failed guard=broken outcome=passed" in caplog.text


def test_a_guard_that_breaks_on_a_failure_leaves_it_to_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shield = Shield(make_app("raise early", []), [Answering(), broken("failed", "closed")])
    assert call(shield).code == 403


# --- plans, modes, requests -------------------------------------------------------------


def test_a_guard_is_kept_out_of_routes_that_do_not_concern_it() -> None:
    @attrs.frozen(kw_only=True, eq=False)
    class OnlyHealth(Refusing):
        def concerns(self, route: Route) -> bool:
            return route.name == "health"

    shield = Shield(hello, [OnlyHealth()])
    assert call(shield, "/").code == 200
    assert call(shield, "/health").code == 403


def test_a_disabled_guard_is_left_out() -> None:
    assert call(Shield(hello, [Refusing(enabled=False)])).code == 200


def test_a_guard_in_report_mode_logs_and_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    @attrs.frozen(kw_only=True, eq=False)
    class Reporting(Refusing, Answering):
        mode: str = "report"

    assert call(Shield(hello, [Reporting()]), "/x").code == 200
    assert "would-refuse guard=reporting reason=no status=403" in caplog.text
    with pytest.raises(ZeroDivisionError):
        call(Shield(make_app("raise early", []), [Reporting()]))


def test_a_guard_called_with_an_application_is_a_middleware() -> None:
    assert call(Amending()(hello)).get("X-Amended") == "yes"


def test_nested_shields_share_one_request() -> None:
    seen: list[Request] = []

    @attrs.frozen(kw_only=True, eq=False)
    class Seeing(Guard):
        def check(self, request: Request) -> Refusal | None:
            seen.append(request)
            return None

    call(Seeing()(Seeing()(hello)))
    assert seen[0] is seen[1]


@pytest.mark.parametrize(
    "change", [{"PATH_INFO": "/inner"}, {"SCRIPT_NAME": "/mount"}], ids=["path", "mount"]
)
def test_facts_of_the_path_are_worked_out_again_when_it_changed(change: dict[str, str]) -> None:
    seen: list[Request] = []

    @attrs.frozen(kw_only=True, eq=False)
    class Seeing(Guard):
        def check(self, request: Request) -> Refusal | None:
            seen.append(request)
            return None

    def move(app: App) -> App:
        def moved(env: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
            return app({**env, **change}, start)

        return moved

    call(Seeing()(move(Seeing()(hello))))
    outer, inner = seen
    assert outer is not inner
    assert outer.id == inner.id
    assert {inner.path, inner.mount} >= set(change.values())
