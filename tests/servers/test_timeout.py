"""Stuck code and slow clients on real servers: what a client is told, and what the log says."""

import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from support.code import add_task_code
from support.projects import CLERK, TASK, copy
from support.servers import LOCAL, Kind, Reply, Server, run_server

CONFIG: Final = """
[tool.jamguard.timeout]
body = "1s"
request = "1s"
long = "2s"
"""
#: server functions that do not answer until somebody makes a file, or that write one at the end
CODE: Final = """
import os, time

def hang(item, folder):
    until = time.monotonic() + 20
    while time.monotonic() < until and not os.path.exists(folder + '/go'):
        time.sleep(0.02)
    open(folder + '/done', 'w').close()
    return 'after all'

def on_request(task, request):
    if request.path == '/own/hang':
        hang(task, request.args['folder'])
        from werkzeug.wrappers import Response
        return Response('after all')
"""
TOLD: Final = "look whether it is before you repeat it"


@pytest.fixture(scope="module")
def hanging(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_task_code(copy(demo_project, tmp_path_factory.mktemp("hanging") / "project"), CODE)


@contextmanager
def served(hanging: Path, tmp_path: Path, kind: Kind, config: str = CONFIG) -> Generator[Server]:
    with run_server(copy(hanging, tmp_path / "project"), kind, config=config) as server:
        try:
            yield server
        finally:
            (tmp_path / "go").touch()


def hang(server: Server, tmp_path: Path, cookie: str) -> Reply:
    return server.api(["server", TASK, 0, ["hang", [str(tmp_path)]], 0], cookie)


def wait_for(there: Callable[[], object], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def later(act: Callable[[], Reply]) -> "Future[Reply]":
    threads = ThreadPoolExecutor(1)
    future = threads.submit(act)
    threads.shutdown(wait=False)
    return future


ANSWERS: Final[list[Kind]] = ["gunicorn", "gunicorn-sync", "werkzeug", "cheroot", "uwsgi"]


#: these are in the ordinary tests; the others take long
FIRST: Final = {"gunicorn"}


def each(kinds: list[Kind]) -> list[Any]:
    return [kind if kind in FIRST else pytest.param(kind, marks=pytest.mark.long) for kind in kinds]


@pytest.mark.parametrize("kind", each(ANSWERS))
def test_who_waits_for_stuck_code_is_told_and_the_code_goes_on(
    hanging: Path, tmp_path: Path, kind: Kind
) -> None:
    with served(hanging, tmp_path, kind) as server:
        cookie = server.login(CLERK)
        began = time.monotonic()
        reply = hang(server, tmp_path, cookie)
        assert 2 <= time.monotonic() - began < 6
        assert reply.status == 200
        assert TOLD in reply.json["error"]
        assert reply.get("X-Request-ID") in reply.json["error"]
        assert reply.get("Jamguard-Refused") == "timeout"
        assert reply.get("X-Content-Type-Options") == "nosniff"
        assert not (tmp_path / "done").exists()

        wait_for(lambda: "overdue guard=timeout" in server.log())
        (line,) = re.findall("overdue guard=timeout.*", server.log())
        assert "seconds=2 answered=True call=server item=" in line
        assert "function=hang" in line
        assert "in hang\n    time.sleep(0.02)" in server.log()
        (tmp_path / "go").touch()
        wait_for((tmp_path / "done").exists)
        wait_for(lambda: "ended guard=timeout" in server.log())
        assert server.api(["load", TASK, 0, None, 0], cookie).json["result"]["status"] == 9
        assert server.request("GET", "/login.html").status == 200


def test_a_page_that_hangs_is_a_504(hanging: Path, tmp_path: Path) -> None:
    with served(hanging, tmp_path, "gunicorn") as server:
        server.login(CLERK)  # Jam.py asks a project's own code only once it is loaded
        reply = server.request("GET", f"/own/hang?folder={tmp_path}")
        assert (reply.status, reply.reason) == (504, "Gateway Timeout")
        assert TOLD in reply.text
        assert reply.get("Connection") == "close"
        head = server.request("HEAD", f"/own/hang?folder={tmp_path}")
        assert (head.status, head.body) == (504, b"")


@pytest.mark.parametrize("kind", ["waitress"])
def test_where_nobody_can_be_answered_the_log_says_so_and_the_client_waits(
    hanging: Path, tmp_path: Path, kind: Kind
) -> None:
    with served(hanging, tmp_path, kind) as server:
        cookie = server.login(CLERK)
        waiting = later(lambda: hang(server, tmp_path, cookie))
        wait_for(lambda: "overdue guard=timeout seconds=2 answered=False" in server.log())
        assert not waiting.done()
        (tmp_path / "go").touch()
        assert waiting.result(20).json["result"]["data"] == ["after all", ""]


SLOW_BODY: Final = (
    b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100\r\n\r\n[1,"
)


@pytest.mark.parametrize("drips", [False, True], ids=["stalls", "drips"])
@pytest.mark.parametrize("kind", each([*ANSWERS, "gunicorn-gevent"]))
def test_a_body_that_comes_too_slowly_is_given_up(
    hanging: Path, tmp_path: Path, kind: Kind, drips: bool
) -> None:
    with served(hanging, tmp_path, kind) as server:
        began = time.monotonic()
        with socket.create_connection((LOCAL, server.port), 10) as connection:
            connection.sendall(SLOW_BODY)
            ended = threading.Event()

            def drip() -> None:
                while drips and not ended.wait(0.2):
                    try:
                        connection.send(b" ")
                    except OSError:
                        return

            thread = threading.Thread(target=drip)
            thread.start()
            answer = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    answer += part
            ended.set()
            thread.join()
        assert 1 <= time.monotonic() - began < 5
        assert answer.startswith(b"HTTP/1.1 200 OK"), answer
        assert b"The request came too slowly" in answer
        assert "refused guard=timeout reason=body-too-slow status=408" in server.log()
        assert server.request("GET", "/login.html").status == 200


@pytest.mark.parametrize("path", ["GET /login.html", "GET /healthz"])
def test_a_body_that_nobody_reads_keeps_no_thread(hanging: Path, tmp_path: Path, path: str) -> None:
    """Whoever is answered may stay, and send the rest as slowly as ever."""
    lines = f"{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc".encode()
    with served(hanging, tmp_path, "gunicorn") as server, ExitStack() as opened:
        assert server.request("GET", "/login.html").status == 200
        for _ in range(12):  # of four threads
            connection = opened.enter_context(socket.create_connection((LOCAL, server.port)))
            connection.sendall(lines)
        time.sleep(2)  # so that their deadlines are over
        began = time.monotonic()
        assert server.request("GET", "/login.html").status == 200
        # gunicorn would wait five seconds for each in a thread, and does so two for one that stays
        assert time.monotonic() - began < 5


def test_half_of_the_threads_stuck_turn_new_requests_away(hanging: Path, tmp_path: Path) -> None:
    with served(hanging, tmp_path, "gunicorn") as server:
        cookie = server.login(CLERK)
        first = [later(lambda: hang(server, tmp_path, cookie)) for _ in range(2)]
        for one in first:
            assert TOLD in one.result(20).json["error"]
        wait_for(lambda: server.request("GET", "/login.html").get("Jamguard-Refused") == "timeout")
        reply = server.request("GET", "/login.html")
        assert (reply.status, reply.get("Retry-After")) == (503, "10")
        assert "busy with requests that take too long" in reply.text
        assert server.request("GET", "/favicon.ico").status == 200
        assert server.request("GET", "/healthz").get("Jamguard-Refused") is None
        (tmp_path / "go").touch()
        wait_for(lambda: server.request("GET", "/login.html").status == 200)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "TERM"])
def test_a_server_with_stuck_requests_ends_when_it_is_told_to(
    hanging: Path, tmp_path: Path, end: signal.Signals
) -> None:
    with served(hanging, tmp_path, "gunicorn") as server:
        cookie = server.login(CLERK)
        assert TOLD in hang(server, tmp_path, cookie).json["error"]
        began = time.monotonic()
        server.process.send_signal(end)
        server.process.wait(15)
        assert time.monotonic() - began < 8  # its own graceful timeout is two seconds here


def test_a_reload_serves_by_a_new_worker_while_the_old_one_is_stuck(
    hanging: Path, tmp_path: Path
) -> None:
    with served(hanging, tmp_path, "gunicorn") as server:
        cookie = server.login(CLERK)
        assert TOLD in hang(server, tmp_path, cookie).json["error"]
        (old,) = children(server)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: server.log().count("Booting worker") == 2)
        wait_for(lambda: server.request("GET", "/login.html").status == 200)
        assert not (tmp_path / "done").exists()
        (tmp_path / "go").touch()  # otherwise gunicorn's own time-out ends it, after 30 seconds
        wait_for(lambda: old not in children(server))
        assert (tmp_path / "done").exists(), "its code has come to its end"
        assert len(children(server)) == 1


def children(server: Server) -> list[str]:
    pid = server.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
