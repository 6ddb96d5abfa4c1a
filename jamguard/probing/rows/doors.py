"""Doors that only an attacker tries, the worst first: a ban may cut off the rest."""

from collections.abc import Iterable
from typing import Final

from .. import judge
from ..ask import Ask
from ..judge import of_any
from ..question import BUILDERS, JSON, Question, files, get, hardened

#: how one writes a way out of Jam.py's folder
UP: Final = (
    "/jam/../",
    "/jam/%2e%2e/",
    "/jam/.%2E/",
    "/jam/..%2f",
    "/jam%2f..%2f",
    "/%6aam/../",
    "/jam//../",
    "/jam/./../",
    "/jam/x/../../",
    "//jam/../",
    "/jam/..%5c",
)


def rows() -> Iterable[Question]:
    """Ask for the debugger, for files, and for what the builder does."""
    yield Question(
        "debugger",
        "No debugger: it shows source code, and may run any",
        "critical",
        "Serve with gunicorn or waitress, not with server.py. " + hardened("debugger"),
        (
            get("/console"),
            get("/?__debugger__=yes&cmd=resource&f=style.css"),
            get("/login.html?__debugger__=yes&cmd=resource&f=style.css"),
            Ask("POST", "/api", (JSON,), b"x"),
        ),
        of_any(judge.a_debugger),
    )
    yield Question(
        "database",
        "No database of Jam.py: every password in clear, the key of all sessions",
        "critical",
        hardened("path"),
        files([*UP, "/", "/static/../"], ["admin.sqlite"]),
        of_any(judge.a_file),
    )
    yield Question(
        "sources",
        "No source or settings of the project",
        "critical",
        hardened("path"),
        files(["/jam/../", "/jam/%2e%2e/", "/"], ["wsgi.py", "server.py", "pyproject.toml"]),
        of_any(judge.a_file),
    )
    yield Question(
        "builder-calls",
        "No call to the Application Builder",
        "high",
        hardened("builder", BUILDERS),
        tuple(
            Ask("POST", path, (JSON,), b'["load",%b,0,null,0]' % task)
            for path, task in (
                *(("/api", task) for task in (b"0", b"-0", b"0.0", b"false", b"1e-400")),
                ("/api/", b"0"),
                ("/%61pi", b"0"),
            )
        ),
        of_any(judge.a_call),
    )
    yield Question(
        "left-lying",
        "Nothing that was left lying in the project's folder",
        "high",
        "Move it out of the project's folder. " + hardened("path"),
        files(["/jam/../", "/", "/static/"], [".git/config", ".env", "_admin.sqlite"]),
        of_any(judge.a_file),
    )
    yield Question(
        "package",
        "No file of Jam.py's own that no page needs",
        "medium",
        hardened("path"),
        files(["/jam/"], ["wsgi.py", "admin/builder.py", "langs.sqlite", "wsgi%2epy"])
        + files(["/jam/js/../", "/%6aam/"], ["wsgi.py", "project/admin.sqlite"]),
        of_any(judge.a_file),
    )
