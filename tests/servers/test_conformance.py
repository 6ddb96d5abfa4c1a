"""What clients really get of a hardened project on every server, the awkward clients too.

Where servers differ, the tables at the top say how; each test ends with an ordinary request.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Final

import pytest
from support import projects
from support.kinds import KINDS, LOCAL, Kind
from support.projects import CLERK, CUSTOMERS, FIELD_DOC, NAMES, TASK
from support.servers import Reply, Server, run_server

from jamguard.stores.shared import shared_path

#: what continuous integration runs on every Python
ALWAYS: Final[frozenset[Kind]] = frozenset({"gunicorn", "waitress", "nginx-tcp", "nginx-unix"})

#: a chunked body does not reach an application: 411 of Apache, and of uWSGI an empty body,
#: unless the application asks for it in uWSGI's own way
NO_CHUNKED: Final[dict[Kind, int]] = {"mod_wsgi": 411, "uwsgi": 400, "uwsgi-http": 400}
#: these let a client that asks `Expect: 100-continue` wait until it sends the body anyway
NO_CONTINUE: Final[frozenset[Kind]] = frozenset({"uwsgi", "uwsgi-http"})

#: the body of a file goes out for a HEAD too, as Werkzeug gives it, and the server lets it
FILE_AFTER_HEAD: Final[frozenset[Kind]] = frozenset(
    {"uwsgi", "uwsgi-http", "waitress", "cheroot", "werkzeug"}
)

CONFIG: Final = """\
[tool.jamguard.debugger]
insecure-allow = true  # the development server answers a person at its own computer only
"""
PROXIED: Final = CONFIG + '[tool.jamguard.proxy]\ntrusted = ["127.0.0.1", "unix"]\n'
BIG_BYTES: Final = 16 * 1024 * 1024
THREADS: Final = 4

OPEN: Final = [
    *("open", TASK, CUSTOMERS),
    {"__fields": ["id", "name"], "__filters": [], "__order": [], "__limit": 99, "__offset": 0},
    0,
]
FILE: Final = "/jam/js/jam.js"
JSON: Final = {"Content-Type": "application/json"}


@pytest.fixture(
    scope="module",
    params=[
        kind if kind in ALWAYS else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS
    ],
)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture(scope="module")
def server(
    kind: Kind, demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    project = projects.copy(demo_project, tmp_path_factory.mktemp("served") / "project")
    with (project / "static" / "big.bin").open("wb") as big:
        big.truncate(BIG_BYTES)
    config = PROXIED if kind.startswith("nginx") else CONFIG
    with run_server(project, kind, config=config, threads=THREADS) as running:
        yield running
    shared_path(project).unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _goes_on(server: Server) -> Iterator[None]:
    """Whatever a client has done, the next visitors are served, one for each thread."""
    yield
    for _ in range(THREADS + 1):
        reply = server.request("GET", "/login.html")
        assert (reply.status, reply.get("Jamguard-Refused")) == (200, None)
        assert reply.text.startswith("<!DOCTYPE html>")


@pytest.fixture(scope="module")
def cookie(server: Server) -> str:
    return server.login(CLERK)


def names(server: Server, cookie: str) -> set[str]:
    records: list[list[Any]] = server.api(OPEN, cookie).json["result"]["data"][0]
    return {record[1] for record in records}


def call_bytes(call: list[Any]) -> bytes:
    return json.dumps(call).encode()


def head(server: Server, method: str, path: str, *lines: str) -> bytes:
    host = f"Host: {LOCAL}:{server.port}"  # Jam.py names its cookies after it
    return "\r\n".join([f"{method} {path} HTTP/1.1", host, *lines, "", ""]).encode()


def connect(server: Server) -> socket.socket:
    return socket.create_connection((LOCAL, server.port), 20)


def test_a_user_logs_in_and_reads(server: Server, cookie: str) -> None:
    assert server.api(["load", TASK, 0, None, 0], cookie).json["result"]["status"] == 9
    assert set(NAMES) <= names(server, cookie)


def test_what_a_user_saves_is_there(server: Server, cookie: str) -> None:
    fields = ["id", "deleted", "record_version", "name", "email", "notes", "photo", "doc"]
    name = "Zoë O'Hara \N{PEANUTS}"
    record = [None, 0, 1, name, "zoe@example.com", "x" * 200_000, None, None]
    log: dict[str, Any] = {"log_index": 0, "record_status": 1, "record": record, "details": {}}
    changes: dict[str, Any] = {"fields": fields, "expanded": False, "logs": [log]}
    reply = server.api(["apply", TASK, CUSTOMERS, [changes, {}], 0], cookie)
    assert reply.json["error"] is None
    assert name in names(server, cookie)


def test_what_a_user_uploads_comes_back(server: Server, cookie: str) -> None:
    content = bytes(range(256)) * 4000
    fields = {
        "task_id": str(TASK),
        "item_id": str(CUSTOMERS),
        "field_id": str(FIELD_DOC),
        "path": "",
        "file_name": "a.bin",
    }
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join(parts).encode() + content + b"\r\n--b0undary--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary", "Cookie": cookie}
    saved = server.request("POST", "/upload", headers, body).json["result"]["data"]
    assert server.request("GET", f"/{saved['path']}/{saved['file_name']}").body == content


def test_what_is_not_there_is_a_404_of_its_length(server: Server) -> None:
    reply = server.request("GET", "/nothing.html")
    assert reply.status == 404
    assert reply.get("X-Content-Type-Options") == "nosniff"
    assert int(reply.get("Content-Length") or len(reply.body)) == len(reply.body)


def test_a_refusal_of_an_attack_is_a_status_and_nothing_else(server: Server, cookie: str) -> None:
    reply = server.api(["server", TASK, CUSTOMERS, ["select_records", []], 0], cookie)
    assert (reply.status, reply.body) == (400, b"")
    assert reply.get("Jamguard-Refused") == "api"


@pytest.mark.parametrize("path", ["/login.html", FILE, "/nothing.html"])
def test_a_head_is_answered_as_a_get_without_a_body(server: Server, kind: Kind, path: str) -> None:
    whole = server.request("GET", path)
    answer = server.raw(head(server, "HEAD", path, "Connection: close"))
    assert answer.split()[1] == str(whole.status).encode()
    assert answer.endswith(b"\r\n\r\n") is (path != FILE or kind not in FILE_AFTER_HEAD)


def test_a_chunked_call_is_read(server: Server, kind: Kind, cookie: str) -> None:
    body = call_bytes(OPEN)
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    reply = server.request(
        "POST", "/api", {**JSON, "Cookie": cookie, "Transfer-Encoding": "chunked"}, chunked
    )
    if kind in NO_CHUNKED:
        assert reply.status == NO_CHUNKED[kind]
    else:
        assert "Ada Lovelace" in reply.text


def expecting(server: Server, lines: list[str], body: bytes) -> tuple[bool, Reply]:
    """Send the body when the server asks for it, or after a second; return if it did."""
    with connect(server) as connection:
        connection.sendall(
            head(
                *(server, "POST", "/api", "Expect: 100-continue", "Content-Type: application/json"),
                *(f"Content-Length: {len(body)}", "Connection: close", *lines),
            )
        )
        connection.settimeout(1)
        came = b""
        with suppress(TimeoutError):
            came = connection.recv(12, socket.MSG_PEEK)
        connection.settimeout(20)
        asked = came == b"HTTP/1.1 100"
        if asked or not came:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused, and closed
                connection.sendall(body)
        answer = HTTPResponse(connection, method="POST")
        answer.begin()
        return asked, Reply(answer.status, answer.reason, answer.getheaders(), answer.read())


def test_a_body_that_waits_for_100_continue_is_asked_for(
    server: Server, kind: Kind, cookie: str
) -> None:
    asked, reply = expecting(server, [f"Cookie: {cookie}"], call_bytes(OPEN))
    assert "Ada Lovelace" in reply.text
    assert asked is (kind not in NO_CONTINUE)


def is_refused(kind: Kind, status: int) -> bool:
    """Say whether a client was told so.

    nginx says 502 when gunicorn has closed the connection before it had all of the body.
    """
    return status == 403 or (kind.startswith("nginx") and status == 502)


def test_a_refusal_reaches_who_waits_for_100_continue(server: Server, kind: Kind) -> None:
    _, reply = expecting(server, ["Sec-Fetch-Site: cross-site"], b"[]" + b" " * 10_000)
    assert is_refused(kind, reply.status)


def test_after_a_refusal_with_an_unread_body_the_connection_is_right_or_closed(
    server: Server, kind: Kind
) -> None:
    size = 300_000
    first = head(server, "POST", "/api", "Sec-Fetch-Site: cross-site", f"Content-Length: {size}")
    second = head(server, "GET", "/login.html", "Connection: close")
    answer = server.raw(first + b"GET /evil HTTP/1.1\r\n\r\n".ljust(size) + second)
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert is_refused(kind, statuses[0])
    assert statuses[1:] in ([], [200])


def test_clients_that_leave_amid_their_body_take_nothing_with_them(
    server: Server, cookie: str
) -> None:
    for _ in range(3 * THREADS):
        with connect(server) as connection:
            connection.sendall(
                head(server, "POST", "/api", f"Cookie: {cookie}", "Content-Length: 1000")
                + b'["open",'
            )


def test_clients_that_leave_amid_the_answer_take_nothing_with_them(server: Server) -> None:
    for _ in range(3 * THREADS):
        with connect(server) as connection:
            connection.sendall(head(server, "GET", "/static/big.bin"))
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    until = time.monotonic() + 20
    while server.request("GET", "/static/big.bin").status != 200 and time.monotonic() < until:
        time.sleep(0.1)  # a server may need a moment to notice
    assert server.request("GET", "/static/big.bin").body == bytes(BIG_BYTES)
