"""A real Redis or Valkey for tests, and a way to it that is slow.

    with run_redis() as server:
        RedisStore(server.uri, ProcessStore())

A server is ended by its pid at the end, whatever happened to it before.
"""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import attrs
import limits
import limits.strategies

from jamguard.stores.process import ProcessStore
from jamguard.stores.redis import RedisStore, connect
from support import need
from support.servers import LOCAL, START_SECONDS, ServerError, free_port

REDIS: Final = "redis-server"
VALKEY: Final = "valkey-server"


@attrs.define
class RedisServer:
    """A running server that keeps nothing on a disk."""

    uri: str
    command: list[str]
    process: "subprocess.Popen[bytes]" = attrs.field(init=False)

    def start(self) -> None:
        """Start it, again after it was killed; return when it answers."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        client, _ = connect(self.uri)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(Exception):
                client.ping()
                client.close()
                return
            time.sleep(0.02)
        raise ServerError(" ".join(self.command))

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it take connections and answer nothing, until it goes `on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def run_redis(
    *args: str, program: str = REDIS, unix: bool = False, password: str = ""
) -> Generator[RedisServer, None, None]:
    """Run a server until the block ends; the test is skipped where there is none."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        port = free_port()
        path = Path(folder) / "socket"
        where = ["--port", "0", "--unixsocket", str(path)] if unix else ["--port", str(port)]
        command = [
            *(need.path(program), "--bind", LOCAL, "--dir", folder, *where),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            *(("--requirepass", password) if password else ()),
            *args,
        ]
        secret = f":{password}@" if password else ""
        uri = f"redis+unix://{secret}{path}" if unix else f"redis://{secret}{LOCAL}:{port}/0"
        server = RedisServer(uri, command)
        server.start()
        try:
            yield server
        finally:
            server.kill()


class SlowWay:
    """A port that leads to another one, where each answer is late by `seconds`."""

    def __init__(self, port: int) -> None:
        self.seconds = 0.0
        self._to = port
        self._listener = socket.create_server((LOCAL, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for connection in (self._listener, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((LOCAL, self._to))
                self._open += [near, far]
                for source, sink, late in ((near, far, False), (far, near, True)):
                    thread = Thread(target=self._carry, args=(source, sink, late))
                    self._threads.append(thread)
                    thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket, late: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if late and self.seconds:
                    time.sleep(self.seconds)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def slow_way(port: int) -> Generator[SlowWay, None, None]:
    way = SlowWay(port)
    try:
        yield way
    finally:
        way.close()


@contextmanager
def redis_costs() -> Generator[dict[str, Callable[[], object]], None, None]:
    """Give what a benchmark measures of Redis: nothing where there is no Redis."""
    if not need.find(REDIS):
        yield {}
        return
    with run_redis() as server, run_redis(unix=True) as near:
        stores = {"port": RedisStore(server.uri, ProcessStore())}
        stores["socket"] = RedisStore(near.uri, ProcessStore())
        storage = limits.storage.storage_from_string(server.uri)
        sliding = limits.strategies.SlidingWindowCounterRateLimiter(storage)
        item = limits.RateLimitItemPerMinute(1_000_000)

        def through_limits() -> object:
            return sliding.hit(item, "a"), sliding.get_window_stats(item, "a")

        def hit(store: RedisStore, limit: int) -> Callable[[], object]:
            return lambda: store.hit("a", limit, 60, time.monotonic())

        def mark(store: RedisStore) -> Callable[[], object]:
            return lambda: store.marks.get("locked", "a", time.monotonic())

        costs: dict[str, Callable[[], object]] = {}
        for way, store in stores.items():
            costs[f"Redis, {way}: a hit"] = hit(store, 1_000_000)
            costs[f"Redis, {way}: a hit of a small limit"] = hit(store, 10)
            costs[f"Redis, {way}: a mark"] = mark(store)
        costs["limits, Redis: sliding window"] = through_limits
        yield costs
        assert not any(store.away for store in stores.values())
