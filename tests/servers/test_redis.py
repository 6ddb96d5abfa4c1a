"""Several machines that share one Redis, and what their visitors notice when it is gone.

A gunicorn on a port of its own, serving a copy of the project in a folder of its own, stands
for a machine.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Self

import pytest
from support import need, projects
from support.projects import CLERK
from support.redis import REDIS, RedisServer, run_redis
from support.servers import Server, run_server

from jamguard.stores.redis import BELIEVED
from jamguard.stores.shared import shared_path

pytestmark = need.program(REDIS)

PASSWORD = "swordfish"
#: longer than a store has to answer, and what a loaded machine may add
LONGEST_SECONDS = 0.5


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with run_redis(password=PASSWORD) as server:
        yield server


@contextmanager
def machine(
    project: Path, folder: Path, uri: str, rate: str, *args: str, workers: int = 2
) -> Generator[Server, None, None]:
    """Serve a copy of the project that counts in Redis."""
    copy = projects.copy(project, folder)
    config = f'[tool.jamguard.rate-limit]\npage = "{rate}"\n'
    try:
        with run_server(
            copy, config=config, args=args, workers=workers, env={"JAMGUARD_STORAGE": uri}
        ) as server:
            yield server
    finally:
        shared_path(copy).unlink(missing_ok=True)


class Visitors:
    """Threads that ask for a page again and again, each on connections of its own."""

    def __init__(self, server: Server, threads: int = 4, page: str = "/login.html") -> None:
        self.codes: Counter[int | str] = Counter()
        self.longest = 0.0
        self._server = server
        self._page = page
        self._left = True
        self._threads = [Thread(target=self._visit) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _visit(self) -> None:
        while self._left:
            before = time.perf_counter()
            try:
                code: int | str = self._server.request("GET", self._page).status
            except OSError as error:
                code = type(error).__name__
            self.longest = max(self.longest, time.perf_counter() - before)
            self.codes[code] += 1

    def until(self, more: int) -> float:
        """Wait for so many more answers; return the longest time that one of them took."""
        self.longest, goal = 0.0, self.codes.total() + more
        while self.codes.total() < goal:
            time.sleep(0.01)
        return self.longest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        self._left = False
        for thread in self._threads:
            thread.join()


def until_logged(server: Server, number: str) -> None:
    """Ask for pages until a notice is given."""
    until = time.monotonic() + 40
    while f"id={number}" not in server.log() and time.monotonic() < until:
        server.request("GET", "/login.html")
    assert f"id={number}" in server.log()


def test_two_machines_pass_exactly_the_limit(
    demo_project: Path, tmp_path: Path, redis: RedisServer
) -> None:
    rate = "100/1 day"
    uri = f"{redis.uri}?socket_timeout=10"  # this is about counting, and this machine may be busy
    with (
        machine(demo_project, tmp_path / "one" / "shop", uri, rate) as one,
        machine(demo_project, tmp_path / "two" / "store", uri, rate, "--preload") as two,
        Visitors(one) as at_one,
        Visitors(two) as at_two,
    ):
        at_one.until(150)
        at_two.until(150)
        at_one.leave()
        at_two.leave()
        together = at_one.codes + at_two.codes
        print("two machines:", at_one.codes, at_two.codes)
        assert set(together) == {200, 429}
        assert together[200] == 100
        assert min(at_one.codes[200], at_two.codes[200]) > 0
        for server in (one, two):
            assert "JG014" not in server.log()
            assert PASSWORD not in server.log()


def test_who_logs_out_on_one_machine_is_out_on_all(
    demo_project: Path, tmp_path: Path, redis: RedisServer
) -> None:
    with (
        machine(demo_project, tmp_path / "one", redis.uri, "600/minute") as one,
        machine(demo_project, tmp_path / "two", redis.uri, "600/minute") as two,
    ):
        cookie = one.login(CLERK)
        there = cookie.replace(str(one.port), str(two.port), 1)  # Jam.py has it in the name
        assert two.request("GET", "/", {"Cookie": there}).status == 200
        assert one.request("GET", "/logout", {"Cookie": cookie}).status == 302
        told, status = time.monotonic(), 200
        while status == 200 and time.monotonic() < told + 10:
            status = two.request("GET", "/", {"Cookie": there}).status
        assert status == 302
        assert time.monotonic() < told + 2 * BELIEVED
        time.sleep(BELIEVED)  # the other worker may have believed it a moment longer
        pages = [two.request("GET", "/", {"Cookie": there}).status for _ in range(20)]
        assert set(pages) == {302}


@pytest.mark.parametrize("harm", ["kill", "hang"])
def test_no_visitor_fails_when_redis_is_gone(
    demo_project: Path, tmp_path: Path, redis: RedisServer, harm: str
) -> None:
    with machine(demo_project, tmp_path / "shop", redis.uri, "1000000/minute", workers=1) as server:
        # while Jam.py builds its project, all but its first visitor wait for a second
        server.request("GET", "/login.html")
        with (
            Visitors(server, 3) as coming,
            Visitors(server, 1, "/favicon.ico") as uncounted,  # they tell how busy the machine is
        ):
            before = coming.until(300)
            getattr(redis, harm)()
            uncounted.until(1)
            without = coming.until(800)
            anyway = uncounted.longest
            if harm == "kill":
                redis.start()
            else:
                redis.go_on()
            until_logged(server, "JG023")
            after = coming.until(300)
        print(f"{harm}: {coming.codes}, longest {before:.3f}, {without:.3f}, {after:.3f} s")
        assert set(coming.codes) == {200}
        assert without < anyway + LONGEST_SECONDS
        lost, found = (server.log().count(f"id={number}") for number in ("JG014", "JG023"))
        assert lost - found in {0, 1}
        assert found < 5, "a line for each change, of which a busy machine makes more than one"
        assert PASSWORD not in server.log()
        assert "Traceback" not in server.log()
