"""Any `limits` URI, and what happens when it goes away."""

import socket

import pytest

from jamguard.stores.limits import PAUSE, LimitsStore


def test_a_uri_of_limits_counts() -> None:
    store = LimitsStore("memory://")
    assert [store.hit("a", 2, 60, 0.0)[0] for _ in range(3)] == [1, 0, -1]
    assert 1 <= store.hit("a", 2, 60, 0.0)[1] <= 120


def test_a_weight_counts_as_so_many_and_zero_only_looks() -> None:
    store = LimitsStore("memory://")
    weights = [0, 8, 3, 2, 0]
    assert [store.hit("a", 10, 60, 0.0, weight)[0] for weight in weights] == [10, 2, -1, 0, -1]


@pytest.mark.parametrize("uri", ["nowhere://", "", "redis"])
def test_a_uri_that_cannot_be_used_says_so(uri: str) -> None:
    with pytest.raises(ValueError, match="cannot be used as a store"):
        LimitsStore(uri)


def test_a_password_in_a_uri_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="cannot be used as a store") as error:
        LimitsStore("secret://user:password@192.0.2.1")
    assert "password" not in str(error.value)


def test_a_store_that_goes_away_is_replaced_by_this_process_and_asked_again_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        store = LimitsStore(f"redis://127.0.0.1:{unused.getsockname()[1]}")
        lost: list[str] = []
        store.lost = lost.append
        now = 1000.0
        assert [store.hit("a", 2, 60, now)[0] for _ in range(3)] == [1, 0, -1]
        assert len(lost) == 1
        store.hit("a", 2, 60, now + PAUSE)
        assert len(lost) == 2
        store.lost = None
        assert store.hit("b", 2, 60, now + 3 * PAUSE)[0] == 1
