"""What of a call is let through, and what its refusals look like."""

import json
import sys
from collections.abc import Iterable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from support.items import App, Item, Task, report
from support.jam import jam_site
from support.wsgi import Answer, call, environ, hello, serve
from werkzeug.wrappers import Request as JamsRequest

from jamguard import ConfigError, Shield, harden
from jamguard.guards.api import Api
from jamguard.jampy.calls import Place, Taken
from jamguard.jampy.tree import fields_of
from jamguard.late import decide

MULTIPART = "multipart/form-data; boundary=b"


#: what JSON has without anything in it
NOTHING: dict[str, Any] = {}
NONE: list[Any] = []


def hello_function(_: Item, who: str) -> str:
    return "hello " + who


def project() -> App:
    customers = Item(6)
    vars(customers)["hello"] = hello_function  # as `item.register(function)` does
    vars(customers)["dumps"] = json.dumps
    customers._events = [("dumps", json.dumps)]
    kept = report("title")
    kept.ID = 8
    return App(Task(1, customers, kept))


class Taking:
    """An application that takes all requests for one thing, as Jam.py's methods do."""

    def __init__(self, app: Any, place: Place) -> None:
        self.app = app
        self.place: Place = place
        self.read: list[Any] = []

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with JamsRequest(env) as jams:
            decide(env, Taken(self.place, jams, self.app))
            if self.place == "api" and jams.method == "POST":
                self.read.append(json.loads(jams.get_data()))
        return hello(env, start_response)


def send(
    body: Any, app: Any = None, place: Place = "api", method: str = "POST", **settings: Any
) -> Answer:
    """Send a call (or a body) through the guard; what Jam.py reads is in `READ`."""
    taking = Taking(app or project(), place)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    shield = Shield(taking, [Api(**settings)], jam_site())
    kind = {"CONTENT_TYPE": MULTIPART} if place == "upload" else {}
    answer = serve(shield, environ(f"/{place}", method, data, **kind))
    READ[:] = taking.read
    return answer


READ: list[Any] = []


def opened(**params: Any) -> list[Any]:
    return ["open", 1, 6, params, 0]


