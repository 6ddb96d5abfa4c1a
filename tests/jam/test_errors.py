"""What a client gets when Jam.py or a project's own code fails: plain, and behind jamguard.

Each request goes to plain Jam.py first: there it must still fail.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support.code import OWN_PAGES, add_task_code
from support.projects import ADMIN, CLERK, CUSTOMERS, TASK, copy
from support.servers import Kind, Reply, Server, run_server

BOUNDARY: Final = "----parts"
MULTIPART: Final = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
PLEASE_LOG_IN: Final = "Please log in first."
NOT_UNDERSTOOD: Final = "The server could not understand this request."
WENT_WRONG: Final = "Something went wrong on the server"
#: that guard refuses most bad calls before they can fail
CONFIG: Final = "[tool.jamguard.api]\nenabled = false\n"


def form(**fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()


@attrs.frozen
class Row:
    """A request, the answer's status behind jamguard, and words that are in that answer."""

    method: str
    path: str
    status: int
    says: str = ""
    body: bytes | None = None
    headers: Mapping[str, str] = attrs.Factory(dict[str, str])
    logged_in: bool = False


def bad_call(body: bytes) -> Row:
    return Row("POST", "/api", 200, NOT_UNDERSTOOD, body)


#: what Jam.py answers with status 500, as a page or by falling over
FAILURES: Final = {
    "a page that does not exist": Row("GET", "/nothing", 404, "Not Found"),
    "abort(400)": Row("GET", "/own/abort/400", 400),
    "abort(401)": Row("GET", "/own/abort/401", 401),
    "abort(403)": Row("GET", "/own/abort/403", 403),
    "abort(405)": Row("DELETE", "/own/abort/405", 405),
    "abort(413)": Row("GET", "/own/abort/413", 413),
    "abort(418)": Row("GET", "/own/abort/418", 418),
    "abort(503)": Row("GET", "/own/abort/503", 503),
    "a page of its own with status 500": Row("GET", "/own/500", 500, "a page of its own"),
    "an exception in a page of its own": Row("GET", "/own/boom", 500, WENT_WRONG),
    "a style sheet before the login": Row("GET", "/css/project.css", 403, "Forbidden"),
    "a script that is not there": Row("GET", "/js/no.js", 404, "nothing at", logged_in=True),
    "a file of Jam.py that is not there": Row("GET", "/jam/js/no.js", 404, "nothing at"),
    "the folder of Jam.py": Row("GET", "/jam", 404, "nothing at"),
    "a log-out without a session": Row("GET", "/logout", 302),
    "a login without a password": Row("POST", "/login.html", 400, body=b"login=a", headers=FORM),
    "a builder login without anything": Row(
        "POST", "/builder_login.html", 400, body=b"", headers={"Connection": "keep-alive"}
    ),
    "a login that is no form": Row("POST", "/login.html", 400, body=b'{"login":"a"}'),
    "an upload of nothing": Row("POST", "/upload", 200, NOT_UNDERSTOOD, b""),
    "an upload without fields": Row("POST", "/upload", 200, NOT_UNDERSTOOD, form(), MULTIPART),
    "an upload to a task that is no number": Row(
        "POST", "/upload", 200, NOT_UNDERSTOOD, form(task_id="x"), MULTIPART
    ),
    "an upload before the login": Row(
        *("POST", "/upload", 200, PLEASE_LOG_IN),
        *(form(task_id="1", item_id="6", field_id="18", path="x"), MULTIPART),
    ),
    "an upload without a file": Row(
        *("POST", "/upload", 200, NOT_UNDERSTOOD),
        *(form(task_id="1", item_id="6", field_id="18", path="x"), MULTIPART),
        logged_in=True,
    ),
    "a call by GET": Row("GET", "/api", 405),
    "a call by OPTIONS": Row("OPTIONS", "/api", 405),
    "an upload by PUT": Row("PUT", "/upload", 405, body=b"x"),
    "a machine's call by GET": Row("GET", "/ext/anything", 405, "about:blank"),
    "an empty call": bad_call(b""),
    "a call that is no JSON": bad_call(b"open customers"),
    "a call of four": bad_call(b'["load", 1, 0, null]'),
    "a call of six": bad_call(b'["load", 1, 0, null, 0, 0]'),
    "a call that is a number": bad_call(b"12345"),
    "a call that is null": bad_call(b"null"),
    "a call in UTF-16": bad_call('["load", 1, 0, null, 0]'.encode("utf-16")),
    "a call in Latin-1": bad_call('["lö", 1, 0, null, 0]'.encode("latin-1")),
    "a call nested deeply": bad_call(b"[" * 100_000 + b"]" * 100_000),
    "a call that opens 100,000 brackets": bad_call(b"[" * 100_000),
    "a call with 100,000 digits": bad_call(b'["load", 1, 0, ' + b"9" * 100_000 + b", 0]"),
}


