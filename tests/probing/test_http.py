"""How a site is asked over the network, whatever is at the other end."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.client import BadStatusLine
from pathlib import Path
from typing import Any

import pytest
from support import need
from support.fake import served
from support.servers import LOCAL
from support.tls import make_certificate

from jamguard.probing import http
from jamguard.probing.ask import LOOKED_AT, Ask
from jamguard.probing.http import HttpSite, in_words
from jamguard.probing.rows import questions
from jamguard.probing.scorecard import START

RATE = 10_000
OLD_TLS = next(row for row in questions() if row.id == "old-tls")
Talk = Callable[[socket.socket], None]


@contextmanager
def talking(talk: Talk, scheme: str = "http") -> Generator[HttpSite, None, None]:
    """Serve connections one after the other, each as `talk` does it."""
    with socket.create_server((LOCAL, 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        talk(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield HttpSite.at(f"{scheme}://{LOCAL}:{listener.getsockname()[1]}", RATE)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def says(answer: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return talk


def is_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("talk", "problem"),
    [
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "what came back is not HTTP"),
        (says(b""), "what came back is not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), ""),
        (is_silent, "no answer within 0.3 s"),
    ],
    ids=["another protocol", "nothing", "less than it says", "silence"],
)
def test_whatever_comes_back_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, talk: Talk, problem: str
) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.3)
    with talking(talk) as site:
        answer = site.ask(START)
    assert answer.problem == problem
    assert bool(answer.status) is not bool(problem)


def test_an_answer_before_the_end_of_a_body_is_heard() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        is_silent(connection)

    with talking(refuse) as site:
        assert site.ask(Ask("POST", "/api", (), b"x" * 5_000_000)).status == 413


def test_a_connection_that_is_cut_while_a_body_is_sent_is_no_answer() -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(1024)

    with talking(cut) as site:
        answer = site.ask(Ask("POST", "/api", (), b"x" * 5_000_000))
    assert answer.status == 0
    assert answer.problem


def test_targets_and_headers_go_out_to_the_letter() -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * LOOKED_AT * 2)

    with talking(listen) as site:
        url = f"{site.url}/shop/"
        answer = HttpSite.at(url, RATE).ask(
            Ask("TRACK", "//jam/%2e%2E/../x?y", (("Host", "a.example.com"), ("X-Y", "z")), b"")
        )
    (sent,) = heard
    assert sent == (
        b"TRACK /shop//jam/%2e%2E/../x?y HTTP/1.1\r\n"
        b"Host: a.example.com\r\nX-Y: z\r\nContent-Length: 0\r\n\r\n"
    )
    assert len(answer.start) == LOOKED_AT


def test_no_more_is_asked_in_a_second_than_is_said() -> None:
    with talking(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as site:
        slow = HttpSite.at(site.url, 20)
        before = time.monotonic()
        assert {slow.ask(START).status for _ in range(4)} == {204}
        assert time.monotonic() - before >= 3 / 20
        assert slow.sent == 4


@pytest.mark.parametrize(
    ("url", "is_loopback", "is_named"),
    [
        ("localhost:8000", True, False),
        ("http://127.9.9.9", True, False),
        ("https://[::1]:8443/shop", True, False),
        ("http://192.0.2.7", False, False),
        ("https://www.example.com", False, True),
        ("https://localhost.example.com", False, True),
    ],
)
def test_it_is_known_whose_machine_it_is(url: str, is_loopback: bool, is_named: bool) -> None:
    site = HttpSite.at(url, RATE)
    assert (site.loopback, site.named) == (is_loopback, is_named)
    assert site.https is url.startswith("https")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "there is no such name"),
        (UnicodeError("label too long"), "there is no such name"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (BadStatusLine("x"), "what came back is not HTTP"),
        (OSError(), "what came back is not HTTP"),
    ],
)
def test_a_failure_is_told_in_words(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_http_where_tls_is_asked_for_is_told() -> None:
    with talking(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "https") as site:
        assert site.ask(START).problem == "TLS cannot be spoken there"


@need.program("openssl")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_old_tls_is_found(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secret:
            secret.recv(65536)
            secret.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")

    def got(site: HttpSite) -> str:
        assert site.ask(START).status == 200
        return OLD_TLS.got([site.ask(ask) for ask in OLD_TLS.requests])

    with talking(talk, "https") as site:
        assert got(site) == "the site speaks a version that can be broken"
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        assert got(site) == ""


def test_a_site_is_asked_over_ipv6_too() -> None:
    assert HttpSite.at("http://[::1]:1", RATE).ask(START).problem in {
        "connection refused",
        "cannot assign requested address",
    }


def test_the_whole_of_a_small_site_is_heard() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [environ["PATH_INFO"].encode()]

    with served(app) as url:
        answer = HttpSite.at(url, RATE).ask(Ask("GET", "/%41"))
    assert (answer.start, answer.size, answer.all("set-cookie")) == (b"/A", 2, ["a=1", "b=2"])
