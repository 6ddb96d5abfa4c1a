"""Nothing that Jam.py's own client was seen to send is refused: `tests/browser/corpus`.

Without a browser, so that it runs everywhere and in seconds. What Jam.py answers does not
matter here: a record may be gone.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from support import corpus, shop
from support.inside import inside
from support.projects import ADMIN, CLERK

USERS = {user.login: user.password for user in (ADMIN, CLERK, shop.GUEST)}

REPLAY = """
    import logging, json
    from urllib.parse import urlencode

    class Refusals(logging.Handler):
        def emit(self, record):
            if "guard=" in record.getMessage():
                refused.append([self.call, record.getMessage()])

    def log_in(name, page):
        form = urlencode({"login": name, "password": users[name]}).encode()
        answer = call(app, page, "POST", form, **here,
                      CONTENT_TYPE="application/x-www-form-urlencoded")
        return answer.get("Set-Cookie").partition(";")[0]

    users, lines = json.loads(open('corpus.json', encoding='utf-8').read())
    here = dict(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost", HTTP_CONNECTION="keep-alive")
    refused, cookies, handler = [], {}, Refusals()
    logging.getLogger("jamguard").addHandler(handler)
    app = jamguard.harden(create_application("wsgi.py"), {"rate-limit": {"api": "9999/minute"}})
    for line in lines:
        page = "/login.html" if line["call"][1] != 0 else "/builder_login.html"
        key = (line["as"], page)
        cookies[key] = cookies.get(key) or log_in(*key)
        handler.call = line["call"]
        answer = call(app, "/api", "POST", json.dumps(line["call"]).encode(), **here,
                      HTTP_COOKIE=cookies[key])
        if answer.code != 200:
            refused.append([line["call"], answer.status])
    result = refused
"""


@pytest.mark.parametrize("name", ["application", "builder"])
def test_what_the_client_sends_is_let_through(
    demo_project: Path, tmp_path: Path, name: str
) -> None:
    folder = shop.make(demo_project, tmp_path / "project")
    assert replay(folder, list(corpus.read(name))) == []


def replay(folder: Path, lines: list[corpus.Line]) -> Any:
    (folder / "corpus.json").write_text(json.dumps([USERS, lines]), "utf-8")
    return inside(folder, REPLAY)


def test_what_the_client_never_sends_would_be_seen(demo_project: Path, tmp_path: Path) -> None:
    """The control: a refusal does not go unnoticed."""
    folder = shop.make(demo_project, tmp_path / "project")
    call = ["server", 1, 1, ["execute_query", ["SELECT 1"]], 0]
    (refused, *_) = replay(folder, [{"as": "clerk", "status": 200, "call": call}])
    assert "guard=api" in refused[1]
