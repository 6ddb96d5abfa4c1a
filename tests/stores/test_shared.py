"""The sliding windows that all processes of a machine count in together."""

import errno
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamguard.notices import NOTICES
from jamguard.stores import mapped, shared
from jamguard.stores.choose import open_store
from jamguard.stores.locks import _renew_locks
from jamguard.stores.mapped import SharedFileError
from jamguard.stores.process import ProcessStore
from jamguard.stores.shared import FEW, SharedStore, shared_path, shared_store

#: counts on one key as fast as it can, in threads, and says how many hits passed
FLOOD = """
import sys, time
from pathlib import Path
from threading import Thread
from jamguard.stores.shared import SharedStore
path, limit, hits, threads = Path(sys.argv[1]), *map(int, sys.argv[2:5])
store = SharedStore(path)
print("ready", flush=True)
sys.stdin.readline()
passed = []
def flood():
    for _ in range(hits):
        passed.append(store.hit("key", limit, 3600, time.monotonic())[0] >= 0)
workers = [Thread(target=flood) for _ in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(sum(passed), flush=True)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run code until it is ready; it goes on, and says more, when it has been told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counters"


@pytest.fixture
def store(path: Path) -> SharedStore:
    return SharedStore(path)


@pytest.mark.parametrize("limit", [1, 3, FEW, FEW + 1, 100])
def test_exactly_the_limit_passes(store: SharedStore, limit: int) -> None:
    counts = [store.hit("a", limit, 60, 1000.0)[0] for _ in range(limit + 2)]
    assert counts == [*range(limit - 1, -1, -1), -1, -1]


@pytest.mark.parametrize("limit", [3, 30])
def test_keys_and_periods_are_counted_apart(store: SharedStore, limit: int) -> None:
    for key, period in [("a", 60), ("b", 60), ("a", 3600), ("\udcff", 60)]:
        assert store.hit(key, limit, period, 1000.0)[0] == limit - 1
    assert store.hit("a", limit, 60, 1000.0)[0] == limit - 2


@pytest.mark.parametrize("limit", [10, 30])
def test_a_weight_counts_as_so_many_and_zero_only_looks(store: SharedStore, limit: int) -> None:
    assert store.hit("a", limit, 60, 1000.0, 0)[0] == limit
    assert store.hit("a", limit, 60, 1000.0, 4)[0] == limit - 4
    assert store.hit("a", limit, 60, 1000.0, 0)[0] == limit - 4
    assert store.hit("a", limit, 60, 1000.0, limit - 3)[0] == -1
    assert store.hit("a", limit, 60, 1000.0, limit - 4)[0] == 0
    assert store.hit("a", limit, 60, 1000.0, 0)[0] == -1


def test_small_limits_are_exact_in_any_window(store: SharedStore) -> None:
    moments = [59.0, 59.5, 60.5, 118.9, 119.1, 119.6, 119.7, 120.6]
    passed = [store.hit("a", 3, 60, 1000.0 + moment)[0] >= 0 for moment in moments]
    assert passed == [True, True, True, False, True, True, False, True]


@given(
    limit=st.integers(1, 30),
    period=st.sampled_from([1, 10, 60]),
    start=st.floats(0, 1000),
    gaps=st.lists(st.floats(0, 30), max_size=40),
)
def test_after_the_wait_one_hit_passes_and_a_second_before_none(
    tmp_path_factory: pytest.TempPathFactory,
    limit: int,
    period: int,
    start: float,
    gaps: list[float],
) -> None:
    store = shared_store(tmp_path_factory.getbasetemp() / "one-for-all-examples")
    key = os.urandom(8).hex()
    now = start
    for gap in gaps:
        now += gap
        left, wait = store.hit(key, limit, period, now)
        if left < 0:
            assert 0 <= wait <= 2 * period
            if wait > 0.001:
                assert store.hit(key, limit, period, now + wait * 0.999)[0] < 0
            now += wait + 0.001
            assert store.hit(key, limit, period, now)[0] >= 0
        else:
            assert 0 < wait <= period


@given(hits=st.lists(st.tuples(st.floats(0, 40), st.integers(0, 5)), max_size=40))
def test_large_limits_count_as_one_process_alone_does(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[float, int]]
) -> None:
    store = shared_store(tmp_path_factory.getbasetemp() / "one-for-all-examples")
    alone = ProcessStore()
    key, now = os.urandom(8).hex(), 0.0
    for gap, weight in hits:
        now += gap
        assert store.hit(key, 20, 60, now, weight) == alone.hit(key, 20, 60, now, weight)


def test_a_clock_that_is_a_moment_behind_counts_in_the_newer_window(store: SharedStore) -> None:
    for _ in range(20):
        store.hit("a", 20, 60, 1200.0)
    assert store.hit("a", 20, 60, 1199.999)[0] == -1
    assert store.hit("a", 20, 60, 1200.0)[0] == -1


@pytest.mark.parametrize("limit", [10, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_processes_and_threads_pass_exactly_the_limit(path: Path, limit: int, threads: int) -> None:
    processes = [start(FLOOD, path, limit, limit, threads) for _ in range(3)]
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == limit


def test_a_process_that_is_stopped_with_a_lock_is_not_waited_for(path: Path) -> None:
    store = SharedStore(path)
    code = """
