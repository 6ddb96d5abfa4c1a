"""Counting and remembering in a real Redis, and what happens without it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import need
from support.redis import REDIS, VALKEY, RedisServer, run_redis, slow_way

from jamguard.stores import MOST_MARKS, Kind, Mark
from jamguard.stores import redis as module
from jamguard.stores.process import ProcessStore
from jamguard.stores.redis import ANSWER_SECONDS, FEW, RedisStore, connect
from jamguard.stores.scripts import COUNT, LOG

PORT = 6379
#: longer than a store has to answer, and what a loaded machine may add
LONGEST_SECONDS = 0.5
#: a hit is asked with this limit where the limit does not matter; the second one keeps a log
LIMITS = pytest.mark.parametrize("limit", [FEW + 1, FEW])


@pytest.fixture(scope="module", params=[REDIS, VALKEY])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    need.path(request.param)
    with run_redis(program=request.param) as running:
        yield running


@pytest.fixture
def uri(server: RedisServer) -> str:
    """Return the URI of an empty place in Redis."""
    return f"{server.uri}?key_prefix={uuid4()}"


#: what a test has opened
opened: list[RedisStore] = []


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while opened:
        opened.pop()._client.close()


def at(uri: str, machine: ProcessStore | None = None) -> RedisStore:
    """Open the store at a URI, closed when the test is over."""
    opened.append(RedisStore(uri, machine or ProcessStore()))
    return opened[-1]


@pytest.fixture
def store(uri: str) -> RedisStore:
    return at(uri)


def hits(store: RedisStore, times: int, limit: int, key: str = "a", weight: int = 1) -> list[int]:
    return [store.hit(key, limit, 3600, time.monotonic(), weight)[0] for _ in range(times)]


def keys(store: RedisStore) -> list[Any]:
    return list(store._client.scan_iter(f"{store._prefix}:*"))


# --- counting ---------------------------------------------------------------------------


@LIMITS
def test_exactly_the_limit_passes(store: RedisStore, limit: int) -> None:
    assert hits(store, limit + 2, limit) == [*range(limit - 1, -1, -1), -1, -1]
    assert not store.away


@LIMITS
def test_a_hit_says_when_the_next_one_may_pass(store: RedisStore, limit: int) -> None:
    first = store.hit("a", limit, 3600, 0.0)[1]
    assert 0 < first <= 3600
    hits(store, limit, limit)
    left, wait = store.hit("a", limit, 3600, 0.0)
    assert left == -1
    assert 0 < wait <= 7200


@LIMITS
def test_a_weight_counts_as_so_many_and_zero_only_looks(store: RedisStore, limit: int) -> None:
    weights = [0, limit - 2, 3, 2, 0, limit + 1]
    counts = [store.hit("a", limit, 3600, 0.0, weight)[0] for weight in weights]
    assert counts == [limit, 2, -1, 0, -1, -1]
    assert store.hit("b", limit, 3600, 0.0, limit + 1)[1] <= 7200


@LIMITS
def test_a_look_leaves_nothing_behind(store: RedisStore, limit: int) -> None:
    assert hits(store, 2, limit, weight=0) == [limit, limit]
    assert keys(store) == []


@LIMITS
def test_what_is_forgotten_is_counted_anew(store: RedisStore, limit: int) -> None:
    assert hits(store, 2, limit, weight=limit) == [0, -1]
    store.forget("a", limit, 3600)
    assert hits(store, 1, limit, weight=limit) == [0]


@LIMITS
def test_every_key_has_a_lifetime(store: RedisStore, limit: int) -> None:
    now = time.monotonic()
    store.hit("a", limit, 60, now)
    store.marks.put("banned", "a", now, 60)
    store.marks.put("known", "a", now, 0, keep=60)
    store.marks.put("known", "b", now, 0, keep=30)
    lives = {name: store._client.ttl(name) for name in keys(store)}
    assert len(lives) == 6
    assert all(0 < life <= 120 for life in lives.values())


@LIMITS
@pytest.mark.parametrize("key", ["", "a\nb\0c", "w\udc80", "\ud800", "х" * 5000, "{}* %s"])
def test_any_text_is_a_key(store: RedisStore, limit: int, key: str) -> None:
    assert hits(store, 2, limit, key) == [limit - 1, limit - 2]
    store.marks.put("known", key, 0.0, 60, why=key)
    found = store.marks.get("known", key, 0.0)
    assert found
    assert (found.key, found.why) == (key, key)
    assert [mark.key for mark in store.marks.all("known", 0.0)] == [key]
    assert store.marks.remove("known", key)
    assert not store.away


def test_keys_periods_and_prefixes_are_counted_apart(store: RedisStore, uri: str) -> None:
    other = at(f"{uri}2")
    assert hits(store, 2, 1) == [0, -1]
    assert hits(store, 1, 1, "b") == [0]
    assert store.hit("a", 1, 60, 0.0)[0] == 0
    assert hits(other, 1, 1) == [0]


def test_a_value_that_is_none_of_ours_is_counted_over(store: RedisStore) -> None:
    for limit in (FEW, FEW + 1):
        store._client.set(store._name("a", limit, 3600), b"\xffno count")
        assert hits(store, 1, limit) == [limit - 1]


class AtTime:
    """Runs a script at a time that is passed in, in seconds, where it asks Redis."""

    def __init__(self, store: RedisStore, script: str) -> None:
        self._script: Any = store._client.register_script(
            script.replace("redis.call('TIME')", "{ARGV[4], ARGV[5]}")
        )

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Any:
        seconds, rest = divmod(now, 1)
        left, wait = self._script(
            [key],
            (limit, period, weight, int(seconds), round(rest * 1_000_000)),
        )
        return left, wait / 1_000_000


same_server = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
steps = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), max_size=40)


@same_server
@given(limit=st.integers(1, 20), period=st.sampled_from([10, 60]), steps=steps)
def test_it_counts_as_a_process_does(
    store: RedisStore, limit: int, period: int, steps: list[tuple[int, int]]
) -> None:
    here, there, key, now = ProcessStore(), AtTime(store, COUNT), uuid4().hex, 1_800_000_000
    for gap, weight in steps:
        now += gap
        expected = here.hit("a", limit, period, now, weight)
        assert there.hit(key, limit, period, now, weight) == pytest.approx(expected, abs=1e-5)


@same_server
@given(limit=st.integers(1, FEW), period=st.sampled_from([10, 60]), steps=steps)
def test_no_window_has_more_than_a_few(
    store: RedisStore, limit: int, period: int, steps: list[tuple[int, int]]
) -> None:
    log, key, now = AtTime(store, LOG), uuid4().hex, 1_800_000_000
    passed: list[int] = []
    for gap, weight in steps:
        now += gap
        alive = [time for time in passed if time > now - period]
        left, wait = log.hit(key, limit, period, now, weight)
        if weight > limit:
            assert (left, wait) == (-1, 2 * period)
            continue
        free = limit - len(alive) - max(weight, 1)
        assert left == (-1 if free < 0 else free + (weight == 0))
        if left >= 0:
            passed += [now] * weight
            assert wait == period - (now - min([*alive, now]))
        else:
            assert wait == period - (now - alive[-free - 1])


def test_a_clock_that_is_set_back_a_little_changes_nothing(store: RedisStore) -> None:
    for script, limit in ((COUNT, 20), (LOG, 10)):
        script_at = AtTime(store, script)
        key = uuid4().hex
        assert script_at.hit(key, limit, 60, 6000.2, limit)[0] == 0
        assert script_at.hit(key, limit, 60, 5999.9)[0] == -1


def test_a_clock_that_is_set_back_far_locks_nobody_out(store: RedisStore) -> None:
    for script, limit in ((COUNT, 20), (LOG, 10)):
        script_at = AtTime(store, script)
        key = uuid4().hex
        assert script_at.hit(key, limit, 60, 600_000.0, limit)[0] == 0
        assert script_at.hit(key, limit, 60, 6000.0)[0] == limit - 1


FLOOD = """
import sys, time
from threading import Thread
from jamguard.stores.process import ProcessStore
from jamguard.stores.redis import RedisStore

