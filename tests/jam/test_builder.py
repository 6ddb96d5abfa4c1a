"""The builder of a real project, where something behind the shield changes the path."""

from typing import Any

import pytest
from support import projects
from support.inside import inside

#: asks by a path that only the middleware understands, hardened inside or outside of it
CODE = """
    class Prefix:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            path = environ["PATH_INFO"]
            environ.update(SCRIPT_NAME="/crm", PATH_INFO=path.removeprefix("/crm"))
            return self.app(environ, start_response)

    FORM = (
        '--b\\r\\nContent-Disposition: form-data; name="task_id"\\r\\n\\r\\n0\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="item_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="field_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file_name"\\r\\n\\r\\npwned.txt\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\nx\\r\\n'
        '--b--\\r\\n'
    ).encode()

    def codes(app, **more):
        asked = [
            call(app, "/crm/builder.html", **more),
            call(app, "/crm/api", "POST", b'["load",0,0,null,0]', **more),
            call(app, "/crm/upload", "POST", FORM, **more,
                 CONTENT_TYPE="multipart/form-data; boundary=b"),
            call(app, "/crm/api", "POST", b'["load",1,0,null,0]', **more),
        ]
        return [answer.code for answer in asked]

    jam = create_application("wsgi.py")
    here = dict(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost", HTTP_CONNECTION="keep-alive")
    plain = codes(Prefix(jam))
    result = {
        "plain": plain,
        "outside": codes(jamguard.harden(Prefix(jam))),
        "inside": codes(Prefix(jamguard.harden(jam))),
        "here": codes(jamguard.harden(Prefix(jam)), **here),
        "report": codes(jamguard.harden(Prefix(jam), {"builder": {"mode": "report"}})),
    }
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return inside(projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False), CODE)


@pytest.mark.parametrize(
    ("hardened", "builder"),
    [("plain", 200), ("outside", 403), ("inside", 403), ("here", 200), ("report", 200)],
)
def test_a_prefix_that_is_cut_off_does_not_hide_the_builder(
    answers: Any, hardened: str, builder: int
) -> None:
    assert answers[hardened] == [builder, builder, builder, 200]