@attrs.frozen
class Site:
    """The same project on a server twice."""

    plain: Server
    hardened: Server
    cookies: Mapping[int, str]

    def send(self, server: Server, row: Row) -> Reply:
        headers = dict(row.headers)
        if row.logged_in:
            headers["Cookie"] = self.cookies[server.port]
        return server.request(row.method, row.path, headers, row.body)


@pytest.fixture(scope="module", params=["gunicorn", "waitress", "werkzeug"])
def site(
    request: pytest.FixtureRequest, demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    with ExitStack() as stack:
        plain, hardened = (
            stack.enter_context(
                run_server(
                    add_task_code(copy(demo_project, folder / str(harden)), OWN_PAGES),
                    kind,
                    harden=harden,
                    config=CONFIG,
                )
            )
            for harden in (False, True)
        )
        # the first page loads the project, and with it the pages of its own
        yield Site(plain, hardened, {each.port: each.login(CLERK) for each in (plain, hardened)})


@pytest.mark.parametrize("row", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_answered_as_what_it_is(site: Site, row: Row) -> None:
    assert site.send(site.plain, row).status == 500, "the control: plain Jam.py no longer fails"
    reply = site.send(site.hardened, row)
    assert reply.status == row.status
    assert row.says in reply.text
    assert reply.get("X-Request-ID")
    for leak in ("Traceback", "jam/wsgi.py", "File &quot;", "EVALEX", "a key that only"):
        assert leak not in reply.text


def test_what_fails_on_the_way_to_a_call_is_shown_by_jam_pys_client(site: Site) -> None:
    reply = site.send(site.hardened, FAILURES["a call of six"])
    number = reply.get("X-Request-ID")
    message = f"{NOT_UNDERSTOOD} (Request number {number})"
    assert reply.json == {"result": {"data": [None, message]}, "error": message}


def test_a_method_that_is_not_answered_comes_with_those_that_are(site: Site) -> None:
    assert site.send(site.hardened, FAILURES["a call by GET"]).get("Allow") == "POST"


def test_the_log_has_the_traceback_under_the_number_that_the_client_got(site: Site) -> None:
    reply = site.send(site.hardened, FAILURES["an exception in a page of its own"])
    number = reply.get("X-Request-ID")
    assert number
    assert number in reply.text
    log = site.hardened.log()
    assert f"application-failed error=KeyError id={number}" in log
    assert "KeyError: 'a key that only the log may show'" in log


ANSWERS: Final[dict[str, list[Any]]] = {
    "an exception in a server function": ["server", TASK, CUSTOMERS, ["boom", [""]], 0],
    "an exception on purpose": ["server", TASK, CUSTOMERS, ["nope", []], 0],
    "a function that does not exist": ["server", TASK, CUSTOMERS, ["none", []], 0],
    "an item that does not exist": ["open", TASK, 4711, {}, 0],
    "a method that does not exist": ["dance", TASK, CUSTOMERS, {}, 0],
    "an ordinary answer": ["server", TASK, CUSTOMERS, ["hello", ["you"]], 0],
}


@pytest.mark.parametrize("call", ANSWERS.values(), ids=ANSWERS)
def test_jam_pys_own_answer_to_a_call_stays_as_it_is(site: Site, call: list[Any]) -> None:
    plain = site.plain.api(call, site.cookies[site.plain.port])
    hardened = site.hardened.api(call, site.cookies[site.hardened.port])
    assert plain.status == hardened.status == 200
    assert plain.json == hardened.json


def test_a_machines_call_that_nobody_answers_stays_as_it_is(site: Site) -> None:
    row = Row("POST", "/ext/unknown", 200, body=json.dumps([1]).encode())
    plain, hardened = site.send(site.plain, row), site.send(site.hardened, row)
    assert (plain.status, plain.json) == (hardened.status, hardened.json)
    assert plain.status == 200


def test_with_jam_pys_debugging_on_an_exception_stays_in_the_log(project: Path) -> None:
    with closing(sqlite3.connect(project / "admin.sqlite")) as database, database:
        database.execute("UPDATE SYS_PARAMS SET F_DEBUGGING = 1")
    call: list[Any] = ["server", TASK, CUSTOMERS, ["boom", []], 0]
    with run_server(project, "werkzeug", harden=False) as plain:
        reply = plain.api(call, plain.login(ADMIN))
        assert reply.status == 500
        assert "return 1 / 0" in reply.text, "the control: the source is shown to anybody"
    with run_server(project, "werkzeug") as hardened:
        reply = hardened.api(call, hardened.login(ADMIN))
        assert reply.status == 200
        assert reply.json["error"].startswith(WENT_WRONG)
        assert "ZeroDivisionError" in hardened.log()
