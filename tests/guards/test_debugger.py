"""What the guard decides; `tests/servers/test_debugger.py` attacks real debuggers."""

import importlib
import logging
from typing import Any

import pytest
import werkzeug.debug
from support.wsgi import call, hello

from jamguard import Shield
from jamguard.guards.debugger import Debugger
from jamguard.site import Site

HOME = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8080"}
WERKZEUG = {"SERVER_SOFTWARE": "Werkzeug/3.1.9"}


@pytest.fixture
def debug() -> Any:
    """Werkzeug's debugger as it comes, whatever other tests have done to it."""
    return importlib.reload(werkzeug.debug)


def shielded(app: Any = hello, **settings: Any) -> Shield:
    return Shield(app, [Debugger(**settings)])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("__debugger__=yes", 404),
        ("__debugger__=yes&cmd=resource&f=style.css", 404),
        ("cmd=pinauth&pin=1&s=x&__debugger__=yes", 404),
        ("__debugger__=yes&cmd=anything&frm=0", 404),
        ("__debugger__", 404),
        ("__debugger__=", 404),
        ("__debugger__=no&__debugger__=yes", 404),
        ("%5F%5Fdebugger%5f%5f=yes", 404),
        ("__%64ebugger__=yes", 404),
        ("&&__debugger__=%79es", 404),
        ("", 200),
        ("q=__debugger__", 200),
        ("q=%5F%5Fdebugger%5f%5f&x", 200),
        ("__debugger__x=yes", 200),
        ("debugger=yes&cmd=resource", 200),
        ("%", 200),
        ("\xff%ff=%zz", 200),
    ],
)
def test_a_command_of_the_debugger_finds_nothing(query: str, code: int) -> None:
    assert call(shielded(), QUERY_STRING=query).code == code


@pytest.mark.parametrize("mark", ["werkzeug.debug.preserve_context", "paste.evalexception"])
def test_while_another_debugger_is_active_nothing_is_answered(
    mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = shielded()
    answers = [call(app, **HOME, **{mark: object()}) for _ in range(2)]
    assert [answer.code for answer in answers] == [503, 503]
    assert b"A debugger is switched on" in answers[0].body
    assert caplog.text.count("id=JG010") == 1
    assert call(app, **HOME).code == 200


STRANGERS: dict[str, dict[str, str]] = {
    "another machine": {"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "localhost"},
    "a proxy on this machine": {**HOME, "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
    "a proxy on this machine that says nothing": {**HOME, "SERVER_PROTOCOL": "HTTP/1.0"},
    "a rebound name": {**HOME, "HTTP_HOST": "rebound.example.com"},
    "a page of another site": {**HOME, "HTTP_ORIGIN": "https://www.example.com"},
    "nobody knows": {**HOME, "REMOTE_ADDR": ""},
}


@pytest.mark.parametrize("software", ["Werkzeug/3.1.9", "Werkzeug/1.0.0", "WSGIServer/0.2"])
@pytest.mark.parametrize("who", STRANGERS)
def test_a_development_server_answers_strangers_with_what_to_run_instead(
    who: str, software: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(shielded(), **{**STRANGERS[who], "SERVER_SOFTWARE": software})
    assert answer.code == 503
    assert answer.get("Jamguard-Refused") == "debugger"
    assert b"gunicorn --bind 0.0.0.0:8000 wsgi:application" in answer.body
    assert "id=JG008" in caplog.text


@pytest.mark.parametrize("who", STRANGERS)
def test_any_other_server_answers_them(who: str) -> None:
    for software in ("gunicorn/27.0.1", "waitress", "", "nginx Werkzeug/3"):
        request: Any = {**STRANGERS[who], "SERVER_SOFTWARE": software}
        assert call(shielded(), **request).code == 200


def test_a_development_server_answers_at_home() -> None:
    assert call(shielded(), **HOME, **WERKZEUG).code == 200


def test_a_debugger_made_before_or_after_passes_requests_on(debug: Any) -> None:
    class Own(debug.DebuggedApplication):  # type: ignore[misc]
        def __call__(self, environ: Any, start_response: Any) -> Any:
            raise AssertionError("never called")

    before = [debug.DebuggedApplication(hello, True), Own(hello)]
    assert b"EVALEX" in call(before[0], "/console", **HOME).body, "the control"
    shielded()

    class Later(Own):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            raise AssertionError("never called")

    for made in (*before, debug.DebuggedApplication(hello, True), Own(hello), Later(hello)):
        assert call(made, "/console", **HOME).body == b"hi"


def test_disarming_is_said_once(debug: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        Shield(hello, [Debugger()], Site.of(hello))
    assert caplog.text.count("id=JG007") == 1


def test_no_pin_is_printed_that_opens_nothing(
    debug: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")  # as in the child of the reloader
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "123-456-789")
    caplog.set_level(logging.INFO)
    debug.DebuggedApplication(hello)
    assert "Debugger PIN: 123-456-789" in caplog.text, "the control"
    caplog.clear()
    shielded()
    debug.DebuggedApplication(hello)
    assert "PIN" not in caplog.text


def test_whoever_insists_keeps_the_debugger(debug: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = shielded(debug.DebuggedApplication(hello, True), insecure_allow=True)
    assert "id=JG011" in caplog.text
    assert b"EVALEX" in call(app, "/console", **HOME).body
    stranger: Any = {**STRANGERS["another machine"], **WERKZEUG}
    assert call(app, QUERY_STRING="__debugger__=yes", **stranger).code == 200
