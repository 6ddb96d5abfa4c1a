"""Places are exact between threads, and nobody waits for what is slow."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jamguard import places
from jamguard.places import Places


def test_so_many_and_not_one_more() -> None:
    room = Places()
    for number in range(3):
        assert room.take(number, [("ann", 3)]) == ""
    assert room.take(3, [("ann", 3)], patient=False) == "ann"
    assert room.take(3, [("bob", 3)], patient=False) == ""
    room.leave(1)
    assert room.take(4, [("ann", 3)], patient=False) == ""


def test_a_place_is_taken_in_all_rooms_or_in_none() -> None:
    room = Places()
    assert room.take(1, [("all", 2), ("ann", 1)]) == ""
    assert room.take(2, [("all", 2), ("ann", 1)], patient=False) == "ann"
    assert room.take(3, [("all", 2), ("bob", 1)]) == ""
    assert room.take(4, [("all", 2), ("eve", 1)], patient=False) == "all"
    for who in (1, 3):
        room.leave(who)
    assert not room._rooms, "nothing is left of those who have gone"


def test_to_leave_without_a_place_is_nothing() -> None:
    room = Places()
    room.leave("nobody")
    room.take("somebody", [])
    room.leave("somebody")


def test_who_is_patient_gets_the_place_that_is_given_back() -> None:
    room = Places()
    room.take("first", [("all", 1)])
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(room.take, "second", [("all", 1)])
        while not room._waiting:
            time.sleep(0.001)
        assert not second.done()
        room.leave("first")
        assert second.result(10) == ""


def test_nobody_waits_for_longer_than_it_takes_to_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SLOW", 0.2)
    room = Places()
    room.take("slow", [("all", 1)])
    began = time.monotonic()
    assert room.take("patient", [("all", 1)]) == "all"
    assert 0.1 < time.monotonic() - began < 5
    began = time.monotonic()
    assert room.take("next", [("all", 1)]) == "all"
    assert time.monotonic() - began < 0.1


def test_nor_where_others_are_always_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SLOW", 0.2)
    room = Places()
    room.take("first", [("all", 1)])
    with ThreadPoolExecutor(1) as threads:
        patient = threads.submit(room.take, "patient", [("all", 1)])
        until = time.monotonic() + 5
        while not patient.done() and time.monotonic() < until:
            with room.threads:
                room._rooms["all"] = {object(): time.monotonic()}
            room.leave("nobody")  # wakes who waits
            time.sleep(0.01)
        assert patient.done()
    assert patient.result() == "all"


def test_most_of_them_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes and goes keeps nobody waiting for those that do not."""
    room = Places()
    now = [0.0]
    monkeypatch.setattr(places, "monotonic", lambda: now[0])
    for who in range(3):
        room.take(who, [("all", 4)])
    now[0] = 5.0
    room.take(3, [("all", 4)])
    assert room.take(4, [("all", 4)]) == "all"


def test_exactly_as_many_as_are_allowed_of_many_at_once() -> None:
    room, inside, most = Places(), [0], [0]
    lock = threading.Lock()

    def visit(who: int) -> bool:
        if room.take(who, [("all", 5)]):
            return False
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.0005)
        with lock:
            inside[0] -= 1
        room.leave(who)
        return True

    with ThreadPoolExecutor(30) as threads:
        visits = list(threads.map(visit, range(600)))
    assert all(visits), "nobody was slow, so nobody was turned away"
    assert most[0] == 5
    assert not room._rooms
