"""Session cookies on a real project: what a copy of one is worth, and a day with them."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support.projects import ADMIN, CLERK, CUSTOMERS, NAMES, TASK, User, copy
from support.servers import Reply, Server, run_server
from support.v5_project import ADMIN as ADMIN_V5
from support.v5_project import CLERK as CLERK_V5

#: what browsers send, and who may build sends
KEEP_ALIVE: Final = {"Connection": "keep-alive"}
#: hands out a file of the server
READ: Final = ["server", 0, 0, ["server_file_info", ["wsgi.py"]], 0]
LOAD: Final = ["load", TASK, 0, None, 0]
LOAD_BUILDER: Final = ["load", 0, 0, None, 0]
OPEN: Final = [
    "open",
    TASK,
    CUSTOMERS,
    {"__expanded": False, "__fields": ["id", "name"], "__filters": [], "__order": []},
    0,
]


@attrs.frozen
class Site:
    """The same project twice: sessions of one are signed with the key of the other."""

    plain: Server
    hardened: Server
    folder: Path  #: the hardened one's


@pytest.fixture(scope="module")
def site(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    parent = tmp_path_factory.mktemp("session")
    plain, hardened = (copy(demo_project, parent / name) for name in ("plain", "hardened"))
    with run_server(plain, harden=False) as one, run_server(hardened) as other:
        yield Site(one, other, hardened)


class Browser:
    """Keeps cookies, as a browser does for a host."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Reply:
        return self._keep(self.server.request("GET", path, self._headers()))

    def api(self, call: list[Any]) -> Reply:
        return self._keep(self.server.api(call, headers=self._headers()))

    def log_in(self, user: User, page: str = "/login.html") -> Reply:
        return self._keep(self.server.try_login(user, page, self._headers()))

    def is_in(self, call: list[Any]) -> bool:
        return logged_in(self.api(call))

    def _headers(self) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**KEEP_ALIVE, **({"Cookie": pairs} if pairs else {})}

    def _keep(self, reply: Reply) -> Reply:
        for line in reply.all("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return reply


def logged_in(reply: Reply) -> bool:
    """Jam.py's status 9 is an answer, 5 is "not logged in"."""
    assert reply.status == 200, reply
    status: int = reply.json["result"]["status"]
    assert status in {5, 9}
    return status == 9


def value(cookie: str) -> str:
    return cookie.partition("=")[2]


def reads_a_file(server: Server, cookie: str) -> bool:
    return b"create_application" in server.api(READ, cookie, KEEP_ALIVE).body


def replays(server: Server, cookie: str) -> dict[str, str]:
    """Ways to send the value of a user's cookie as the builder's."""
    name, taken = f"admin_session_{server.port}", value(cookie)
    return {
        "as it is": f"{name}={taken}",
        "with the own one": f"{cookie}; {name}={taken}",
        "the other way round": f"{name}={taken}; {cookie}",
        "doubled": f"{name}={taken}; {name}={taken}",
        "in quotes": f'{name}="{taken}"',
        "prefixed": f"__Host-{name}={taken}; {name}={taken}",
        "without what follows a dot": f"{name}={taken.partition('.')[0]}",
        "among others": f"a=b; {name} = {taken} ; c",
    }


def test_a_users_cookie_is_none_of_the_builders(site: Site) -> None:
    cookie = site.plain.login(CLERK)
    landed = {
        how: reads_a_file(site.plain, sent) for how, sent in replays(site.plain, cookie).items()
    }
    assert all(landed.values()), landed
    cookie = site.hardened.login(CLERK)
    landed = {
        how: reads_a_file(site.hardened, sent)
        for how, sent in replays(site.hardened, cookie).items()
    }
    assert not any(landed.values()), landed
    page = {"Cookie": f"admin_session_{site.hardened.port}={value(cookie)}", **KEEP_ALIVE}
    assert site.hardened.request("GET", "/builder.html", page).status == 302
    assert logged_in(site.hardened.api(LOAD, cookie))
    administrator = site.hardened.login(ADMIN, "/builder_login.html", KEEP_ALIVE)
    assert reads_a_file(site.hardened, administrator)


def test_a_copy_of_a_cookie_does_not_outlive_its_logout(site: Site) -> None:
    for server, lives_on in ((site.plain, True), (site.hardened, False)):
        cookie = server.login(CLERK)
        renewed = server.api(LOAD, cookie).get("Set-Cookie") or ""
        assert server.request("GET", "/logout", {"Cookie": cookie}).status == 302
        for copied in (cookie, renewed.partition(";")[0]):
            assert logged_in(server.api(LOAD, copied)) == lives_on
        page = server.request("GET", "/", {"Cookie": cookie})
        assert page.status == (200 if lives_on else 302)


def test_a_logout_holds_in_every_worker_and_after_a_restart(
    demo_project: Path, tmp_path: Path
) -> None:
    project = copy(demo_project, tmp_path / "project")
    with run_server(project, "gunicorn", workers=4) as server:
        cookie = server.login(CLERK)
        staying = server.login(CLERK)
        assert server.request("GET", "/logout", {"Cookie": cookie}).status == 302
        with ThreadPoolExecutor(8) as clients:
            replies = list(clients.map(server.api, [LOAD] * 80, [cookie] * 80))
        assert not any(map(logged_in, replies))
        assert logged_in(server.api(LOAD, staying))
    with run_server(project, "gunicorn") as restarted:
        ports = str(server.port), str(restarted.port)  # which Jam.py has in the cookie's name
        assert not logged_in(restarted.api(LOAD, cookie.replace(*ports, 1)))
        assert logged_in(restarted.api(LOAD, staying.replace(*ports, 1)))


@pytest.mark.parametrize(("harden", "lives_on"), [(False, True), (True, False)])
def test_a_copy_of_a_cookie_does_not_outlive_its_user(
    harden: bool, lives_on: bool, project: Path
) -> None:
    with (
        run_server(project, harden=harden) as server,
        closing(sqlite3.connect(project / "admin.sqlite", isolation_level=None)) as database,
    ):
        clerk, administrator = server.login(CLERK), server.login(ADMIN)
        database.execute("UPDATE SYS_USERS SET DELETED = 1 WHERE F_LOGIN = ?", (CLERK.login,))
        assert logged_in(server.api(LOAD, clerk)) == lives_on
        assert logged_in(server.api(LOAD, administrator))
        assert server.try_login(CLERK).status == 200


def test_a_day_with_the_application_and_the_builder(site: Site) -> None:
    """One browser, logged in to both, with two tabs."""
    browser = Browser(site.hardened)
    assert browser.get("/").get("Location") == "/login.html"
    assert browser.get("/login.html").status == 200
    assert browser.log_in(User(CLERK.login, "wrong")).status == 200
    assert browser.log_in(CLERK).get("Location") == "/"
    assert browser.get("/").status == 200
    assert browser.is_in(LOAD)
    rows = browser.api(OPEN).json["result"]["data"][0]
    assert [row[1] for row in rows] == list(NAMES)
    with ThreadPoolExecutor(4) as tabs:
        assert all(tabs.map(browser.is_in, [OPEN] * 20))

    assert browser.get("/builder.html").get("Location") == "/builder_login.html"
    assert browser.log_in(ADMIN, "/builder_login.html").get("Location") == "/builder.html"
    assert browser.get("/builder.html").status == 200
    assert browser.is_in(LOAD_BUILDER)
    assert browser.is_in(LOAD)
    assert len(browser.cookies) == 2

    assert not browser.is_in(["logout", 0, 0, None, 0])
    assert not browser.is_in(LOAD_BUILDER)
    assert browser.is_in(LOAD)
    assert browser.get("/logout").get("Location") == "/"
    assert browser.get("/").get("Location") == "/login.html"
    assert not browser.is_in(LOAD)
    assert browser.get("/logout").get("Location") == "/"

    assert browser.log_in(ADMIN).get("Location") == "/"
    assert browser.get("/").status == 200
    assert browser.is_in(LOAD)


def test_installing_and_removing_jamguard(site: Site) -> None:
    before = Browser(site.plain)
    before.log_in(CLERK)
    before.log_in(ADMIN, "/builder_login.html")
    # the same browser, with the server restarted behind jamguard: only the port is another
    browser = Browser(site.hardened)
    port, new_port = str(site.plain.port), str(site.hardened.port)
    browser.cookies = {
        name.replace(port, new_port): value for name, value in before.cookies.items()
    }
    assert browser.get("/").status == 200
    assert browser.is_in(LOAD)
    assert browser.cookies[f"demo_session_{new_port}"].count(".") == 3
    assert not browser.is_in(LOAD_BUILDER)
    assert browser.log_in(ADMIN, "/builder_login.html").status == 302
    assert browser.is_in(LOAD_BUILDER)

    before.cookies = {
        name.replace(new_port, port): value for name, value in browser.cookies.items()
    }
    assert not before.is_in(LOAD)
    assert before.get("/").get("Location") == "/login.html"
    assert before.log_in(CLERK).status == 302
    assert before.is_in(LOAD)


@pytest.mark.parametrize("harden", [False, True])
def test_the_same_with_v5(harden: bool, v5_project: Path, v5_python: Path, tmp_path: Path) -> None:
    project = copy(v5_project, tmp_path / "project")
    with run_server(project, harden=harden, python=v5_python) as server:
        browser = Browser(server)
        assert not browser.is_in(LOAD)
        assert browser.get("/builder.html").status == 200  # its login is a call
        for user, task in ((CLERK_V5, TASK), (ADMIN_V5, 0)):
            form = {"login": user.login, "password": user.password}
            assert browser.api(["login", task, 0, [form], 0]).json["result"]["data"] is True
        clerk = f"demo5_session={browser.cookies['demo5_session']}"
        landed = {
            how: reads_a_file(server, sent)
            for how, sent in replays(server, clerk.replace('"', "")).items()
        }
        assert list(landed.values()) == [not harden] * len(landed)
        assert browser.is_in(LOAD)
        assert browser.is_in(LOAD_BUILDER)
        assert not browser.is_in(["logout", TASK, 0, None, 0])
        assert not browser.is_in(LOAD)
        assert browser.is_in(LOAD_BUILDER)
        assert logged_in(server.api(LOAD, clerk)) == (not harden)
