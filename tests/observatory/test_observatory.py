"""MDN's HTTP Observatory gives the real log-in page over https an A+.

Its grader runs here without a network, on answers of a real server. `npm ci
--ignore-scripts` in this folder installs it.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from support import need
from support.projects import CLERK, copy
from support.servers import Reply, Server, run_server

pytestmark = pytest.mark.needs("node", "nodejs")

HERE: Final = Path(__file__).parent
HOST: Final = "www.example.com"
#: a proxy on this machine that ends TLS, declared
PROXY: Final = """
[tool.jamguard]
proxy.trusted = ["127.0.0.1"]
host.allowed = ["www.example.com"]
https.redirect = true
"""
#: all that this version of the grader gives to a site that is on no preload list and whose
#: scripts are all its own; newer ones add 10 for the Cross-Origin-Opener-Policy, which is 145
MOST: Final = 135


def ask(
    server: Server, path: str, scheme: str = "https", method: str = "GET", **more: str
) -> Reply:
    forwarded = {"Host": HOST, "X-Forwarded-Proto": scheme, "X-Forwarded-For": "192.0.2.1"}
    return server.request(method, path, forwarded | more)


def grade(server: Server) -> dict[str, Any]:
    """Let the grader judge what a browser would be told on its way to the log-in page."""
    package = HERE / "node_modules/@mdn/mdn-http-observatory/package.json"
    if not package.exists():
        reason = f"{need.NEEDS}@mdn/mdn-http-observatory"
        if os.environ.get(need.VARIABLE):
            pytest.fail(reason)
        pytest.skip(reason)
    http = ask(server, "/", "http")
    start = ask(server, "/")
    assert start.get("Location") == "/login.html"
    page = ask(server, "/login.html")
    login = server.try_login(
        CLERK, headers={"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    )
    preflight = {"Origin": "https://other.example.com", "Access-Control-Request-Method": "GET"}
    cors = ask(server, "/login.html", method="OPTIONS", **preflight)
    route = [f"http://{HOST}/", f"https://{HOST}/", f"https://{HOST}/login.html"]
    recorded = {
        "host": HOST,
        "http": {"status": http.status, "headers": http.headers},
        "https": {"status": page.status, "headers": page.headers},
        "cors": {"status": cors.status, "headers": cors.headers},
        "body": page.text,
        "cookies": [*start.all("Set-Cookie"), *page.all("Set-Cookie"), *login.all("Set-Cookie")],
        "route": route if http.get("Location") == route[1] else route[:1],
    }
    done = subprocess.run(
        [need.path("node", "nodejs"), str(HERE / "grade.mjs")],
        input=json.dumps(recorded),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_log_in_page_gets_an_a_plus(demo_project: Path, tmp_path: Path) -> None:
    with run_server(copy(demo_project, tmp_path / "plain"), harden=False) as server:
        assert grade(server)["grade"] == "F"
    with run_server(copy(demo_project, tmp_path / "hardened"), config=PROXY) as server:
        graded = grade(server)
        opener = ask(server, "/login.html").get("Cross-Origin-Opener-Policy")
    assert (graded["grade"], graded["score"]) == ("A+", MOST), graded
    assert opener == "same-origin"
