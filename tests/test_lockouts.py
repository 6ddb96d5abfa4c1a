"""Lock-outs that grow, and what an operator sees of them."""

from time import monotonic

import pytest

from jamguard.lockouts import LENGTHS, Locked, key_of, lock, locked, reopen, unlock
from jamguard.stores.process import ProcessStore


@pytest.mark.parametrize(
    ("times", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 3600), (1000, 3600)]
)
def test_a_lock_out_grows_to_an_hour_and_no_further(times: int, seconds: int) -> None:
    store = ProcessStore()
    assert lock(store, "192.0.2.1|ann", 100.0, times) == seconds
    (one,) = locked(store, 100.0)
    assert one == Locked("ann", "192.0.2.1", seconds, times)
    assert locked(store, 100.0 + seconds) == []


def test_it_is_remembered_for_a_day_and_then_forgiven() -> None:
    store = ProcessStore()
    lock(store, "|ann", 0.0, 2)
    mark = store.marks.get("locked", "|ann", 86_000.0)
    assert mark
    assert (mark.left, mark.times) == (0, 2)
    assert store.marks.get("locked", "|ann", LENGTHS[1] + 86_400.0) is None


def test_what_followed_one_can_be_taken_back() -> None:
    store = ProcessStore()
    lock(store, "|ann", 0.0, 1)
    before = store.marks.get("locked", "|ann", 70.0)
    assert before
    lock(store, "|ann", 70.0, 2)
    reopen(store, before, 71.0)
    after = store.marks.get("locked", "|ann", 71.0)
    assert after
    assert (after.left, after.times) == (0, 1)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("ann", "192.0.2.1"),
        ("ann", ""),
        ("", "2001:db8::/64"),
        ("a|b|", "192.0.2.1"),
        ("|", ""),
        ("192.0.2.1", "192.0.2.2"),
    ],
)
def test_a_key_says_whom_it_locks(name: str, network: str) -> None:
    store = ProcessStore()
    lock(store, key_of(name, network), 0.0, 1)
    (one,) = locked(store, 0.0)
    assert (one.name, one.network) == (name, network)


def test_a_name_is_unlocked_everywhere_however_it_is_written() -> None:
    store, now = ProcessStore(), monotonic()
    for key in ("192.0.2.1|ann", "2001:db8::/64|ann", "|ann", "192.0.2.1|", "192.0.2.1|bob"):
        lock(store, key, now, 3)
    assert unlock(store, " Ann ")
    assert {(one.name, one.network) for one in locked(store, now)} == {
        ("", "192.0.2.1"),
        ("bob", "192.0.2.1"),
    }
    assert not unlock(store, "ann")


def test_a_network_is_unlocked_by_itself() -> None:
    store, now = ProcessStore(), monotonic()
    for key in ("192.0.2.1|", "192.0.2.1|bob"):
        lock(store, key, now, 1)
    assert not unlock(store, "")
    assert unlock(store, "192.0.2.1")
    assert [one.name for one in locked(store, now)] == ["bob"]


def test_a_name_of_the_last_time_is_no_longer_watched() -> None:
    """Nothing is left of a lock-out that is over, when its name is unlocked from everywhere."""
    store, now = ProcessStore(), monotonic()
    lock(store, "|ann", now - 100, 1)
    assert unlock(store, "ann")
    assert store.marks.get("locked", "|ann", now) is None
