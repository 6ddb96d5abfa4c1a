"""Lock-outs that grow, and what an operator sees of them."""

from time import monotonic

import pytest

from jamguard.lockouts import LENGTHS, Locked, Rule, locked, unlock
from jamguard.stores.process import ProcessStore


def rule(key: str) -> Rule:
    network, _, name = key.partition("|")
    return Rule("name", "application", name, network, 5, 900)


@pytest.mark.parametrize(
    ("times", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 3600), (1000, 3600)]
)
def test_a_lock_out_grows_to_an_hour_and_no_further(times: int, seconds: int) -> None:
    store = ProcessStore()
    rule("192.0.2.1|ann").lock(store, 100.0, times)
    (one,) = locked(store, 100.0)
    assert one == Locked("application", "ann", "192.0.2.1", seconds, times)
    assert locked(store, 100.0 + seconds) == []


def test_it_is_remembered_for_a_day_and_then_forgiven() -> None:
    store = ProcessStore()
    rule("|ann").lock(store, 0.0, 2)
    mark = store.marks.get("locked", "application||ann", 86_000.0)
    assert mark
    assert (mark.left, mark.times) == (0, 2)
    assert store.marks.get("locked", "application||ann", LENGTHS[1] + 86_400.0) is None


def test_what_followed_one_can_be_taken_back() -> None:
    store = ProcessStore()
    rule("|ann").lock(store, 0.0)
    rule("|ann").lock(store, 70.0, 2)
    rule("|ann").reopen(store, 71.0, 1)
    after = store.marks.get("locked", "application||ann", 71.0)
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
    Rule("name-here", "builder", name, network, 5, 900).lock(store, 0.0)
    (one,) = locked(store, 0.0)
    assert (one.name, one.network) == (name, network)


def test_a_name_is_unlocked_everywhere_however_it_is_written() -> None:
    store, now = ProcessStore(), monotonic()
    for key in ("192.0.2.1|ann", "2001:db8::/64|ann", "|ann", "192.0.2.1|", "192.0.2.1|bob"):
        rule(key).lock(store, now, 3)
    assert unlock(store, " Ann ")
    assert {(one.name, one.network) for one in locked(store, now)} == {
        ("", "192.0.2.1"),
        ("bob", "192.0.2.1"),
    }
    assert not unlock(store, "ann")


def test_a_network_is_unlocked_by_itself() -> None:
    store, now = ProcessStore(), monotonic()
    for key in ("192.0.2.1|", "192.0.2.1|bob"):
        rule(key).lock(store, now)
    assert not unlock(store, "")
    assert unlock(store, "192.0.2.1")
    assert [one.name for one in locked(store, now)] == ["bob"]


def test_a_name_of_the_last_time_is_no_longer_watched() -> None:
    """Nothing is left of a lock-out that is over, when its name is unlocked from everywhere."""
    store, now = ProcessStore(), monotonic()
    rule("|ann").lock(store, now - 100)
    assert unlock(store, "ann")
    assert store.marks.get("locked", "application||ann", now) is None


def test_who_comes_while_a_lock_out_begins_is_refused_and_leaves_no_trace() -> None:
    """The mark was not there yet when it was asked for: another worker was faster."""
    store, now = ProcessStore(), monotonic()
    here = Rule("name-here", "builder", "ann", "192.0.2.1", 5, 900)
    here.lock(store, now)
    for _ in range(10):
        assert not here.enter(store, now, None)
    assert unlock(store, "ann")
    assert [here.enter(store, now, None) for _ in range(7)] == [True] * 5 + [False] * 2
