"""Log in to a Jam.py application without a server, and ask whom it takes a cookie for.

For code that runs beside Jam.py: see `inside`.
"""

import json
import sys
from typing import Any, Final
from urllib.parse import urlencode

from support.projects import User
from support.wsgi import Answer, App, call

PORT: Final = 8000
APP: Final = f"demo_session_{PORT}"
BUILDER: Final = f"admin_session_{PORT}"

#: a browser on this very machine: it may build
HERE: Final = {
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "localhost:8000",
    "HTTP_CONNECTION": "keep-alive",
}
HTTPS: Final = {"wsgi.url_scheme": "https"}


def log_in(app: App, page: str, user: User, **environ: Any) -> list[str]:
    """Post the form of a login page; return what goes into the Cookie header."""
    form = urlencode({"login": user.login, "password": user.password}).encode()
    return cookies(
        call(
            app,
            page,
            "POST",
            form,
            CONTENT_TYPE="application/x-www-form-urlencoded",
            **{**HERE, **environ},
        )
    )


def log_in_v5(app: App, user: User, task: int, **environ: Any) -> list[str]:
    """Log in as the client of Jam.py v5 does."""
    form = {"login": user.login, "password": user.password}
    return cookies(api(app, ["login", task, 0, [form], 0], "", **environ))


def cookies(answer: Answer) -> list[str]:
    return [value.partition(";")[0] for value in answer.all("Set-Cookie")]


def value(cookie: str) -> str:
    return cookie.partition("=")[2]


def api(app: App, message: list[Any], cookie: str, **environ: Any) -> Answer:
    return call(
        app, "/api", "POST", json.dumps(message).encode(), HTTP_COOKIE=cookie, **{**HERE, **environ}
    )


def who(app: App, cookie: str, task: int, **environ: Any) -> int | None:
    """Return the id of the user whom Jam.py takes the sender of a cookie for."""
    result = json.loads(api(app, ["load", task, 0, None, 0], cookie, **environ).body)["result"]
    # status 9 is an answer, 5 is "not logged in"
    user: int | None = result["data"][0]["user_info"]["user_id"] if result["status"] == 9 else None
    return user


def signed(info: dict[str, Any] | None, key: str, expires: float | None = None) -> str:
    """Make a value as Jam.py does."""
    cookie = sys.modules["jam.wsgi"].JamSecureCookie
    made: str | bytes = cookie({} if info is None else {"info": info}, key).serialize(expires)
    return made if isinstance(made, str) else made.decode()  # v5 makes bytes
