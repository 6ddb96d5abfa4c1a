"""The shared file, through `limits`' own strategies."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import STRATEGIES, FixedWindowRateLimiter, RateLimiter

from jamguard.stores import storage
from jamguard.stores.mapped import SharedFileError
from jamguard.stores.storage import SharedStorage

NAMES = ["fixed-window", "sliding-window-counter"]
WORKER = """
import sys
from limits import RateLimitItemPerYear
from limits.storage import storage_from_string
from limits.strategies import STRATEGIES
import jamguard.stores.storage
uri, name, amount = sys.argv[1], sys.argv[2], int(sys.argv[3])
limiter = STRATEGIES[name](storage_from_string(uri))
item = RateLimitItemPerYear(amount)
print("ready", flush=True)
sys.stdin.readline()
print(sum(limiter.hit(item, "client") for _ in range(amount)), flush=True)
"""


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"jamguard+shared://{tmp_path}/limits%20file"


@pytest.fixture(params=NAMES)
def limiter(request: pytest.FixtureRequest, uri: str) -> RateLimiter:
    made = storage_from_string(uri)
    assert isinstance(made, SharedStorage)
    return STRATEGIES[request.param](made)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The store's clock, at the beginning of an hour; it stands still until it is set."""
    now = [720_000.0]
    monkeypatch.setattr(storage, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("amount", [5, 50])
@pytest.mark.usefixtures("clock")
def test_the_limit_passes_and_one_more_does_not(limiter: RateLimiter, amount: int) -> None:
    item = RateLimitItemPerMinute(amount)
    assert limiter.get_window_stats(item, "a").remaining == amount
    for number in range(amount):
        assert limiter.test(item, "a")
        assert limiter.hit(item, "a")
        assert limiter.get_window_stats(item, "a").remaining == amount - number - 1
    assert not limiter.test(item, "a")
    assert not limiter.hit(item, "a")
    assert not limiter.hit(item, "a")
    assert limiter.get_window_stats(item, "a").remaining == 0
    assert limiter.hit(item, "b")
    assert limiter.hit(RateLimitItemPerHour(amount), "a")
    limiter.clear(item, "a")
    assert limiter.hit(item, "a")


@pytest.mark.parametrize("amount", [10, 50])
@pytest.mark.usefixtures("clock")
def test_a_cost_counts_as_so_many(limiter: RateLimiter, amount: int) -> None:
    item = RateLimitItemPerMinute(amount)
    assert limiter.hit(item, "a", cost=amount - 3)
    assert not limiter.test(item, "a", cost=4)
    assert not limiter.hit(item, "a", cost=4)
    assert limiter.test(item, "a", cost=3)
    assert limiter.hit(item, "a", cost=3)
    assert not limiter.hit(item, "a", cost=amount + 1)


def test_a_fixed_window_ends_for_all_at_once(uri: str, clock: list[float]) -> None:
    made = storage_from_string(uri)
    assert isinstance(made, Storage)
    limiter = FixedWindowRateLimiter(made)
    item = RateLimitItemPerMinute(20)
    clock[0] += 15
    assert [limiter.hit(item, "a") for _ in range(21)] == [True] * 20 + [False]
    assert limiter.get_window_stats(item, "a").reset_time == pytest.approx(time.time() + 45, abs=5)
    clock[0] += 45
    assert [limiter.hit(item, "a") for _ in range(21)] == [True] * 20 + [False]


def test_a_sliding_window_lets_no_burst_through_at_a_boundary(uri: str, clock: list[float]) -> None:
    limiter = STRATEGIES["sliding-window-counter"](storage_from_string(uri))
    item = RateLimitItemPerMinute(20)
    clock[0] += 59
    assert all(limiter.hit(item, "a") for _ in range(20))
    clock[0] += 1
    assert not limiter.hit(item, "a")
    clock[0] += 30
    assert sum(limiter.hit(item, "a") for _ in range(20)) == 10
    stats = limiter.get_window_stats(item, "a")
    assert stats.remaining == 0
    assert time.time() <= stats.reset_time <= time.time() + 60


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("amount", [14, 500])
def test_two_processes_pass_exactly_the_limit(uri: str, name: str, amount: int) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, uri, name, str(amount)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == amount


def test_the_file_is_checked_and_never_emptied(uri: str, tmp_path: Path) -> None:
    made = SharedStorage(uri)
    assert made.check()
    assert (tmp_path / "limits file").is_file()
    with pytest.raises(NotImplementedError):
        made.reset()
    assert made.base_exceptions is SharedFileError
    with pytest.raises(SharedFileError, match="No such file"):
        SharedStorage(f"jamguard+shared://{tmp_path}/missing/file")


def test_a_limit_that_does_not_fit_is_said(limiter: RateLimiter) -> None:
    with pytest.raises(ValueError, match="2000000 is more than this storage can count"):
        limiter.hit(RateLimitItemPerHour(2_000_000), "client")
