"""From the setting to a store, and what of the setting may be shown."""

from pathlib import Path

import pytest

from jamguard.notices import NOTICES
from jamguard.stores import shared
from jamguard.stores.choose import is_store, open_store, public
from jamguard.stores.limits import LimitsStore
from jamguard.stores.process import ProcessStore
from jamguard.stores.redis import RedisStore
from jamguard.stores.shared import SharedStore, shared_path

#: nothing listens there
NOWHERE = "redis://user:swordfish@127.0.0.1:1"


class Notices:
    """Writes down what the operator is told."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, number: str, *, again: bool = False, **details: object) -> None:
        self.given.append(number)
        assert "swordfish" not in NOTICES[number].format(**details)
        assert again == (number in {"JG014", "JG023"})


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MEMORY", tmp_path)


@pytest.mark.parametrize(
    ("storage", "project", "kind"),
    [
        ("process", True, ProcessStore),
        ("shared", True, SharedStore),
        ("shared", False, ProcessStore),
        ("redis://192.0.2.9", True, RedisStore),
        ("valkeys://192.0.2.9", False, RedisStore),
        ("redis+unix:///run/redis.sock", False, RedisStore),
        ("memory://", True, LimitsStore),
    ],
)
def test_the_setting_names_the_store(
    tmp_path: Path, storage: str, project: bool, kind: type
) -> None:
    notices = Notices()
    is_store(None, None, storage)
    store = open_store(storage, tmp_path if project else None, notices)
    assert type(store) is kind
    assert not store.away
    assert notices.given == (["JG022"] if kind is LimitsStore else [])


def test_what_stands_in_for_redis_is_the_file_of_the_machine(tmp_path: Path) -> None:
    notices = Notices()
    store = open_store(NOWHERE, tmp_path, notices)
    machine = SharedStore(shared_path(tmp_path))
    assert store.hit("a", 100, 60, 6000.0)[0] == 99
    assert machine.hit("a", 100, 60, 6000.0)[0] == 98
    store.marks.put("banned", "a", 6000.0, 60)
    assert machine.marks.get("banned", "a", 6000.0)
    assert store.away
    assert notices.given == ["JG014"]


@pytest.mark.parametrize("storage", ["shared", NOWHERE])
def test_a_file_that_cannot_be_used_leaves_the_process(tmp_path: Path, storage: str) -> None:
    notices = Notices()
    shared_path(tmp_path).mkdir()
    store = open_store(storage, tmp_path, notices)
    assert store.hit("a", 100, 60, 6000.0)[0] == 99
    assert notices.given[0] == "JG020"


def test_a_folder_that_is_served_is_not_used(tmp_path: Path) -> None:
    """Whatever lies in the project's folder may be handed out, or be committed somewhere."""
    folder = tmp_path / "project" / "static"
    folder.mkdir(parents=True)
    notices = Notices()
    store = open_store(f"shared:{folder}", tmp_path / "project", notices)
    assert isinstance(store, ProcessStore)
    assert notices.given[0] == "JG020"
    assert not list(folder.iterdir())


def test_a_file_that_was_torn_is_said(tmp_path: Path) -> None:
    notices = Notices()
    path = shared_path(tmp_path)
    path.write_bytes(b"torn" * 5000)
    path.chmod(0o600)
    open_store("shared", tmp_path, notices)
    assert notices.given == ["JG024"]


def test_a_folder_that_is_not_there_is_refused() -> None:
    is_store(None, None, "process")
    is_store(None, None, "shared")
    with pytest.raises(ValueError, match="names '/no/where', which is not a folder"):
        is_store(None, None, "shared:/no/where")


def test_without_a_project_the_process_stands_in() -> None:
    notices = Notices()
    store = open_store(NOWHERE, None, notices)
    assert [store.hit("a", 1, 60, 6000.0)[0] for _ in range(2)] == [0, -1]
    assert notices.given == ["JG014"]


def test_a_store_that_is_back_is_said() -> None:
    notices = Notices()
    store = open_store("memory://", None, notices)
    assert isinstance(store, LimitsStore)
    limiter, store._limiter = store._limiter, None
    store.hit("a", 1, 60, 6000.0)
    store._limiter = limiter
    store.hit("a", 1, 60, 6002.0)
    assert notices.given == ["JG022", "JG014", "JG023"]


@pytest.mark.parametrize(
    ("storage", "shown"),
    [
        ("shared", "shared"),
        ("shared:/run/jamguard", "shared:/run/jamguard"),
        ("redis://192.0.2.9:6379/0", "redis://192.0.2.9:6379/0"),
        ("redis://[2001:db8::9]:6379", "redis://[2001:db8::9]:6379"),
        ("redis+unix:///run/redis-1.sock?db=1", "redis+unix:///run/redis-1.sock?***"),
        ("redis://user:secret@192.0.2.9:6379/0", "redis://***@192.0.2.9:6379/0"),
        ("redis://:secret@192.0.2.9?a=secret", "redis://***@192.0.2.9?***"),
        ("redis://user:1#secret@192.0.2.9", "redis://***"),
        ("redis://user:1?secret@192.0.2.9", "redis://***"),
        ("redis://user:1/secret@192.0.2.9", "redis://***"),
        ("redis://user:s@cret@192.0.2.9", "redis://***"),
        ("user:secret@192.0.2.9", "***"),
        ("['redis://user:secret@192.0.2.9']", "['redis://***"),
    ],
)
def test_what_may_be_secret_is_not_shown(storage: str, shown: str) -> None:
    assert public(storage) == shown
