"""Processes that are killed while they count and mark, at any instruction, hundreds of times."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from struct import Struct

import pytest

from jamguard.stores.shared import SharedStore

#: what a process writes down of a hit that passed: the round, the limit, microseconds it took
RECORD = Struct("QII")

#: forks processes that count in the same file for ever, and kills them, so and so often
NURSERY = """
import os, random, signal, struct, sys, time
from pathlib import Path
from jamguard.stores.shared import SharedStore

path, log, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
store = SharedStore(path)  # before the fork, as a server with preload does
log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def lost(error):
    os.write(log, struct.pack("QII", 0, 1, 0))

def count():
    store.lost = lost
    number = random.randrange(1 << 40)
    while True:
        number += 1
        now = time.monotonic()
        turn = int(now * 50)
        for key, limit in ((turn, 14), (turn, 40), (turn // 20, 400), (1, 1_000_000)):
            began = time.monotonic()
            passed = store.hit(f"{key}|{limit}", limit, 3600, began)[0] >= 0
            if passed:
                took = int((time.monotonic() - began) * 1e6)
                os.write(log, struct.pack("QII", key, limit, took))
        store.hit(str(number), 100 if number % 2 else 10, 3600, now)
        store.marks.put("banned", "same", now, 3600, times=number % 1000, why=str(number % 1000))
        store.marks.put("locked", str(number % 20_000), now, 3600)
        mark = store.marks.get("banned", "same", now)
        if mark and mark.why != str(mark.times):
            os.write(log, struct.pack("QII", 0, 2, 0))

def fork():
    child = os.fork()
    if not child:
        count()
    return child

print("ready", flush=True)
sys.stdin.readline()
children = [fork() for _ in range(3)]
for _ in range(kills):
    time.sleep(random.random() * 0.01)
    child = children.pop(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    children.append(fork())
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""

#: what is killed cannot write down what it ran
NOT_MEASURED = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}


@pytest.mark.parametrize("kills", [300, pytest.param(3000, marks=pytest.mark.long)])
def test_counts_hold_whatever_is_killed(tmp_path: Path, kills: int) -> None:
    path, log = tmp_path / "store", tmp_path / "log"
    store = SharedStore(path)
    gave_up: list[str] = []
    store.lost = gave_up.append
    nurseries = [
        subprocess.Popen(
            [sys.executable, "-c", NURSERY, path, log, str(kills // 2)],
            env=NOT_MEASURED,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for nursery in nurseries:
        assert nursery.stdout
        assert nursery.stdout.readline() == "ready\n"
        assert nursery.stdin
        nursery.stdin.write("\n")
        nursery.stdin.flush()
    longest = 0.0
    while any(nursery.poll() is None for nursery in nurseries):
        began = time.monotonic()
        store.hit("bystander", 1_000_000, 3600, began)
        store.marks.put("banned", "bystander", began, 60)
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.001)
    for nursery in nurseries:
        said = nursery.communicate()[0]
        assert nursery.returncode == 0, said
        assert not said

    passed: Counter[tuple[int, int]] = Counter()
    total = 0
    for turn, limit, took in RECORD.iter_unpack(log.read_bytes()):
        assert turn, ["", "a process waited in vain for a lock", "half a mark was seen"][limit]
        longest = max(longest, took / 1e6)
        passed[turn, limit] += 1
        total += limit == 1_000_000
    full: Counter[int] = Counter()
    for (_, limit), count in passed.items():
        assert count <= limit
        full[limit] += count == limit
    counted = 1_000_000 - store.hit("1|1000000", 1_000_000, 3600, time.monotonic(), 0)[0]
    # of what was counted, each that was killed may not have come to writing down the last one
    assert total <= counted <= total + kills + 6
    assert full[14], "limits were reached"
    assert full[40]
    assert not gave_up
    # no longer than for a lock, and as long as a busy machine lets a process wait
    assert longest < 2
    print(f"{kills} kills, {total} hits, reached {dict(full)}, the longest hit {longest:.3f} s")

    again = SharedStore(path)
    assert not again.remade
    for limit in (10, 30):
        now = time.monotonic()
        assert sum(again.hit("new", limit, 3600, now)[0] >= 0 for _ in range(limit + 5)) == limit
    assert again.marks.get("banned", "bystander", time.monotonic())
