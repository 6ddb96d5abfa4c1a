"""What a failure of Jam.py is taken for, with the guard `errors` alone in front of it.

`tests/jam/test_errors.py` asks the same of real servers, with all the guards.
"""

import json
from pathlib import Path
from textwrap import dedent
from typing import Final

import attrs
import pytest
from support.inside import inside
from support.projects import copy

#: what each case's code can use; it leaves what `ask` returned in `result`
SCRIPT: Final = """
from pathlib import Path
from werkzeug.exceptions import Conflict, HTTPException, NotFound
from werkzeug.wrappers import Response
from jam.common import consts
from jamguard import Shield
from jamguard.guards.errors import Errors
from jamguard.jampy.project import Project

app = create_application(".")
project = Project.find(app)
task = project.app.task
shielded = Shield(app, [Errors()])

def ask(path, method="GET", body=None, **more):
    answer = call(shielded, path, method, body, **more)
    return [answer.status, answer.get("Jamguard-Refused"), answer.body.decode()]

def upload(kind="file", **changed):
    fields = {"task_id": 1, "item_id": 6, "field_id": 18, "path": "x", "file_name": "a.png"}
    parts = [
        f'--b\\r\\nContent-Disposition: form-data; name="{name}"\\r\\n\\r\\n{value}\\r\\n'
        for name, value in {**fields, **changed}.items()
    ]
    parts.append(f'--b\\r\\nContent-Disposition: form-data; name="{kind}"; filename="a.png"\\r\\n')
    parts.append('\\r\\na\\r\\n--b--\\r\\n')
    form = "multipart/form-data; boundary=b"
    return ask("/upload", "POST", "".join(parts).encode(), CONTENT_TYPE=form)

def as_before():
    task.on_request = task.on_logout = task.on_upload = None
    consts.SAFE_MODE, consts.DEBUGGING, consts.MAX_CONTENT_LENGTH = True, False, 0
    project.app.__dict__.pop("create_task", None)
    project.app.__dict__.pop("production", None)
    project.app._App__task = task
    shielded.app = app
    Path("builder.html").unlink(missing_ok=True)

def run(code):
    as_before()
    names = {**globals()}
    exec(code, names)
    return names["result"]

"""


@attrs.frozen
class Case:
    code: str
    status: str
    #: the guard that answered; none: the answer is Jam.py's own
    guard: str | None = "errors"
    says: str = ""


NOT_UNDERSTOOD: Final = "The server could not understand this request."
WENT_WRONG: Final = "Something went wrong on the server"
INTERNAL: Final = "500 INTERNAL SERVER ERROR"  #: as Werkzeug writes what Jam.py answers

