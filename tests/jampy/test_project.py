"""The project is found behind whatever wraps it, and left asleep."""

import sys
from pathlib import Path
from typing import Any, Final

import pytest
from support.inside import inside
from support.projects import copy
from support.wsgi import hello

from jamguard.jampy.project import Project

#: what stands around Jam.py's application, as Python code
WRAPPED: Final = {
    "Jam.py's own": "app",
    "Jam.py's own, bare": "create_application('.', testing=True)",
    "ProxyFix": "ProxyFix(app)",
    "the debugger": "DebuggedApplication(app)",
    "both": "ProxyFix(DebuggedApplication(app))",
    "a dispatcher's default": "DispatcherMiddleware(app, {'/hello': hello})",
    "jamguard": "jamguard.Shield(app, [])",
    "a function that finds it among the globals": "lambda *request: app(*request)",
    "a function that closes over it": "(lambda inner: lambda *request: inner(*request))(app)",
    "a function with an empty cell": "with_empty_cell(app)",
    "a decorated function": "wraps(app)(lambda *_: [])",
    "a bound method": "ProxyFix(app).__call__",
    "a partial": "partial(calls, app)",
    "a partial, by name": "partial(calls, app=app)",
    "a partial of it": "partial(app)",
    "an object with a name of its own for it": "Named(app)",
    "an object with slots": "Slots(app)",
    "an object that holds itself": "Loop(app)",
    "an object that holds Flask's proxies": "Named(app, current_app, request)",
    "Flask's way": "flask_like(app)",
    "forty layers": "reduce(lambda inner, _: ProxyFix(inner), range(40), app)",
}
#: what is not Jam.py's, or stands for much else
OTHERS: Final = {
    "another function": "hello",
    "Flask": "Flask('own')",
    "a dispatcher that mounts it elsewhere": "DispatcherMiddleware(hello, {'/crm': app})",
    "a class": "Named",
    "nothing that can be called": "[app]",
    "two hundred layers": "reduce(lambda inner, _: ProxyFix(inner), range(200), app)",
}
SCRIPT: Final = """
from functools import partial, reduce, wraps
from flask import Flask, current_app, request
from jamguard.jampy.project import Project
from support.wsgi import hello
from werkzeug.debug import DebuggedApplication
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

app = create_application(".")

def calls(app, environ, start_response):
    return app(environ, start_response)

def with_empty_cell(app):
    def wrapper(environ, start_response):
        return (later if environ is None else app)(environ, start_response)
    if app is None:
        later = app
    return wrapper

class Named:
    def __init__(self, *held):
        self.first, self.__others = held[0], dict(enumerate(held))
        self.proxies = held
        self.last = held[-1]
    def __call__(self, environ, start_response):
        return self.first(environ, start_response)

class Slots:
    __slots__ = ("app",)
    def __init__(self, app):
        self.app = app
    __call__ = Named.__call__

class Loop(Named):
    def __init__(self, app):
        self.me = self
        self.first = app

def flask_like(app):
    flask = Flask("own")
    flask.wsgi_app = app
    return flask
"""


def test_the_project_is_found_behind_whatever_wraps_it(project: Path) -> None:
    lines = "".join(f"found(Project.find({code}))\n" for code in (WRAPPED | OTHERS).values())
    script = "result = []\ndef found(it):\n    result.append(it and str(it.folder))\n"
    folders = inside(project, SCRIPT + script + lines)
    assert dict(zip(WRAPPED | OTHERS, folders, strict=True)) == {
        **dict.fromkeys(WRAPPED, str(project)),
        **dict.fromkeys(OTHERS),
    }


def test_without_jam_py_there_is_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jam.wsgi", raising=False)
    assert Project.find(hello) is None


def test_hardening_does_not_load_the_project(project: Path) -> None:
    seen = inside(
        project,
        """
        app = create_application(".")
        hardened = jamguard.harden(app)
        project = hardened.site.project
        result = [project.task is None]
        call(hardened, "/jam/../admin.sqlite")
        call(hardened, "/favicon.ico")
        result += [project.task is None]
        call(hardened, "/")
        result += [project.task.item_name, str(project.folder), str(project.package)]
        """,
    )
    assert seen[:4] == [True, True, "demo", str(project)]
    assert (Path(seen[4]) / "wsgi_server.py").exists()


def test_two_projects_in_one_process_are_kept_apart(demo_project: Path, tmp_path: Path) -> None:
    """Each proves its own sessions only, though Jam.py shares most of its settings."""
    first, second = (copy(demo_project, tmp_path / name) for name in ("first", "second"))
    seen: Any = inside(
        tmp_path,
        """
        from jamguard.jampy.project import Project
        # Jam.py changes into the folder of each
        projects = [Project.find(create_application(name)) for name in ("first", "../second")]
        projects[1].app.admin.secret_key = "another key"
        cookies = []
        for project in projects:
            cookie = sys.modules["jam.wsgi"].JamSecureCookie(
                {"info": {"uuid": "u", "user_info": {"user_id": 1}}},
                project.app.admin.secret_key,
            )
            cookies.append(environ(HTTP_COOKIE="demo_session_8000=" + cookie.serialize()))
        result = [
            [str(project.folder) for project in projects],
            [
                [project.sessions.proved(each).application is not None for each in cookies]
                for project in projects
            ],
        ]
        """,
    )
    assert seen == [[str(first), str(second)], [[True, False], [False, True]]]


def test_a_project_under_a_mount_answers_there(project: Path) -> None:
    """Jam.py's client asks for paths from the root, but its server side takes a mount."""
    seen = inside(
        project,
        """
        from support.wsgi import hello
        from werkzeug.middleware.dispatcher import DispatcherMiddleware
        app = DispatcherMiddleware(hello, {"/crm": jamguard.harden(create_application("."))})
        def ask(path, method="GET", body=None):
            return [call(app, path, method, body).status]
        result = ask("/") + ask("/crm/") + ask("/crm/jam/../admin.sqlite")
        result += ask("/crm/api", "GET") + ask("/api", "GET") + ask("/crm/nothing")
        """,
    )
    assert seen == [
        *("200 OK", "302 FOUND", "400 Bad Request"),
        *("405 Method Not Allowed", "200 OK", "404 Not Found"),
    ]


def test_a_project_that_cannot_be_seen_is_told(project: Path) -> None:
    seen = inside(
        project,
        """
        import logging
        from support.wsgi import hello
        from werkzeug.middleware.dispatcher import DispatcherMiddleware
        lines = []
        logging.root.addHandler(logging.StreamHandler())
        logging.root.handlers[0].emit = lambda record: lines.append(record.getMessage())
        app = create_application(".")
        jamguard.harden(app)
        before = sum("JG015" in line for line in lines)
        jamguard.harden(DispatcherMiddleware(hello, {"/crm": app}))
        result = [before, [line for line in lines if "JG015" in line]]
        """,
    )
    before, lines = seen
    assert before == 0
    assert len(lines) == 1
    assert "DispatcherMiddleware does not lead to its application" in lines[0]
