"""Whose a call is, in every spelling that Jam.py would read."""

from types import SimpleNamespace
from typing import Any

import pytest

from jamguard.jampy.calls import ON_BUILDER, is_builder_call, watch


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
    ("task_id", "told"),
    [
        ("0", 1),
        (" 0", 1),
        ("+0", 1),
        ("00", 1),
        ("-0", 1),
        ("0_0", 1),
        ("1", 0),
        ("x", 0),
        (None, 0),
    ],
)
def test_jam_pys_own_form_tells_whose_an_upload_is(task_id: str | None, told: int) -> None:
    uploads: list[object] = []
    project: Any = SimpleNamespace(app=SimpleNamespace(on_upload=uploads.append))
    watch(project)
    watch(project)  # a second shield on the same application
    tellings: list[None] = []

    def request(environ: dict[str, Any], method: str = "POST") -> Any:
        return SimpleNamespace(environ=environ, method=method, form={"task_id": task_id})

    project.app.on_upload(request({}))
    project.app.on_upload(request({ON_BUILDER: lambda: tellings.append(None)}, "GET"))
    assert tellings == []
    project.app.on_upload(request({ON_BUILDER: lambda: tellings.append(None)}))
    assert len(tellings) == told
    assert len(uploads) == 3


@pytest.mark.parametrize(
    ("name", "method", "body", "told"),
    [
        ("on_builder", "GET", b"", 1),
        ("on_api", "POST", b'["load",0,0,null,0]', 1),
        ("on_api", "POST", b'["load",1,0,null,0]', 0),
        ("on_api", "GET", b'["load",0,0,null,0]', 0),
    ],
)
def test_jam_py_tells_where_a_request_has_gone(
    name: str, method: str, body: bytes, told: int
) -> None:
    answers: list[tuple[object, ...]] = []

    def answer(*given: object) -> None:
        answers.append(given)

    project: Any = SimpleNamespace(app=SimpleNamespace(**{name: answer}))
    watch(project)
    tellings: list[None] = []
    request = SimpleNamespace(
        environ={ON_BUILDER: lambda: tellings.append(None)}, method=method, get_data=lambda: body
    )
    getattr(project.app, name)(request, "more")
    assert len(tellings) == told
    assert answers == [(request, "more")]