CASES: Final = {
    "a call by GET": Case('result = ask("/api")', "405 Method Not Allowed"),
    "an upload by PUT": Case('result = ask("/upload", "PUT", b"x")', "405 Method Not Allowed"),
    "no such file": Case('result = ask("/jam/no.js")', "404 Not Found"),
    "a log-out without a session": Case('result = ask("/logout")', "302 Found"),
    "no call": Case('result = ask("/api", "POST", b"x")', "200 OK", says=NOT_UNDERSTOOD),
    "five letters, which are five things": Case(
        """result = ask("/api", "POST", b'"abcde"')""", "200 OK", None
    ),
    "an error page": Case('result = ask("/nothing")', "404 Not Found", None),
    "a call longer than Jam.py allows": Case(
        """
        consts.MAX_CONTENT_LENGTH = 1
        result = ask('/api', 'POST', b'x' * 1_100_000)""",
        *("200 OK", "errors", "That is more than this site accepts at once."),
    ),
    "a form longer than Jam.py allows": Case(
        """
        consts.MAX_CONTENT_LENGTH = 1
        form = "application/x-www-form-urlencoded"
        result = ask('/login.html', 'POST', b'login=' + b'x' * 1_100_000, CONTENT_TYPE=form)""",
        *("413 Request Entity Too Large", None),
    ),
    "a call to the builder in production": Case(
        """
        Path('builder.html').touch()
        result = ask('/api', 'POST', b'["load", 0, 0, null, 0]')""",
        *("200 OK", "errors", "This request was refused."),
    ),
    "a call to a project that cannot be loaded": Case(
        """
        def fail():
            raise RuntimeError('a fault that only the log may show')
        project.app._App__task, project.app.create_task = None, fail
        result = ask('/api', 'POST', b'["load", 1, 0, null, 0]')""",
        *("200 OK", "errors", WENT_WRONG),
    ),
    "no call, with Jam.py's debugging on": Case(
        """
        consts.DEBUGGING = True
        result = ask('/api', 'POST', b'[]')""",
        *("200 OK", "errors", NOT_UNDERSTOOD),
    ),
    "an upload that is well": Case(
        """
        consts.SAFE_MODE = False
        result = upload()""",
        *("200 OK", None, '"file_name": "a_'),
    ),
    "an upload to no number": Case("result = upload(item_id='x')", "200 OK", says=NOT_UNDERSTOOD),
    "an upload of another kind": Case(
        """
        consts.SAFE_MODE = False
        result = upload('other')""",
        *("200 OK", "errors", NOT_UNDERSTOOD),
    ),
    "an upload before the login": Case("result = upload()", "200 OK", says="Please log in first."),
    # what the project's own code does wrong is not taken for Jam.py's faults
    "its own fault in an upload": Case(
        """
        consts.SAFE_MODE = False
        task.on_upload = lambda: None
        result = upload()""",
        *("200 OK", "errors", WENT_WRONG),
    ),
    "its own page that cannot be called": Case(
        """
        task.on_request = lambda task, request: 'text'
        result = ask("/own")""",
        *("500 Internal Server Error", "errors", WENT_WRONG),
    ),
    "its own KeyError on the way out": Case(
        """
        task.on_logout = lambda task, request: {}['other']
        result = ask("/logout")""",
        *("500 Internal Server Error", "errors", WENT_WRONG),
    ),
    "its own TypeError where a file is asked for": Case(
        """
        task.on_request = lambda task, request: int(None)
        result = ask("/jam/js/jam.js")""",
        *("500 Internal Server Error", "errors", WENT_WRONG),
    ),
    "its own TypeError on the way to a call": Case(
        """
        task.on_request = lambda task, request: int(None)
        result = ask("/api", "POST", b"x")""",
        *("200 OK", "errors", WENT_WRONG),
    ),
    "its own UnboundLocalError on the way to a call": Case(
        """
        def unbound(task, request):
            print(nothing)
            nothing = 1
        task.on_request = unbound
        result = ask("/api", "POST", b"x")""",
        *("200 OK", "errors", WENT_WRONG),
    ),
    "a fault outside of Jam.py": Case(
        """
        shielded.app = lambda environ, start_response: int(None)
        result = ask("/jam/js/jam.js")""",
        *("500 Internal Server Error", "errors", WENT_WRONG),
    ),
    # statuses: only an exception that Jam.py itself handles gives its page another one
    "its own page with status 500": Case(
        """
        task.on_request = lambda task, request: Response("its own", status=500)
        result = ask("/own")""",
        *(INTERNAL, None, "its own"),
    ),
    "its own page, on a server that handles another failure": Case(
        """
        task.on_request = lambda task, request: Response("its own", status=500)
        try:
            raise NotFound
        except NotFound:
            result = ask("/own")""",
        *(INTERNAL, None, "its own"),
    ),
    "its own page, from a generator that handles another failure": Case(
        """
        task.on_request = lambda task, request: Response("its own", status=500)
        def lazily():
            try:
                raise NotFound
            except NotFound:
                yield from call(shielded, "/own").status.split()
        result = [" ".join(lazily()), None, ""]""",
        *(INTERNAL, None),
    ),
    "an error page, on a server that handles another failure": Case(
        """
        def on_request(task, request):
            raise Conflict
        task.on_request = on_request
        try:
            raise NotFound
        except NotFound:
            result = ask("/own")""",
        *("409 Conflict", None, "Conflict"),
    ),
    "an HTTPException without a status": Case(
        """
        def on_request(task, request):
            raise HTTPException("odd")
        task.on_request = on_request
        result = ask("/own")""",
        *(INTERNAL, None, "odd"),
    ),
    "the failure goes on to the server in report mode": Case(
        """
        shielded = Shield(app, [Errors(mode="report")])
        try:
            call(shielded, "/api")
        except TypeError as error:
            result = [str(error), None, ""]""",
        *("'NoneType' object is not callable", None),
    ),
}


@pytest.fixture(scope="module")
def seen(
    demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str | None, str]]:
    """What each case got, all in one process."""
    codes = {name: dedent(case.code) for name, case in CASES.items()}
    script = f"{SCRIPT}result = {{name: run(code) for name, code in {codes!r}.items()}}\n"
    result: dict[str, tuple[str, str | None, str]] = inside(
        copy(demo_project, tmp_path_factory.mktemp("failures") / "project"), script
    )
    return result


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_what_jam_py_meant(
    name: str, seen: dict[str, tuple[str, str | None, str]]
) -> None:
    status, guard, body = seen[name]
    case = CASES[name]
    assert (status, guard) == (case.status, case.guard)
    assert case.says in body
    assert "only the log" not in body
    if guard and case.status == "200 OK":
        assert json.loads(body)["result"]["data"][1] == json.loads(body)["error"]
