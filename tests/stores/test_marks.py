"""Marks that all processes of a machine see, and those of one process."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamguard.stores import MOST_MARKS, Kind, Mark, Marks, mapped, marks
from jamguard.stores.marks import SharedMarks
from jamguard.stores.process import ProcessMarks, ProcessStore
from jamguard.stores.shared import SharedStore, shared_store

KINDS: tuple[Kind, ...] = get_args(Kind)
#: what is killed cannot write down what it ran
NOT_MEASURED = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
SMALL: dict[Kind, int] = dict.fromkeys(KINDS, marks.WAYS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture(params=["process", "shared"])
def kept(request: pytest.FixtureRequest, path: Path) -> Marks:
    return ProcessMarks() if request.param == "process" else SharedStore(path).marks


def region(kept: SharedMarks, kind: Kind) -> Any:
    return kept._regions[kind]


def place_of(kept: SharedMarks, kind: Kind, key: str) -> int:
    place = kept._find(kept._spot(kind, key))
    assert place is not None
    return place


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_is_in_force_then_remembered_then_forgotten(kept: Marks, kind: Kind) -> None:
    assert kept.get(kind, "a", 1000.0) is None
    kept.put(kind, "a", 1000.0, 60, times=3, keep=600, why="probing")
    assert kept.get(kind, "a", 1000.0) == Mark("a", 60.0, 3, "probing")
    assert kept.get(kind, "a", 1059.0) == Mark("a", 1.0, 3, "probing")
    assert kept.get(kind, "a", 1060.0) == Mark("a", 0.0, 3, "probing")
    assert kept.get(kind, "a", 1659.0) == Mark("a", 0.0, 3, "probing")
    assert kept.get(kind, "a", 1660.0) is None
    assert kept.all(kind, 1059.0) == [Mark("a", 1.0, 3, "probing")]
    assert kept.all(kind, 1060.0) == []


def test_kinds_and_keys_are_kept_apart(kept: Marks) -> None:
    kept.put("banned", "a", 1000.0, 60)
    assert kept.get("banned", "b", 1000.0) is None
    assert kept.get("locked", "a", 1000.0) is None
    kept.put("banned", "b", 1000.0, 60)
    assert kept.get("banned", "c", 1000.0) is None


def test_a_mark_takes_the_place_of_an_older_one(kept: Marks) -> None:
    kept.put("banned", "a", 1000.0, 600, times=1, why="long")
    kept.put("banned", "a", 1000.0, 60, times=2, why="short")
    assert kept.get("banned", "a", 1000.0) == Mark("a", 60.0, 2, "short")
    assert kept.all("banned", 1000.0) == [Mark("a", 60.0, 2, "short")]


def test_a_mark_can_be_taken_away(kept: Marks) -> None:
    kept.put("banned", "a", 1000.0, 60)
    kept.put("banned", "b", 1000.0, 60)
    assert not kept.remove("locked", "a")
    assert kept.remove("banned", "a")
    assert kept.get("banned", "a", 1000.0) is None
    assert not kept.remove("banned", "a")
    assert [mark.key for mark in kept.all("banned", 1000.0)] == ["b"]


def test_the_longest_is_listed_first(kept: Marks) -> None:
    for seconds in (60, 600, 6):
        kept.put("banned", str(seconds), 1000.0, seconds)
    assert [mark.left for mark in kept.all("banned", 1001.0)] == [599.0, 59.0, 5.0]


@pytest.mark.parametrize(
    "key",
    ["", "192.0.2.0/24", "Łukasz", "\udcff\ud800", "a\0b\n|c", "名" * 34, "x" * 102],
    ids=ascii,
)
def test_a_key_may_hold_any_letters(kept: Marks, key: str) -> None:
    kept.put("locked", key, 1000.0, 60)
    assert kept.get("locked", key, 1000.0) == Mark(key, 60.0, 1)
    assert kept.all("locked", 1000.0) == [Mark(key, 60.0, 1)]


@pytest.mark.parametrize("letter", ["a", "Ł", "名", "\U0001f512", "\udcff"], ids=ascii)
def test_a_long_key_is_known_by_all_of_it_and_listed_by_its_start(path: Path, letter: str) -> None:
    kept = SharedStore(path).marks
    why = "an explanation that is far too long, with żółw in it"
    for end in ("", "x", "y"):
        kept.put("locked", letter * 10_000 + end, 1000.0, 60, why=why)
    assert kept.get("locked", letter * 10_000, 1000.0) == Mark(
        letter * 10_000, 60.0, 1, "an explanation that i…"
    )
    assert kept.get("locked", letter * 10_000 + "z", 1000.0) is None
    listed = kept.all("locked", 1000.0)
    assert len(listed) == 3, "each of them, although they look alike"
    assert listed[0].key.lstrip(letter) == "…"
    assert len(listed[0].key) > 15 or letter == "\udcff"
    assert len(kept._spots) == 0, "who sends long names gains no memory by it"
    assert kept.remove("locked", letter * 10_000 + "x")
    assert len(kept.all("locked", 1000.0)) == 2


def test_a_count_that_is_absurd_is_kept_as_a_large_one(path: Path) -> None:
    kept = SharedStore(path).marks
    kept.put("banned", "a", 1000.0, 60, times=10**30)
    assert kept.get("banned", "a", 1000.0) == Mark("a", 60.0, 2**32 - 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "remove", "all"]),
            st.sampled_from(KINDS),
            st.sampled_from(["", "a", "b", "ł", "192.0.2.0/24", "\udcff"]),
            st.floats(0, 100),
            st.floats(0, 200),
            st.floats(0, 200),
            st.text(max_size=5),
        ),
        max_size=30,
    )
)
def test_processes_together_remember_what_one_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "marks"
    folder.mkdir(exist_ok=True)
    shared = shared_store(folder / "one-for-all-examples").marks
    alone = ProcessMarks()
    now = 1000.0
    for kind in KINDS:
        for mark in shared.all(kind, 0.0):
            shared.remove(kind, mark.key)
    for times, (what, kind, key, gap, seconds, keep, why) in enumerate(steps):
        now += gap
        if what == "put":
            for each in (shared, alone):
                each.put(kind, key, now, seconds, keep=keep, times=times, why=why)
        elif what == "get":
            assert shared.get(kind, key, now) == alone.get(kind, key, now)
        elif what == "remove":
            assert shared.remove(kind, key) == alone.remove(kind, key)
        else:
            assert sorted(map(repr, shared.all(kind, now))) == sorted(
                map(repr, alone.all(kind, now))
            )


@pytest.mark.parametrize("store", ["process", "shared"])
def test_no_more_than_so_many_are_kept_and_the_soonest_over_go_first(
    store: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST_MARKS, "banned", marks.WAYS)
    kept = ProcessMarks() if store == "process" else SharedStore(path, marks=SMALL).marks
    most = marks.WAYS
    for number in range(most - 2):
        kept.put("banned", str(number), 1000.0, 600 + number)
    kept.put("banned", "over", 1000.0, 10, keep=10_000)
    kept.put("banned", "outlived", 1000.0, 10)
    assert len(kept.all("banned", 1000.0)) == most
    # one in force is never pushed out while there is one that is over
    for new, gone in [("x", "outlived"), ("y", "over"), ("z", "0"), ("w", "1")]:
        kept.put("banned", new, 1100.0, 3600)
        assert kept.get("banned", gone, 1100.0) is None
        assert kept.get("banned", new, 1100.0)
    assert {mark.key for mark in kept.all("banned", 1100.0)} == {
        *map(str, range(2, most - 2)),
        *"xyzw",
    }
    kept.put("banned", "x", 1100.0, 1)  # known already: nobody has to go
    assert len(kept.all("banned", 1100.0)) == most


def test_a_flood_of_one_kind_leaves_the_others_alone(path: Path) -> None:
    kept = SharedStore(path, marks=SMALL).marks
    for kind in KINDS:
        kept.put(kind, "victim", 1000.0, 60)
    for number in range(1000):
        kept.put("ended", str(number), 1000.0, 3600)
    assert kept.get("ended", "victim", 1000.0) is None
    assert all(kept.get(kind, "victim", 1000.0) for kind in ("banned", "locked", "known"))


OTHER = """
import sys, time
from pathlib import Path
from jamguard.stores.shared import SharedStore
marks = SharedStore(Path(sys.argv[1])).marks
now = time.monotonic()
print(marks.get("banned", "192.0.2.1", now).why, marks.remove("banned", "192.0.2.1"))
marks.put("locked", "ada", now, 60, times=5)
"""


def test_another_process_sees_and_lifts_them_at_once(path: Path) -> None:
    kept = SharedStore(path).marks
    kept.put("banned", "192.0.2.1", time.monotonic(), 60, why="probing")
    run = subprocess.run(
        [sys.executable, "-c", OTHER, path], check=True, capture_output=True, text=True
    )
    assert run.stdout == "probing True\n"
    assert kept.get("banned", "192.0.2.1", time.monotonic()) is None
    mark = kept.get("locked", "ada", time.monotonic())
    assert mark
    assert mark.times == 5


def test_a_hash_across_two_others_is_none(path: Path) -> None:
    kept = SharedStore(path).marks
    kept.put("banned", "b", 1000.0, 60)
    number, _, bucket = kept._spot("banned", "a")
    at = bucket * 8 + 4
    kept._file.map[at : at + 8] = number.to_bytes(8, sys.byteorder)
    assert kept.get("banned", "a", 1000.0) is None
    kept.put("banned", "a", 1000.0, 60)
    assert kept.get("banned", "a", 1000.0)


def torn(kept: SharedMarks, key: str) -> None:
    """Leave a record as a process does that is killed while it writes."""
    at = region(kept, "banned").record(place_of(kept, "banned", key))
    kept._file.map[at + 8 : at + 16] = b"\xff" * 8


def test_a_torn_mark_is_none(path: Path) -> None:
    kept = SharedStore(path, marks=SMALL).marks
    kept.put("banned", "a", 1000.0, 60)
    kept.put("banned", "b", 1000.0, 60)
    torn(kept, "a")
    assert kept.get("banned", "a", 1000.0) is None
    assert kept.all("banned", 1000.0) == [Mark("b", 60.0, 1)]
    # and its place is free
    for number in range(marks.WAYS - 1):
        kept.put("banned", str(number), 1000.0, 600)
    assert kept.get("banned", "b", 1000.0)
    kept.put("banned", "a", 1000.0, 600)
    assert kept.get("banned", "a", 1000.0)


@pytest.mark.parametrize("then", ["written", "gone"])
def test_a_mark_that_is_being_written_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """The other process is done when this one has got the lock."""
    kept = SharedStore(path).marks
    kept.put("banned", "a", 1000.0, 60)
    at = region(kept, "banned").record(place_of(kept, "banned", "a"))
    whole = kept._file.map[at : at + 128]
    place = place_of(kept, "banned", "a")
    torn(kept, "a")

    def lock(*_: object) -> bool:
        if then == "written":
            kept._file.map[at : at + 128] = whole
        else:
            kept._file.words[place] = 0
        return True

    monkeypatch.setattr(mapped, "lock", lock)
    assert kept.get("banned", "a", 1000.0) == (Mark("a", 60.0, 1) if then == "written" else None)


def test_the_place_of_another_is_never_taken_for_ones_own(path: Path) -> None:
    kept = SharedStore(path).marks
    kept.put("banned", "a", 1000.0, 60)
    kept.put("banned", "b", 1000.0, 60)
    words, a, b = (
        kept._file.words,
        place_of(kept, "banned", "a"),
        place_of(kept, "banned", "b"),
    )
    words[a], words[b] = 0, words[a]  # a reader that still sees the old hash
    assert kept.get("banned", "a", 1000.0) is None


WRITER = """
import sys, time
from pathlib import Path
from jamguard.stores.shared import SharedStore
marks = SharedStore(Path(sys.argv[1])).marks
print("ready", flush=True)
number = 0
while True:
    number += 1
    marks.put("banned", "same", 1000.0, number, times=number, why=str(number))
    marks.put("banned", str(number % 5000), 1000.0, 60, why="w" * (number % 24))
