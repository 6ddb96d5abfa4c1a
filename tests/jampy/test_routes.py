"""Where Jam.py takes a path: v7 by the first segment only, v5 by rules for whole paths."""

from pathlib import Path

import pytest
from support.inside import inside

from jamguard.jampy import routes
from jamguard.jampy.routes import (
    API,
    BUILDER,
    BUILDER_LOGIN,
    EXPORT,
    EXT,
    FILE,
    LOGIN,
    LOGOUT,
    PACKAGE_FILE,
    PAGE,
    REPORT,
    UPLOAD,
    UPLOADED,
)
from jamguard.routes import OTHER, Route

WHERE: dict[str, Route] = {
    "": PAGE,
    "/": PAGE,
    "///": PAGE,
    "/index.html": PAGE,
    "/login.html": LOGIN,
    "//login.html/more": LOGIN,
    "/builder.html/more": BUILDER,
    "/builder_login.html": BUILDER_LOGIN,
    "/api": API,
    "//api/": API,
    "/api/anything/else": API,
    "/upload/x": UPLOAD,
    "/ext/report": EXT,
    "/logout": LOGOUT,
    "/jam/js/jam.js": PACKAGE_FILE,
    "/js/demo.js": FILE,
    "/css/project.css": FILE,
    "/static": FILE,
    "/static/js/chart.js": FILE,
    "/static/files/a.png": UPLOADED,
    "/static//files/a.png": UPLOADED,
    "/static/builder/a.png": UPLOADED,
    "/static/reports/a.ods": REPORT,
    "/static/Reports./a.ods": REPORT,
    "/static/reports:x/a.ods": REPORT,
    "/static/report\xc5\xbf/a.ods": REPORT,  # a long s, in UTF-8
    "/static/r\xe2\x80\x8ceports/a.ods": REPORT,  # with a joiner that nobody sees
    "/static/internal/demo.zip": EXPORT,
    "/static/INTERNAL /demo.zip": EXPORT,
    "/static/own/internal/a.png": FILE,
    "/favicon.ico": FILE,
    "/dummy.html": FILE,
    "/API": OTHER,
    "/apis": OTHER,
    "/own/api": OTHER,
    "/register.html": OTHER,
}


@pytest.mark.parametrize(("path", "route"), WHERE.items())
def test_a_path_leads_where_jam_py_takes_it(path: str, route: Route) -> None:
    assert routes.route(path) is route


def test_jam_py_itself_takes_each_path_to_its_place(project: Path) -> None:
    """What Jam.py does not know is what `OTHER` stands for, and nothing else is."""
    unknown = inside(
        project,
        f"""
        from jamguard.jampy.project import Project
        app = Project.find(create_application("."))
        task = app.app.task
        def place(path):
            try:
                return call(app.app, path, "GET")
            except TypeError:  # None, which is no response, to a method that it does not answer
                return None
            except KeyError:  # a log-out without a session
                return None
        answers = {{path: place(path) for path in {list(WHERE)!r}}}
        result = [path for path, it in answers.items() if it and b"404 Not Found" in it.body]
        """,
    )
    assert unknown == [path for path, route in WHERE.items() if route is OTHER]


WHERE_V5: dict[str, Route] = {
    "": PAGE,
    "/": PAGE,
    "//": PAGE,
    "/index.html": PAGE,
    "/builder.html": BUILDER,
    "//builder.html": BUILDER,
    "/admin.html": BUILDER,
    "/dummy.html": FILE,
    "/api": API,
    "//api": API,
    "/upload": UPLOAD,
    "/ext": EXT,
    "/ext/report": EXT,
    "/jam/js/jam.js": PACKAGE_FILE,
    "/jam/js/ace/ace.js": PACKAGE_FILE,
    "/jam/css/themes/x.css": PACKAGE_FILE,
    "/jam/img/j.png": PACKAGE_FILE,
    "/js/demo5.js": FILE,
    "/css/project.css": FILE,
    "/static/files/a.png": UPLOADED,
    "/static/reports/a.ods": REPORT,
    "/static/internal/demo.zip": EXPORT,
    "/index.html/more": OTHER,
    "/builder.html/": OTHER,
    "/api/": OTHER,
    "/api/x": OTHER,
    "/upload/x": OTHER,
    "/favicon.ico": OTHER,
    "/logout": OTHER,
    "/own": OTHER,
    # pages of the project's own, as far as v5 is concerned
    "/own.html": OTHER,
    "/login.html": OTHER,
    "/builder_login.html": OTHER,
    "/Builder.html": OTHER,
}


@pytest.mark.parametrize(("path", "route"), WHERE_V5.items())
def test_a_path_leads_where_jam_py_v5_takes_it(path: str, route: Route) -> None:
    assert routes.route_v5(path) is route


def test_jam_py_v5_itself_takes_each_path_to_its_place(v5_python: Path, v5_project: Path) -> None:
    asked = [path for path in WHERE_V5 if not path.startswith(("/ext", "/static"))]
    unknown, chosen = inside(
        v5_project,
        f"""
        from jamguard.jampy.project import Project
        project = Project.find(create_application("."))
        def is_unknown(path):
            try:
                return call(project.app, path, "GET").code == 404
            except TypeError:  # None, which is no response, to a method that it does not answer
                return False
        result = [[path for path in {asked!r} if is_unknown(path)], project.route.__name__]
        """,
        python=v5_python,
    )
    pages = {"/own.html", "/login.html", "/builder_login.html", "/Builder.html"}
    assert chosen == "route_v5"
    assert unknown == [path for path in asked if WHERE_V5[path] is OTHER and path not in pages]


def test_only_what_the_builder_shows_and_writes_is_the_builders() -> None:
    builders = {route for route in (*WHERE.values(), *WHERE_V5.values()) if route.builder}
    assert builders == {BUILDER, BUILDER_LOGIN, EXPORT}


def test_only_templates_are_pages() -> None:
    assert {route for route in WHERE.values() if route.page} == {
        *(PAGE, LOGIN, BUILDER, BUILDER_LOGIN)
    }
