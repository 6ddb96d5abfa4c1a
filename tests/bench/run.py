"""Print what jamguard costs, in microseconds a request and as ratios, from one run.

    python tests/bench/run.py [--rounds 31] [--requests 200] [--direct]

Measured is what each stack adds to one bare application: a real project whose calls are read
by Jam.py's own request object, and then answered without being carried out.
The stack to compare with (`diy`) is what an engineer writes by hand in an hour: Werkzeug's
`ProxyFix`, the middleware of `secure`, and one check by address with `limits` in memory.

The order is shuffled and the garbage collected before each timing; a figure is the median
over all rounds. Only ratios of one run mean anything: machines change speed.
"""

import argparse
import copy
import gc
import io
import json
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import attrs
import jam.wsgi as jam_wsgi
import limits
import secure
from jam.common import consts
from jam.wsgi import (
    JamRequest,
    JamSecureCookie,
    create_application,  # pyright: ignore[reportUnknownVariableType] # as Jam.py has it
)
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from secure.middleware import SecureWSGIMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import ClosingIterator

import jamguard
from jamguard.config import Source, load
from jamguard.guards import GUARDS
from jamguard.jampy.demo import make_project
from jamguard.jampy.session import Seal

Environ = dict[str, Any]
App = Callable[..., Iterable[bytes]]

LOTS: Final = "1000000/minute"
SETTINGS: Final[Mapping[str, Any]] = {
    "proxy": {"trusted": ["127.0.0.1"]},
    "host": {"allowed": ["www.example.com"]},
    "rate-limit": dict.fromkeys(("api", "page"), LOTS),
}
FIELDS: Final = ("id", "deleted", "record_version", "name", "email", "notes", "photo", "doc")


def call(method: str, params: object) -> bytes:
    """Write a call for the customers of the demo's project, as Jam.py's client does."""
    return json.dumps([method, 1, 6, params, None], ensure_ascii=False).encode()


def apply(notes: str) -> bytes:
    """Write a call that adds a customer."""
    record = [None, 0, 1, "Łukasz Święty", "lukasz@example.com", notes, None, None]
    log: dict[str, Any] = {"log_index": 0, "record_status": 1, "record": record, "details": {}}
    return call("apply", [{"fields": FIELDS, "expanded": False, "logs": [log]}, {}])


SERVER: Final = call("server", ["hello", ["Ada"]])
OPEN: Final = call(
    "open",
    {
        "__expanded": True,
        "__fields": FIELDS,
        "__filters": [["name", 12, "Łukasz"], ["id", 7, [1, 2, 3]]],
        "__order": [["name", False]],
        "__limit": 22,
        "__offset": 0,
        "__search": "Święty",
    },
)
APPLY: Final = apply("A note.")
LONG_APPLY: Final = apply("A line of a long note, with a quote's mark in it.\n" * 400)
SCRIPT: Final = b"// task.js\n" * 100

