"""Which files may be handed out, by their names alone."""

from time import perf_counter

import pytest

from jamguard.jampy.files import fold, may_be_served, read


def utf8(path: str) -> str:
    """Write a path as `PATH_INFO` has it."""
    return path.encode().decode("latin-1")


SERVED = [
    "",
    "/",
    "//",
    "/index.html",
    "/login.html/",
    "/api",
    "//api/",
    "/ext",
    "/ext/report/2026",
    "/favicon.ico",
    "/jam/js/jam.js",
    "/jam/js/jquery.maskedinput.min.js",
    "/jam/js/modules/field.js",
    "/jam/js/min/vs/base/browser/ui/codicons/codicon/codicon.ttf",
    "/jam/js/min-maps/vs/loader.js.map",
    "/jam/js//bs5/bootstrap.js/",
    "/jam/css/bs5/fonts/bootstrap-icons.woff2",
    "/jam/css/bs5/bootstrap-icons.json",
    "/jam/css/zebra_datepicker/default/zebra_datepicker.scss",
    "/jam/img/j.ico",
    "/jam/img/J.PNG",
    "/js/demo.js",
    "/js/lib/own.mjs",
    utf8("/js/größe.js"),
    "/css/project.css",
    "/css/fonts/own.woff",
    "/css/background.webp",
    "/static",
    "/static/js/Chart.min.js",
    "/static/js/jquery.old.js",
    "/static/js/app.config.js",
    "/static/js/model/group1-shard1of4",
    "/static/js/app.js.gz",
    "/static/css/own.css.map",
    "/static/docs/Manual (2026).pdf",
    "/static/docs/12:30.pdf",
    "/static/docs/figures.xlsx",
    "/static/docs/a~b.txt",
    "/static/docs/python.html",
    "/static/docs/a.py.html",
    "/static/downloads/setup.exe",
    "/static/downloads/photos.zip",
    "/static/downloads/demo-1.0.tar.gz",
    "/static/openapi.yaml",
    "/static/LICENSE",
    "/static/backup/photo.jpg",
    utf8("/static/zdjęcia/Żółć.png"),
    "/static/builder/placeholder.png",
    "/static/builder/logo.SVG",
    *(
        f"/static/{folder}/{name}"
        for folder in ("files", "reports", "internal")
        for name in (
            "plain.txt",
            ".hidden.txt",
            "no ending",
            "data.sqlite",
            "server.py",
            "old.bak",
            "a~b.txt",
            "12:30.txt",
            "con.txt",
            "notes~",
            "own/.env",
            utf8("名前.py"),
        )
    ),
]

NOT_SERVED = [
    "/jam",
    "/jam/",
    "/jam/wsgi.py",
    "/jam/wsgi.py/",
    "/jam//wsgi.py",
    "/jam/js",
    "/jam/js/",
    "/jam/js/wsgi.py",
    "/jam/js/jam.js~",
    "/jam/js/jam.js.bak",
    "/jam/js/jam.js.",
    "/jam/js/jam.js;x=.css?",
    "/jam/js/jam.js:stream",
    "/jam/js/.hidden.js",
    "/jam/js/.git/x.js",
    "/jam/JS/jam.js",
    "/jam/html/builder.html",
    "/jam/html/x.js",
    "/jam/langs.sqlite",
    "/jam/project/admin.sqlite",
    "/jam/project/css/project.css",
    "/jam/admin/builder.py",
    "/jam/admin/builder_structure.info",
    "/jam/__pycache__/wsgi.cpython-311.pyc",
    "/jam/x.js",
    "/js",
    "/js/demo.py",
    "/js/demo.sqlite",
    "/js/demo",
    "/js/.js",
    "/js/lib/.x/own.js",
    "/css/project.css.old",
    "/css/project.css,v",
    "/static/admin.sqlite",
    "/static/Admin.SQLITE",
    "/static/admin.sqlite3",
    "/static/admin.db",
    "/static/admin.sqlite-wal",
    "/static/admin.sqlite-journal",
    "/static/admin.sqlite.gz",
    "/static/admin.sqlite.bak",
    "/static/admin.sqlite.2026",
    "/static/admin.sqlite.",
    "/static/admin.sqlite. .",
    "/static/admin.sqlite/",
    "/static/admin.sqlite::$DATA",
    "/static/dump-12:30:00.sqlite",
    utf8("/static/admin.\u017fqlite"),
    utf8("/static/admin.sq\u200clite"),
    "/static/dump.sql",
    "/static/dump.sql.tar.gz",
    "/static/app/server.py",
    "/static/app/__pycache__/server.cpython-311.pyc",
    "/static/app/x.pyo",
    "/static/x.info",
    "/static/pyproject.toml",
    "/static/settings.ini",
    "/static/site.log.1",
    "/static/.env",
    "/static/prod.env",
    "/static/.htpasswd",
    "/static/.git/config",
    "/static/js/.git/config",
    utf8("/static/\u200c.git/config"),
    "/static/js/own.js~",
    "/static/js/#own.js#",
    "/static/js/.own.js.swp",
    "/static/js/own.js.swp",
    "/static/js/own.js.bak",
    "/static/js/own.js.bak2",
    "/static/js/own.js.old",
    "/static/js/own.js.orig",
    "/static/js/own.tmp",
    "/static/builder/template.ods",
    "/static/builder/data.sqlite",
    "/static/builder/.png",
    "/index.html/more",
    "/login.html/more",
    "/builder.html/builder.html",
    "/builder_login.html//x",
    "/api/x",
    "/upload/x",
    "/logout/x",
    "/favicon.ico/x",
    "/dummy.html/x",
]


