"""Requests of other sites' pages as servers and proxies hand them over."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support import projects
from support.projects import CLERK, CUSTOMERS, FIELD_DOC, TASK
from support.servers import Reply, Server, run_nginx, run_server

#: only this guard refuses
ALONE = '[tool.jamguard]\nmode = "report"\n[tool.jamguard.origin]\nmode = "enforce"\n'
#: the two nginx samples of Jam.py's documentation, and what the second one does since 1.29.7
SAMPLES = {
    "with Host": (
        "location / { proxy_pass http://UPSTREAM; proxy_set_header Host $host; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }"
    ),
    "with nothing": "location / { proxy_pass http://UPSTREAM; }",
    "with nothing, HTTP/1.1": (
        "location / { proxy_pass http://UPSTREAM; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; }'
    ),
}
#: a browser that visits the site, on plain http, where it sends no fetch metadata
SITE = "192.0.2.7:8080"
BROWSER = {
    "Host": SITE,
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "Connection": "keep-alive",
    "Origin": f"http://{SITE}",
}
EVIL = {**BROWSER, "Origin": "http://evil.example"}
Pairs = Sequence[tuple[str, str]]


@pytest.fixture(scope="module")
def open_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its safe mode off, as each is at first."""
    return projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False)


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def server(
    request: pytest.FixtureRequest, open_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    project = projects.copy(open_project, tmp_path_factory.mktemp("served") / "project")
    with run_server(project, request.param, config=ALONE) as running:
        yield running


def write_file(server: Server, name: str, headers: Mapping[str, str] | Pairs) -> Reply:
    """Send a call that writes a file, as any page can: as plain text."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    call = ["server", 0, 0, ["server_save_file", [name, "pwned"]], 0]
    pairs.append(("Content-Type", "text/plain;charset=UTF-8"))
    return server.request("POST", "/api", pairs, json.dumps(call).encode())


def upload(server: Server, headers: Mapping[str, str]) -> Any:
    """Upload a file as Jam.py's client does, and return where it is."""
    ids = {"task_id": TASK, "item_id": CUSTOMERS, "field_id": FIELD_DOC, "file_name": "a.txt"}
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in ids.items()
    ]
    file = (
        '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        "kept\r\n--b0undary--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b0undary"}
    body = ("".join(parts) + file).encode()
    return server.request("POST", "/upload", {**headers, **kind}, body).json["result"]["data"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", "http://evil.example")],
        [("Origin", "null")],
        [("Origin", f"http://{SITE}"), ("Origin", "http://evil.example")],
        [("Origin", "http://evil.example"), ("Origin", f"http://{SITE}")],
    ],
    ids=str,
)
def test_what_a_server_makes_of_odd_headers_is_refused(server: Server, headers: Pairs) -> None:
    reply = write_file(server, "pwned.txt", [("Host", SITE), *headers])
    assert (reply.status, reply.body) == (403, b"")
    assert not (server.output.parent / "project" / "pwned.txt").exists()


def test_the_sites_own_page_and_a_program_are_served(server: Server) -> None:
    project = server.output.parent / "project"
    for number, headers in enumerate(
        [BROWSER, {"Host": SITE}, {**EVIL, "Sec-Fetch-Site": "same-origin"}]
    ):
        assert write_file(server, f"own{number}.txt", headers).status == 200
        assert (project / f"own{number}.txt").read_text() == "pwned"


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("sample", SAMPLES)
def test_behind_jam_pys_own_samples_with_nothing_declared(
    open_project: Path, project: Path, tmp_path: Path, sample: str
) -> None:
    plain = projects.copy(open_project, tmp_path / "plain")
    with run_server(plain, harden=False) as server, run_nginx(SAMPLES[sample], server) as nginx:
        assert write_file(nginx, "pwned.txt", EVIL).status == 200
    assert (plain / "pwned.txt").exists(), "the control"

    hardened = projects.copy(open_project, tmp_path / "hardened")
    with (
        run_server(hardened, config=ALONE) as server,
        run_nginx(SAMPLES[sample], server) as nginx,
    ):
        assert write_file(nginx, "pwned.txt", EVIL).status == 403
        assert not (hardened / "pwned.txt").exists()
        log = server.log()
    assert "proxy_set_header Host $http_host;" in log

    with run_server(project) as server, run_nginx(SAMPLES[sample], server) as nginx:
        cookie = nginx.login(CLERK, headers=BROWSER)
        loaded = nginx.api(["load", TASK, 0, None, 0], cookie, BROWSER)
        assert loaded.json["result"]["status"] == 9
        https = {**BROWSER, "Origin": "https://crm.example.com", "Sec-Fetch-Site": "same-origin"}
        loaded = nginx.api(["load", TASK, 0, None, 0], cookie, https)
        assert loaded.json["result"]["status"] == 9
        kept = upload(nginx, {**BROWSER, "Cookie": cookie})
        log = server.log()
    assert kept["file_name"]
    assert (project / kept["path"] / kept["file_name"]).read_text() == "kept"
    assert " refused " not in log
    (notice,) = [line for line in log.splitlines() if "id=JG017" in line]
    assert "proxy_set_header Host $http_host" in notice
