"""Interactive debuggers and development servers, attacked over the network.

Each attack first goes to the same site without jamguard, where it must still land: the
oracle is what the attacker gets.
"""

import re
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest
from support.servers import (
    Server,
    free_port,
    own_address,
    run_command,
    run_nginx,
    run_server,
)

#: a site without Jam.py, and ways to put Werkzeug's debugger around it, before `harden`,
#: after it, and inside
SITE: Final = """
import sys
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import run_simple

if {hardened}:
    from jamguard import harden
else:
    def harden(app):
        return app

def app(environ, start_response):
    if environ["PATH_INFO"] == "/boom":
        local_variable = "only the source has this"
        raise RuntimeError(local_variable)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application"]

class Plain(DebuggedApplication):
    pass

class Own(DebuggedApplication):
    def __call__(self, environ, start_response):
        environ["own"] = True
        return super().__call__(environ, start_response)

later = []
def refer(environ, start_response):
    return later[0](environ, start_response)

def own_later():
    class Later(Own):
        def __call__(self, environ, start_response):
            return DebuggedApplication.__call__(self, environ, start_response)
    return Later

{how}
"""
RUN: Final = 'run_simple("127.0.0.1", int(sys.argv[1]), site, threaded=True)'
SITES: Final = {
    "run_simple": (
        "run_simple('127.0.0.1', int(sys.argv[1]), harden(app), threaded=True, use_debugger=True)"
    ),
    "a debugger made after": f"site = DebuggedApplication(harden(app), True)\n{RUN}",
    "a debugger made before": (
        f"site = DebuggedApplication(refer, True)\nlater.append(harden(app))\n{RUN}"
    ),
    "a debugger inside": f"site = harden(DebuggedApplication(app, True))\n{RUN}",
    "a debugger on both sides": (
        f"site = DebuggedApplication(harden(DebuggedApplication(app, True)), True)\n{RUN}"
    ),
    "a subclass": f"site = Plain(harden(app), True)\n{RUN}",
    "a subclass with a call of its own": f"site = Own(harden(app), True)\n{RUN}",
    "a subclass of it, made before": (
        f"site = own_later()(refer, True)\nlater.append(harden(app))\n{RUN}"
    ),
    "a subclass of it, made after": f"hard = harden(app)\nsite = own_later()(hard, True)\n{RUN}",
    "Flask's debug mode with its reloader": """
from flask import Flask
flask = Flask("site")
flask.add_url_rule("/", view_func=lambda: "the application")
def boom():
    raise RuntimeError("only the source has this")
flask.add_url_rule("/boom", view_func=boom)
flask.wsgi_app = harden(flask.wsgi_app)
flask.run("127.0.0.1", int(sys.argv[1]), debug=True, use_reloader=True)""",
}
#: what a plain Jam.py project crashes on, and a line of its source
JAM_BOOM: Final = ("/api", "self.on_api(request)(environ, start_response)")
BOOM: Final = ("/boom", "only the source has this")


@attrs.frozen
class Loot:
    """What an attacker gets."""

    console: bool  #: a Python console, with the secret that its commands need
    files: bool  #: the debugger's own files
    pin: bool  #: the debugger asks for its PIN, so it can be guessed, or prints it in the log
    source: bool  #: source code
    runs_code: bool  #: code of the attacker's runs in the server

    @classmethod
    def of(cls, server: Server, boom: tuple[str, str]) -> "Loot":
        path, source = boom
        console = server.request("GET", "/console").text
        secret = _secret(console)
        page = server.request("GET", path).text
        secret = secret or _secret(page)
        asked = server.request("GET", f"/?__debugger__=yes&cmd=pinauth&pin=1&s={secret}").text
        server.request("GET", f"/?__debugger__=yes&cmd=printpin&s={secret}")
        return cls(
            console="EVALEX" in console and bool(_secret(console)),
            files="debugger" in _file(server),
            pin='"auth"' in asked or "pin code" in server.log().lower(),
            source=source in page or "Traceback" in page,
            runs_code=_runs_code(server, page, secret),
        )


def _secret(page: str) -> str:
    found = re.search(r'SECRET = "(\w+)"', page)
    return found[1] if found else ""