@pytest.mark.parametrize(
    "body",
    [
        ["load", None, None, None, None],
        ["load", 1, 0, None, 0],
        ["load", 99, 0, None, 0],
        ["logout", 1, 0, None, 0],
        opened(__fields=["id"], __filters=[["name", 12, "x' or 1=1"]]),
        ["apply", 1, 6, [{"fields": [], "expanded": False, "logs": NONE}, NOTHING], 0],
        ["server", 1, 6, ["hello", ["Bob' or 1=1"]], 0],
        ["print", 1, 8, [["x"], "http://www.example.com/", "ods"], 0],
        ["server", 0, 0, ["hello", NONE], 0],
    ],
    ids=json.dumps,
)
def test_a_call_of_the_client_passes_unchanged(body: list[Any]) -> None:
    app = project()
    vars(app.admin)["hello"] = hello_function
    assert send(body, app).body == b"hi"
    assert [body] == READ


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed-call"),
        (b"not JSON", "malformed-call"),
        (b"\xff", "malformed-call"),
        (b"[" * 100_000, "malformed-call"),
        (b"[" + b"9" * 5000 + b",1,6,{},0]", "malformed-call"),
        (b'["open",1,6,{}]', "malformed-call"),
        (b'["open",1,6,{},0,0]', "malformed-call"),
        (b"[1,2,3,4,5]", "malformed-call"),
        (b'{"open":1,"b":2,"c":3,"d":4,"e":5}', "malformed-call"),
        (b'["open",true,6,{},0]', "malformed-call"),
        (b'["open",1,6,{"__filters":[],"__filters":[["id",7,["1;x"]]]},0]', "sql-in-a-value"),
        (b'["open",1,6,{"__filters":[["total",1,NaN]]},0]', "malformed-call"),
        (b'["open",1,6,{"__filters":[["total",1,1e400]]},0]', "malformed-call"),
        (json.dumps(opened(__funcs={"name": "\u017fum"})).encode(), "sql-in-a-value"),
        (json.dumps(opened(__limit="1")).encode(), "sql-in-a-value"),
        (b'["open",1,8,{},0]', "malformed-call"),
        (b'["open",1,0,{},0]', "malformed-call"),
        (b'["print",1,6,[[],"http://www.example.com/","ods"],0]', "malformed-call"),
        (b'["server",1,6,["select_records",[]],0]', "function-not-exposed"),
        (b'["server",1,6,["__init__",[null,"x","x"]],0]', "function-not-exposed"),
        (b'["server",1,0,["item_by_ID",[1]],0]', "function-not-exposed"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_attacks_is_refused_without_a_word(
    body: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = send(body)
    assert (answer.code, answer.body) == (HTTPStatus.BAD_REQUEST, b"")
    assert answer.get("Jamguard-Refused") == "api"
    assert f"guard=api reason={reason}" in caplog.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (["open", 1, 99, NOTHING, 0], "out-of-date"),
        (["open", 2, 6, NOTHING, 0], "out-of-date"),
        (["open", -1, 6, NOTHING, 0], "out-of-date"),
        (["server", 1, 6, ["gone", NONE], 0], "out-of-date"),
        (["server", 1, 99, ["hello", NONE], 0], "out-of-date"),
        (
            ["apply", 1, 6, [{"fields": ["gone"], "expanded": False, "logs": NONE}, NOTHING], 0],
            "out-of-date",
        ),
        (["print", 1, 8, [NONE, "http://www.example.com/", "ods"], 0], "out-of-date"),
    ],
    ids=json.dumps,
)
def test_a_page_that_is_out_of_date_says_so_readably(
    body: list[Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = project()
    answer = send(body, app)
    assert answer.code == HTTPStatus.OK
    data = json.loads(answer.body)
    assert data["error"].startswith("This page is older than the application")
    assert data["result"]["data"] == [None, data["error"]]
    assert f"guard=api reason={reason} status=409" in caplog.text
    assert app.checked, "another process may have known better"


def test_the_log_has_only_so_much_of_a_call(caplog: pytest.LogCaptureFixture) -> None:
    send(["server", 1, 6, ["x" * 100_000, NONE], 0])
    send(opened(__filters=[["name" * 100_000, 1, "x"], ["id", 1, NONE]]))
    assert len(caplog.text) < 2000


def test_an_imported_function_is_refused_readably_and_can_be_exposed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = ["server", 1, 6, ["dumps", [NOTHING]], 0]
    answer = send(body)
    assert json.loads(answer.body)["error"].startswith("This request was refused.")
    assert 'detail="[tool.jamguard.api] exposed = [\\"customers.dumps\\"]"' in caplog.text
    assert send(body, exposed=("customers.dumps",)).body == b"hi"
    assert send(body, exposed=("orders.dumps",)).body != b"hi"


def test_what_was_saved_a_moment_ago_is_found_after_a_reload() -> None:
    class Reloading(App):
        def check_build(self) -> None:
            super().check_build()
            assert self.loaded
            self.loaded.items = (Item(99),)

    app = Reloading(Task(1))
    assert send(["open", 1, 99, NOTHING, 0], app).body == b"hi"
    assert app.checked == 1


def test_records_are_changed_by_the_key_of_the_newest_build() -> None:
    class Reloading(App):
        def check_build(self) -> None:
            assert self.loaded
            self.loaded.items = (Item(6, _primary_key="notes"),)

    sent = {"record_status": 2, "record": [1, "1 or 1=1"], "details": NOTHING}
    changes = {"fields": ["id", "notes"], "expanded": False, "logs": [sent]}
    body = ["apply", 1, 6, [changes, NOTHING], 0]
    assert send(body, project()).body == b"hi"
    assert send(body, Reloading(Task(1, Item(6)))).code == HTTPStatus.BAD_REQUEST


def test_nothing_is_reloaded_where_everything_is_known() -> None:
    app = project()
    send(opened(), app)
    send(["server", 1, 6, ["select_records", []], 0], app)
    assert app.checked == 0


def test_a_project_that_cannot_be_loaded_is_asked_for_later() -> None:
    answer = send(opened(), App(None))
    assert "older than the application" in json.loads(answer.body)["error"]
    assert send(["load", None, None, None, None], App(None)).body == b"hi"


def test_a_bare_text_in_a_list_is_quoted_on_the_way() -> None:
    filters = [["name", 7, ["O'Brien", "de", "'it'"]], ["id", 7, [1]]]
    assert send(opened(__filters=filters, mine={"x": "Łódź"})).body == b"hi"
    mended = [["name", 7, ["'O''Brien'", "'de'", "'it'"]], ["id", 7, [1]]]
    assert [opened(__filters=mended, mine={"x": "Łódź"})] == READ


def test_report_mode_leaves_the_call_as_it_is() -> None:
    body = opened(__filters=[["name", 7, ["de"]]])
    assert send(body, mode="report").body == b"hi"
    assert [body] == READ


def test_nothing_is_quoted_in_a_call_that_is_refused() -> None:
    filters = [["name", 7, ["de"]], ["id", 7, ["1 or 1=1"]]]
    body = opened(__filters=filters)
    assert send(body).code == HTTPStatus.BAD_REQUEST
    assert send(body, mode="report").body == b"hi"
    assert [body] == READ


def test_aggregates_of_the_database_can_be_added() -> None:
    body = opened(__funcs={"total": "Total"})
    assert send(body).code == HTTPStatus.BAD_REQUEST
    assert send(body, sql_functions=("TOTAL",)).body == b"hi"


def form(*parts: tuple[str, str], file: str = "file") -> bytes:
    head = 'Content-Disposition: form-data; name="{}"'
    texts = [f"{head.format(name)}\r\n\r\n{value}\r\n" for name, value in parts]
    if file:
        texts.append(f'{head.format(file)}; filename="a.pdf"\r\n\r\nx\r\n')
    return ("--b\r\n" + "--b\r\n".join(texts) + "--b--\r\n").encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form(("task_id", "1"), ("item_id", "6"), ("field_id", "18")), 200),
        (form(("task_id", "1"), ("item_id", "-1"), ("field_id", "-1"), ("path", "../x")), 200),
        (form(("task_id", "1"), ("item_id", "6"), ("field_id", "18"), file=""), 400),
        (form(("task_id", "1"), ("task_id", "0"), ("item_id", "6"), ("field_id", "18")), 400),
        (form(("task_id", "+1"), ("item_id", "6"), ("field_id", "18")), 400),
        (form(("item_id", "6"), ("field_id", "18")), 400),
        (b"", 400),
    ],
)
def test_uploads_are_checked_too(body: bytes, code: int) -> None:
    assert send(body, place="upload").code == code


