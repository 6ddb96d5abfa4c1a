"""The builder on real servers: open on plain Jam.py, shut behind jamguard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import projects
from support.projects import ADMIN
from support.servers import Server, run_nginx, run_server

#: the two samples of Jam.py's documentation and a common third, nothing declared to jamguard
SAMPLES = {
    "with headers": (
        "location / { proxy_pass http://UPSTREAM; proxy_set_header Host $host; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }"
    ),
    "without headers": "location / { proxy_pass http://UPSTREAM; }",
    "with WebSockets": (  # nginx's own sample for them, which tells nothing of the client
        "location / { proxy_pass http://UPSTREAM; proxy_http_version 1.1; "
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }"
    ),
}
#: asks for the builder's own items, and what its answer has in it
#: what every browser sends, and a proxy takes away
BROWSER = {"Connection": "keep-alive"}
LOAD: list[object] = ["load", 0, 0, None, 0]
OPENED = b"sys_users"
FORM = {"Content-Type": "multipart/form-data; boundary=b0undary", "Connection": "keep-alive"}


@pytest.fixture(scope="module")
def open_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it is before anybody switched the safe mode on: no login anywhere."""
    return projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False)


@pytest.fixture
def project(open_project: Path, tmp_path: Path) -> Path:
    return projects.copy(open_project, tmp_path / "project")


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> str:
    return SAMPLES[request.param]


def written(server: Server, task_id: str, name: str, **how: str) -> int:
    """Upload a file of that name as the builder, into `static/internal`; return the status."""
    fields = {
        "task_id": task_id,
        "item_id": "-1",
        "field_id": "-1",
        "path": "static/internal",
        "file_name": name,
    }
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    file = (
        '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\n'
        "pwned\r\n--b0undary--\r\n"
    )
    return server.request("POST", "/upload", FORM, ("".join(parts) + file).encode(), **how).status


@pytest.mark.needs("nginx")
def test_plain_jam_py_behind_its_documented_proxy_lets_the_world_build(
    project: Path, sample: str
) -> None:
    """The control."""
    with (
        run_server(project, "gunicorn", harden=False) as server,
        run_nginx(sample, server) as nginx,
    ):
        assert nginx.request("GET", "/builder.html").status == 200
        assert OPENED in nginx.api(LOAD).body
        written(nginx, "0", "../../pwned.txt")
        assert (project / "pwned.txt").read_text() == "pwned"


@pytest.mark.needs("nginx")
def test_behind_the_documented_proxy_the_builder_is_shut_and_the_site_works(
    project: Path, sample: str
) -> None:
    with run_server(project, "gunicorn") as server, run_nginx(sample, server) as nginx:
        assert nginx.request("GET", "/").status == 200
        assert nginx.api(["load", 1, 0, None, 0]).json["result"]["status"] == 9
        assert nginx.request("GET", "/builder.html").status == 403
        assert nginx.request("GET", "/builder_login.html").status == 403
        for zero in ("0", " 0", "-0", "0.0", "false", "1e-400"):
            body = f'["load",{zero},0,null,0]'.encode()
            for path in ("/api", "//api", "/api/x", "/%61pi"):
                reply = nginx.request("POST", path, FORM, body)
                # below `/api` nothing is Jam.py's
                assert (reply.status, reply.body) == (404 if path == "/api/x" else 403, b"")
        for number, zero in enumerate(["0", " 0", "+0", "0_0"]):
            for folder in ("", "../../"):
                assert written(nginx, zero, f"{folder}pwned{number}.txt") == 403
        assert not list(project.rglob("pwned*"))
        assert nginx.request("GET", "/").status == 200


@pytest.fixture(params=["gunicorn", "waitress", "werkzeug"])
def server(request: pytest.FixtureRequest, project: Path) -> Iterator[Server]:
    with run_server(project, request.param) as running:
        yield running


def test_on_this_computer_the_builder_works(server: Server, project: Path) -> None:
    assert server.request("GET", "/builder.html", BROWSER).status == 200
    assert OPENED in server.api(LOAD, headers=BROWSER).body
    assert written(server, "0", "built.txt") == 200
    assert (project / "static/internal/built.txt").exists()
    assert written(server, "0", "../../built.txt") == 400
    assert not (project / "built.txt").exists()


def test_a_name_that_was_rebound_to_this_computer_may_not_build(server: Server) -> None:
    """DNS rebinding: a page of evil.example talks to 127.0.0.1 by its own name."""
    host = {**BROWSER, "Host": f"evil.example:{server.port}"}
    assert server.request("GET", "/builder.html", host).status in {403, 503}
    assert OPENED not in server.api(LOAD, headers=host).body


def test_report_mode_logs_an_upload_and_lets_it_pass(project: Path) -> None:
    config = '[tool.jamguard.builder]\nmode = "report"\nallow = []\n'
    with run_server(project, "gunicorn", config=config) as server:
        assert written(server, "0", "reported.txt") == 200
        assert (project / "static/internal/reported.txt").exists()
        assert "would-refuse guard=builder reason=builder status=403" in server.log()
        assert server.try_login(ADMIN, "/builder_login.html").status in {200, 302}