"""


def test_a_reader_never_sees_half_a_mark(path: Path) -> None:
    kept = SharedStore(path).marks
    kept.put("banned", "same", 1000.0, 0, times=0, why="0", keep=60)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], env=NOT_MEASURED, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    seen = 0
    for _ in range(20_000):
        mark = kept.get("banned", "same", 999.0)
        assert mark, "it is there all the time"
        assert mark.left == mark.times + 1 == int(mark.why) + 1
        seen += mark.times > 0
    process.kill()
    process.communicate(timeout=10)
    assert seen


HOLDER = """
import sys
from pathlib import Path
from jamguard.stores.shared import SharedStore
marks = SharedStore(Path(sys.argv[1])).marks
with marks._file.held(marks._regions["banned"].head, 0.0):
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_while_the_file_cannot_be_had_a_process_remembers_alone(path: Path) -> None:
    store = SharedStore(path)
    said: list[str] = []
    store.lost = said.append
    kept = store.marks
    now = float(int(time.monotonic()))  # so that differences have no rest
    kept.put("banned", "a", now, 60, why="shared")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()
    kept.put("banned", "a", now, 600, why="alone")
    assert time.monotonic() - now < 5
    assert kept.get("banned", "a", now) == Mark("a", 600.0, 1, "alone")
    assert kept.get("banned", "b", now) is None
    assert [mark.why for mark in kept.all("banned", now)] == ["alone"]
    assert kept.remove("banned", "a")
    kept.put("banned", "b", now, 600, why="alone")
    assert said
    process.communicate("\n", timeout=10)
    later = now + mapped.PAUSE + 1
    assert kept.get("banned", "b", later)
    kept.put("banned", "b", later, 60, why="shared")
    assert kept.get("banned", "b", later) == Mark("b", 60.0, 1, "shared")


