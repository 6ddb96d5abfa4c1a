"""Leaving a store alone that fails. `now` is passed in."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from jamguard.stores import breaker as module
from jamguard.stores.breaker import Breaker


class Told(Breaker):
    """A breaker that writes down what it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []
        self.lost.append(self.told.append)
        self.back.append(self.told.append)
        self.tries = 0

    def try_it(self, now: float, *, works: bool) -> str:
        def store() -> str:
            self.tries += 1
            if not works:
                raise TimeoutError("redis://user:password@192.0.2.9 is too slow")
            return "store"

        return self.ask(now, store, lambda: "instead")


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(module, "JITTER", (1.0, 1.0))
    return Told()


def test_a_store_that_answers_is_asked(breaker: Told) -> None:
    assert breaker.try_it(0, works=True) == "store"
    assert not breaker.away
    assert breaker.told == []


def test_after_a_failure_it_is_left_alone_for_growing_pauses(breaker: Told) -> None:
    tries: list[int] = []
    for now in range(100):
        before = breaker.tries
        assert breaker.try_it(now, works=False) == "instead"
        if breaker.tries > before:
            tries.append(now)
    assert tries == [0, 1, 3, 7, 15, 31, 61, 91]
    assert breaker.away


def test_each_change_is_told_once(breaker: Told) -> None:
    for now in range(1000, 1040):
        breaker.try_it(now, works=1010 <= now < 1030)
    # lost at 1000, tried at 1001, 1003, 1007 and 1015; lost again at 1030
    assert breaker.told == ["TimeoutError", 1015, "TimeoutError"]


def test_a_store_that_was_back_is_left_alone_for_a_short_while_again(breaker: Told) -> None:
    for now in range(1000, 1008):
        breaker.try_it(now, works=now == 1007)
    assert not breaker.away
    assert breaker.try_it(2000.0, works=False) == "instead"
    assert breaker.try_it(2000.9, works=True) == "instead"
    assert breaker.try_it(2001.0, works=True) == "store"


def test_one_tries_while_the_others_go_on_without(breaker: Told) -> None:
    breaker.try_it(0, works=False)

    def store() -> str:
        assert [breaker.try_it(1.0, works=True) for _ in range(5)] == ["instead"] * 5
        return "store"

    assert breaker.ask(1.0, store, lambda: "instead") == "store"
    assert not breaker.away


def on_its_way(breaker: Told, end: Callable[[], str]) -> str:
    """Ask, lose the store while the answer is on its way, and have it end so."""

    def store() -> str:
        breaker.try_it(0, works=False)
        return end()

    return breaker.ask(0, store, lambda: "instead")


def test_an_answer_that_was_on_its_way_does_not_bring_it_back(breaker: Told) -> None:
    assert on_its_way(breaker, lambda: "late") == "late"
    assert breaker.away
    assert breaker.told == ["TimeoutError"]


def test_a_failure_that_was_on_its_way_is_not_another_one(breaker: Told) -> None:
    def fail() -> str:
        raise ConnectionError

    assert on_its_way(breaker, fail) == "instead"
    assert breaker.told == ["TimeoutError"]
    assert breaker.try_it(1.0, works=True) == "store"


def test_threads_that_lose_it_together_tell_it_once(breaker: Told) -> None:
    together = Barrier(8)

    def fail() -> str:
        together.wait(10)
        raise ConnectionError

    threads = [Thread(target=breaker.ask, args=(0, fail, str)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breaker.told == ["ConnectionError"]


def test_pauses_of_processes_differ() -> None:
    breakers = [Told() for _ in range(20)]
    for breaker in breakers:
        breaker.try_it(0, works=False)
    assert len({breaker._next_try for breaker in breakers}) > 1
    assert all(0.8 <= breaker._next_try <= 1.2 for breaker in breakers)
