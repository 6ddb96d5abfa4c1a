"""Two hardened applications in two sub-interpreters of one process, as Apache's mod_wsgi runs them.

mod_wsgi makes one interpreter of the legacy kind for each site: they share one GIL, and a
module that refuses a second interpreter (all that PyO3 builds) cannot be imported.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

#: makes two interpreters, prepares both, then serves in turn: what each prints is one line
TWO: Final = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters
    made = [_interpreters.create("legacy") for _ in range(2)]
    def run(one, code):
        failure = _interpreters.exec(one, code)
        if failure:
            raise SystemExit(failure.formatted)
else:
    import _xxsubinterpreters
    made = [_xxsubinterpreters.create(isolated=False) for _ in range(2)]
    run = _xxsubinterpreters.run_string
application, folders, tests = sys.argv[1], sys.argv[2:4], sys.argv[4]
for one, folder in zip(made, folders):
    run(one, f"import sys; sys.path.append({tests!r}); folder = {folder!r}")
    run(one, application)
for one in made:
    run(one, SERVE)
"""
SERVE: Final = """
import json
from support.wsgi import call
answers = [call(application, path) for path in ("/login.html", "/jam/../admin.sqlite")]
project = application.site.project
of = project and str(project.folder)
served = [[answer.code, answer.get("Jamguard-Refused")] for answer in answers]
print(json.dumps([folder, of, served]), flush=True)
import threading
threading._shutdown()  # as mod_wsgi does before it ends an interpreter
"""
PLAIN: Final = """
import jamguard
from support.wsgi import hello
application = jamguard.harden(hello, {})
"""
#: SQLAlchemy's compiled modules refuse a second interpreter, and with them Jam.py does;
#: their sources are beside them and do the same
JAM: Final = """
import os, sys
from importlib.util import spec_from_file_location
import jamguard

class Sources:
    @staticmethod
    def find_spec(name, path, target=None):
        if name.startswith("sqlalchemy.") and name.endswith("_cy"):
            source = os.path.join(path[0], name.rpartition(".")[2] + ".py")
            return spec_from_file_location(name, source)

sys.meta_path.insert(0, Sources)
from jam.wsgi import create_application
jam = create_application(os.path.join(folder, "server.py"))
application = jamguard.harden(jam, {"storage": "process"})
"""


def serve_in_two(application: str, folders: list[str]) -> list[list[object]]:
    code = f"SERVE = {SERVE!r}\n{TWO}"
    tests = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, application, *folders, tests],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_two_applications_are_served_and_guarded() -> None:
    served = serve_in_two(PLAIN, ["one", "two"])
    answers = [[200, None], [400, "path"]]
    assert served == [["one", None, answers], ["two", None, answers]]


def test_two_jam_projects_are_served_and_guarded_each_with_its_own_folder(
    demo_project: Path, tmp_path: Path
) -> None:
    folders = [str(shutil.copytree(demo_project, tmp_path / name)) for name in ("one", "two")]
    served = serve_in_two(JAM, folders)
    answers = [[200, None], [400, "path"]]
    assert served == [[folder, folder, answers] for folder in folders]


@pytest.mark.parametrize("name", ["attrs", "cattrs", "limits", "secure", "werkzeug"])
def test_what_jamguard_needs_can_be_imported_twice(name: str) -> None:
    served = serve_in_two(f"import {name}\n{PLAIN}", ["one", "two"])
    assert [answers for _, _, answers in served] == [[[200, None], [400, "path"]]] * 2
