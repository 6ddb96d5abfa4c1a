"""A dictionary that cannot be made to grow."""

from threading import Thread

from jamguard.cache import Bounded


def test_what_is_put_is_found_again() -> None:
    cache: Bounded[str, int] = Bounded(2)
    assert cache.put("a", 1) == 1
    assert cache["a"] == 1
    assert cache.get("b") is None


def test_a_full_cache_starts_afresh() -> None:
    cache: Bounded[int, int] = Bounded(3)
    for number in range(3):
        cache.put(number, number)
    assert sorted(cache) == [0, 1, 2]
    cache.put(3, 3)
    assert sorted(cache) == [3]


def test_no_flood_of_keys_makes_it_larger_than_its_size() -> None:
    cache: Bounded[int, int] = Bounded(100)
    for number in range(10_000):
        cache.put(number, number)
        assert len(cache) <= 100


def test_threads_never_find_a_wrong_value() -> None:
    cache: Bounded[int, int] = Bounded(50)
    wrong: list[int] = []

    def work(start: int) -> None:
        for number in range(start, start + 5000):
            if cache.put(number % 97, number % 97) != number % 97:
                wrong.append(number)
            found = cache.get(number % 97)
            if found is not None and found != number % 97:
                wrong.append(number)

    threads = [Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cache) <= 50 + len(threads)