import sys, time
from pathlib import Path
from jamguard.stores.shared import SharedStore
from jamguard.stores.locks import lock
store = SharedStore(Path(sys.argv[1]))
lock(store._file.number, store._counters._place("key", 60)[1])
print("ready", flush=True)
sys.stdin.readline()
"""
    holder = start(code, path)
    began = time.monotonic()
    assert store.hit("key", 100, 60, began)[0] == 99
    assert 0.2 < time.monotonic() - began < 5
    assert store.hit("key", 100, 60, began)[0] == 98, "counted alone, without waiting again"
    holder.communicate("\n", timeout=10)
    assert store.hit("key", 100, 60, began + mapped.PAUSE)[0] == 99


def test_threads_do_not_wait_one_after_the_other(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []

    def never(*_: object) -> bool:
        waited.append(True)
        return False

    monkeypatch.setattr(mapped, "lock", never)
    said: list[str] = []
    store.lost = said.append
    assert store.lost == said.append
    workers = [Thread(target=store.hit, args=("a", 100, 60, 1000.0)) for _ in range(8)]
    with store._file.threads:
        for worker in workers:
            worker.start()
    for worker in workers:
        worker.join()
    assert len(waited) == 1
    assert said == ["another process keeps a part of its file locked"]


def test_another_process_is_counted_with_whatever_forked_it(path: Path) -> None:
    """As gunicorn with `--preload`: opened in the master, used by its children."""
    code = """
import os, sys, time
from pathlib import Path
from jamguard.stores.shared import SharedStore
store = SharedStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    if not os.fork():
        passed = sum(store.hit("key", 1000, 3600, time.monotonic())[0] >= 0 for _ in range(1000))
        os.write(1, b"%d\\n" % passed)
        os._exit(0)
for _ in range(3):
    os.wait()
"""
    masters = [start(code, path) for _ in range(2)]
    for master in masters:
        assert master.stdin
        master.stdin.write("\n")
        master.stdin.flush()
    outputs = [master.communicate(timeout=60)[0].split() for master in masters]
    assert sum(int(passed) for output in outputs for passed in output) == 1000


def test_a_child_of_a_fork_counts_on(path: Path) -> None:
    code = """
import json, os, sys, time
from pathlib import Path
from jamguard.stores import shared
store = shared.shared_store(Path(sys.argv[1]))
store._file.threads.acquire()  # another thread counts at the very moment of the fork
shared._opened.threads.acquire()
print("ready", flush=True)
sys.stdin.readline()
child = os.fork()
if child:
    store._file.threads.release()
    shared._opened.threads.release()
    os.waitpid(child, 0)
