"""Attacks that keep a server busy with little, and a visitor who wants something meanwhile.

    cookie = log_in(server, VISITOR)
    with Attackers(server, SLOW_BODY, connections=150):
        visits = Visits(server, cookie, seconds=10)
    assert visits.share >= 0.95

Attackers and the visitor reach the server as somebody else each: the project declares
loopback addresses as proxies (`CONFIG`), and `X-Forwarded-For` says who asks. On loopback
only, for as long as the block lasts, and each connection that is closed comes back a second
later: a flood is not what is tested here.
"""

import json
import select
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread
from typing import Any, Final, Self
from urllib.parse import urlencode

import attrs

from support.projects import CLERK, CUSTOMERS, TASK
from support.servers import LOCAL, Server

CONFIG: Final = """\
[tool.jamguard.proxy]
trusted = ["127.0.0.0/8", "unix"]
[tool.jamguard.debugger]
insecure-allow = true  # the development server answers nobody else but its own computer
"""
#: waitress drops the header that says who asks
ARGS: Final = {"waitress": ["--no-clear-untrusted-proxy-headers"]}

SOURCE: Final = "127.0.0.2"  #: where attackers connect from
ATTACKER: Final = "203.0.113.1"
VISITOR: Final = "198.51.100.1"
BIG: Final = "static/big.bin"
BIG_BYTES: Final = 6 * 1024 * 1024  #: more than the kernel takes off a server's hands
HANGS_SECONDS: Final = 30  #: longer than any attack
PATIENCE_SECONDS: Final = 5.0  #: whoever waits longer for a page is gone
STEP_SECONDS: Final = 0.5  #: between two drips
MANY: Final = "203.0.113.{}"


@attrs.frozen
class Attack:
    """What every connection of an attack does."""

    name: str
    #: what it sends at once, of what the cookie is, and who asks
    opening: Callable[[str, str], bytes]
    drip: bytes = b""  #: what it sends after that, again and again
    takes: int = 0  #: bytes that it reads each time; none: it goes when it is answered
    addresses: int = 1  #: how many clients they are
    pause: float = 1  #: seconds until a connection that was closed is made again


def _head(start: str, who: str, *lines: str) -> bytes:
    head = [f"{start} HTTP/1.1", "Host: www.example.com", f"X-Forwarded-For: {who}", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def _stalled(cookie: str, who: str) -> bytes:
    """Announce a body of which ten bytes come."""
    del cookie
    return (
        _head("POST /api", who, "Content-Type: application/json", "Content-Length: 100000")
        + b'["load",1,'
    )


def _unended(cookie: str, who: str) -> bytes:
    del cookie
    return _head("GET /login.html", who)[:-2]


def _big(cookie: str, who: str) -> bytes:
    del cookie
    return _head(f"GET /{BIG}", who)


def _guess(cookie: str, who: str) -> bytes:
    del cookie
    form = urlencode({"login": CLERK.login, "password": "a guess"})
    kind = "Content-Type: application/x-www-form-urlencoded"
    return _head("POST /login.html", who, kind, f"Content-Length: {len(form)}") + form.encode()


def _hang(cookie: str, who: str) -> bytes:
    call = json.dumps(["server", TASK, CUSTOMERS, ["slow", [HANGS_SECONDS]], 0]).encode()
    kind = "Content-Type: application/json"
    return _head("POST /api", who, kind, f"Cookie: {cookie}", f"Content-Length: {len(call)}") + call


SLOW_HEADERS: Final = Attack("slow headers", _unended, b"X-a: b\r\n")
SLOW_BODY: Final = Attack("slow body, stalled", _stalled)
DRIPPING_BODY: Final = Attack("slow body, dripping", _stalled, b" ")
SLOW_READ: Final = Attack("slow read", _big, takes=64)
LOGIN_FLOOD: Final = Attack("login flood", _guess, pause=0.2)
HUNG_CODE: Final = Attack("hung server function", _hang)
MANY_BODIES: Final = Attack("slow body, many addresses", _stalled, addresses=150)
ATTACKS: Final = (
    *(SLOW_BODY, DRIPPING_BODY, SLOW_READ, LOGIN_FLOOD, HUNG_CODE),
    *(MANY_BODIES, SLOW_HEADERS),
)


class Attackers:
    """So many connections that do what the attack says until the block ends."""

    def __init__(self, server: Server, attack: Attack, connections: int) -> None:
        self.answers: Counter[str] = Counter()  #: first lines of what came back
        self._server = server
        self._attack = attack
        self._cookie = ""
        self._over = Event()
        self._begun: set[int] = set()
        self._threads = [Thread(target=self._go_on, args=[number]) for number in range(connections)]

    def __enter__(self) -> Self:
        if self._attack is HUNG_CODE:
            self._cookie = log_in(self._server, ATTACKER)
        for thread in self._threads:
            thread.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self._begun) < len(self._threads) and time.monotonic() < until:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, number: int) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                self._once(number)
            self._begun.add(number)
            self._over.wait(self._attack.pause)

    def _once(self, number: int) -> None:
        attack = self._attack
        who = ATTACKER if attack.addresses == 1 else MANY.format(number % 250)
        with socket.socket() as connection:
            connection.settimeout(PATIENCE_SECONDS)
            if attack.takes:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind((SOURCE, 0))
            connection.connect((LOCAL, self._server.port))
            connection.sendall(attack.opening(self._cookie, who))
            self._begun.add(number)
            begun = ""
            while not self._over.is_set():
                if select.select([connection], [], [], STEP_SECONDS)[0]:
                    came = connection.recv(attack.takes or 65536)
                    begun = begun or came[:12].decode("latin-1")
                    if not came or not attack.takes or not begun.endswith(" 200"):
                        self.answers[begun or "closed"] += 1
                        return
                    self._over.wait(STEP_SECONDS)
                if attack.drip:
                    connection.sendall(attack.drip)


