"""Names, schemes and header sizes on a real server: the control lands, then it is refused.

What a stranger gets on plain Jam.py is the log-in form: under any name (a page whose name was
made to point here reads it: DNS rebinding), in clear text, and however much was sent for it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest
from support.projects import copy
from support.servers import Server, run_server

FORM: Final = b'name="password"'
SITE: Final = "www.example.com"
CONFIG: Final = f"""
[tool.jamguard.host]
allowed = ["{SITE}"]
[tool.jamguard.proxy]
trusted = ["127.0.0.2"]
[tool.jamguard.https]
redirect = true
"""
#: waitress drops what a proxy says unless told not to
KEEP: Final = "--no-clear-untrusted-proxy-headers"
#: the proxy that is declared; it says how the client came
PROXY: Final = "127.0.0.2"


@attrs.frozen
class Servers:
    plain: Server
    hardened: Server


@pytest.fixture(scope="module")
def servers(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("names")
    plain, hardened = (copy(demo_project, folder / name) for name in ("plain", "hardened"))
    with (
        run_server(plain, "waitress", harden=False) as one,  # it takes headers of 256 kB
        run_server(hardened, "waitress", config=CONFIG, args=[KEEP]) as other,
    ):
        yield Servers(one, other)


def came(scheme: str, **more: str) -> dict[str, str]:
    """What the proxy passes on of a client that came by `scheme`."""
    return {"Host": SITE, "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme, **more}


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        ("/login.html", came("https", Host="rebound.example.net"), 421, "unknown-host"),
        ("/login.html", came("https", Host=f"{SITE}.example.net"), 421, "unknown-host"),
        ("/login.html", came("https", Host=f"{SITE}@example.net"), 400, "malformed-host"),
        ("/login.html", came("http"), 308, "http"),
        (f"/login.html?{'x' * 20_000}", came("https"), 414, "url-too-long"),
        ("/login.html", came("https", **{"X-Long": "x" * 40_000}), 431, "headers-too-large"),
        (
            "/login.html",
            came("https", **{f"X-{number}": "x" for number in range(200)}),
            431,
            "headers-too-large",
        ),
    ],
    ids=["other-name", "longer-name", "malformed", "http", "url", "long-header", "many-headers"],
)
def test_the_form_is_not_for_everybody(
    servers: Servers, path: str, headers: dict[str, str], status: int, reason: str
) -> None:
    control = servers.plain.request("GET", path, headers, source=PROXY)
    assert FORM in control.body, "the control: plain Jam.py hands it out"
    reply = servers.hardened.request("GET", path, headers, source=PROXY)
    assert (reply.status, FORM in reply.body) == (status, False)
    assert f"reason={reason}" in servers.hardened.log()
    own = servers.hardened.request("GET", "/login.html", came("https"), source=PROXY)
    assert (own.status, FORM in own.body) == (200, True)


def test_who_came_by_http_is_sent_to_https(servers: Servers) -> None:
    reply = servers.hardened.request("GET", "/login.html?a=b", came("http"), source=PROXY)
    assert reply.get("Location") == f"https://{SITE}/login.html?a=b"


def test_a_name_of_this_computer_always_works(servers: Servers) -> None:
    headers = came("https", Host="localhost")
    assert FORM in servers.hardened.request("GET", "/login.html", headers, source=PROXY).body