def _file(server: Server) -> str:
    return server.request("GET", "/?__debugger__=yes&cmd=resource&f=style.css").text


def _runs_code(server: Server, page: str, secret: str) -> bool:
    """Compute in the server what stands nowhere, by the console and by each frame of `page`."""
    for frame in ["0", *re.findall(r'id="frame-(\d+)"', page)]:
        reply = server.request("GET", f"/?__debugger__=yes&cmd=6**23%2B1&frm={frame}&s={secret}")
        if str(6**23 + 1) in reply.text:
            return True
    return False


NOTHING: Final = Loot(console=False, files=False, pin=False, source=False, runs_code=False)
ALL: Final = Loot(console=True, files=True, pin=True, source=True, runs_code=True)


@contextmanager
def serve(folder: Path, how: str, *, hardened: bool, pin: bool) -> Generator[Server]:
    """Serve one of `SITES`, with the debugger's PIN or without."""
    site = folder / "site_of_its_own.py"
    site.write_text(SITE.format(hardened=hardened, how=SITES[how]), "utf-8")
    port = free_port()
    env = {} if pin else {"WERKZEUG_DEBUG_PIN": "off"}
    with run_command([sys.executable, str(site), str(port)], folder, port, env) as server:
        yield server


@pytest.mark.parametrize("how", SITES)
def test_an_open_debugger_hands_out_the_machine_and_behind_jamguard_nothing(
    how: str, tmp_path: Path
) -> None:
    with serve(tmp_path, how, hardened=False, pin=False) as plain:
        assert Loot.of(plain, BOOM) == attrs.evolve(ALL, pin=False), "the control"
    with serve(tmp_path, how, hardened=True, pin=False) as hardened:
        assert Loot.of(hardened, BOOM) == NOTHING
        assert hardened.request("GET", "/").text == "the application"
        assert "PIN" not in hardened.log()
        assert "id=JG007" in hardened.log()


@pytest.mark.parametrize("how", ["run_simple", "Flask's debug mode with its reloader"])
def test_a_pin_keeps_code_out_but_not_source_and_jamguard_keeps_both(
    how: str, tmp_path: Path
) -> None:
    with serve(tmp_path, how, hardened=False, pin=True) as plain:
        assert Loot.of(plain, BOOM) == attrs.evolve(ALL, runs_code=False), "the control"
    with serve(tmp_path, how, hardened=True, pin=True) as hardened:
        assert Loot.of(hardened, BOOM) == NOTHING
        assert "PIN" not in hardened.log()


@pytest.mark.parametrize(
    "first", ["/console", "/boom", "/?__debugger__=yes&cmd=resource&f=style.css"]
)
def test_the_very_first_request_finds_it_shut(first: str, tmp_path: Path) -> None:
    with serve(tmp_path, "a debugger made before", hardened=False, pin=False) as plain:
        control = plain.request("GET", first).text
        assert "EVALEX" in control or "debugger" in control
    with serve(tmp_path, "a debugger made before", hardened=True, pin=False) as hardened:
        reply = hardened.request("GET", first)
        assert "EVALEX" not in reply.text
        assert "debugger" not in reply.text


#: what the debugger answers, as it can be spelled
COMMANDS: Final = (
    "__debugger__=yes&cmd=resource&f=style.css",
    "__debugger__=yes&cmd=resource&f=debugger.js",
    "cmd=resource&f=style.css&__debugger__=yes",
    "%5f%5fdebugger%5f%5f=yes&cmd=resource&f=style.css",
    "__debugger__=%79es&cmd=%72esource&f=style.css",
    "__%64ebugger__=yes&cmd=resource&f=style.css",
    "x=1&__debugger__=yes&__debugger__=no&cmd=resource&f=style.css",
)


def test_a_command_of_the_debugger_is_answered_with_404(tmp_path: Path) -> None:
    with serve(tmp_path, "run_simple", hardened=False, pin=True) as plain:
        for query in COMMANDS:
            assert "debugger" in plain.request("GET", f"/?{query}").text, "the control"
    with serve(tmp_path, "run_simple", hardened=True, pin=True) as hardened:
        for query in (*COMMANDS, "__debugger__=yes", "__debugger__=yes&cmd=printpin"):
            assert hardened.request("GET", f"/?{query}").status == 404
        assert hardened.request("GET", "/?q=__debugger__").status == 200


