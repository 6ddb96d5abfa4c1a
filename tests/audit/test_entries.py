from pathlib import Path

import pytest

from jamguard.audit.entries import Entry, read_entries, read_entry

MAKE = "from jam.wsgi import create_application\napplication = create_application(__file__)\n"


def entry(folder: Path, code: str) -> Entry | None:
    path = folder / "wsgi.py"
    path.write_text(code)
    return read_entry(path)


@pytest.mark.parametrize(
    "code",
    [
        "import jamguard\n" + MAKE + "application = jamguard.harden(application)\n",
        "from jamguard import harden as h\n" + MAKE + "application = h(application)\n",
        MAKE + "application: object = harden(application)\n",
        MAKE + "app = application = harden(application)\n",
        MAKE + "application = Logged(jamguard.harden(application))\n",
        MAKE + "application = jamguard.harden(application)\napplication = Logged(application)\n",
        MAKE + "application.wsgi_app = jamguard.harden(application.wsgi_app)\n",
        "app = jamguard.harden(create_application(__file__))\n",
        MAKE + "if True:\n    application = jamguard.harden(application)\n",
        MAKE + "try:\n    pass\nexcept OSError:\n    application = jamguard.harden(application)\n",
        "def make():\n    return harden(create_application(__file__))\napplication = make()\n",
        "run(jamguard.harden(create_application(__file__)))\n",
        "apps[0] = jamguard.harden(create_application(__file__))\nrun(apps[0])\n",
        MAKE + "if 1:\n    application = jamguard.harden(application)\n    run(application)\n",
    ],
)
def test_what_is_hardened_is_not_called_bare(tmp_path: Path, code: str) -> None:
    read = entry(tmp_path, code)
    assert read
    assert not read.bare


@pytest.mark.parametrize(
    ("code", "bare", "misplaced"),
    [
        (MAKE, "application", False),
        ("application = Logged(create_application(__file__))\n", "application", False),
        (MAKE + "app = jamguard.harden(application)\n", "application", True),
        (MAKE + "jamguard.harden(application)\n", "application", False),
        ("application = jamguard.harden(None)\n" + MAKE, "application", True),
        (MAKE + "run(application)\n", "application", False),
        (MAKE + "run(application)\napplication = jamguard.harden(application)\n", None, True),
        ("def f():\n    a = create_application(__file__)\n    (lambda: a)()\n", None, False),
    ],
)
def test_what_is_bare_is_found(tmp_path: Path, code: str, bare: str, misplaced: bool) -> None:
    read = entry(tmp_path, code)
    assert read
    assert read.bare == (bare or "application")
    assert read.misplaced is misplaced


@pytest.mark.parametrize("code", ["import os\n", "application = (\n", "a = 1\nprint(a)\n"])
def test_what_makes_no_application_is_no_entry(tmp_path: Path, code: str) -> None:
    assert entry(tmp_path, code) is None
    (tmp_path / "other.py").mkdir()
    assert read_entries(tmp_path) == []
