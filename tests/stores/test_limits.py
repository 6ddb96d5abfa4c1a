"""Any `limits` URI, and what happens when it goes away."""

import time

import pytest

from jamguard.stores.limits import LimitsStore
from jamguard.stores.process import ProcessStore


@pytest.fixture
def store() -> LimitsStore:
    return LimitsStore("memory://", ProcessStore())


def test_a_uri_of_limits_counts(store: LimitsStore) -> None:
    assert [store.hit("a", 2, 60, 0.0)[0] for _ in range(3)] == [1, 0, -1]
    assert 1 <= store.hit("a", 2, 60, 0.0)[1] <= 120


def test_a_weight_counts_as_so_many_and_zero_only_looks(store: LimitsStore) -> None:
    weights = [0, 8, 3, 2, 0]
    assert [store.hit("a", 10, 60, 0.0, weight)[0] for weight in weights] == [10, 2, -1, 0, -1]


def test_what_is_forgotten_is_counted_anew(store: LimitsStore) -> None:
    now = time.monotonic()
    assert [store.hit("a", 1, 60, now)[0] for _ in range(2)] == [0, -1]
    store.forget("a", 1, 60)
    assert store.hit("a", 1, 60, now)[0] == 0


def test_marks_are_those_of_the_machine() -> None:
    machine = ProcessStore()
    assert LimitsStore("memory://", machine).marks is machine.marks


@pytest.mark.parametrize(
    "uri",
    ["nowhere://", "", "redis", "async+memory://", "memory", "redis+cluster://192.0.2.1:x:y"],
)
def test_a_uri_that_cannot_be_used_says_so(uri: str) -> None:
    with pytest.raises(ValueError, match="cannot be used as a store"):
        LimitsStore(uri, ProcessStore())


def test_nothing_of_a_uri_is_repeated() -> None:
    for uri in (
        "secret://user:password@192.0.2.1",
        "memcached://user:password#more@192.0.2.1",
        "redis+sentinel://user:password@192.0.2.1:password/service",
    ):
        with pytest.raises(ValueError, match="cannot be used as a store") as error:
            LimitsStore(uri, ProcessStore())
        assert "password" not in str(error.value)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__


def test_a_store_that_goes_away_is_replaced_by_the_machine_and_asked_again_later() -> None:
    class Away:
        """What a client may do when its server is not there."""

        def __getattr__(self, name: str) -> None:
            raise ConnectionError

    store = LimitsStore("memory://", ProcessStore())
    lost: list[str] = []
    back: list[float] = []
    store.breaker.lost.append(lost.append)
    store.breaker.back.append(back.append)
    limiter, store._limiter = store._limiter, Away()
    now = time.monotonic()
    assert [store.hit("a", 2, 60, now)[0] for _ in range(3)] == [1, 0, -1]
    assert store.away
    store.forget("a", 2, 60)
    assert store.hit("a", 2, 60, now + 100)[0] == 1
    assert lost == ["ConnectionError"]
    store._limiter = limiter
    assert store.hit("a", 2, 60, now + 200)[0] == 1
    assert back == [now + 200]
