"""What an attack is: requests, and a look at what the attacker got."""

import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final, Literal

import attrs
from support.direct import run_direct
from support.projects import (
    ADMIN,
    CLERK,
    CUSTOMERS,
    FIELD_DOC,
    FIELD_PHOTO,
    ORDERS,
    REPORT,
    TASK,
    User,
)
from support.servers import HeaderList, Kind, Reply, Server, run_server

#: whose requests they are
Who = Literal["stranger", "user", "user's browser", "builder's browser"]

Version = Literal["v7", "v5"]

#: what stands between the attacker and the application; `none` asks it as a WSGI callable
Door = Kind | Literal["none"]
BOTH: Final[tuple[Version, ...]] = ("v7", "v5")

#: what a browser says on each connection, and a person on this very machine therefore
KEEP_ALIVE: Final = {"Connection": "keep-alive"}
JSON: Final = {"Content-Type": "application/json;charset=utf-8"}
TEXT: Final = {"Content-Type": "text/plain;charset=UTF-8"}
BOUNDARY: Final = "b0undary"
MULTIPART: Final = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
URLENCODED: Final = {"Content-Type": "application/x-www-form-urlencoded"}

#: in the name of each file that an attack writes, and in each row that it changes
MARK: Final = "pwned"


@attrs.frozen
class Project:
    """What is called what in a project to be attacked, and who has a login."""

    clerk: User = CLERK
    admin: User = ADMIN
    database: str = "demo.sqlite"
    table: str = "DEMO_CUSTOMERS"
    task: int = TASK
    customers: int = CUSTOMERS
    orders: int = ORDERS
    report: int = REPORT
    photo: int = FIELD_PHOTO
    doc: int = FIELD_DOC


@attrs.frozen
class Ask:
    """A request. `{clerk}` and the other words of `Site.words` stand for what differs."""

    method: str
    path: str
    headers: Mapping[str, str] = attrs.Factory(dict[str, str])
    body: bytes | None = None

    def __call__(self, site: "Site") -> Reply:
        headers = [(name, site.fill(value)) for name, value in self.headers.items()]
        return site.server.request(self.method, site.fill(self.path), headers, self.body)


#: a spelling: what it sends, and returns the reply that matters
Spelling = Callable[["Site"], Reply]


@attrs.frozen(kw_only=True)
class Attack:
    """One thing that an attacker wants, and several ways to ask for it."""

    id: str
    wants: str
    who: Who
    spellings: Mapping[str, Spelling]
    #: whether the attacker got it: by what is in the reply, the database or the folder
    got: Callable[["Site", Reply], bool]
    #: `open` has Jam.py's safe mode off, as every new one
    mode: Literal["safe", "open"] = "safe"
    #: spellings that only one server passes on to the application
    only: Mapping[str, Kind] = attrs.Factory(dict[str, Kind])
    #: what has to be put right after each spelling
    leaves: Literal["nothing", "data", "ruins"] = "nothing"
    #: the versions of Jam.py that fall for it
    jam: tuple[Version, ...] = ("v7",)
    #: spellings that v5 does not understand
    not_v5: tuple[str, ...] = ()

    def lands(self, spelling: str, kind: Door, version: Version = "v7") -> bool:
        """Say whether a spelling works on plain Jam.py behind this server."""
        if version == "v5" and spelling in self.not_v5:
            return False
        return self.only.get(spelling, kind) == kind


