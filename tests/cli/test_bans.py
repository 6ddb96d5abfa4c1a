"""`jamguard bans`, beside workers of the same site; `tests/jam/test_ban.py` has real ones."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from support.jam import jam_site
from support.redis import run_redis
from support.wsgi import call, hello
from typer.testing import CliRunner

from jamguard import Shield
from jamguard.cli.app import app
from jamguard.config import Settings
from jamguard.guards import ban as ban_guard
from jamguard.guards.ban import Ban
from jamguard.stores.shared import shared_path

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose workers and commands meet in a file beside it."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("JAMGUARD_STORAGE", f"shared:{tmp_path}")
    monkeypatch.setenv("COLUMNS", "100")
    return project


@pytest.fixture
def worker(folder: Path) -> Shield:
    """A worker of the site."""
    site = jam_site(folder, Settings(storage=f"shared:{folder.parent}"))
    return Shield(hello, [Ban()], site)


@pytest.fixture
def bans(folder: Path) -> Run:
    """Run a command for the project: exit status, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(
            app, ["bans", *words, *([] if "--help" in words else [str(folder)])]
        )
        return done.exit_code, done.stdout, done.stderr

    return run


def is_banned(worker: Shield, remote: str) -> bool:
    return call(worker, REMOTE_ADDR=remote).get("Jamguard-Refused") == "ban"


def test_nobody_is_banned_at_first(worker: Shield, bans: Run) -> None:
    assert bans("list") == (0, "Nobody is banned.\n", "")
    assert bans("list", "--json") == (0, "[]\n", "")
    assert bans("clear") == (0, "0 bans have ended.\n", "")


def test_a_ban_by_hand_is_in_force_at_once_and_in_the_list(worker: Shield, bans: Run) -> None:
    assert bans("add", "192.0.2.7") == (0, "192.0.2.7 is banned for 1 hour.\n", "")
    assert is_banned(worker, "192.0.2.7")
    assert not is_banned(worker, "192.0.2.8")
    _, text, _ = bans("list")
    title, row = text.splitlines()
    assert title.split() == ["network", "still", "for", "times", "why"]
    assert row.split() == ["192.0.2.7", "60", "minutes", "1", "by", "hand"]
    (ban,) = json.loads(bans("list", "--json")[1])
    assert ban == {"network": "192.0.2.7", "seconds": 3600, "times": 1, "why": "by hand"}


@pytest.mark.parametrize(
    ("network", "said", "inside"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.200"),
        ("2001:db8::7", "2001:db8::/64", "2001:db8::8"),
        ("2001:db8::/48", "2001:db8::/48", "2001:db8:0:9::1"),
    ],
)
def test_what_is_banned_is_said(
    worker: Shield, bans: Run, network: str, said: str, inside: str
) -> None:
    code, text, _ = bans("add", network, "--for", "2 days", "--why", "spam")
    assert (code, text) == (0, f"{said} is banned for 2 days.\n")
    assert is_banned(worker, inside)
    (ban,) = json.loads(bans("list", "--json")[1])
    assert (ban["network"], ban["why"]) == (said, "spam")


def test_a_ban_is_lifted_at_once(worker: Shield, bans: Run) -> None:
    bans("add", "192.0.2.7")
    assert bans("lift", "192.0.2.7") == (0, "192.0.2.7 is not banned any more.\n", "")
    assert not is_banned(worker, "192.0.2.7")
    assert bans("lift", "192.0.2.7") == (2, "", "192.0.2.7 is not banned\n")


def test_who_is_banned_with_a_network_is_not_lifted_alone(worker: Shield, bans: Run) -> None:
    bans("add", "192.0.2.0/24")
    code, _, problem = bans("lift", "192.0.2.7")
    assert (code, problem) == (2, "192.0.2.7 is banned with all of 192.0.2.0/24: lift that\n")
    assert bans("lift", "192.0.2.0/24")[0] == 0
    assert not is_banned(worker, "192.0.2.7")


def test_all_bans_end(worker: Shield, bans: Run) -> None:
    bans("add", "192.0.2.7")
    assert bans("clear") == (0, "1 ban has ended.\n", "")
    for network in ("192.0.2.7", "198.51.100.0/24", "2001:db8::1"):
        bans("add", network)
    assert bans("clear") == (0, "3 bans have ended.\n", "")
    assert not is_banned(worker, "192.0.2.7")


