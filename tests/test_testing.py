"""What the tests of a user's project can say: the fixture, and `assert_hardened`."""

import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from support import projects
from support.fake import site

from jamguard import harden
from jamguard.probing.rows import questions
from jamguard.testing import assert_hardened, load

EXAMPLE = Path(__file__).parent.parent / "docs" / "example"
ROWS = {question.id for question in questions()}

#: tests of a user who tries the client
OWN = """\
import pytest
from werkzeug.test import EnvironBuilder


def test_a_redirect_is_followed(hardened):
    answer = hardened.get("/", follow_redirects=True)
    assert answer.request.path == "/login.html"
    assert "Secure" in hardened.post("/api", json=["load", 1, 0, None, 0]).headers["Set-Cookie"]


def test_requests_are_made_as_one_likes(hardened):
    builder = EnvironBuilder("/builder.html", base_url="http://localhost")
    assert hardened.open(builder).status_code == 403
    own = {"REMOTE_ADDR": "127.0.0.1"}
    answer = hardened.get(
        "/builder.html",
        base_url="http://localhost",
        environ_base=own,
        headers={"Connection": "keep-alive"},
    )
    assert answer.status_code == 302


def test_time_does_not_go_back(hardened):
    hardened.clock.move(0)
    with pytest.raises(ValueError, match="time does not go back"):
        hardened.clock.move(-1)


@pytest.mark.parametrize("time", [1, 2])
def test_a_ban_ends_with_its_test(hardened, time):
    for _ in range(20):
        assert hardened.get("/jam/../admin.sqlite").status_code == 400
    assert hardened.get("/").headers["Jamguard-Refused"] == "ban"
    hardened.clock.move(3601)
    assert hardened.get("/").status_code == 302
    assert hardened.get("/jam/../admin.sqlite").status_code == 400
"""


def run_pytest(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture(scope="module")
def example(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of the documentation, with databases."""
    folder = projects.copy(demo_project, tmp_path_factory.mktemp("example") / "project")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    return folder


def test_the_example_of_the_documentation_passes(example: Path) -> None:
    done = run_pytest(example, "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_the_example_fails_without_its_line(example: Path, tmp_path: Path) -> None:
    folder = projects.copy(example, tmp_path / "project")
    wsgi = folder / "wsgi.py"
    source = wsgi.read_text("utf-8").replace("application = jamguard.harden(application)\n", "")
    wsgi.write_text(source, "utf-8")
    done = run_pytest(folder, "-q")
    assert done.returncode == 1
    assert "is not what jamguard.harden() returns" in done.stdout
    assert "5 errors" in done.stdout


def test_the_example_fails_with_a_guard_switched_off(example: Path, tmp_path: Path) -> None:
    folder = projects.copy(example, tmp_path / "project")
    settings = folder / "pyproject.toml"
    settings.write_text(
        settings.read_text("utf-8") + "[tool.jamguard.path]\nenabled = false\n", "utf-8"
    )
    done = run_pytest(folder, "-q", "-k", "stranger")
    assert done.returncode == 1
    assert "https://localhost gives to a stranger:" in done.stdout
    assert "database (critical): " in done.stdout
    assert "bytes: an SQLite database" in done.stdout
    assert "Harden the application; the guard path does this" in done.stdout


def test_a_client_and_its_clock(example: Path, tmp_path: Path) -> None:
    folder = projects.copy(example, tmp_path / "project")
    (folder / "tests" / "test_own.py").write_text(OWN)
    done = run_pytest(folder, "-q", "tests/test_own.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_pytest_finds_the_fixture_of_an_installed_package() -> None:
    (found,) = entry_points(group="pytest11", name="jamguard")
    assert found.value == "jamguard.pytest_plugin"


def test_pytest_loads_little_until_a_test_asks_for_more(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\ndef test_little_is_loaded():\n"
        "    assert 'jamguard.pytest_plugin' in sys.modules\n"
        "    assert not sys.modules.keys() & {'werkzeug', 'jam', 'jamguard.testing'}\n"
    )
    done = run_pytest(tmp_path, "-q")
    assert "1 passed" in done.stdout, done.stdout


def test_a_bare_application_fails_with_what_it_gives_and_what_to_do() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_hardened(site(), accepted={"rate"})
    message = str(caught.value)
    assert message.startswith("https://localhost gives to a stranger:\n")
    assert "\nframing (medium): any site can show the page in a frame" in message
    assert "\n  Harden the application; the guard headers does this" in message
    assert "\nrate (" not in message


def test_an_application_fails_by_no_row_that_is_accepted() -> None:
    assert_hardened(site(), accepted=ROWS)


def test_a_row_that_there_is_not_cannot_be_accepted() -> None:
    with pytest.raises(ValueError, match="there is no row databse"):
        assert_hardened(site(), accepted={"databse", "rate"})


def test_an_application_that_does_not_answer_by_that_name_fails() -> None:
    app = harden(site(), {"storage": "process", "host": {"allowed": ["www.example.com"]}})
    with pytest.raises(AssertionError, match=r"status 421 \(by the guard host\): use the name"):
        assert_hardened(app, url="https://shop.example.com")


def test_what_was_not_asked_to_its_end_fails() -> None:
    banned = site("403 Forbidden", ("Jamguard-Refused", "ban"))
    with pytest.raises(AssertionError, match="not all was asked: it has banned this address"):
        assert_hardened(site(until=50, after=banned), accepted=ROWS)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "name the file in the settings of pytest: jamguard_wsgi"),
        ("app = None\n", "is not what jamguard.harden"),
        ("def application(environ, start_response): ...\n", "is not what jamguard.harden"),
    ],
)
def test_a_project_that_is_not_hardened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, says: str
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "wsgi", None)
    if source is not None:
        (tmp_path / "wsgi.py").write_text(source)
    with pytest.raises(LookupError, match=says):
        load(tmp_path / "wsgi.py")
