"""What leaves when an application fails, whatever application it is."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from support.jam import jam_site
from support.wsgi import Answer, call, hello

from jamguard import Shield
from jamguard.guards.errors import Errors

SECRET = "SELECT password FROM users -- in /srv/project/server.py"


def fails(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise LookupError(SECRET)


def fails_after_starting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Secret", SECRET)])
    raise LookupError(SECRET)


def fails_before_the_first_chunk(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("X-Secret", SECRET)])
    yield b""
    raise LookupError(SECRET)


def fails_halfway(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"half"
    raise LookupError(SECRET)


FAILING = [fails, fails_after_starting, fails_before_the_first_chunk]


@pytest.mark.parametrize("app", FAILING)
def test_nothing_of_an_exception_leaves(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = call(Shield(app, [Errors()]))
    assert answer.status == "500 Internal Server Error"
    assert SECRET not in str(answer)
    number = answer.get("X-Request-ID")
    assert number
    assert number.encode() in answer.body
    failure = next(record for record in caplog.records if record.exc_info)
    assert failure.levelno == logging.ERROR
    assert number in failure.message
    assert failure.exc_info
    assert str(failure.exc_info[1]) == SECRET


@pytest.mark.parametrize(
    ("path", "code", "kind"),
    [
        ("/", 500, "text/html; charset=utf-8"),
        ("/api", 200, "application/json"),
        ("/upload", 200, "application/json"),
        ("/ext/anything", 500, "application/problem+json"),
    ],
)
def test_the_answer_has_the_form_that_its_reader_understands(
    path: str, code: int, kind: str
) -> None:
    answer = _on_jam_py(fails, path)
    assert (answer.code, answer.get("Content-Type")) == (code, kind)
    if code == 200:
        message = json.loads(answer.body)["error"]
        assert message.startswith("Something went wrong on the server. It has been recorded.")
    assert not call(Shield(fails, [Errors()]), path, "HEAD").body


def test_an_exception_after_the_first_byte_ends_the_answer_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(LookupError):
        call(Shield(fails_halfway, [Errors()]))
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_ends_a_process_goes_through(stop: type[BaseException]) -> None:
    def stops(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise stop

    with pytest.raises(stop):
        call(Shield(stops, [Errors()]))


def test_in_report_mode_the_server_gets_the_exception(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LookupError):
        call(Shield(fails, [Errors(mode="report")]))
    assert "would-refuse guard=errors reason=application-failed" in caplog.text


def test_an_error_page_of_any_other_application_keeps_its_status() -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            raise HttpError
        except HttpError:
            start_response("500 Its Own", [])
            return [b"its own"]

    assert call(Shield(broken, [Errors()])).status == "500 Its Own"
    assert _on_jam_py(broken, "/").status == "500 Its Own"  # no frame of Jam.py's caught it


@pytest.mark.parametrize("path", ["/", "/api", "/upload", "/logout", "/jam/js/jam.js"])
def test_a_failure_in_which_jam_py_has_no_part_is_no_riddle(path: str) -> None:
    assert _on_jam_py(fails, path).get("Jamguard-Refused") == "errors"
    assert b"Something went wrong" in _on_jam_py(fails, path).body


def test_what_works_is_left_alone() -> None:
    assert call(Shield(hello, [Errors()])) == call(hello)


class HttpError(Exception):
    code = 404


def _on_jam_py(app: Any, path: str) -> Answer:
    return call(Shield(app, [Errors()], jam_site()), path)
