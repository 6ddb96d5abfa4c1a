"""Print what counting and remembering cost, and how two busy processes share, from one run.

    python tests/bench/store.py [--rounds 31] [--hits 2000] [--seconds 2]

Beside the stores of jamguard stand those of `limits` in memory, which one process has alone.
The order is shuffled and the garbage collected before each timing; a figure is the median
over all rounds. Only ratios of one run mean anything: machines change speed.
"""

import argparse
import gc
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter

from jamguard.stores.process import ProcessStore
from jamguard.stores.shared import SharedStore, shared_path

sys.path.append(str(Path(__file__).parents[1]))
from support.redis import redis_costs

LOTS: Final = 1_000_000
FEW: Final = 10
MINUTE: Final = 60
KEY: Final = "api|198.51.100.7"
#: what ratios are of
YARDSTICK: Final = "limits, memory: sliding window"

Hit = Callable[[], object]


@contextmanager
def new_store() -> Generator[SharedStore]:
    """Make a store where sites have theirs."""
    with tempfile.TemporaryDirectory() as folder:
        path = shared_path(Path(folder))
        try:
            yield SharedStore(path)
        finally:
            path.unlink()


def costs(shared: SharedStore) -> dict[str, Hit]:
    """Return what is measured; other stores go in here."""
    now = time.monotonic
    process = ProcessStore()
    lots = RateLimitItemPerMinute(LOTS)
    sliding = SlidingWindowCounterRateLimiter(MemoryStorage())
    fixed = FixedWindowRateLimiter(MemoryStorage())
    marks = shared.marks
    marks.put("locked", "198.51.100.8", now(), 1e6)
    return {
        "shared: a hit": lambda: shared.hit(KEY, LOTS, MINUTE, now()),
        "shared: a hit near the limit": lambda: shared.hit("near", 60, 1, now()),
        "shared: a hit of a small limit": lambda: shared.hit(KEY, FEW, 1, now()),
        "shared: a mark, none of its kind": lambda: marks.get("banned", KEY, now()),
        "shared: a mark, not this key's": lambda: marks.get("locked", KEY, now()),
        "shared: a mark": lambda: marks.get("locked", "198.51.100.8", now()),
        "process: a hit": lambda: process.hit(KEY, LOTS, MINUTE, now()),
        YARDSTICK: lambda: sliding.hit(lots, KEY),
        "limits, memory: fixed window": lambda: fixed.hit(lots, KEY),
    }


def print_costs(rounds: int, hits: int) -> None:
    with new_store() as shared, redis_costs() as far:
        measured = {**costs(shared), **far}
        times: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(rounds):
            for name in random.sample(list(measured), len(measured)):
                hit = measured[name]
                gc.collect()
                began = time.perf_counter()
                for _ in range(hits):
                    hit()
                times[name].append((time.perf_counter() - began) / hits * 1e6)
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{'microseconds':36} median    p10    p90   ratio")
    for name, median in medians.items():
        deciles = statistics.quantiles(times[name], n=10)
        ratio = median / medians[YARDSTICK]
        print(f"{name:36} {median:6.2f} {deciles[0]:6.2f} {deciles[-1]:6.2f} {ratio:7.2f}")


def saturate(path: Path, keys: list[str], limit: int, seconds: float, pipe: Connection) -> None:
    """Hit as often as possible, and tell how long each took."""
    store = SharedStore(path)
    took: list[float] = []
    clock = time.perf_counter
    pipe.send("ready")
    pipe.recv()
    end = clock() + seconds
    last = clock()
    while last < end:
        for key in keys:
            store.hit(key, limit, 1, time.monotonic())
        now = clock()
        took.append((now - last) / len(keys))
        last = now
    took.sort()
    at = [took[int(len(took) * share)] * 1e6 for share in (0.5, 0.99, 0.999)]
    pipe.send((len(took), *at, took[-1] * 1e6))


def print_contention(seconds: float) -> None:
    """Let two processes hit at once, with nothing to do between."""
    print(f"\n{'two processes at once':36}  share    p50    p99  p99.9    max")
    context = multiprocessing.get_context("spawn")
    for name, keys, limit in (
        ("one key", ("same", "same"), LOTS),
        ("one key, near the limit", ("same", "same"), 60),
        ("one key, a small limit", ("same", "same"), FEW),
        ("a key each", ("one", "other"), LOTS),
        ("a key each, a small limit", ("one", "other"), FEW),
    ):
        with new_store() as shared:
            pipes = [context.Pipe() for _ in keys]
            workers = [
                context.Process(target=saturate, args=(shared.path, [key], limit, seconds, theirs))
                for key, (_, theirs) in zip(keys, pipes, strict=True)
            ]
            for worker in workers:
                worker.start()
            for say in ("ready", None):
                for ours, _ in pipes:
                    if say:
                        ours.recv()
                    else:
                        ours.send("go")
            found = [ours.recv() for ours, _ in pipes]
            for worker in workers:
                worker.join()
        total = sum(hits for hits, *_ in found)
        for hits, *times in found:
            figures = " ".join(f"{figure:6.1f}" for figure in times)
            print(f"{name:36} {hits / total:5.0%} {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--hits", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    print_costs(options.rounds, options.hits)
    print_contention(options.seconds)


if __name__ == "__main__":
    main()