def test_a_ban_by_hand_makes_the_next_one_longer(worker: Shield, bans: Run) -> None:
    bans("add", "192.0.2.7", "--for", "1 minute")
    bans("add", "192.0.2.7", "--for", "1 minute")
    (ban,) = json.loads(bans("list", "--json")[1])
    assert (ban["times"], ban["seconds"]) == (2, 60)


def test_the_list_is_of_bans_in_force_the_longest_first(worker: Shield, bans: Run) -> None:
    for number, span in enumerate(("1 hour", "3 days", "90s")):
        bans("add", f"192.0.2.{number}", "--for", span)
    marks = worker.site.store.marks
    marks.put("banned", "192.0.2.9", monotonic(), 0, keep=60)  # over, and only remembered
    _, text, _ = bans("list")
    rows = [row.split()[:3] for row in text.splitlines()[1:]]
    assert rows == [
        ["192.0.2.1", "72", "hours"],
        ["192.0.2.0", "60", "minutes"],
        ["192.0.2.2", "90", "s"],
    ]


def test_the_settings_say_how_long(worker: Shield, bans: Run, folder: Path) -> None:
    (folder / "jamguard.toml").write_text('[tool.jamguard.ban]\nfor = "2 hours"\n')
    assert bans("add", "192.0.2.7")[1] == "192.0.2.7 is banned for 2 hours.\n"


@pytest.mark.parametrize("setting", ['mode = "report"', "enabled = false"])
def test_a_ban_that_has_no_effect_is_told(
    worker: Shield, bans: Run, folder: Path, setting: str
) -> None:
    (folder / "jamguard.toml").write_text(f"[tool.jamguard.ban]\n{setting}\n")
    code, _, hint = bans("add", "192.0.2.7")
    assert (code, hint) == (0, f"It is answered all the same: [tool.jamguard.ban] {setting}\n")


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("127.0.0.1", "this computer"),
        ("::1", "this computer"),
        ("10.0.0.1", "a declared proxy"),
        ("203.0.113.7", "on the safelist"),
        ("203.0.113.0/24", "on the safelist"),
    ],
)
def test_who_is_never_banned_is_not_banned_by_hand(
    worker: Shield, bans: Run, folder: Path, network: str, why: str
) -> None:
    (folder / "jamguard.toml").write_text(
        '[tool.jamguard.proxy]\ntrusted = ["10.0.0.1", "unix"]\n'
        '[tool.jamguard.ban]\nsafelist = ["203.0.113.0/24"]\n'
    )
    code, _, problem = bans("add", network)
    assert code == 2
    assert problem.endswith(f" is {why}, which is never banned\n")
    assert bans("list")[1] == "Nobody is banned.\n"
    assert bans("add", "10.0.0.2")[0] == bans("add", "203.0.112.0/24")[0] == 0


def test_a_proxy_that_nobody_asks_is_an_address_like_others(
    worker: Shield, bans: Run, folder: Path
) -> None:
    (folder / "jamguard.toml").write_text(
        '[tool.jamguard.proxy]\ntrusted = ["10.0.0.1"]\nenabled = false\n'
    )
    assert bans("add", "10.0.0.1")[0] == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["add", "office"], "'office' cannot be banned: write an address or a /24"),
        (["add", "10.0.0.0/8"], "'10.0.0.0/8' cannot be banned"),
        (["lift", "192.0.2"], "'192.0.2' cannot be banned"),
        (["add", "192.0.2.7", "--for", "for ever"], "--for: 'for ever' is not a span of time"),
        (["add", "192.0.2.7", "--for", "0s"], "--for: '0s' must be between one second and one"),
        (["add", "192.0.2.7", "--for", "9 years"], "--for: '9 years' must be between"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    worker: Shield, bans: Run, words: list[str], problem: str
) -> None:
    code, text, said = bans(*words)
    assert (code, text) == (2, "")
    assert said.startswith(problem)
    assert bans("list")[1] == "Nobody is banned.\n"


