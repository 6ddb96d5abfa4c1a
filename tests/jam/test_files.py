"""Files that browsers need, and all the others: asked for in every spelling, v7 and v5.

What jamguard lets pass is compared with what Jam.py then hands out: never a byte of a file
that no browser needs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import projects
from support.inside import BEFORE

#: answers a line of JSON, a path, with another one: code and names of what came, without and
#: with jamguard. A name is that of the file whose content the body is.
CODE: Final = (
    BEFORE
    + """
import hashlib, os
from jamguard.jampy.project import Project

answers = os.fdopen(os.dup(1), "w")
sys.stdout = sys.stderr  # Jam.py prints
plain = create_application(".")
off = {"enabled": False}  # nobody here is an ordinary client
hardened = jamguard.harden(create_application("."), {"rate-limit": off, "ban": off})
project = Project.find(hardened)
for app in (plain, hardened):
    Project.find(app).app.task  # loads it, which empties static/internal
print(file=answers, flush=True)

def log_in(app):
    form = b"login=clerk&password=" + sys.argv[1].encode()
    how = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    answer = call(app, "/login.html", "POST", form, **how)
    if answer.code != 302:  # v5
        message = ["login", 1, 0, [{"login": "clerk", "password": sys.argv[1]}], 0]
        answer = call(app, "/api", "POST", json.dumps(message).encode())
    return {"HTTP_COOKIE": answer.get("Set-Cookie").partition(";")[0]}

def read_names():
    names = {}
    for top, folder in (("project", project.folder), ("package", project.package)):
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_size:
                found = names.setdefault(hashlib.sha256(path.read_bytes()).digest(), [])
                found.append(f"{top}/{path.relative_to(folder).as_posix()}")
    return names

def ask(app, path):
    try:
        answer = call(app, path, **cookies[app])
    except Exception:
        return 500, []
    return answer.code, names.get(hashlib.sha256(answer.body).digest(), [])

names = {}
cookies = {app: log_in(app) for app in (plain, hardened)}
for line in sys.stdin:
    names = names or read_names()
    path = json.loads(line)
    print(json.dumps([ask(plain, path), ask(hardened, path)]), file=answers, flush=True)
"""
)

#: what lies about in a project, beside its own files; `content` makes each one unlike all others
LEFT_BEHIND: Final = (
    *(".env", "secret.py", "notes.txt", "copy.sqlite", "index.html.bak", "own.js", "img/own.png"),
    *(".git/config", "locks/lock.js", "reports/own.ods", "migrated/own.zip", "utils/own.js"),
    *("js/.own.js", "js/own.py", "js/own.js~", "js/own.js.bak", "js/.git/own.js", "js/own.sqlite"),
    *("css/own.css.old", "css/.own.css", "css/own"),
    *("static/.env", "static/own.sqlite", "static/own.py", "static/own.js~", "static/.git/config"),
    *("static/js/own.pyc", "static/js/own.toml", "static/builder/own.ods"),
    *("static/internal/own.zip",),
)
#: and what users put there, or developers, for browsers
FOR_BROWSERS: Final = (
    *("js/own.js", "js/lib/own.js", "css/own.css", "css/img/own.png"),
    *("static/own.txt", "static/js/own.js", "static/docs/own manual.pdf", "static/img/own.png"),
    *("static/builder/own.png", "static/reports/own.ods"),
    *(
        f"static/files/{name}"
        for name in ("own.png", ".own", "own.sqlite", "own.py", "own~", "o:n")
    ),
)
#: what Jam.py serves of its own
PARTS: Final = ("package/js/", "package/css/", "package/img/")
PAGES: Final = ("project/index.html", "package/html/builder.html")


@attrs.frozen
class Pair:
    """An application without and with jamguard, in a process of their own."""

    process: "subprocess.Popen[str]"

    def ask(self, path: str) -> tuple[tuple[int, list[str]], tuple[int, list[str]]]:
        """Return code and file of each answer; `path` is as the server has decoded it."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(path), file=self.process.stdin, flush=True)
        plain, hardened = json.loads(self.process.stdout.readline())
        return tuple(plain), tuple(hardened)


@contextmanager
def run_pair(python: Path, project: Path, password: str) -> Generator[Pair, None, None]:
    with subprocess.Popen(
        [python, "-c", CODE, password],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=dict(os.environ),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # it has loaded the project
        for name in (*LEFT_BEHIND, *FOR_BROWSERS):
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"the content of {name}", "utf-8")
        with closing(process.stdin):
            yield Pair(process)