def test_a_mark_may_have_no_end(kept: Marks) -> None:
    kept.put("banned", "a", 1000.0, float("inf"))
    mark = kept.get("banned", "a", 1e9)
    assert mark
    assert mark.left == float("inf")


@pytest.mark.parametrize("limit", [5, 50])
@pytest.mark.parametrize("kind", ["process", "shared"])
def test_what_is_forgotten_is_counted_anew(path: Path, limit: int, kind: str) -> None:
    store = ProcessStore() if kind == "process" else SharedStore(path)
    store.forget("a", limit, 60)
    for key in ("a", "b"):
        for _ in range(3):
            store.hit(key, limit, 60, 1000.0)
    store.forget("a", limit, 60)
    assert store.hit("a", limit, 60, 1000.0)[0] == limit - 1
    assert store.hit("b", limit, 60, 1000.0)[0] == limit - 4


def test_what_is_forgotten_is_forgotten_in_every_generation() -> None:
    store = ProcessStore(size=2)
    for key in "abc":
        store.hit(key, 5, 60, 1000.0)
    assert "a" in store._old
    store.forget("a", 5, 60)
    assert store.hit("a", 5, 60, 1000.0)[0] == 4


def test_what_a_process_counted_alone_is_forgotten_too(path: Path) -> None:
    store = SharedStore(path)
    store._file.alone_until = float("inf")
    store.hit("a", 5, 60, 1000.0)
    store.forget("a", 5, 60)
    assert store.hit("a", 5, 60, 1000.0)[0] == 4
