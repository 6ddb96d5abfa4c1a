"""A wall clock that steps, forwards or backwards, changes nothing."""

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from support.jam import jam_site
from support.wsgi import call, hello

from jamguard.config import Settings
from jamguard.guards.proxy import Proxy
from jamguard.guards.rate_limit import RateLimit
from jamguard.shield import Shield
from jamguard.stores import Store
from jamguard.stores.process import ProcessStore
from jamguard.stores.shared import SharedStore
from jamguard.values import Rate, Rates

YEAR = 365 * 24 * 3600


def make_process(folder: Path) -> Store:
    return ProcessStore()


def make_shared(folder: Path) -> Store:
    return SharedStore(folder / "store")


@pytest.fixture(params=[1, -1], ids=["forwards", "backwards"])
def wall(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A wall clock that steps by a year each time somebody looks at it."""
    steps = itertools.count(int(time.time()), request.param * YEAR)

    def stepping() -> float:
        return next(steps)

    monkeypatch.setattr(time, "time", stepping)
    monkeypatch.setattr(time, "time_ns", lambda: next(steps) * 10**9)
    return int(request.param)


@pytest.mark.parametrize("make", [make_process, make_shared])
@pytest.mark.parametrize("limit", [5, 50])
@pytest.mark.usefixtures("wall")
def test_neither_counts_nor_marks_follow_it(tmp_path: Path, make: Any, limit: int) -> None:
    store: Store = make(tmp_path)
    now = time.monotonic() + 86400  # so that none of it is before the machine's start
    assert time.time() != time.time()
    counts = [store.hit("a", limit, 60, now)[0] for _ in range(limit + 2)]
    assert counts == [*range(limit - 1, -1, -1), -1, -1]
    store.marks.put("banned", "a", now, 60)
    assert store.marks.get("banned", "a", now + 59)
    assert not store.marks.get("banned", "a", now + 60)
    assert store.hit("a", limit, 60, now + 120)[0] == limit - 1


@pytest.mark.usefixtures("wall")
def test_a_file_from_before_the_step_is_used_on(tmp_path: Path) -> None:
    now = time.monotonic()
    SharedStore(tmp_path / "store").hit("a", 5, 3600, now)
    again = SharedStore(tmp_path / "store")
    assert not again.remade
    assert again.hit("a", 5, 3600, now)[0] == 3


@pytest.mark.usefixtures("wall")
@pytest.mark.parametrize("storage", ["shared", "process"])
def test_a_site_neither_locks_everybody_out_nor_opens(tmp_path: Path, storage: str) -> None:
    name = f"shared:{tmp_path}" if storage == "shared" else storage
    site = jam_site(tmp_path / "project", Settings(storage=name))
    app = Shield(hello, [Proxy(), RateLimit(page=Rates([Rate(5, 3600)]))], site)
    codes = [call(app, "/").code for _ in range(7)]
    assert codes == [200] * 5 + [429] * 2