@pytest.mark.parametrize("path", SERVED)
def test_what_browsers_need_is_served(path: str) -> None:
    assert may_be_served(path, windows=False)


@pytest.mark.parametrize("windows", [False, True], ids=["elsewhere", "Windows"])
@pytest.mark.parametrize("path", NOT_SERVED)
def test_what_they_do_not_need_is_not(path: str, *, windows: bool) -> None:
    assert not may_be_served(path, windows=windows)


#: what is an ordinary name, but for Windows
ALIASES = [
    "/static/files/12:30.txt",
    "/static/files/report.txt::$DATA",
    "/static/files/report.txt:stream",
    "/static/files/C:/Windows/notes.txt",
    "/js/C:own.js",
    "/static/files/REPORT~1.TXT",
    "/static/files/REPOR~12",
    "/static/docs/NOTES~1.TXT",
    "/static/DOCS~1/a.pdf",
    "/js/DEMO~1.JS",
    "/jam/js/con.js",
    "/static/files/NUL",
    "/static/files/aux.txt",
    "/static/files/Com1.tar.gz",
    utf8("/static/files/lpt¹.txt"),
    "/static/files/con .txt",
    "/static/prn/a.png",
    "/static/files/CONIN$",
]
#: and what only looks like it
NO_ALIASES = [
    "/jam/js/jam.js",
    "/js/console.js",
    "/static/files/a~b.txt",
    "/static/files/annual~2026.txt",
    "/static/files/a~1.text",
    "/static/files/icon.txt",
    "/static/files/com.txt",
    "/static/files/com10.txt",
    "/static/files/annual report.pdf",
]


@pytest.mark.parametrize("path", ALIASES)
def test_another_name_of_a_file_is_no_name_of_it_on_windows(path: str) -> None:
    assert not may_be_served(path, windows=True)
    assert may_be_served(path, windows=False)


@pytest.mark.parametrize("path", NO_ALIASES)
def test_what_looks_like_another_name_is_an_ordinary_one(path: str) -> None:
    assert may_be_served(path, windows=True)


@pytest.mark.parametrize(
    "name", ["reports", "Reports", "REPORTS ", "reports..", "reports. .", "reports::$DATA"]
)
def test_a_name_is_what_the_least_exact_file_system_takes_it_for(name: str) -> None:
    assert fold(name) == "reports"


def test_a_path_that_is_no_utf_8_is_read_all_the_same() -> None:
    assert read("/\xff\xfe") == "/\ufffd\ufffd"
    assert read("/\ufffd") == "/?"  # what a server has decoded, and Jam.py fails on


@pytest.mark.parametrize(
    "unit", ["/", "~1", ".sqlite", ".bak1", ".1", ".db.zip", ". ", "~.", ":", "com1 ", "\xff"]
)
@pytest.mark.parametrize("before", ["/static/", "/static/x.db", "/js/", "/jam/js/x"])
def test_a_long_name_costs_no_more_than_its_length(before: str, unit: str) -> None:
    start = perf_counter()
    may_be_served(before + unit * 50_000 + "x", windows=True)
    assert perf_counter() - start < 2  # what is quadratic takes minutes
