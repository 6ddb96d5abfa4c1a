from pathlib import Path

import pytest

from jamguard.cli.hardening import harden_file, harden_project

WSGI = "\nfrom jam.wsgi import create_application\n\napplication = create_application(__file__)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            WSGI,
            "\nimport jamguard\nfrom jam.wsgi import create_application\n\n"
            "application = create_application(__file__)\n"
            "application = jamguard.harden(application)\n",
            id="wsgi.py",
        ),
        pytest.param(
            "if __name__ == '__main__':\n"
            "    from jam.wsgi import create_application\n"
            "    from jam.wsgi_server import run\n\n"
            "    application = create_application(__file__)\n"
            "    run(application)\n",
            "if __name__ == '__main__':\n"
            "    import jamguard\n"
            "    from jam.wsgi import create_application\n"
            "    from jam.wsgi_server import run\n\n"
            "    application = create_application(__file__)\n"
            "    application = jamguard.harden(application)\n"
            "    run(application)\n",
            id="server.py",
        ),
        pytest.param(
            "from jam.wsgi import create_application\r\n"
            "app = create_application(__file__)  # é\r\n",
            "import jamguard\r\nfrom jam.wsgi import create_application\r\n"
            "app = create_application(__file__)  # é\r\napp = jamguard.harden(app)\r\n",
            id="windows-another-name",
        ),
        pytest.param(
            "from jam.wsgi import create_application\napplication=create_application('/srv/shop')",
            "import jamguard\nfrom jam.wsgi import create_application\n"
            "application=create_application('/srv/shop')\n"
            "application = jamguard.harden(application)",
            id="no-spaces-no-last-newline",
        ),
        pytest.param(
            WSGI + "# application = jamguard.harden(application)\n",
            "\nimport jamguard\nfrom jam.wsgi import create_application\n\n"
            "application = create_application(__file__)\n"
            "application = jamguard.harden(application)\n"
            "# application = jamguard.harden(application)\n",
            id="the-line-is-commented-out",
        ),
    ],
)
def test_the_line_comes_after_the_application_and_only_once(
    tmp_path: Path, before: str, after: str
) -> None:
    file = tmp_path / "wsgi.py"
    file.write_bytes(before.encode())
    assert harden_file(file)
    assert file.read_bytes().decode() == after
    assert not harden_file(file)
    assert file.read_bytes().decode() == after


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("", id="empty"),
        pytest.param("from shop import application\n", id="made-elsewhere"),
        pytest.param("application = create_application(__file__)\n", id="import-is-missing"),
        pytest.param(
            "application = create_application(__file__)\nfrom jam.wsgi import create_application\n",
            id="import-comes-after",
        ),
    ],
)
def test_a_file_that_is_not_understood_is_left_alone(tmp_path: Path, source: str) -> None:
    file = tmp_path / "wsgi.py"
    file.write_text(source)
    with pytest.raises(ValueError, match=r"wsgi\.py has no line 'application = create_app"):
        harden_file(file)
    assert file.read_text() == source


def test_both_files_of_a_real_project_are_hardened(project: Path) -> None:
    files = [project / "wsgi.py", project / "server.py"]
    assert harden_project(project) == files
    for file in files:
        compile(file.read_text(), file, "exec")
        assert "application = jamguard.harden(application)" in file.read_text()
    assert harden_project(project) == []


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_the_documentation_shows_what_becomes_of_wsgi_py(project: Path, page: str) -> None:
    harden_file(project / "wsgi.py")
    becomes = (project / "wsgi.py").read_text().strip()
    assert becomes in (Path(__file__).parents[2] / page).read_text("utf-8")


def test_the_documentation_shows_what_becomes_of_server_py(project: Path) -> None:
    harden_file(project / "server.py")
    source = (project / "server.py").read_text()
    becomes = source[source.index("    import jamguard") :].strip()
    assert becomes in (Path(__file__).parents[2] / "docs/start.md").read_text("utf-8")
