"""The project of the demo and of many tests is a real one: users, data, calls, a report."""

import io
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.projects import ADMIN, CLERK, CUSTOMERS, NAMES, ORDERS, REPORT, TASK, User, copy
from support.servers import Server, run_server

from jamguard.jampy.demo import DemoError, make_project


@pytest.fixture(scope="module")
def plain(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = copy(demo_project, tmp_path_factory.mktemp("plain") / "project")
    with run_server(folder, harden=False) as server:
        yield server


@pytest.fixture(scope="module")
def clerk(plain: Server) -> str:
    return plain.login(CLERK)


def rows(server: Server, cookie: str, item: int, fields: list[str]) -> Any:
    options = {"__expanded": True, "__fields": fields, "__filters": [], "__order": []}
    call = ["open", TASK, item, {**options, "__limit": 9, "__offset": 0}, 0]
    return server.api(call, cookie).json["result"]["data"][0]


def test_customers_are_there(plain: Server, clerk: str) -> None:
    assert [row[0] for row in rows(plain, clerk, CUSTOMERS, ["name", "email"])] == list(NAMES)


def test_orders_look_up_their_customers(plain: Server, clerk: str) -> None:
    first = rows(plain, clerk, ORDERS, ["id", "customer", "order_date", "total"])[0]
    assert first == [1, 1, "2026-01-12", 120.5, NAMES[0]]


@pytest.mark.parametrize(
    ("item", "function", "arguments", "answer"),
    [
        pytest.param(CUSTOMERS, "hello", ["Bob"], ["hello Bob", ""], id="hello"),
        pytest.param(CUSTOMERS, "slow", [0], [0, ""], id="slow"),
        pytest.param(CUSTOMERS, "boom", [], [None, "division by zero"], id="boom"),
        pytest.param(CUSTOMERS, "nope", [], [None, "You may not do this"], id="nope"),
        pytest.param(0, "ping", [], ["pong", ""], id="ping"),
    ],
)
def test_server_functions_answer(
    plain: Server, clerk: str, item: int, function: str, arguments: list[object], answer: Any
) -> None:
    reply = plain.api(["server", TASK, item, [function, arguments], 0], clerk)
    assert reply.json["result"]["data"] == answer


def test_the_report_prints(plain: Server, clerk: str) -> None:
    reply = plain.api(["print", TASK, REPORT, [[], f"{plain.url}/", "ods"], 0], clerk)
    url, error = reply.json["result"]["data"]
    assert not error
    document = plain.request("GET", url.removeprefix(plain.url)).body
    content = zipfile.ZipFile(io.BytesIO(document)).read("content.xml").decode()
    assert all(name in content for name in NAMES)


@pytest.mark.parametrize(
    ("user", "page", "status"),
    [
        pytest.param(CLERK, "/login.html", 302, id="clerk"),
        pytest.param(CLERK, "/builder_login.html", 200, id="clerk-is-no-administrator"),
        pytest.param(ADMIN, "/builder_login.html", 302, id="administrator"),
        pytest.param(User("admin", "111"), "/login.html", 200, id="jam-py's-own-password"),
    ],
)
def test_users_log_in(plain: Server, user: User, page: str, status: int) -> None:
    assert plain.try_login(user, page).status == status


def test_a_stranger_sees_the_login_page_only(plain: Server) -> None:
    assert plain.request("GET", "/").get("Location") == "/login.html"
    assert plain.api(["load", TASK, 0, None, 0]).json["result"]["status"] == 5


def test_only_the_owner_can_write_to_its_files(demo_project: Path) -> None:
    files = [path for path in demo_project.rglob("*") if path.is_file()]
    assert not [path for path in files if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]


def test_safe_mode_can_be_left_off(tmp_path: Path) -> None:
    steps: list[str] = []
    make_project(
        tmp_path, admin_password="a", clerk_password="c", safe_mode=False, progress=steps.append
    )
    with sqlite3.connect(tmp_path / "admin.sqlite") as connection:
        (safe_mode,) = connection.execute("SELECT F_SAFE_MODE FROM SYS_PARAMS").fetchone()
    connection.close()
    assert safe_mode == 0
    assert len(steps) == 5


def test_a_failure_says_what_jam_py_said(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"could not make the project:(.|\n)*FileNotFoundError"):
        make_project(tmp_path / "nowhere", admin_password="a", clerk_password="c", progress=print)


def test_an_interruption_ends_the_process_that_makes_it(tmp_path: Path) -> None:
    def interrupt(step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_project(tmp_path, admin_password="a", clerk_password="c", progress=interrupt)
    assert not (tmp_path / "demo.sqlite").exists()