@pytest.fixture(scope="module", params=["v7", "v5"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    v5 = request.param == "v5"
    made = request.getfixturevalue("v5_project" if v5 else "demo_project")
    python = request.getfixturevalue("v5_python") if v5 else Path(sys.executable)
    project = projects.copy(made, tmp_path_factory.mktemp("files") / "project")
    password = "clerks-password" if v5 else projects.CLERK.password
    with run_pair(python, project, password) as running:
        yield running


def is_for_browsers(name: str) -> bool:
    """Say whether a file of `Pair`'s names may be handed out, by where it lies."""
    folder, _, rest = name.partition("/")
    if folder == "package":
        return name.startswith(PARTS) or name in PAGES
    made = rest in FOR_BROWSERS or name in PAGES
    return made or (rest not in LEFT_BEHIND and rest.startswith(("js/", "css/", "static/img/")))


#: what spoils a path, put anywhere
PIECES: Final = (
    *("/", "..", ".", "/../", "\\", ";", ":", "%2e%2e/", "%2f", "\x00", "\n", " ", "~", "~1"),
    *("::$DATA", ".bak", ".js", ".png", "?", "#", "\xff", "\xc0\xae\xc0\xae/", "\xc0\xaf"),
    *(
        "\xef\xbc\x8e\xef\xbc\x8e/",
        "\xe2\x80\x8c",
        "\xc5\xbf",
        "own",
        "static",
        "jam",
        "admin.sqlite",
    ),
)
SLASHES: Final = (
    "/",
    "/",
    "/",
    "//",
    "/./",
    "/x/../",
    "/.//",
    "/... /../",
    "\\",
    "/%2e/",
    "/ /../",
)
BEFORE_IT: Final = (
    *("", "", "/", "/jam/..", "/jam/js/../..", "/jam//..", "/js/..", "/css/x/../..", "/static/.."),
    *(
        "/static/files/../..",
        "/jam/%2e%2e",
        "/jam/..%2f..",
        "/JAM/..",
        "/jam",
        "/jam/js",
        "/static",
    ),
    *(
        "/index.html/..",
        "/api/..",
        "/ext/..",
        "x",
        "http://other.example.com",
        "/jam/.\xe2\x80\x8c.",
    ),
)
BEHIND_IT: Final = (
    "",
    "",
    "",
    "/",
    "//",
    "/.",
    "/..",
    ".",
    " ",
    "::$DATA",
    "\x00.png",
    "?x=.js",
    ";.js",
)
FILES: Final = (
    *(*LEFT_BEHIND, *FOR_BROWSERS, "admin.sqlite", "server.py", "wsgi.py", "index.html"),
    *("jam/js/jam.js", "jam/img/j.png", "jam/wsgi.py", "jam/langs.sqlite", "jam/html/builder.html"),
    *("jam/project/admin.sqlite", "jam/admin/builder_structure.info", "jam/js/../wsgi.py"),
)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """Spell the path of a file in up to three other ways."""
    path = "/" + draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(0, 3))):
        match draw(st.sampled_from(("before", "behind", "slash", "case", "spoilt"))):
            case "before":
                path = draw(st.sampled_from(BEFORE_IT)) + path
            case "behind":
                path += draw(st.sampled_from(BEHIND_IT))
            case "slash":
                slash = draw(st.sampled_from(SLASHES))
                path = slash.join(path.rsplit("/", draw(st.integers(1, 3))))
            case "case":
                names = path.split("/")
                at = draw(st.integers(0, len(names) - 1))
                names[at] = draw(st.sampled_from((names[at].upper(), names[at].capitalize())))
                path = "/".join(names)
            case _:
                at = draw(st.integers(0, len(path)))
                path = path[:at] + draw(st.sampled_from(PIECES)) + path[at + draw(st.booleans()) :]
    return path


@settings(max_examples=600, deadline=None)
@given(path=spellings())
def test_no_spelling_gets_a_file_that_no_browser_needs(pair: Pair, path: str) -> None:
    code, got = pair.ask(path)[1]
    assert not got or any(map(is_for_browsers, got)), (code, got)


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_lies_about_is_handed_out_to_nobody(pair: Pair, name: str) -> None:
    for path in (f"/{name}", f"/jam/../{name}", f"/js/../{name}", f"//{name}", f"/{name}/"):
        assert pair.ask(path)[1][1] == []


def test_the_attacks_land_on_plain_jam_py(pair: Pair) -> None:
    """The control: else the tests above show nothing."""
    for name in ("own.sqlite", ".env", "own.js~", "internal/own.zip"):
        assert pair.ask(f"/static/{name}")[0] == (200, [f"project/static/{name}"])
    if pair.ask("/jam/wsgi.py")[0] == (200, ["package/wsgi.py"]):  # v7
        assert pair.ask("/jam/../.env")[0] == (200, ["project/.env"])
        assert pair.ask("/js/own.py")[0] == (200, ["project/js/own.py"])


@pytest.mark.parametrize("name", FOR_BROWSERS)
def test_what_is_made_for_browsers_arrives(pair: Pair, name: str) -> None:
    plain, hardened = pair.ask(f"/{name}")
    assert plain == hardened
    assert plain == (200, [f"project/{name}"]) or "/lib/" in name or "css/img" in name  # not v5


def test_every_part_of_jam_pys_own_pages_arrives(pair: Pair) -> None:
    import jam  # noqa: PLC0415 - only its folder: v5's files are a part of v7's, by name

    package = Path(jam.__file__).parent
    asked = 0
    for folder in ("js", "css", "img"):
        for path in (package / folder).rglob("*"):
            if path.is_file():
                asked += 1
                plain, hardened = pair.ask(f"/jam/{path.relative_to(package).as_posix()}")
                assert plain == hardened, path
    assert asked > 100