# this is about counting, and the machine may be busy
store = RedisStore(f"{sys.argv[1]}&socket_timeout=30&socket_connect_timeout=30", ProcessStore())
passed = []

def flood():
    for _ in range(150):
        passed.append(store.hit("a", int(sys.argv[2]), 3600, time.monotonic())[0] >= 0)

threads = [Thread(target=flood) for _ in range(4)]
sys.stdin.readline()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(passed), store.away)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start a Python that waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("limit", [FEW, 1000])
def test_processes_and_threads_pass_exactly_the_limit(uri: str, limit: int) -> None:
    processes = [start(FLOOD, uri, limit) for _ in range(4)]
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [away for _, away in outputs] == ["False"] * 4
    assert sum(int(passed) for passed, _ in outputs) == limit


FORK = """
import os, sys, time
from jamguard.stores.process import ProcessStore
from jamguard.stores.redis import RedisStore

store = RedisStore(sys.argv[1], ProcessStore())
assert store.hit("a", 100, 3600, time.monotonic())[0] == 99  # so that there is a connection
children = []
while len(children) < 3 and 0 not in children:
    children.append(os.fork())
passed = sum(store.hit("a", 100, 3600, time.monotonic())[0] >= 0 for _ in range(50))
if 0 in children:
    os._exit(passed if not store.away else 255)
print(1 + passed + sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_children_of_a_fork_share_no_connection(uri: str) -> None:
    output, _ = start(FORK, uri).communicate(timeout=60)
    assert output == "100\n"


# --- marks ------------------------------------------------------------------------------


def test_a_mark_is_kept_for_all(store: RedisStore, uri: str) -> None:
    store.marks.put("banned", "192.0.2.7", 0.0, 60, times=2, keep=30, why="probes")
    mark = at(uri).marks.get("banned", "192.0.2.7", 0.0)
    assert mark
    assert (mark.key, mark.times, mark.why) == ("192.0.2.7", 2, "probes")
    assert 58 < mark.left <= 60
    assert store.marks.get("locked", "192.0.2.7", 0.0) is None


def test_a_mark_that_is_over_is_remembered_for_a_while(store: RedisStore) -> None:
    store.marks.put("known", "a", 0.0, 0, keep=60)
    assert store.marks.get("known", "a", 0.0) == Mark("a", 0.0, 1)
    assert store.marks.all("known", 0.0) == []


def test_a_mark_ends_by_itself(store: RedisStore) -> None:
    store.marks.put("known", "a", 0.0, 0.01)
    store.marks.put("known", "never", 0.0, 0)
    until = time.monotonic() + 5
    while store.marks.get("known", "a", 0.0) and time.monotonic() < until:
        pass
    assert store.marks.get("known", "a", 0.0) is None
    assert store.marks.get("known", "never", 0.0) is None
    assert store.marks.all("known", 0.0) == []


def test_marks_in_force_are_listed_the_longest_first(store: RedisStore) -> None:
    for key, seconds in (("a", 60), ("b", 3600), ("c", 600)):
        store.marks.put("banned", key, 0.0, seconds)
    assert [mark.key for mark in store.marks.all("banned", 0.0)] == ["b", "c", "a"]
    assert store.marks.all("locked", 0.0) == []
    store._client.delete(store.marks._names("banned", "b")[1])  # as Redis does to find room
    assert [mark.key for mark in store.marks.all("banned", 0.0)] == ["c", "a"]


def test_a_mark_is_taken_away_once(store: RedisStore) -> None:
    store.marks.put("banned", "a", 0.0, 60)
    assert store.marks.get("banned", "a", 0.0)
    assert store.marks.remove("banned", "a")
    assert not store.marks.remove("banned", "a")
    assert store.marks.get("banned", "a", 0.0) is None
    assert store.marks.all("banned", 0.0) == []


def test_a_kind_is_bounded_and_the_soonest_goes_first(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST_MARKS, "banned", 3)
    for key, seconds in (("a", 400), ("b", 300), ("c", 200), ("c", 500), ("d", 100)):
        store.marks.put("banned", key, 0.0, seconds)
    assert [mark.key for mark in store.marks.all("banned", 0.0)] == ["c", "a", "d"]
    assert store.marks.get("banned", "b", 0.0) is None


@pytest.mark.parametrize("kind", ["banned", "ended"])
def test_what_another_process_marks_is_seen_within_a_second(
    store: RedisStore, uri: str, kind: Kind
) -> None:
    other = at(uri)
    assert store.marks.get(kind, "a", 1000.0) is None
    other.marks.put(kind, "a", 1000.0, 60)
    assert store.marks.get(kind, "a", 1000.9) is None
    assert store.marks.get(kind, "a", 1001.0)
    other.marks.remove(kind, "a")
    assert store.marks.get(kind, "a", 1001.9)
    assert store.marks.get(kind, "a", 1002.0) is None


def test_a_lockout_is_seen_at_once(store: RedisStore, uri: str) -> None:
    assert store.marks.get("locked", "a", 1000.0) is None
    at(uri).marks.put("locked", "a", 1000.0, 60)
    assert store.marks.get("locked", "a", 1000.0)


# --- URIs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "where", "prefix"),
    [
        ("redis://192.0.2.9", ("192.0.2.9", PORT, 0), "jamguard"),
        ("redis://192.0.2.9:7000/3?key_prefix=shop", ("192.0.2.9", 7000, 3), "shop"),
        ("rediss://:secret@192.0.2.9/", ("192.0.2.9", PORT, 0), "jamguard"),
        ("valkey://user:p%40ss@192.0.2.9", ("192.0.2.9", PORT, 0), "jamguard"),
        ("valkeys://192.0.2.9?ssl_check_hostname=false", ("192.0.2.9", PORT, 0), "jamguard"),
        ("redis+unix:///run/redis.sock", ("/run/redis.sock", None, 0), "jamguard"),
        ("valkey+unix:///run/v.sock?db=2&key_prefix=a:b", ("/run/v.sock", None, 2), "a:b"),
    ],
)
def test_uris_of_redis_and_valkey(uri: str, where: tuple[Any, ...], prefix: str) -> None:
    client, found = connect(uri)
    options = client.connection_pool.connection_kwargs
    assert found == prefix
    assert where == (
        options.get("host") or options.get("path"),
        options.get("port", PORT if "host" in options else None),
        options.get("db", 0),
    )
    assert options["socket_timeout"] + options["socket_connect_timeout"] <= 0.25


def test_an_option_of_the_client_can_be_in_the_uri() -> None:
    client, _ = connect("redis://192.0.2.9?socket_timeout=0.5")
    assert client.connection_pool.connection_kwargs["socket_timeout"] == 0.5


@pytest.mark.parametrize(
    "uri",
    [
        "redis://192.0.2.9:secret",
        "redis://user:secret#more@192.0.2.9",
        "redis://user:1?secret@192.0.2.9",
        "redis://192.0.2.9/secret",
        "redis://192.0.2.9?secret=1",
        "redis://192.0.2.9?socket_timeout=secret",
        "redis://[secret",
    ],
)
def test_what_is_wrong_with_a_uri_is_said_without_repeating_it(uri: str) -> None:
    with pytest.raises(ValueError, match="cannot be used as a store: it is not like") as error:
        at(uri)
    assert "secret" not in str(error.value)
    assert error.value.__suppress_context__


def test_a_client_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ValueError, match=r"pip install 'jamguard\[redis\]'"):
        connect("redis://192.0.2.9")


@need.program(REDIS)
def test_a_password_and_a_unix_socket() -> None:
    with run_redis(unix=True, password="swordfish") as server:
        store = at(server.uri)
        assert hits(store, 2, 1) == [0, -1]
        assert not store.away
        wrong = at(server.uri.replace("swordfish", "guess"))
        told: list[str] = []
        wrong.breaker.lost.append(told.append)
        assert hits(wrong, 2, 1) == [0, -1]
        assert told == ["AuthenticationError"]


@need.program(REDIS)
def test_the_rights_that_the_documentation_gives_are_enough() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "redis.md"
    rules = re.search(r"^ACL SETUSER (.+)$", page.read_text("utf-8"), re.MULTILINE)
    assert rules
    with run_redis() as server:
        administrator = at(server.uri)
        administrator._client.execute_command("ACL", "SETUSER", *rules[1].split())
        user = at(server.uri.replace("//", "//jamguard:password@"))
        changes = told(user)
        for limit in (FEW, FEW + 1):
            assert hits(user, 1, limit) == [limit - 1]
            user.forget("a", limit, 3600)
        user.marks.put("banned", "a", 0.0, 60)
        assert user.marks.all("banned", 0.0)
        assert user.marks.get("banned", "a", 0.0)
        assert user.marks.remove("banned", "a")
        assert changes == []


# --- without it -------------------------------------------------------------------------


def told(store: RedisStore) -> list[str]:
    """Return what will have been told of changes."""
    changes: list[str] = []
    store.breaker.lost.append(changes.append)
    store.breaker.back.append(lambda _: changes.append("back"))
    return changes


def until_back(store: RedisStore, now: float) -> float:
    """Ask later and later until Redis counts again, and return when that was."""
    for _ in range(20):
        now += 60
        store.hit("somebody else's", 2, 3600, now)
        if not store.away:
            return now
    pytest.fail("it is still away")


def timed(store: RedisStore, now: float, key: str = "a") -> tuple[int, float]:
    """Return what is left after a hit, and how long that took."""
    before = time.perf_counter()
    left, _ = store.hit(key, 2, 3600, now)
    return left, time.perf_counter() - before


@need.program(REDIS)
def test_a_redis_that_is_killed_is_done_without_and_found_again() -> None:
    with run_redis() as server:
        store = at(server.uri)
        changes = told(store)
        now = time.monotonic()
        assert timed(store, now)[0] == 1
        server.kill()
        assert [timed(store, now)[0] for _ in range(3)] == [1, 0, -1], "the machine counts"
        server.start()
        assert timed(store, now)[0] == -1, "it is left alone for a second"
        now = until_back(store, now)
        assert [timed(store, now)[0] for _ in range(3)] == [1, 0, -1], "it is empty"
        assert changes == ["ConnectionError", "back"]


@need.program(REDIS)
def test_a_redis_that_hangs_costs_one_hit_a_moment() -> None:
    with run_redis() as server:
        store = at(server.uri)
        changes = told(store)
        now = time.monotonic()
        assert timed(store, now)[0] == 1
        server.hang()
        spent = [timed(store, now)[1] for _ in range(100)]
        assert ANSWER_SECONDS <= spent[0] < LONGEST_SECONDS
        assert sum(spent[1:]) < LONGEST_SECONDS
        assert timed(store, now + 2)[1] >= ANSWER_SECONDS, "one tries"
        assert timed(store, now + 2)[1] < ANSWER_SECONDS
        server.go_on()
        now = until_back(store, now)
        assert timed(store, now)[0] <= 0, "it goes on, and counts what was sent to it"
        assert changes == ["TimeoutError", "back"]


@need.program(REDIS)
def test_a_redis_that_is_slow_is_left_alone() -> None:
    with run_redis() as server, slow_way(int(server.uri.split(":")[2].partition("/")[0])) as way:
        store = at(f"redis://127.0.0.1:{way.port}")
        changes = told(store)
        now = time.monotonic()
        assert timed(store, now)[0] == 1
        way.seconds = 0.4
        assert timed(store, now)[1] < LONGEST_SECONDS
        assert timed(store, now)[1] < ANSWER_SECONDS
        way.seconds = 0.0
        now = until_back(store, now)
        assert changes == ["TimeoutError", "back"]


@need.program(REDIS)
def test_a_redis_that_loses_its_data_counts_on() -> None:
    with run_redis() as server:
        store = at(server.uri)
        changes = told(store)
        assert hits(store, 2, 1) == [0, -1]
        store._client.flushall()
        assert hits(store, 2, 1) == [0, -1]
        store._client.flushall()
        store._client.script_flush()
        assert hits(store, 2, 1) == [0, -1]
        server.kill()
        server.start()
        assert hits(store, 2, 1) == [0, -1], "it was away while nobody asked"
        assert changes == []


@need.program(REDIS)
def test_a_full_redis_that_may_not_evict_is_done_without() -> None:
    with run_redis("--maxmemory", "2mb", "--maxmemory-policy", "noeviction") as server:
        store = at(server.uri)
        changes = told(store)
        now = time.monotonic()
        assert all(store.hit(str(number), 100, 60, now)[0] == 99 for number in range(20_000))
        assert changes == ["OutOfMemoryError"]


@need.program(REDIS)
def test_a_full_redis_evicts_counts_before_marks() -> None:
    with run_redis("--maxmemory", "3mb", "--maxmemory-policy", "volatile-ttl") as server:
        store = at(server.uri)
        changes = told(store)
        now = time.monotonic()
        store.marks.put("locked", "a", now, 3600)
        for number in range(20_000):
            store.hit(str(number), 100, 60, now)
        assert store._client.info("stats")["evicted_keys"] > 1000
        assert store.marks.get("locked", "a", now)
        assert changes == []


@need.program(REDIS)
def test_marks_that_were_made_without_it_are_told_to_it() -> None:
    with run_redis() as server:
        machine = ProcessStore()
        store = at(server.uri, machine)
        now = time.monotonic()
        store.marks.put("banned", "before", now, 600)
        server.kill()
        store.marks.put("banned", "a", now, 600, times=3, why="probes")
        store.marks.put("ended", "b", now, 600)
        store.marks.put("banned", "soon over", now, 2)
        store.marks.put("banned", "lifted", now, 600)
        assert store.marks.remove("banned", "lifted")
        assert store.marks.get("banned", "a", now)
        assert store.marks.get("banned", "before", now), "the machine knows what it had marked"
        assert len(store.marks.all("banned", now)) == 3
        server.start()
        later = until_back(store, now)
        assert store.marks.get("banned", "a", later)
        other = at(server.uri)
        assert [(mark.key, mark.times, mark.why) for mark in other.marks.all("banned", now)] == [
            ("a", 3, "probes")
        ]
        left = other.marks.get("ended", "b", now)
        assert left
        assert left.left == pytest.approx(600 - (later - now), abs=10)


@need.program(REDIS)
def test_what_is_owed_is_told_in_parts_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SOME", 2)
    monkeypatch.setattr(module, "MOST_OWED", 5)
    with run_redis() as server:
        store = at(server.uri)
        now = time.monotonic()
        server.kill()
        for key in "abcdef":
            store.marks.put("banned", key, now, 6000)
        server.start()
        now = until_back(store, now)
        told: list[int] = []
        for number in range(4):
            store.marks.get("locked", "a", now)
            told.append(len(store.marks.all("banned", now)))
            if number == 0:
                server.kill()  # and what it was told is gone
                store.marks.get("locked", "a", now)
                assert store.away
                server.start()
                now = until_back(store, now)
        assert told == [2, 2, 3, 3]
        assert not store.marks._owed


@need.program(REDIS)
def test_threads_go_on_while_it_is_killed_under_load() -> None:
    """What a site feels: no hit fails, and none waits for longer than the patience."""
    with run_redis() as server:
        store = at(server.uri)
        changes = told(store)
        spent: list[float] = []
        stop = False

        def load() -> None:
            while not stop:
                before = time.perf_counter()
                store.hit("a", 1_000_000, 3600, time.monotonic())
                spent.append(time.perf_counter() - before)

        threads = [Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for harm in (server.hang, server.kill):
            seen = len(spent)
            while len(spent) < seen + 500:
                time.sleep(0.01)
            harm()
            while len(spent) < seen + 2000:
                time.sleep(0.01)
        stop = True
        for thread in threads:
            thread.join()
        print(f"{len(spent)} hits, the longest {max(spent):.3f} s")
        assert max(spent) < LONGEST_SECONDS
        assert changes == ["TimeoutError"]