again = shared.shared_store(Path(sys.argv[1]))
print(json.dumps([again is store, store.hit("key", 100, 3600, time.monotonic())[0]]), flush=True)
"""
    output, _ = start(code, path).communicate("\n", timeout=10)
    assert [json.loads(line) for line in output.splitlines()] == [[True, 99], [True, 98]]


def test_locks_of_threads_are_made_afresh_in_a_child(store: SharedStore) -> None:
    """What the fork of the test above does, where coverage can see it."""
    store._file.threads.acquire()
    store._alone.threads.acquire()
    _renew_locks()
    assert store.hit("a", 20, 60, 1000.0)[0] == 19
    store._file.alone_until = 1001.0
    assert store.hit("a", 20, 60, 1000.0)[0] == 19


def test_a_file_that_cannot_be_mapped_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr("mmap.mmap", fails)
    with pytest.raises(SharedFileError, match="counters: No such device"):
        SharedStore(path)


@pytest.mark.parametrize("now", [1000.0, 5.0], ids=["later", "machine just started"])
def test_a_busy_key_outlives_a_flood_of_others(path: Path, now: float) -> None:
    store = SharedStore(path, counters=64, logs=64)
    for limit in (5, 50):
        for _ in range(limit):
            store.hit("victim", limit, 60, now)
        for number in range(10_000):
            store.hit(str(number), limit, 60, now)
        assert store.hit("victim", limit, 60, now)[0] == -1
    assert path.stat().st_size == store._file.size


def test_places_of_the_outlived_are_taken_first(path: Path) -> None:
    store = SharedStore(path, counters=8, logs=8)
    for limit in (5, 50):
        for number in range(8):
            for _ in range(limit - number % 2):
                store.hit(str(number), limit, 60, 1000.0)
        assert store.hit("new", limit, 60, 1500.0)[0] == limit - 1
        assert store.hit("new", limit, 60, 1500.0)[0] == limit - 2


def test_what_was_counted_is_there_when_the_last_process_has_ended(path: Path) -> None:
    keys = ["a", "b"]  # in one bucket, and only one of them in its first place
    store = SharedStore(path, counters=8, logs=8)
    for limit in (10, 100):
        for key in keys:
            store.hit(key, limit, 3600, time.monotonic())
    again = SharedStore(path, counters=8, logs=8)
    for limit in (10, 100):
        for key in keys:
            assert again.hit(key, limit, 3600, time.monotonic())[0] == limit - 2


def spoil_magic(content: bytearray) -> None:
    content[0] ^= 0xFF


def spoil_boot(content: bytearray) -> None:
    content[8] ^= 0xFF


def spoil_time(content: bytearray) -> None:
    content[40:48] = struct.pack("d", time.monotonic() + 1000)


def spoil_length(content: bytearray) -> None:
    del content[-100:]


def spoil_all(content: bytearray) -> None:
    content[:] = b"my holiday pictures"


@pytest.mark.parametrize(
    "spoil",
    [spoil_magic, spoil_boot, spoil_time, spoil_length, spoil_all, bytearray.clear],
    ids=lambda spoil: spoil.__name__,
)
def test_a_torn_or_foreign_file_is_made_afresh(
    path: Path, spoil: Callable[[bytearray], None]
) -> None:
    SharedStore(path).hit("a", 100, 3600, time.monotonic())
    content = bytearray(path.read_bytes())
    spoil(content)
    path.write_bytes(content)
    assert SharedStore(path).hit("a", 100, 3600, time.monotonic())[0] == 99
    assert SharedStore(path).hit("a", 100, 3600, time.monotonic())[0] == 98


def test_garbage_in_the_table_locks_nobody_out(path: Path) -> None:
    store = SharedStore(path, counters=8, logs=8)
    for limit in (5, 50):
        store.hit("a", limit, 60, 1000.0)
    with path.open("r+b") as file:
        file.seek(mapped.BLOCK)
        file.write(b"\xff" * (path.stat().st_size - mapped.BLOCK))
    for limit in (5, 50):
        assert store.hit("a", limit, 60, 1000.0)[0] == limit - 1


def test_what_was_there_before_is_told(path: Path) -> None:
    for content, told in [
        (b"", False),
        (struct.pack("8s16s", mapped.MAGIC, b"an earlier start"), False),
        (b"my holiday pictures", True),
    ]:
        path.write_bytes(content)
        path.chmod(0o600)
        assert SharedStore(path).remade is told
    assert not SharedStore(path).remade
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert SharedStore(path).remade


def test_the_file_is_for_its_user_alone(store: SharedStore, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(SharedFileError, match="counters"):
        SharedStore(path)
    path.unlink()
    path.hardlink_to(tmp_path / "precious")
    with pytest.raises(SharedFileError, match="not a plain file with one name"):
        SharedStore(path)
    assert (tmp_path / "precious").read_text() == "x"


def test_a_file_that_others_may_write_is_not_trusted(path: Path) -> None:
    path.touch(0o600)
    path.chmod(0o622)
    with pytest.raises(SharedFileError, match="open to other users"):
        SharedStore(path)


def test_a_file_of_another_user_is_not_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SharedFileError, match="belongs to another user"):
        SharedStore(path)


def test_a_folder_and_a_place_that_is_not_there_are_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "file"):
        with pytest.raises(SharedFileError, match=str(path)):
            SharedStore(path)


def test_a_full_disk_is_met_at_the_start(path: Path) -> None:
    """A limit on the size of files stands for a disk that is full."""
    code = """