def test_a_store_within_the_project_is_refused(
    bans: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAMGUARD_STORAGE", f"shared:{folder}")
    code, text, said = bans("list")
    assert (code, text) == (2, "")
    assert said.startswith("The store of the site cannot be used: ")
    assert "files there are served" in " ".join(said.split())


def test_bans_in_redis_are_those_of_all_machines(
    bans: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jamguard.stores.shared.MEMORY", folder.parent)
    with run_redis(password="swordfish") as server:
        monkeypatch.setenv("JAMGUARD_STORAGE", server.uri)
        workers = [
            Shield(hello, [Ban()], jam_site(folder / place, Settings(storage=server.uri)))
            for place in ("one-machine", "other-machine")
        ]
        assert bans("add", "192.0.2.7") == (0, "192.0.2.7 is banned for 1 hour.\n", "")
        assert all(is_banned(worker, "192.0.2.7") for worker in workers)
        (ban,) = json.loads(bans("list", "--json")[1])
        assert (ban["network"], ban["seconds"]) == ("192.0.2.7", 3600)
        assert bans("lift", "192.0.2.7")[0] == 0
        monkeypatch.setattr(ban_guard, "monotonic", lambda: monotonic() + 1)  # a second later
        assert not any(is_banned(worker, "192.0.2.7") for worker in workers)
        assert len(list(folder.parent.glob("jamguard-*"))) == 2  # the workers', none of a command


class TestWhereThereIsNoStore:
    def test_no_server_has_run(self, bans: Run, folder: Path) -> None:
        code, text, problem = bans("list")
        assert (code, text) == (2, "")
        assert "no server has run for" in problem
        assert not list(folder.parent.glob("jamguard-*"))  # and none has been made

    def test_the_server_is_another_users(self, bans: Run, folder: Path) -> None:
        path = shared_path(folder, str(folder.parent))
        version, user, name = path.name.removeprefix("jamguard-").split("-")
        path.with_name(f"jamguard-{version}-{int(user) + 1}-{name}").touch()
        code, _, problem = bans("list")
        assert code == 2
        assert f"runs as {folder.owner()}: run this command as that user" in problem

    def test_the_server_is_that_of_a_user_who_is_gone(
        self, bans: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nobody(_: Path) -> str:
            raise KeyError

        monkeypatch.setattr(Path, "owner", nobody)
        path = shared_path(folder, str(folder.parent))
        path.with_name(path.name.replace(f"-{os.geteuid()}-", "-4711-")).touch()
        assert "runs as another user" in bans("list")[2]

    def test_a_file_that_cannot_be_used(self, bans: Run, folder: Path) -> None:
        shared_path(folder, str(folder.parent)).mkdir()
        code, _, problem = bans("list")
        assert code == 2
        assert problem.startswith("The store of the site cannot be used: ")
        assert "Is a directory" in problem

    def test_the_store_is_in_each_process(self, bans: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JAMGUARD_STORAGE", "process")
        for words in (["list"], ["add", "192.0.2.7"], ["lift", "192.0.2.7"], ["clear"]):
            code, text, problem = bans(*words)
            assert (code, text) == (2, "")
            assert 'The settings have storage = "process"' in problem
            assert '[tool.jamguard] storage = "shared"' in problem

    @pytest.mark.parametrize("words", [["list"], ["add", "192.0.2.7"], ["lift", "192.0.2.7"]])
    def test_redis_is_away(
        self, bans: Run, monkeypatch: pytest.MonkeyPatch, words: list[str]
    ) -> None:
        monkeypatch.setenv("JAMGUARD_STORAGE", "redis://127.0.0.1:1")
        code, text, problem = bans(*words)
        assert (code, text) == (2, "")
        assert problem == "The store of the site cannot be used: ConnectionError\n"

    def test_a_store_that_keeps_no_bans_leaves_them_to_the_machine(
        self, bans: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("jamguard.stores.shared.MEMORY", folder.parent)
        monkeypatch.setenv("JAMGUARD_STORAGE", "memory://")
        assert "no server has run for" in bans("list")[2]
        worker = Shield(hello, [Ban()], jam_site(folder, Settings(storage="memory://")))
        code, _, hint = bans("add", "192.0.2.7")
        assert code == 0
        assert "stay on the machine where they were made" in hint
        assert is_banned(worker, "192.0.2.7")

    def test_settings_that_cannot_be_used(self, bans: Run, folder: Path) -> None:
        (folder / "jamguard.toml").write_text("[tool.jamguard]\nstorag = 1\n")
        code, _, problem = bans("list")
        assert code == 2
        assert "did you mean 'storage'" in problem

    def test_no_folder(self) -> None:
        done = CliRunner().invoke(app, ["bans", "list", "nowhere"])
        assert (done.exit_code, done.stderr) == (2, "nowhere is not a folder\n")


def test_the_folder_is_the_current_one_unless_said(
    worker: Shield, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert CliRunner().invoke(app, ["bans", "add", "192.0.2.7"]).exit_code == 0
    assert is_banned(worker, "192.0.2.7")


def test_bans_alone_says_what_it_can_do() -> None:
    text = CliRunner().invoke(app, ["bans"]).output
    assert all(name in text for name in ("list", "add", "lift", "clear"))
