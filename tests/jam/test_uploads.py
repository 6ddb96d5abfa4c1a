"""What users upload through Jam.py itself, and how a server then hands it out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import attrs
import pytest
from support.projects import CLERK, CUSTOMERS, FIELD_DOC, TASK, copy
from support.servers import Kind, Reply, Server, run_server

How = Literal["as it is", "contained", "as text"]

#: what a file is called -> what becomes of it; the types are those of Debian's mime.types and
#: of Python's own table, which differ
UPLOADS: Final[dict[str, How]] = {
    "a.png": "as it is",
    "a.jpeg": "as it is",
    "a.pdf": "as it is",
    "a.txt": "as it is",
    "a.mp4": "as it is",
    "a.html": "contained",
    "a.HTM": "contained",
    "a.xhtml": "contained",
    "a.svg": "contained",
    "a.svgz": "contained",
    "a.html.gz": "contained",
    "a.xml": "contained",
    "a.xsl": "contained",
    "a.rdf": "contained",
    "a.mht": "contained",
    "a.swf": "contained",
    "a.eps": "contained",
    "a.css": "contained",
    "a.json": "contained",
    "a.zip": "contained",
    "a.sqlite": "contained",
    "a.unknown": "contained",
    "a": "contained",
    "a.js": "as text",
    "a.mjs": "as text",
}


@attrs.frozen
class Site:
    plain: Server
    hardened: Server
    paths: dict[str, str]  #: name -> where Jam.py has put it


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def site(
    request: pytest.FixtureRequest, demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    kind: Kind = request.param
    project = copy(demo_project, tmp_path_factory.mktemp(kind) / "project")
    with run_server(project, kind, harden=False) as plain, run_server(project, kind) as hardened:
        cookie = hardened.login(CLERK)
        yield Site(plain, hardened, {name: upload(hardened, cookie, name) for name in UPLOADS})


def upload(server: Server, cookie: str, name: str) -> str:
    fields = {
        "task_id": TASK,
        "item_id": CUSTOMERS,
        "field_id": FIELD_DOC,
        "path": "undefined",
        "file_name": name,
    }
    form = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    form += f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    form += "<script>alert(1)</script>\r\n--b--\r\n"
    headers = {"Cookie": cookie, "Content-Type": "multipart/form-data; boundary=b"}
    reply = server.request("POST", "/upload", headers, form.encode())
    data = reply.json["result"]["data"]
    return f"/{data['path']}/{data['file_name']}"


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_is_served_so_that_nothing_in_it_runs(site: Site, name: str) -> None:
    plain, hardened = (
        server.request("GET", site.paths[name]) for server in (site.plain, site.hardened)
    )
    assert plain.get("X-Content-Type-Options") is None, "the control"
    assert plain.get("Content-Security-Policy") is None, "the control"
    assert (hardened.status, hardened.body) == (200, b"<script>alert(1)</script>")
    assert hardened.get("X-Content-Type-Options") == "nosniff"
    expected = UPLOADS[name]
    assert is_contained(hardened) is (expected == "contained")
    kind = "text/plain; charset=utf-8" if expected == "as text" else plain.get("Content-Type")
    assert hardened.get("Content-Type") == kind


def is_contained(reply: Reply) -> bool:
    policy = reply.get("Content-Security-Policy")
    assert policy
    return policy.startswith("default-src 'none'")


def test_a_browser_that_has_a_file_is_told_that_it_is_still_the_same(site: Site) -> None:
    path = site.paths["a.html"]
    tag = site.hardened.request("GET", path).get("ETag")
    assert tag
    reply = site.hardened.request("GET", path, {"If-None-Match": tag})
    assert (reply.status, reply.body) == (304, b"")
    assert is_contained(reply)


def test_whoever_has_the_address_of_an_upload_needs_no_login(site: Site) -> None:
    """Pictures in a table are uploads, and projects show them on public pages."""
    assert site.hardened.request("GET", site.paths["a.png"]).status == 200


def test_a_script_cannot_ask_for_more_of_the_site_than_its_folder(site: Site) -> None:
    reply = site.hardened.request("GET", site.paths["a.js"], {"Service-Worker": "script"})
    assert reply.get("Service-Worker-Allowed") is None
    assert reply.get("Content-Type") == "text/plain; charset=utf-8"
