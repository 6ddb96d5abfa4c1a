"""`jamguard login`, beside a worker of the same site."""

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from support.jam import jam_site
from typer.testing import CliRunner

from jamguard.cli.app import app
from jamguard.config import Settings
from jamguard.lockouts import locked
from jamguard.stores import Store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("JAMGUARD_STORAGE", f"shared:{tmp_path}")
    monkeypatch.setenv("COLUMNS", "100")
    return project


@pytest.fixture
def store(folder: Path) -> Store:
    """The store of a worker of the site."""
    return jam_site(folder, Settings(storage=f"shared:{folder.parent}")).store


@pytest.fixture
def login(folder: Path) -> Run:
    """Run a command for the project: exit status, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["login", *words, str(folder)])
        return done.exit_code, done.stdout, done.stderr

    return run


def lock(store: Store, *keys: str) -> None:
    for number, key in enumerate(keys, 1):
        store.marks.put("locked", key, monotonic(), 60 * number, times=number)


def test_nobody_is_locked_out_at_first(store: Store, login: Run) -> None:
    assert login("locked") == (0, "Nobody is locked out.\n", "")
    assert login("locked", "--json") == (0, "[]\n", "")


def test_who_is_locked_out_is_listed(store: Store, login: Run) -> None:
    lock(store, "builder|192.0.2.7|ann", "application||bob", "application|2001:db8::/64|")
    code, text, _ = login("locked")
    assert code == 0
    assert [row.split() for row in text.splitlines()] == [
        ["at", "name", "network", "still", "for", "times"],
        ["application", "all", "2001:db8::/64", "3", "minutes", "3"],
        ["application", "bob", "all", "2", "minutes", "2"],
        ["builder", "ann", "192.0.2.7", "60", "s", "1"],
    ]
    first, *_ = json.loads(login("locked", "--json")[1])
    assert first == {
        "at": "application",
        "name": "",
        "network": "2001:db8::/64",
        "seconds": 180,
        "times": 3,
    }


@pytest.mark.parametrize("name", ["ann", " ANN "])
def test_a_name_is_let_in_at_once_from_everywhere(store: Store, login: Run, name: str) -> None:
    lock(store, "builder|192.0.2.7|ann", "application||ann", "application||bob")
    assert login("unlock", name) == (0, f"{name} may log in again.\n", "")
    assert [one.name for one in locked(store, monotonic())] == ["bob"]


def test_a_network_is_let_in(store: Store, login: Run) -> None:
    lock(store, "application|192.0.2.7|")
    assert login("unlock", "192.0.2.7")[0] == 0
    assert locked(store, monotonic()) == []


def test_who_is_not_locked_out_is_told(store: Store, login: Run) -> None:
    assert login("unlock", "nobody") == (2, "", "nobody is not locked out\n")


def test_what_a_stranger_chose_as_a_name_does_not_command_the_terminal(
    store: Store, login: Run
) -> None:
    lock(store, "application||\x1b[2J\u202eann [bold]x[/bold] :smile:")
    _, text, _ = login("locked")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J\u202eann [bold]x[/bold] :smile:" in text
    assert "\x1b" not in login("unlock", "\x1b[2J")[2]


@pytest.mark.parametrize("words", [["locked"], ["unlock", "ann"]])
def test_the_store_is_in_each_process(
    login: Run, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("JAMGUARD_STORAGE", "process")
    code, text, problem = login(*words)
    assert (code, text) == (2, "")
    assert 'The settings have storage = "process"' in problem
