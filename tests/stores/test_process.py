"""The sliding-window counter in this process."""

import subprocess
import sys
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamguard.stores.process import ProcessStore


def test_exactly_the_limit_passes() -> None:
    store = ProcessStore()
    counts = [store.hit("a", 3, 60, 0.0)[0] for _ in range(5)]
    assert counts == [2, 1, 0, -1, -1]


def test_keys_are_counted_apart() -> None:
    store = ProcessStore()
    assert store.hit("a", 1, 60, 0.0)[0] == 0
    assert store.hit("b", 1, 60, 0.0)[0] == 0
    assert store.hit("a", 1, 60, 0.0)[0] == -1


def test_an_older_window_counts_by_its_share() -> None:
    store = ProcessStore()
    for _ in range(10):
        store.hit("a", 10, 60, 0.0)
    assert store.hit("a", 10, 60, 60.0)[0] == -1
    assert [store.hit("a", 10, 60, 90.0)[0] >= 0 for _ in range(6)] == [True] * 5 + [False]
    assert store.hit("a", 10, 60, 300.0)[0] == 9


def test_a_thread_that_looked_at_the_clock_earlier_counts_in_the_newer_window() -> None:
    store = ProcessStore()
    for _ in range(100):
        store.hit("a", 100, 60, 59.99)
    assert store.hit("a", 100, 60, 60.01)[0] == -1
    passed = sum(store.hit("a", 100, 60, now)[0] >= 0 for now in (59.99, 60.0) * 100)
    assert passed == 0


def test_no_burst_of_twice_the_limit_at_a_boundary() -> None:
    store = ProcessStore()
    passed = sum(store.hit("a", 100, 60, 59.9)[0] >= 0 for _ in range(200))
    passed += sum(store.hit("a", 100, 60, 60.1)[0] >= 0 for _ in range(200))
    assert passed == 100


@given(
    limit=st.integers(1, 20),
    period=st.sampled_from([1, 10, 60]),
    start=st.floats(0, 1000),
    gaps=st.lists(st.floats(0, 30), max_size=60),
)
def test_after_the_wait_one_hit_passes_and_a_second_before_none(
    limit: int, period: int, start: float, gaps: list[float]
) -> None:
    """`wait` is what `Retry-After` is made of: right to the second."""
    store = ProcessStore()
    now = start
    for gap in gaps:
        now += gap
        left, wait = store.hit("a", limit, period, now)
        if left < 0:
            assert 0 <= wait <= 2 * period
            if wait > 0.001:
                assert store.hit("a", limit, period, now + wait * 0.999)[0] < 0
            now += wait + 0.001
            assert store.hit("a", limit, period, now)[0] >= 0
        else:
            assert 0 < wait <= period


def test_a_flood_of_keys_does_not_grow_the_store() -> None:
    store = ProcessStore(size=100)
    for number in range(10_000):
        store.hit(str(number), 1, 60, 0.0)
    assert len(store._young) + len(store._old) <= 200


def test_a_key_in_use_outlives_a_flood_of_half_the_size() -> None:
    store = ProcessStore(size=100)
    store.hit("victim", 1, 60, 0.0)
    for number in range(150):
        store.hit(str(number), 1, 60, 0.0)
    assert store.hit("victim", 1, 60, 0.0)[0] == -1


@pytest.mark.parametrize("before", [0, 5, 10])
def test_what_is_heavier_than_the_limit_never_passes(before: int) -> None:
    store = ProcessStore()
    store.hit("a", 10, 60, 15.0, before)
    # by then nothing is counted any more, whatever was
    assert store.hit("a", 10, 60, 15.0, 11) == (-1, 105.0)
    assert store.hit("a", 0, 60, 15.0) == (-1, 105.0)
    assert store.hit("a", 10, 60, 120.0, 0)[0] == 10


@pytest.mark.parametrize("threads", [8])
def test_threads_never_pass_more_than_the_limit(threads: int) -> None:
    store = ProcessStore()
    passed: list[bool] = []

    def flood() -> None:
        passed.extend([store.hit("a", 500, 60, 0.0)[0] >= 0 for _ in range(200)])

    workers = [Thread(target=flood) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(passed) == 500


def test_a_lock_that_is_held_at_a_fork_is_free_in_the_child() -> None:
    code = """
import os, sys
from jamguard.stores.process import ProcessStore
store = ProcessStore()
store.hit("a", 10, 60, 0.0)
with store.threads, store.marks.threads:  # by another thread, at the moment of the fork
    child = os.fork()
    if not child:
        store.marks.put("banned", "a", 0.0, 60)
        os._exit(store.hit("a", 10, 60, 0.0)[0])
assert store.threads.acquire(timeout=0), "the parent's own is not touched"
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=10).returncode == 8


def test_all_is_forgotten_at_once() -> None:
    store = ProcessStore(size=1)
    for key in ("a", "b"):
        assert store.hit(key, 1, 60, 0.0)[0] == 0
    store.marks.put("banned", "192.0.2.1", 0.0, 60)
    store.clear()
    assert [store.hit(key, 1, 60, 0.0)[0] for key in ("a", "b")] == [0, 0]
    assert store.marks.all("banned", 0.0) == []
