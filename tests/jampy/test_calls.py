"""Whose a call is, in every spelling that Jam.py would read."""

from types import SimpleNamespace
from typing import Any

import pytest
from support.wsgi import environ
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request

from jamguard.guard import Refused
from jamguard.jampy.calls import Call, Place, Taken, watch


class JamsRequest:
    """As much of Jam.py's request as is looked at."""

    def __init__(self, method: str = "POST", body: bytes = b"", task_id: str | None = None) -> None:
        self.environ: dict[str, Any] = {}
        self.method = method
        self.form = {"task_id": task_id}
        self._body = body

    def get_data(self) -> bytes:
        return self._body


def is_builder_call(body: bytes) -> bool:
    return Taken("api", JamsRequest(body=body)).builder


@pytest.mark.parametrize(
    "task_id",
    ["0", "-0", "0.0", "-0.0", "0e5", "1e-400", "false", " 0 ", "\t0\n", "0.000"],
)
def test_what_equals_zero_is_the_builders(task_id: str) -> None:
    assert is_builder_call(f'["load",{task_id},0,null,0]'.encode())


@pytest.mark.parametrize(
    "task_id", ["1", "12", "-1", "true", "null", '"0"', "[]", "{}", "0.5", "1e400", "NaN", "[0]"]
)
def test_what_does_not_is_the_applications(task_id: str) -> None:
    assert not is_builder_call(f'["load",{task_id},0,null,0]'.encode())


@pytest.mark.parametrize(
    ("body", "builder"),
    [
        (b' [ "load" , 0 , 0 , null , 0 ] ', True),
        (b'["\\u006coad",0,0,null,0]', True),
        (b'["LOAD",0,0,null,0]', True),
        (b"[1,0,0,null,0]", True),
        (b'["load",1,0,null,0]', False),
        (b'["x\\",0,",1,0,null,0]', False),
        (b'["load",0,0,null]', False),
        (b'["load",0,0,null,0,0]', False),
        (b'{"a":1,"0":0,"c":0,"d":0,"e":0}', False),
        (b'"a0cde"', False),
        (b"", False),
        (b"\xff", False),
        (b'\xef\xbb\xbf["load",0,0,null,0]', False),
        ('["load",0,0,null,0]'.encode("utf-16"), False),
        (b"[" * 100_000, False),
        (b"5", False),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_is_taken_apart_as_jam_py_does(body: bytes, *, builder: bool) -> None:
    assert is_builder_call(body) == builder


@pytest.mark.parametrize(
    ("task_id", "builder"),
    [
        ("0", True),
        (" 0", True),
        ("+0", True),
        ("00", True),
        ("-0", True),
        ("0_0", True),
        ("1", False),
        ("x", False),
        (None, False),
    ],
)
def test_jam_pys_own_form_tells_whose_an_upload_is(task_id: str | None, *, builder: bool) -> None:
    assert Taken("upload", JamsRequest(task_id=task_id)).builder == builder
    assert not Taken("upload", JamsRequest("GET", task_id=task_id)).builder


@pytest.mark.parametrize(("place", "method"), [("upload", "POST"), ("api", "GET")])
def test_what_is_no_call_has_none(place: Place, method: str) -> None:
    assert Taken(place, JamsRequest(method, b'["load",1,0,null,0]')).call is None


@pytest.mark.parametrize(
    ("name", "place", "request_", "builder"),
    [
        ("on_builder", "builder", JamsRequest("GET"), True),
        ("on_api", "api", JamsRequest(body=b'["load",0,0,null,0]'), True),
        ("on_api", "api", JamsRequest(body=b'["load",1,0,null,0]'), False),
        ("on_api", "api", JamsRequest("GET", b'["load",0,0,null,0]'), False),
        ("on_upload", "upload", JamsRequest(task_id="0"), True),
    ],
)
def test_jam_py_tells_where_a_request_has_gone(
    name: str, place: Place, request_: JamsRequest, *, builder: bool
) -> None:
    answers: list[tuple[object, ...]] = []

    def answer(*given: object) -> None:
        answers.append(given)

    project: Any = SimpleNamespace(app=SimpleNamespace(**{name: answer}))
    told: list[Taken] = []
    for _ in range(2):  # a second shield on the same application
        watch(project, lambda _environ, taken: told.append(taken))
    getattr(project.app, name)(request_, "more")
    assert [(taken.place, taken.builder, taken.jams, taken.app) for taken in told] == [
        (place, builder, request_, project.app)
    ]
    assert answers == [(request_, "more")]


@pytest.mark.parametrize(
    "call",
    [
        Call("open", 1, 6, {"__filters": [["name", 7, ["'O''Brien'"]]]}, 0),
        Call("open", 1, 6, {"Łódź": "東京 \ud800 \0", "n": [1.5, -0.0, 10**30, None]}, None),
    ],
)
def test_jam_py_reads_a_call_that_was_written_again(call: Call) -> None:
    request = Request(environ("/api", "POST", b'["open",1,6,{},0]'))
    taken = Taken("api", request)
    assert taken.call == Call("open", 1, 6, {}, 0)
    taken.rewrite(call)
    assert Call.parse(request.get_data()) == call


def test_what_jam_py_would_not_read_is_not_written() -> None:
    with pytest.raises(Refused) as caught:
        Taken("api", JamsRequest(body=b"[]")).rewrite(Call("open", 1, 6, {}, 0))
    assert caught.value.refusal.status == 400


class Stopped(JamsRequest):
    """A request whose body cannot be read to its end: Werkzeug says so, or mod_wsgi."""

    error: type[Exception] = BadRequest

    def get_data(self) -> bytes:
        raise self.error


@pytest.mark.parametrize("error", [BadRequest, OSError])
def test_a_body_that_ends_early_is_refused(error: type[Exception]) -> None:
    stopped = Stopped()
    stopped.error = error
    with pytest.raises(Refused) as caught:
        _ = Taken("api", stopped).builder
    assert (caught.value.refusal.status, caught.value.refusal.courtesy) == (400, False)


def test_a_form_that_is_too_much_for_werkzeug_is_refused() -> None:
    """Read on after that, it would be another form."""
    part = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    parts = [part.format("long", "x" * 600_000), part.format("task_id", "0")]
    body = ("--b\r\n" + "--b\r\n".join(parts) + "--b--\r\n").encode()
    how = environ("/upload", "POST", body, CONTENT_TYPE="multipart/form-data; boundary=b")
    request = Request(how)
    request.max_form_memory_size = 500_000
    with pytest.raises(Refused) as caught:
        _ = Taken("upload", request).builder
    assert (caught.value.refusal.status, caught.value.refusal.courtesy) == (413, True)