@pytest.mark.parametrize("place", ["api", "upload"])
def test_what_jam_py_does_not_answer_is_not_looked_at(place: Place) -> None:
    assert send(b"", place=place, method="GET").body == b"hi"


def test_a_page_of_the_builder_is_no_call() -> None:
    assert send(b"", place="builder").body == b"hi"


def test_an_application_that_is_not_jam_pys_is_left_alone() -> None:
    assert call(Shield(hello, [Api()]), "/api", "POST", b"anything").body == b"hi"


class AppV5(App):
    """Jam.py v5, of a source that nobody knows: it cannot be patched."""

    url_map = ()


@pytest.fixture
def app_v5(monkeypatch: pytest.MonkeyPatch) -> AppV5:
    sql = SimpleNamespace(_convert_field_value=print)
    monkeypatch.setitem(sys.modules, "jam.sql", SimpleNamespace(SQL=sql))
    customers = Item(6, task=SimpleNamespace(db_module=SimpleNamespace(DATABASE="SQLITE")))
    vars(customers)["_field_by_name"] = fields_of(customers).get
    return AppV5(Task(1, customers, on_login=None))


def test_what_v5_would_paste_is_quoted_in_the_call(
    app_v5: AppV5, caplog: pytest.LogCaptureFixture
) -> None:
    assert send(opened(__filters=[["name", 1, "O'Brien"]]), app_v5).body == b"hi"
    assert [opened(__filters=[["name", 1, "O''Brien"]])] == READ
    assert "JG021" in caplog.text


def test_a_login_that_v5_would_paste_is_refused_readably(app_v5: AppV5) -> None:
    def login(password: str) -> list[Any]:
        return ["login", 1, 0, [{"login": "o'brien", "password": password}], 0]

    assert send(login("pw"), app_v5).body == b"hi"
    answer = send(login("p'w"), app_v5)
    assert json.loads(answer.body)["error"].startswith("This request was refused.")
    assert send(login("p'w"), app_v5, mode="report").body == b"hi"


def test_report_mode_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    assert send(b"[1,2,3,4,5]", mode="report").body == b"hi"
    assert "would-refuse guard=api reason=malformed-call status=400" in caplog.text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"sql-functions": ["total; drop"]}, r"api.sql-functions: .* has 'total; drop': write"),
        ({"sql-functions": [""]}, r"api.sql-functions: .* has ''"),
        ({"exposed": ["hello"]}, r"api.exposed: .* has 'hello': write item and function"),
        ({"exposed": ["customers.*"]}, r"api.exposed: .* has 'customers.\*'"),
        ({"exposed": ["customers._own"]}, r"has 'customers._own': such a function is never"),
        (
            {"exposed": ["customers.on_apply"]},
            r"has 'customers.on_apply': such a function is never",
        ),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        harden(hello, {"api": settings})
