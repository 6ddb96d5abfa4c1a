"""Files that no browser needs: of the project, of the package, and of other people."""

from pathlib import PurePosixPath
from typing import Final

from support.servers import Kind, Reply

from .attack import BOTH, Attack, Project, Site, Spelling, body_has, get, raw

#: waitress folds slashes at the front of a path, gunicorn and Jam.py do not
WAITRESS: Final[Kind] = "waitress"

#: how one writes `/jam/../`
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
    "/jam/js/../../",
    "http://other.example.com/jam/../",
    "//jam/../",
)
AT_THE_FRONT: Final[dict[str, Kind]] = {"//": WAITRESS}
FOLDED: Final[dict[str, Kind]] = {"//jam/../": WAITRESS}


def rows(project: Project) -> list[Attack]:
    return [
        Attack(
            id="project-databases",
            wants="Jam.py's own database: every password in clear, the key of all sessions",
            who="stranger",
            spellings={
                **{up: get(f"{up}admin.sqlite") for up in UP},
                "pipelined": raw(
                    "GET /login.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /jam/../admin.sqlite HTTP/1.1\r\nHost: localhost\r\n"
                    "Connection: close\r\n\r\n"
                ),
                "by a range": get("/jam/../admin.sqlite", Range="bytes=0-99"),
                "with a query": get("/jam/../admin.sqlite?v=1"),
            },
            only=FOLDED,
            got=body_has(DATABASE),
        ),
        Attack(
            id="application-database",
            wants="the application's database, where it is a file",
            who="stranger",
            spellings={up: get(f"{up}demo.sqlite") for up in UP},
            only=FOLDED,
            got=body_has(DATABASE),
        ),
        Attack(
            id="project-sources",
            wants="the project's sources, templates, locks and languages",
            who="stranger",
            spellings={
                f"{up}{name}": get(f"{up}{name}")
                for up in ("/jam/../", "/jam/%2e%2e/")
                for name in ("server.py", "wsgi.py", "langs.sqlite", "reports/custlist.ods")
            },
            got=of_the_project,
        ),
        Attack(
            id="files-of-the-project-for-users",
            wants="Jam.py's own database with any login, by the folders that need one",
            who="user",
            spellings={
                path: get(f"{path}admin.sqlite", "{clerk}")
                for path in ("/js/../", "/css/../", "/js/%2e%2e/", "/css/..%2f", "/js/x/../../")
            },
            got=body_has(DATABASE),
        ),
        Attack(
            id="package-files",
            wants="the sources and databases of Jam.py, and with them its exact version",
            who="stranger",
            spellings={
                path: get(path)
                for path in (
                    "/jam/wsgi.py",
                    "/jam/admin/builder.py",
                    "/jam/project/admin.sqlite",
                    "/jam/langs.sqlite",
                    "/jam/admin/builder_structure.info",
                    "/jam/__pycache__/wsgi.cpython-311.pyc",
                    "/jam/wsgi%2epy",
                    "/%6aam/wsgi.py",
                    "/jam%2fwsgi.py",
                    "/jam/%77sgi.py?v=1",
                    "/jam/wsgi.py/",
                    "/jam/js/../wsgi.py",
                    "/jam/html/builder.html",
                )
            },
            got=of_the_package,
        ),
        Attack(
            id="reports-for-strangers",
            wants="a report that a user has printed",
            who="stranger",
            spellings=everywhere("static/reports/customers.ods", ""),
            only=AT_THE_FRONT,
            got=body_has(SECRET),
            jam=BOTH,
        ),
        Attack(
            id="exports-for-strangers",
            wants="an export of the whole project, with its code",
            who="stranger",
            spellings=everywhere("static/internal/demo.zip", ""),
            only=AT_THE_FRONT,
            got=body_has(SECRET),
            jam=BOTH,
        ),
        Attack(
            id="exports-for-users",
            wants="an export of the whole project with a login that is not an administrator's",
            who="user",
            spellings=everywhere("static/internal/demo.zip", "{clerk}"),
            only=AT_THE_FRONT,
            got=body_has(SECRET),
            jam=BOTH,
        ),
    ]


DATABASE: Final = b"SQLite format 3"
SECRET: Final = b"what only some may read"


def everywhere(path: str, cookie: str) -> dict[str, Spelling]:
    """Ask for a file below `static` by several names of it."""
    folder, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
    last = folder.rpartition("/")[2]
    asked = {
        "plain": f"/{path}",
        "an escaped letter": f"/static/%{ord(last[0]):02x}{last[1:]}/{name}",
        "an escaped slash": f"/static%2f{last}%2f{name}",
        "a slash at the end": f"/{path}/",
        "a dot": f"/static/./{last}/{name}",
        "up and down": f"/static/files/../{last}/{name}",
        "a query": f"/{path}?v=1",
        "//": f"//{path}",
    }
    return {
        **{how: made(path, asked_path, cookie) for how, asked_path in asked.items()},
        "a range": made(path, f"/{path}", cookie, Range="bytes=0-"),
    }


def made(file: str, path: str, cookie: str, **headers: str) -> Spelling:
    """Ask for a file that somebody else has put there."""

    def send(site: Site) -> Reply:
        target = site.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(SECRET)
        return get(path, cookie, **headers)(site)

    return send


def of_the_project(site: Site, reply: Reply) -> bool:
    """Say whether the reply is, word for word, a file of the project."""
    return reply.status == 200 and any(
        reply.body == path.read_bytes()
        for path in site.folder.rglob("*")
        if path.is_file() and path.stat().st_size
    )


def of_the_package(site: Site, reply: Reply) -> bool:
    """Say whether the reply is, word for word, a file of the package that is no page's part."""
    return reply.status == 200 and any(
        reply.body == path.read_bytes()
        for path in site.package.rglob("*")
        if path.suffix in {".py", ".pyc", ".sqlite", ".info", ".html"}
        and path.stat().st_size == len(reply.body) > 0
    )
