"""Bodies that are too large, on real servers: the control lands, then it is refused."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.projects import CLERK, CUSTOMERS, FIELD_DOC, TASK
from support.servers import Kind, Server, run_server

MEGABYTE = 1024 * 1024
SERVERS: tuple[Kind, ...] = ("gunicorn", "waitress", "werkzeug")
CONFIG = '[tool.jamguard.request-size]\napi = "1 MB"\nupload = "2 MB"\n'


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture
def server(project: Path, kind: Kind) -> Iterator[Server]:
    with run_server(project, kind, config=CONFIG) as running:
        yield running


def send_chunked(server: Server, path: str, megabytes: int) -> tuple[int, bytes]:
    """Send a chunked body while somebody takes it; return the megabytes sent and the answer."""
    chunk = b"%x\r\n" % MEGABYTE + b" " * MEGABYTE + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n".encode()
        )
        answer = b""
        with suppress(OSError):
            for _ in range(megabytes):
                connection.sendall(chunk)
                sent += 1
            connection.sendall(b"0\r\n\r\n")
        connection.settimeout(5)  # the connection may stay open after the answer
        with suppress(OSError):
            while some := connection.recv(65536):
                answer += some
    return sent, answer


def test_plain_jam_py_takes_fifty_megabytes_of_nothing_into_memory(project: Path) -> None:
    """The control: no login, no limit."""
    with run_server(project, "gunicorn", harden=False) as server:
        server.request("GET", "/login.html")
        before = server.peak_memory()
        sent, _ = send_chunked(server, "/api", 50)
        assert sent == 50
        assert server.peak_memory() - before > 50 * MEGABYTE


def test_fifty_chunked_megabytes_are_refused_and_the_server_lives(
    server: Server, kind: Kind
) -> None:
    server.request("GET", "/login.html")
    before = server.peak_memory()

    _, answer = send_chunked(server, "/api", 50)

    if kind != "waitress":  # it takes a body as a whole before it calls the application
        assert server.peak_memory() - before < 30 * MEGABYTE
    assert "guard=request-size reason=body-too-large status=413" in server.log()
    if answer:  # a client that only sends finds the connection closed
        assert b"more than this site accepts" in answer
    assert server.request("GET", "/login.html").status == 200


def test_a_body_a_little_over_the_limit_is_answered_readably(server: Server) -> None:
    body = b'["load",1,0,null,0]' + b" " * MEGABYTE
    reply = server.request("POST", "/api", {"Content-Type": "application/json"}, body)
    assert (reply.status, reply.get("Jamguard-Refused")) == (200, "request-size")
    assert "more than this site accepts" in reply.json["error"]
    assert server.request("GET", "/login.html").status == 200


def test_an_upload_at_the_limit_works_and_beyond_it_is_a_message(server: Server) -> None:
    cookie = server.login(CLERK)

    def upload(size: int) -> dict[str, object]:
        fields = {
            "task_id": str(TASK),
            "item_id": str(CUSTOMERS),
            "field_id": str(FIELD_DOC),
            "path": "static/files",
            "file_name": "big.bin",
        }
        parts = [
            f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        head = (
            "".join(parts) + '--b0undary\r\nContent-Disposition: form-data; name="file"; '
            'filename="big.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        tail = b"\r\n--b0undary--\r\n"
        body = head + b"\x00" * (size - len(head) - len(tail)) + tail
        headers = {"Content-Type": "multipart/form-data; boundary=b0undary", "Cookie": cookie}
        answer: dict[str, object] = server.request("POST", "/upload", headers, body).json
        return answer

    assert upload(2 * MEGABYTE)["error"] is None
    assert "more than this site accepts" in str(upload(2 * MEGABYTE + 1)["error"])


def test_a_connection_is_usable_after_a_refusal_with_an_unread_body(server: Server) -> None:
    """What comes after a refused body on one connection is never read as part of it."""
    body = json.dumps(["load", 1, 0, None, 0]).encode() + b" " * MEGABYTE
    first = b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    second = b"GET /login.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = server.raw(first + body + second)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Jamguard-Refused: request-size" in answer
    assert answer.count(b"HTTP/1.1 ") in {1, 2}  # closed, or answered as a request of its own
    assert b"400 Bad Request" not in answer