# --- Jam.py's own server.py ---------------------------------------------------------------


@pytest.fixture
def hardened(project: Path) -> Iterator[Server]:
    with run_server(project, "werkzeug", env={"WERKZEUG_DEBUG_PIN": "off"}) as server:
        yield server


def test_jam_pys_own_server_hands_out_the_machine_and_behind_jamguard_nothing(
    project: Path,
) -> None:
    env = {"WERKZEUG_DEBUG_PIN": "off"}
    with run_server(project, "werkzeug", harden=False, env=env) as plain:
        assert Loot.of(plain, JAM_BOOM) == attrs.evolve(ALL, pin=False), "the control"
    with run_server(project, "werkzeug", env=env) as hardened:
        assert Loot.of(hardened, JAM_BOOM) == NOTHING
        assert hardened.request("GET", "/console").status == 404
        assert hardened.request("GET", "/login.html").status == 200


def test_jam_pys_own_server_answers_the_network_with_what_to_run_instead(project: Path) -> None:
    """It listens on 0.0.0.0."""
    address = own_address()
    with run_server(project, "werkzeug", harden=False) as plain:
        reply = plain.request("GET", "/console", source=address, address=address)
        assert "EVALEX" in plain.request("GET", "/console", [("Host", "localhost")]).text
        page = plain.request("GET", "/login.html", source=address, address=address)
        assert (reply.status, page.status) == (400, 200), "the control"
        boom = plain.request("GET", "/api", source=address, address=address)
        assert JAM_BOOM[1] in boom.text, "the control: source for the whole network"
    with run_server(project, "werkzeug") as hardened:
        for path in ("/", "/login.html", "/static/files/a", "/own/page", "/console"):
            reply = hardened.request("GET", path, source=address, address=address)
            assert reply.status == 503
            assert "gunicorn --bind 0.0.0.0:8000 wsgi:application" in reply.text
        call = hardened.api(["load", 1, 0, None, 0], source=address, address=address)
        assert (call.status, call.body) == (503, b"")
        assert f"the development server refused {address}" in hardened.log()
        assert hardened.request("GET", "/login.html").status == 200


#: what people on this machine send
AT_HOME: Final = {
    "curl": {},
    "by name": {"Host": "localhost:PORT"},
    "a browser's first visit": {
        "Host": "localhost:PORT",
        "Connection": "keep-alive",
        "Sec-Fetch-Site": "none",
    },
    "a browser's next request": {
        "Host": "127.0.0.1:PORT",
        "Connection": "keep-alive",
        "Sec-Fetch-Site": "same-origin",
        "Origin": "http://127.0.0.1:PORT",
        "Referer": "http://127.0.0.1:PORT/login.html",
    },
}


def test_at_home_the_development_server_answers(hardened: Server) -> None:
    for name, headers in AT_HOME.items():
        sent = {key: value.replace("PORT", str(hardened.port)) for key, value in headers.items()}
        assert hardened.request("GET", "/login.html", sent).status == 200, name
    assert hardened.request("GET", "/login.html", source="127.0.0.2").status == 200


#: what is put in front of `server.py` on the same machine, so that every client is loopback
PROXIES: Final = {
    "as Jam.py's documentation has it": "proxy_pass http://UPSTREAM;",
    "with forwarding headers": (
        "proxy_pass http://UPSTREAM; proxy_http_version 1.1;"
        " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    ),
    "with another forwarding header": (
        "proxy_pass http://UPSTREAM; proxy_http_version 1.1; proxy_set_header X-Real-IP 1.2.3.4;"
    ),
    "with the Host": (
        "proxy_pass http://UPSTREAM; proxy_http_version 1.1; proxy_set_header Host $http_host;"
    ),
    "by HTTP/1.1": "proxy_pass http://UPSTREAM; proxy_http_version 1.1;",
}


def test_a_proxy_on_this_machine_does_not_make_its_clients_local(
    project: Path, hardened: Server
) -> None:
    for name, how in PROXIES.items():
        with run_nginx(f"location / {{ {how} }}", hardened) as proxy:
            reply = proxy.request("GET", "/login.html", {"Host": "www.example.com"})
            assert reply.status == 503, name
