"""What `jamguard check` says is true: plain Jam.py does it, on one project that has it all."""

import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support.audited import change, found, places
from support.projects import ADMIN, CLERK, CUSTOMERS, NAMES, TASK, User, copy
from support.servers import Server, run_server

SECRET: Final = b"what only some may read"
CODE: Final = """
from helpers import leak

def on_ext_request(task, path, params):
    return [path, params]
"""
OPEN: Final = ["open", TASK, CUSTOMERS, {"__expanded": False, "__fields": ["name"]}, 0]


class Planted:
    """What a pickle can be: it makes a folder, and a set-up of forms that Jam.py takes."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        setup = {"view": [], "edit": [], "order": []}  # type: ignore[var-annotated]
        return eval, (f"(__import__('os').mkdir('planted'), {setup})[1]",)


@attrs.frozen
class Site:
    """A project on plain Jam.py, and what was found in it before it was started."""

    folder: Path
    server: Server
    before: set[str]

    def called(self, user: User, item: int, function: str) -> Any:
        cookie = self.server.login(user)
        reply = self.server.api(["server", TASK, item, [function, ["x"]], 0], cookie)
        return reply.json["result"]["data"]


@pytest.fixture(scope="module")
def site(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = copy(demo_project, tmp_path_factory.mktemp("check") / "project")
    (folder / "helpers.py").write_text("def leak(task, x):\n    return 'leaked ' + x\n")
    shutil.copy(folder / "admin.sqlite", folder / "original.sqlite")
    code = "UPDATE SYS_ITEMS SET F_SERVER_MODULE = F_SERVER_MODULE || ? WHERE TYPE_ID = 5"
    change(folder, code, CODE)
    change(folder, "UPDATE SYS_USERS SET F_PASSWORD = '111' WHERE F_LOGIN = 'admin'")
    user = "INSERT INTO SYS_USERS (ID, DELETED, F_NAME, F_LOGIN, F_PASSWORD, F_ROLE) VALUES"
    change(folder, f"{user} (3, 0, 'Twin', 'clerk', 'the-twins-Passwort', 2)")
    change(folder, f"{user} (4, 0, 'New', 'new', 'the-new-Passwort', NULL)")
    info = pickle.dumps(Planted(), protocol=0).decode()
    change(folder, "UPDATE SYS_ITEMS SET F_INFO = ? WHERE ID = ?", info, CUSTOMERS)
    before = set(found(folder))
    # all of this comes with the next start
    (folder / "admin.sqlite").rename(folder / "_admin.sqlite")
    (folder / "original.sqlite").rename(folder / "admin.sqlite")
    before |= set(found(folder))
    with run_server(folder, harden=False) as server:
        server.request("GET", "/")  # loads the project
        for name in ("internal/export.zip", "copy.sqlite"):
            (folder / "static" / name).parent.mkdir(exist_ok=True)
            (folder / "static" / name).write_bytes(SECRET)
        yield Site(folder, server, before | set(found(folder)))


def test_a_database_that_waits_is_taken_over(site: Site) -> None:
    assert "JC406" in site.before
    assert not (site.folder / "_admin.sqlite").exists()
    with closing(sqlite3.connect(site.folder / "admin.sqlite")) as database:
        assert database.execute("SELECT COUNT(*) FROM SYS_USERS").fetchone() == (4,)
    assert "JC406" not in found(site.folder)


def test_a_planted_pickle_is_run(site: Site) -> None:
    assert "JC118" in site.before
    assert (site.folder / "planted").is_dir()


def test_the_first_password_opens_the_builder(site: Site) -> None:
    assert {"JC201", "JC505"} <= site.before
    first = User(ADMIN.login, "111")
    assert site.server.try_login(first, "/builder_login.html").status == 302
    assert site.server.try_login(ADMIN, "/builder_login.html").status == 200


def test_two_users_of_one_name_both_get_in(site: Site) -> None:
    assert "JC203" in site.before
    twin = User(CLERK.login, "the-twins-Passwort")
    assert [site.server.try_login(user).status for user in (CLERK, twin)] == [302, 302]


def test_a_session_counts_from_everywhere(site: Site) -> None:
    assert "JC107" in site.before
    cookie = site.server.login(CLERK)
    reply = site.server.api(OPEN, cookie, source="127.0.0.2")
    assert NAMES[0] in reply.text


@pytest.mark.parametrize("path", ["/static/copy.sqlite", "/static/internal/export.zip"])
def test_what_lies_in_static_is_everybodys(site: Site, path: str) -> None:
    number = "JC405" if "internal" in path else "JC404"
    assert [where for where, _ in places(site.folder, number)] == [path.strip("/")]
    assert site.server.request("GET", path).body == SECRET


def test_the_projects_files_are_everybodys(site: Site) -> None:
    assert "JC506" in site.before
    assert site.server.request("GET", "/jam/../admin.sqlite").body.startswith(b"SQLite")


def test_ext_asks_nobody(site: Site) -> None:
    assert "JC306" in site.before
    reply = site.server.request("POST", "/ext/orders", body=b"[1]")
    assert "orders" in reply.text


def test_every_user_calls_every_function(site: Site) -> None:
    listed = {detail for _, detail in places(site.folder, "JC301")}
    assert "customers.hello" in listed
    assert site.called(CLERK, CUSTOMERS, "hello")[0] == "hello x"
    assert [detail for _, detail in places(site.folder, "JC302")] == ["demo.leak"]
    assert site.called(CLERK, 0, "leak")[0] == "leaked x"


def test_a_user_without_a_role_sees_nothing_and_calls_all(site: Site) -> None:
    assert "JC206" in site.before
    new = User("new", "the-new-Passwort")
    assert NAMES[0] not in site.server.api(OPEN, site.server.login(new)).text
    assert site.called(new, CUSTOMERS, "hello")[0] == "hello x"


def test_without_safe_mode_nobody_logs_in(project: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_SAFE_MODE = 0")
    assert "JC101" in found(project)
    with run_server(project, harden=False) as server:
        server.request("GET", "/")
        assert NAMES[0] in server.api(OPEN).text