#: what gunicorn behind nginx makes of a browser's request
BROWSER: Final[Environ] = {
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "gunicorn/23.0.0",
    "REMOTE_PORT": "40000",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "HTTP_HOST": "www.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "*/*",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.5",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_REFERER": "https://www.example.com/",
    "HTTP_SEC_FETCH_DEST": "empty",
    "HTTP_SEC_FETCH_MODE": "cors",
    "HTTP_SEC_FETCH_SITE": "same-origin",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
BEHIND_PROXY: Final[Environ] = {
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_X_FORWARDED_FOR": "198.51.100.7",
    "HTTP_X_FORWARDED_PROTO": "https",
}


@attrs.frozen
class Case:
    """A kind of request."""

    name: str
    path: str
    body: bytes | None = None
    #: which cookie stacks send: those that are not named, the `plain` one
    cookies: Mapping[str, str] = attrs.Factory(dict[str, str])

    def environ(self, connection: Environ, stack: str = "plain") -> Environ:
        made = {**BROWSER, **connection, "PATH_INFO": self.path, "RAW_URI": self.path}
        made["REQUEST_METHOD"] = "GET" if self.body is None else "POST"
        made["wsgi.input"] = io.BytesIO(self.body or b"")
        if self.body is not None:
            made["CONTENT_LENGTH"] = str(len(self.body))
            made["CONTENT_TYPE"] = "application/json;charset=utf-8"
            made["HTTP_ORIGIN"] = "https://www.example.com"
        if self.cookies:
            made["HTTP_COOKIE"] = self.cookies.get(stack) or self.cookies["plain"]
        return made


def session_cookies() -> dict[str, str]:
    """Make the cookie of a logged-in user: as Jam.py does, and sealed as `session` has it."""
    user = {"role_id": 2, "role_name": "clerk", "user_id": 2, "user_name": "Clerk", "admin": 0}
    info = {"user_info": user, "uuid": "5f0c9a4e-8d62-4b7e-9f61-0a4e2d5c7b11"}
    key = running().admin.secret_key
    made: Any = JamSecureCookie({"info": info}, key)
    plain, now = made.serialize(), int(time.time())
    sealed = Seal(key).close(plain, "application", now, now)
    names = {"plain": plain} | dict.fromkeys(("session", "harden"), sealed)
    return {name: f"demo_session_8000={value}" for name, value in names.items()}


def load_project(folder: Path) -> None:
    """Make the demo's project and have Jam.py load it: the one that this process serves."""
    make_project(folder, admin_password="one", clerk_password="another", progress=lambda _: None)
    create_application(str(folder / "wsgi.py"))
    assert running().task


def running() -> Any:
    """Return Jam.py's one `App` of this process."""
    return consts.app


def jam_application(*, sealed: bool = False) -> App:
    """Return an application of its own that jamguard knows as Jam.py's, with the one project.

    `sealed`: its requests are those that the guard `session` has made of Jam.py's.
    """
    jam: Any = copy.copy(running())
    task: Any = copy.copy(running().task)
    task.app = jam

    def on_api(request: Any) -> object:
        """Begin as Jam.py's own does: with the call, and the session."""
        json.loads(request.get_data())
        request.task = task
        return request.client_cookie

    jam.on_api = on_api
    answer = json.dumps({"result": {"status": 9, "data": [[], ""]}, "error": None}).encode()

    def app(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            jam.on_api((jam_wsgi.JamRequest if sealed else JamRequest)(environ))
            body, kind = answer, "application/json"
        else:
            body, kind = SCRIPT, "text/javascript; charset=utf-8"
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return ClosingIterator([body])

    return app


def diy(app: App) -> App:
    """Protect an application by hand."""
    rate = limits.parse("1000000/minute")
    limiter = FixedWindowRateLimiter(MemoryStorage())

    def limited(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        if not limiter.hit(rate, environ["REMOTE_ADDR"]):
            status = HTTPStatus.TOO_MANY_REQUESTS
            start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
            return []
        return app(environ, start_response)

    headers = secure.Secure.with_default_headers()
    return ProxyFix(SecureWSGIMiddleware(limited, secure=headers))


def stacks() -> dict[str, App]:
    """Return all that is compared, by name."""
    _, guards = load(Source("the benchmark", SETTINGS), GUARDS)
    alone = {guard.name: guard(jam_application(sealed=guard.name == "session")) for guard in guards}
    return {
        "bare": jam_application(),
        "shield of no guards": jamguard.Shield(jam_application(), []),
        **alone,
        "harden": jamguard.harden(jam_application(sealed=True), SETTINGS),
        "diy": diy(jam_application()),
    }


def serve(app: App, environs: list[Environ]) -> float:
    """Serve requests as a server does, and return the microseconds that one took."""
    started: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        started.append(status)

    count = len(environs)
    gc.collect()
    begin = time.process_time()
    while environs:
        body = app(environs.pop(), start_response)  # so that it can be freed, as in a server
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    seconds = time.process_time() - begin
    if started != ["200 OK"] * count:
        raise SystemExit(f"not served: {set(started)}")
    return seconds / count * 1e6


def measure(
    apps: dict[str, App], case: Case, connection: Environ, rounds: int, requests: int
) -> dict[str, float]:
    """Return the median microseconds of each stack."""
    names = list(apps)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        random.shuffle(names)
        for name in names:
            taken = serve(apps[name], [case.environ(connection, name) for _ in range(requests)])
            if turn:  # the first round warms up
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def table(cases: list[Case], figures: list[dict[str, float]]) -> Iterable[str]:
    """Write what each stack adds to the bare application, and its share of `diy`."""
    yield f"{'microseconds over bare':24}" + "".join(f"{case.name:>22}" for case in cases)
    for name in figures[0]:
        row = f"{name:24}"
        for figure in figures:
            if name == "bare":
                row += f"{figure[name]:14.2f}" + " " * 8
            else:
                added = figure[name] - figure["bare"]
                row += f"{added:14.2f}{added / (figure['diy'] - figure['bare']):8.2f}"
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--direct", action="store_true", help="no reverse proxy in front")
    options = parser.parse_args()
    logging.getLogger("jamguard").setLevel(logging.ERROR)
    connection = {"REMOTE_ADDR": "198.51.100.7"} if options.direct else BEHIND_PROXY
    with tempfile.TemporaryDirectory() as folder:
        load_project(Path(folder))
        cookies = session_cookies()
        cases = [
            Case(f"server {len(SERVER)} B", "/api", SERVER),
            Case(f"open {len(OPEN)} B", "/api", OPEN),
            Case("open, session", "/api", OPEN, cookies),
            Case(f"apply {len(APPLY)} B, s.", "/api", APPLY, cookies),
            Case(f"apply {len(LONG_APPLY)} B, s.", "/api", LONG_APPLY, cookies),
            Case("file", "/jam/js/modules/task.js"),
        ]
        apps = stacks()
        figures = [
            measure(apps, case, connection, options.rounds, options.requests) for case in cases
        ]
    place = "no proxy" if options.direct else "behind a declared proxy"
    print(f"Python {sys.version.split()[0]}, {options.rounds} rounds, {place}; right: x diy")
    for line in table(cases, figures):
        print(line)


if __name__ == "__main__":
    main()