import resource, signal, sys
from pathlib import Path
from jamguard.stores.mapped import SharedFileError
from jamguard.stores.shared import SharedStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))
print("ready", flush=True)
sys.stdin.readline()
try:
    SharedStore(Path(sys.argv[1]))
except SharedFileError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))  # coverage may write what it likes
"""
    output, _ = start(code, path).communicate("\n", timeout=10)
    assert output == f"{path}: File too large\n"
    assert SharedStore(path).hit("a", 100, 60, 1000.0)[0] == 99, "there is room again"


def test_a_file_that_somebody_keeps_locked_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def never(file: int, *_: object, **__: object) -> bool:
        asked.append(file)
        return False

    monkeypatch.setattr(mapped, "lock", never)
    with pytest.raises(SharedFileError, match="counters: another process has kept it locked"):
        SharedStore(path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(asked[0])


def test_a_lock_that_moves_in_the_file_does_not_make_it_afresh(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a lock is on what is at the file's position."""

    def lock(file: int, byte: int, **_: object) -> bool:
        os.lseek(file, (1 << 30) + byte, os.SEEK_SET)
        return True

    SharedStore(path).hit("a", 100, 3600, time.monotonic())
    monkeypatch.setattr(mapped, "lock", lock)
    assert SharedStore(path).hit("a", 100, 3600, time.monotonic())[0] == 98


def test_a_project_has_one_place_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert shared_path(tmp_path) == shared_path(tmp_path / "link")
    assert shared_path(tmp_path) != shared_path(tmp_path / "other")
    monkeypatch.setattr(shared, "MEMORY", tmp_path / "missing")
    assert shared_path(tmp_path).parent == Path(tempfile.gettempdir())


def test_a_machine_that_does_not_say_when_it_started_is_fine(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "BOOT_ID", path.parent / "missing")
    SharedStore(path).hit("a", 100, 3600, time.monotonic())
    assert SharedStore(path).hit("a", 100, 3600, time.monotonic())[0] == 98


def test_a_process_opens_a_file_once(path: Path) -> None:
    assert shared_store(path) is shared_store(path)


def test_threads_never_pass_more_than_the_limit(store: SharedStore) -> None:
    passed: Counter[bool] = Counter()

    def flood() -> None:
        for _ in range(200):
            passed[store.hit("a", 500, 60, 1000.0)[0] >= 0] += 1

    workers = [Thread(target=flood) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert passed[True] == 500


def test_a_flood_of_keys_does_not_grow_the_process(path: Path) -> None:
    store = SharedStore(path)
    for number in range(10_000):
        store.hit(str(number), 100, 60, 1000.0)
    assert len(store._places) <= 4096


@pytest.mark.parametrize(("limit", "longest"), [(10, 60), (30, 120)])
def test_what_is_heavier_than_the_limit_never_passes(
    store: SharedStore, limit: int, longest: int
) -> None:
    for before in (0, limit):
        store.hit("a", limit, 60, 1000.0, before)
        left, wait = store.hit("a", limit, 60, 1000.0, limit + 1)
        assert left == -1
        assert 0 < wait <= longest


def test_a_file_that_was_torn_is_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MEMORY", tmp_path)
    path = shared_path(tmp_path / "project")
    path.write_bytes(b"my holiday pictures")
    path.chmod(0o600)
    given: list[tuple[str, dict[str, object]]] = []

    def notice(number: str, **details: object) -> None:
        given.append((number, details))

    open_store("shared", tmp_path / "project", notice)
    assert given == [("JG024", {"file": path})]
    assert str(path) in NOTICES["JG024"].format(file=path)
