"""Print what jamguard costs, in microseconds a request and as ratios, from one run.

    python tests/bench/run.py [--rounds 31] [--requests 200] [--direct]

Measured is what each stack adds to one bare application that answers as Jam.py does.
The stack to compare with (`diy`) is what an engineer writes by hand in an hour: Werkzeug's
`ProxyFix`, the middleware of `secure`, and one check by address with `limits` in memory.

The order is shuffled and the garbage collected before each timing; a figure is the median
over all rounds. Only ratios of one run mean anything: machines change speed.
"""

import argparse
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
import limits
import secure
from jam.wsgi import App as JamApp
from jam.wsgi import JamSecureCookie
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from secure.middleware import SecureWSGIMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import ClosingIterator

import jamguard
from jamguard.config import Source, load
from jamguard.guards import GUARDS

Environ = dict[str, Any]
App = Callable[..., Iterable[bytes]]

SECRET: Final = "a secret key of thirty-two chars"
LOTS: Final = "1000000/minute"
SETTINGS: Final[Mapping[str, Any]] = {
    "proxy": {"trusted": ["127.0.0.1"]},
    "host": {"allowed": ["www.example.com"]},
    "rate-limit": dict.fromkeys(("api", "page"), LOTS),
}
CALL: Final = b'["ping",1,0,["a short call"],314]'
OPEN: Final = json.dumps(
    [
        "open",
        1,
        6,
        {
            "__expanded": True,
            "__fields": ["id", "deleted", "name", "email", "city", "country", "photo", "doc"],
            "__filters": [["name", 7, "Łukasz", -1], ["country", 1, 31, -1]],
            "__order": [["name", False]],
            "__limit": 22,
            "__offset": 0,
            "__search": "Święty",
        },
        1,
    ],
    ensure_ascii=False,
).encode()
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
    cookie: str = ""

    def environ(self, connection: Environ) -> Environ:
        made = {**BROWSER, **connection, "PATH_INFO": self.path, "RAW_URI": self.path}
        made["REQUEST_METHOD"] = "GET" if self.body is None else "POST"
        made["wsgi.input"] = io.BytesIO(self.body or b"")
        if self.body is not None:
            made["CONTENT_LENGTH"] = str(len(self.body))
            made["CONTENT_TYPE"] = "application/json;charset=utf-8"
            made["HTTP_ORIGIN"] = "https://www.example.com"
        if self.cookie:
            made["HTTP_COOKIE"] = self.cookie
        return made


def session_cookie() -> str:
    """Make the cookie of a logged-in user, as Jam.py does."""
    user = {"role_id": 2, "role_name": "clerk", "user_id": 2, "user_name": "Clerk", "admin": 0}
    info = {"user_info": user, "uuid": "5f0c9a4e-8d62-4b7e-9f61-0a4e2d5c7b11"}
    cookie: Any = JamSecureCookie({"info": info}, SECRET)
    return f"demo_session_8000={cookie.serialize()}"


def jam_application(folder: str) -> App:
    """Return an application that jamguard knows as Jam.py's and that does next to nothing."""
    jam: Any = object.__new__(JamApp)
    jam.work_dir = folder
    jam.jam_dir = str(Path(sys.modules["jam"].__file__ or "").parent)
    jam.admin = attrs.make_class("Admin", {"secret_key": attrs.field(default=SECRET)})()
    jam._App__task = None
    jam.fileserver = None
    answer = json.dumps({"result": {"status": 9, "data": [[], ""]}, "error": None}).encode()

    def app(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        assert jam is not None  # so that it can be found
        if environ["REQUEST_METHOD"] == "POST":
            environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
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


def stacks(folder: str) -> dict[str, App]:
    """Return all that is compared, by name."""
    app = jam_application(folder)
    _, guards = load(Source("the benchmark", SETTINGS), GUARDS)
    alone = {guard.name: guard(app) for guard in guards}
    return {
        "bare": app,
        "shield of no guards": jamguard.Shield(app, []),
        **alone,
        "harden": jamguard.harden(app, SETTINGS),
        "diy": diy(app),
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
            taken = serve(apps[name], [case.environ(connection) for _ in range(requests)])
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
    cookie = session_cookie()
    cases = [
        Case(f"/api {len(CALL)} B", "/api", CALL),
        Case(f"open {len(OPEN)} B", "/api", OPEN),
        Case("open, session", "/api", OPEN, cookie),
        Case("file", "/jam/js/modules/task.js"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        apps = stacks(folder)
        figures = [
            measure(apps, case, connection, options.rounds, options.requests) for case in cases
        ]
    place = "no proxy" if options.direct else "behind a declared proxy"
    print(f"Python {sys.version.split()[0]}, {options.rounds} rounds, {place}; right: x diy")
    for line in table(cases, figures):
        print(line)


if __name__ == "__main__":
    main()