@attrs.define
class Site:
    """A project that is being attacked on a server of its own."""

    folder: Path
    package: Path  #: Jam.py's own
    kind: Door
    harden: bool
    project: Project
    version: Version = "v7"
    python: str | None = None  #: the interpreter, where it is not the one of the tests
    config: str | None = None
    stack: ExitStack = attrs.Factory(ExitStack)
    server: Server = attrs.field(init=False)
    busy: float = 0  #: seconds that the processor worked for the last request, where measured
    _words: dict[str, str] = attrs.Factory(dict[str, str])
    _data: dict[str, bytes] = attrs.field(factory=dict[str, bytes], repr=False)

    def start(self) -> None:
        how: dict[str, Any] = {
            "harden": self.harden,
            "config": self.config,
            "python": self.python or sys.executable,
        }
        self.server = self.stack.enter_context(
            run_direct(self.folder, **how)
            if self.kind == "none"
            else run_server(self.folder, self.kind, **how)
        )
        self.server.request("GET", "/")  # Jam.py loads the project with the first page
        self._words = {"port": str(self.server.port)}
        self._data = {path.name: _dump(path) for path in self.folder.glob("*.sqlite")}

    def stop(self) -> None:
        self.stack.close()

    def fill(self, text: str) -> str:
        """Replace words in braces, logging in whom they need.

        `{clerk}`, `{admin}`, `{builder}` are cookies as `name=value`; `{clerk.name}` and
        `{clerk.value}` are the parts, `{clerk.octal}` is the value in octal escapes, and
        `{clerk.bare}` is it without what jamguard has put behind its last dot.
        """
        for name in ("clerk", "admin", "builder"):
            if f"{{{name}" in text and name not in self._words:
                user = self.project.clerk if name == "clerk" else self.project.admin
                cookie = self.login(user, builder=name == "builder")
                key, _, value = cookie.partition("=")
                self._words |= {
                    name: cookie,
                    f"{name}.name": key,
                    f"{name}.value": value,
                    f"{name}.octal": "".join(f"\\{ord(letter):03o}" for letter in value),
                    f"{name}.bare": value.rpartition(".")[0] or value,
                }
        for name, word in self._words.items():
            text = text.replace(f"{{{name}}}", word)
        return text

    def login(self, user: User, *, builder: bool = False) -> str:
        """Log in, from this computer; return the cookie to send."""
        reply = self.try_login(user, KEEP_ALIVE, builder=builder)
        cookie = reply.get("Set-Cookie")
        assert cookie, reply
        return cookie.partition(";")[0]

    def try_login(self, user: User, headers: Mapping[str, str], *, builder: bool = False) -> Reply:
        """Send what the login page sends."""
        if self.version == "v7":
            page = "/builder_login.html" if builder else "/login.html"
            return self.server.try_login(user, page, headers)
        params = [{"login": user.login, "password": user.password}]
        task = 0 if builder else self.project.task
        return self.server.api(["login", task, 0, params, 0], headers=headers)

    def logout(self, cookie: str) -> None:
        """Log out of the application, as its page does."""
        if self.version == "v5":
            self.server.api(["logout", self.project.task, 0, None, 0], cookie)
        else:
            self.server.request("GET", "/logout", {"Cookie": cookie})

    def value(self, query: str, database: str = "") -> Any:
        """Return the first column of the first row."""
        with closing(
            sqlite3.connect(self.folder / (database or self.project.database))
        ) as connection:
            row = connection.execute(query).fetchone()
            return row[0] if row else None

    def change(self, statement: str, database: str = "admin.sqlite") -> None:
        """Change the project's data behind Jam.py's back, as another process would."""
        with closing(sqlite3.connect(self.folder / database)) as connection, connection:
            connection.execute(statement)

    def written(self) -> list[Path]:
        """Return the files that an attack has left."""
        return list(self.folder.rglob(f"*{MARK}*"))

    def reset(self, leaves: str, *, got: bool) -> None:
        """Put right what an attack has left; a site in ruins is started again."""
        if leaves == "nothing":
            return
        for path in self.written():
            path.unlink()
        for name, data in self._data.items():
            if _dump(self.folder / name) != data:
                _restore(self.folder / name, data)
        if leaves == "ruins" and got:
            self.stop()
            self.start()


def _dump(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        return connection.serialize()


def _restore(path: Path, data: bytes) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as pristine,
        closing(sqlite3.connect(path)) as connection,
    ):
        pristine.deserialize(data)
        pristine.backup(connection)


# --- requests ------------------------------------------------------------------------------


def get(path: str, cookie: str = "", **headers: str) -> Ask:
    """Ask for a path; a header's name has `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Ask("GET", path, {"Cookie": cookie, **named} if cookie else named)


def post(
    body: bytes, cookie: str = "", path: str = "/api", headers: Mapping[str, str] = JSON
) -> Ask:
    """Post a body."""
    return Ask("POST", path, {**headers, "Cookie": cookie} if cookie else headers, body)


def call(method: str, item: int, params: object, task: int = TASK) -> bytes:
    """Return the body of a call."""
    return json.dumps([method, task, item, params, 0]).encode()


def form(
    fields: Mapping[str, str] | list[tuple[str, str]],
    file: bytes = MARK.encode(),
    file_part: str = 'name="file"; filename="x.txt"',
) -> bytes:
    """Return the body of an upload."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    ]
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {file_part}\r\n\r\n"
    return "".join([*parts, head]).encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def raw(text: str) -> Spelling:
    """Send a request as it is written, for framing that no client library would make."""

    def send(site: Site) -> Reply:
        answer = site.server.raw(site.fill(text).encode("latin-1"), quiet_seconds=1)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ")[1] if b" " in head else b"0"
        return Reply(int(status), "", [], body)

    return send


def steps(*asks: Spelling) -> Spelling:
    """Send several requests one after the other; the last reply matters."""

    def send(site: Site) -> Reply:
        reply = None
        for ask in asks:
            reply = ask(site)
        assert reply
        return reply

    return send


def with_headers(ask: Ask, headers: HeaderList) -> Spelling:
    """Send a request with headers that may come twice."""

    def send(site: Site) -> Reply:
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        given = [(name, site.fill(value)) for name, value in [*ask.headers.items(), *pairs]]
        return site.server.request(ask.method, ask.path, given, ask.body)

    return send


# --- what the attacker got ---------------------------------------------------------------


def body_has(*words: bytes) -> Callable[[Site, Reply], bool]:
    """Say whether one of these words is in the reply."""
    return lambda _, reply: any(word in reply.body for word in words)


def a_file(_: Site, reply: Reply) -> bool:
    """Say whether the reply is a file at all: one of a 200 with content."""
    return reply.status == 200 and bool(reply.body)


def a_database(_: Site, reply: Reply) -> bool:
    return b"SQLite format 3" in reply.body


def a_changed_row(site: Site, _: Reply) -> bool:
    return bool(site.value(f"SELECT COUNT(*) FROM {site.project.table} WHERE NAME LIKE '%{MARK}%'"))


def a_written_file(site: Site, _: Reply) -> bool:
    return bool(site.written())
