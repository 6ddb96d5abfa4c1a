"""Columns of counters: no process waits far from a limit, and none passes it."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamguard.stores import counters
from jamguard.stores.counters import COLUMNS, NEAR, SHARED_COLUMN, Counters, rolled
from jamguard.stores.mapped import HEADER_WORDS, MappedFile

SLOTS = 64
NOW = 6000.0

#: claims a column and keeps it until it is told to end; says what a hit came to
CLAIM = """
import sys
from pathlib import Path
from tests.stores.test_counters import make
counters = make(Path(sys.argv[1]))
print(counters.hit("key", 1000, 60, 6000.0, 1)[0], counters._column, flush=True)
sys.stdin.readline()
"""


def make(path: Path) -> Counters:
    return Counters(MappedFile(path, HEADER_WORDS + Counters.words(SLOTS)), HEADER_WORDS, SLOTS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counters"


def in_column(path: Path, column: int) -> Counters:
    """Count as another process would, in the column that it had claimed."""
    made = make(path)
    made._claim()
    made._column = column
    return made


def left(made: Counters, limit: int, weight: int = 1, now: float = NOW, key: str = "key") -> int:
    count = made.hit(key, limit, 60, now, weight)
    assert count is not None
    return count[0]


def test_a_weight_does_not_run_over_into_the_window_before(path: Path) -> None:
    made = in_column(path, 0)
    assert [left(made, 1_000_000, 600_000) for _ in range(3)] == [400_000, -1, -1]
    assert left(made, 1_000_000, 400_000) == 0
    assert left(made, 1_000_000, 1_000_000) == -1
    assert left(made, 1_000_000, now=NOW + 90) == 499_999


def test_what_others_counted_counts(path: Path) -> None:
    processes = [in_column(path, column) for column in (0, 5, SHARED_COLUMN)]
    assert [left(one, 200) for one in processes * 2] == [199, 198, 197, 196, 195, 194]
    # in the next window by the share of the last one that is still within reach
    assert [left(one, 200, now=NOW + 90) for one in processes] == [196, 195, 194]
    assert left(processes[0], 200, now=NOW + 300) == 199


@given(
    limit=st.integers(15, 200),
    hits=st.lists(st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, 20)), max_size=80),
)
def test_the_limit_is_never_passed_and_always_reached(
    tmp_path_factory: pytest.TempPathFactory, limit: int, hits: list[tuple[int, int]]
) -> None:
    made = make(tmp_path_factory.mktemp("counters") / "file")
    made._claim()
    counted = 0
    for column, weight in hits:
        made._column = column
        fits = counted + max(weight, 1) <= limit
        assert (left(made, limit, weight) >= 0) == fits
        counted += weight * fits


def test_a_process_whose_clock_was_read_earlier_sees_the_newer_window(path: Path) -> None:
    newer, older = in_column(path, 0), in_column(path, 1)
    for _ in range(80):
        left(newer, 100, now=NOW + 60)
    assert left(older, 100, now=NOW + 59.9) == 19
    assert left(newer, 100, now=NOW + 59.9) == 18, "a thread that waited"
    assert left(older, 80, now=NOW + 59.9) == -1


@pytest.mark.parametrize(
    ("value", "window", "result"),
    [
        (0, 7, 7 << 40),
        (7 << 40 | 3 << 20 | 4, 7, 7 << 40 | 3 << 20 | 4),
        (7 << 40 | 3 << 20 | 4, 8, 8 << 40 | 4 << 20),
        (7 << 40 | 3 << 20 | 4, 9, 9 << 40),
        (7 << 40 | 3 << 20 | 4, 6, 7 << 40 | 3 << 20 | 4),
        ((1 << 24) - 1 << 40 | 4, 0, 4 << 20),
    ],
    ids=["new", "same window", "next window", "long ago", "ahead", "windows begin anew"],
)
def test_a_column_rolls_on_with_the_window(value: int, window: int, result: int) -> None:
    assert rolled(value, window) == result


def test_a_place_that_became_another_keys_meanwhile_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = in_column(path, 3)
    left(made, 1000)
    slot = made._places["key", 60][2]
    sums = counters._sums

    def evict(columns: list[int], window: int) -> tuple[int, int]:
        if made._words[slot] != 99:  # between the hit and the look at the others
            made._words[slot] = 99
        return sums(columns, window)

    monkeypatch.setattr(counters, "_sums", evict)
    assert left(made, 1000) == 999, "counted anew, in another place"
    assert made._words[slot + 2 + 3] == 0
    assert made._places["key", 60][2] != slot


def test_the_least_counted_makes_room(path: Path) -> None:
    made = in_column(path, 0)
    for _ in range(50):
        left(made, 1000, key="busy")
    for number in range(10 * SLOTS):
        left(made, 1000, key=f"flood {number}")
    assert left(made, 1000, key="busy") == 949


def test_each_process_has_a_column_as_long_as_there_are_enough(path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(COLUMNS + 1)
    ]
    said = [str(process.stdout and process.stdout.readline()).split() for process in processes]
    processes[0].communicate("\n", timeout=10)
    late = make(path)
    assert left(late, 1000) == 1000 - COLUMNS - 2
    for process in processes[1:]:
        process.communicate("\n", timeout=10)
    assert sorted(int(count) for count, _ in said) == list(range(999 - COLUMNS, 1000))
    columns = sorted(int(column) for _, column in said)
    assert columns == [*range(SHARED_COLUMN), SHARED_COLUMN, SHARED_COLUMN]
    assert late._column == int(said[0][1]) or int(said[0][1]) == SHARED_COLUMN


def test_nobody_waits_far_from_the_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = in_column(path, 0)
    left(made, NEAR + 20)

    def hold(*_: object) -> bool:
        return False

    monkeypatch.setattr(made._file, "hold", hold)
    counts = [made.hit("key", NEAR + 20, 60, NOW, 1) for _ in range(25)]
    assert [count is None for count in counts] == [False] * 18 + [True] * 7


def test_a_key_whose_place_is_forgotten_is_found_again(path: Path) -> None:
    made = make(path)
    names = [f"key {number}" for number in range(SLOTS)]
    for name in names:
        made.hit(name, 1000, 60, NOW, 1)
    made._places.clear()
    found = [made.hit(name, 1000, 60, NOW, 1) for name in names]
    # a bucket of eight may have had more than eight of them
    assert sum(count is not None and count[0] == 998 for count in found) > SLOTS / 2
