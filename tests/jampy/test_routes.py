"""Where Jam.py takes a path; `App.__call__` looks at the first segment only."""

from pathlib import Path

import pytest
from support.inside import inside

from jamguard.jampy import routes
from jamguard.jampy.routes import (
    API,
    BUILDER,
    BUILDER_LOGIN,
    EXT,
    FILE,
    LOGIN,
    LOGOUT,
    PACKAGE_FILE,
    PAGE,
    UPLOAD,
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
    "/static/files/a.png": FILE,
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


def test_only_the_builders_pages_are_the_builders() -> None:
    assert [route for route in WHERE.values() if route.builder] == [BUILDER, BUILDER_LOGIN]


def test_only_templates_are_pages() -> None:
    assert {route for route in WHERE.values() if route.page} == {
        *(PAGE, LOGIN, BUILDER, BUILDER_LOGIN)
    }
