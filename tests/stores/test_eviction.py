"""How many keys it takes to push out a counter, a log or a mark: what an attacker would need.

Figures are shares of a table's places, so a small table tells what a large one does.
`docs/explain/store.md` has them for the sizes that are used.
"""

import statistics
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from jamguard.stores import Kind
from jamguard.stores.shared import SharedStore

PLACES = 512
ROUNDS = 6
PERIOD = 900
NOW = 9000.0
MARKS: dict[Kind, int] = dict.fromkeys(("banned", "locked", "known", "ended"), PLACES)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SharedStore]:
    """Stores whose hashes differ, so that chance is not always the same."""
    return (
        SharedStore(tmp_path / str(number), counters=PLACES, logs=PLACES, marks=MARKS)
        for number in range(ROUNDS)
    )


def shares(
    stores: Iterator[SharedStore],
    begin: Callable[[SharedStore], object],
    flood: Callable[[SharedStore, str], object],
    lost: Callable[[SharedStore], bool],
    most: float,
) -> list[float]:
    """Return for each store how many keys of the flood it took, as a share of the places."""
    found: list[float] = []
    for store in stores:
        begin(store)
        for number in count(1):
            flood(store, f"flood {number}")
            if number % 16 == 0 and lost(store):
                found.append(number / PLACES)
                break
            if number > most * PLACES:
                found.append(float("inf"))
                break
    print(f"least {min(found):.2f}, median {statistics.median(found):.2f} of the places")
    return found


def hits(limit: int, times: int, later: float = 0) -> Callable[[SharedStore, str], object]:
    def flood(store: SharedStore, key: str) -> object:
        return [store.hit(key, limit, PERIOD, NOW + later) for _ in range(times)]

    return flood


@pytest.mark.parametrize("limit", [5, 30], ids=["log", "counter"])
def test_keys_that_are_hardly_used_never_push_out_a_busy_one(
    stores: Iterator[SharedStore], limit: int
) -> None:
    assert (
        shares(
            stores,
            lambda store: hits(limit, limit)(store, "victim"),
            hits(limit, limit - 1),
            lambda store: store.hit("victim", limit, PERIOD, NOW, 0)[0] >= 0,
            most=3,
        )
        == [float("inf")] * ROUNDS
    )


@pytest.mark.parametrize("limit", [5, 30], ids=["log", "counter"])
def test_it_takes_a_table_of_keys_as_busy_as_the_victim(
    stores: Iterator[SharedStore], limit: int
) -> None:
    found = shares(
        stores,
        lambda store: hits(limit, limit)(store, "victim"),
        hits(limit, limit, later=60),
        lambda store: store.hit("victim", limit, PERIOD, NOW + 60, 0)[0] >= 0,
        most=8,
    )
    assert min(found) > 0.15
    assert statistics.median(found) > 0.6


def test_what_is_counted_by_the_minute_never_pushes_out_what_is_counted_by_the_day(
    stores: Iterator[SharedStore],
) -> None:
    """So no flood of requests makes failed logins forgotten."""

    def busy(store: SharedStore, key: str) -> object:
        return [store.hit(key, 600, 60, NOW) for _ in range(30)]

    assert (
        shares(
            stores,
            lambda store: [store.hit("victim", 50, 86400, NOW) for _ in range(20)],
            busy,
            lambda store: store.hit("victim", 50, 86400, NOW, 0)[0] > 30,
            most=3,
        )
        == [float("inf")] * ROUNDS
    )


@pytest.mark.parametrize("kind", ["banned", "locked"])
def test_marks_that_are_over_sooner_never_push_out_a_longer_one(
    stores: Iterator[SharedStore], kind: Kind
) -> None:
    assert (
        shares(
            stores,
            lambda store: store.marks.put(kind, "victim", NOW, 3600),
            lambda store, key: store.marks.put(kind, key, NOW, 60),
            lambda store: store.marks.get(kind, "victim", NOW) is None,
            most=3,
        )
        == [float("inf")] * ROUNDS
    )


@pytest.mark.parametrize("kind", ["banned", "locked"])
def test_it_takes_a_table_of_marks_as_long_as_the_victims(
    stores: Iterator[SharedStore], kind: Kind
) -> None:
    found = shares(
        stores,
        lambda store: store.marks.put(kind, "victim", NOW, 3600),
        lambda store, key: store.marks.put(kind, key, NOW + 1, 3600),
        lambda store: store.marks.get(kind, "victim", NOW) is None,
        most=8,
    )
    assert min(found) > 0.4
    assert statistics.median(found) > 0.7


def test_a_flood_of_one_table_leaves_the_others_as_they_were(stores: Iterator[SharedStore]) -> None:
    store = next(stores)
    hits(5, 5)(store, "victim")
    hits(30, 30)(store, "victim")
    store.marks.put("banned", "victim", NOW, 60)
    store.marks.put("locked", "victim", NOW, 60)
    for number in range(4 * PLACES):
        store.marks.put("known", str(number), NOW, 3600)
        store.marks.put("ended", str(number), NOW, 3600)
        store.hit(str(number), 5, PERIOD, NOW)
        store.hit(str(number), 30, PERIOD, NOW)
    assert store.hit("victim", 5, PERIOD, NOW)[0] == -1
    assert store.hit("victim", 30, PERIOD, NOW)[0] == -1
    assert store.marks.get("banned", "victim", NOW)
    assert store.marks.get("locked", "victim", NOW)