def log_in(server: Server, who: str) -> str:
    """Log the clerk in from an address; return the cookie."""
    return server.login(CLERK, headers={"X-Forwarded-For": who, "Host": "www.example.com"})


class Visits:
    """A logged-in visitor who comes once a second, and what was got."""

    def __init__(self, server: Server, cookie: str, seconds: int) -> None:
        self.times: list[float] = []  #: of those that were served
        self.failures: list[str] = []
        self.number = seconds
        self._server = server
        self._cookie = cookie
        threads: list[Thread] = []
        begin = time.monotonic()
        for number in range(seconds):
            time.sleep(max(0.0, begin + number - time.monotonic()))
            threads.append(Thread(target=self._visit))
            threads[-1].start()
        for thread in threads:
            thread.join()

    @property
    def share(self) -> float:
        """The share of visits that were served in time."""
        return len(self.times) / self.number

    @property
    def p95(self) -> float:
        """Seconds that 95 of 100 visits took at most; those that failed took for ever."""
        times = sorted(self.times) + [float("inf")] * len(self.failures)
        return times[max(0, round(0.95 * len(times)) - 1)]

    def _visit(self) -> None:
        """Ask for the page, a file of it, and the customers."""
        begin = time.monotonic()
        try:
            self._expect("GET", "/", b"<!DOCTYPE html>")
            self._expect("GET", "/jam/js/jam.js", b"function")
            self._expect("POST", "/api", b"Ada Lovelace")
        except (OSError, HTTPException, AssertionError) as error:
            self.failures.append(repr(error))
            return
        took = time.monotonic() - begin
        if took <= PATIENCE_SECONDS:
            self.times.append(took)
        else:
            self.failures.append(f"took {took:.1f} s")

    def _expect(self, method: str, path: str, part: bytes) -> None:
        headers = {
            "Host": "www.example.com",
            "X-Forwarded-For": VISITOR,
            "Cookie": self._cookie,
            "Content-Type": "application/json",
        }
        body: Any = OPEN if method == "POST" else None
        # one for each, as some servers close it after each
        with closing(HTTPConnection(LOCAL, self._server.port, timeout=PATIENCE_SECONDS)) as door:
            door.request(method, path, body, headers)
            answer = door.getresponse()
            content = answer.read()
        assert part in content, (path, answer.status, content[:80])


OPEN: Final = json.dumps(
    ["open", TASK, CUSTOMERS, {"__fields": ["id", "name"], "__limit": 5, "__offset": 0}, 0]
).encode()
