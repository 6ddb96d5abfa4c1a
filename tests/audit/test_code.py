import os
from pathlib import Path

import pytest
from support.audited import change, found, harden, places
from support.code import add_task_code

DANGERS = {"JC303", "JC304", "JC305"}


def task_code(project: Path, code: str) -> Path:
    return change(project, "UPDATE SYS_ITEMS SET F_SERVER_MODULE = ? WHERE TYPE_ID = 5", code)


def test_what_every_user_may_call_is_listed(project: Path) -> None:
    code = "def _private(task): pass\ndef on_login(task): pass\ndef total(task): pass\n"
    task_code(project, code)
    listed = places(project, "JC301")
    assert ("admin.sqlite server module of demo:3", "demo.total") in listed
    assert ("admin.sqlite server module of customers:3", "customers.hello") in listed
    assert {detail for _, detail in listed if detail.startswith("demo.")} == {"demo.total"}
    assert places(harden(project), "JC301") == listed


def test_functions_from_elsewhere_that_users_may_call_are_found(project: Path) -> None:
    (project / "helpers.py").write_text("def wipe(task): pass\nclass Wiped: pass\n")
    code = "from helpers import wipe as clean, Wiped\nfrom os.path import basename\n"
    task_code(project, code + "import helpers\nfrom math import sqrt\nfrom . import x\n")
    assert places(project, "JC302") == [
        ("admin.sqlite server module of demo:1", "demo.clean"),
        ("admin.sqlite server module of demo:2", "demo.basename"),
    ]
    assert places(harden(project), "JC302") == []
    (project / "jamguard.toml").write_text('[tool.jamguard.api]\nexposed = ["demo.clean"]\n')
    assert [detail for _, detail in places(project, "JC302")] == ["demo.clean"]


@pytest.mark.parametrize(
    ("code", "number", "place"),
    [
        ("def f(task, a):\n    task.execute('DELETE FROM T WHERE A = ' + a)\n", "JC303", 2),
        ("def f(task, a):\n    return eval(a)\n", "JC304", 2),
        ("import pickle\ndef f(task, a):\n    return pickle.loads(a)\n", "JC304", 3),
        ("import yaml\ndef f(task, a):\n    return yaml.load(a)\n", "JC304", 3),
        ("import yaml\ndef f(task, a):\n    return yaml.load(a, Loader=yaml.Loader)\n", "JC304", 3),
        ("import os\ndef f(task, a):\n    os.system('ls ' + a)\n", "JC305", 3),
        ("import subprocess as s\ndef f(task, a):\n    s.run(args=a)\n", "JC305", 3),
        ("from subprocess import Popen as P\ndef f(task, a):\n    P([a])\n", "JC305", 3),
    ],
)
def test_dangerous_code_is_found(project: Path, code: str, number: str, place: int) -> None:
    where = f"admin.sqlite server module of demo:{place}"
    assert not DANGERS & set(found(project))
    task_code(project, code)
    assert places(project, number) == [(where, "in f(), which every user may call")]
    task_code(project, code.replace("def f(", "def _f("))
    assert places(project, number) == [(where, "in _f()")]


@pytest.mark.parametrize(
    "code",
    [
        "eval('1 + 1')",
        "import subprocess\nsubprocess.run(['ls', '-l'], stdout=subprocess.PIPE)",
        "import yaml\nyaml.load(a, yaml.SafeLoader)",
        "import yaml\nyaml.safe_load(a)",
        "def eval(a): pass\neval(a)",
        "model.eval(a)",
        "calls[0](a)",
        "import subprocess\nsubprocess.run()",
    ],
)
def test_harmless_code_is_not(project: Path, code: str) -> None:
    assert ("JC305" in found(task_code(project, code))) is code.endswith("run()")
    assert "JC304" not in found(project)


def test_ext_is_told(project: Path) -> None:
    assert "JC306" not in found(project)
    add_task_code(project, "\ndef on_ext_request(task, path, params): pass\n")
    assert len(found(project)["JC306"]) == 1


def test_code_that_cannot_be_read_is_found(project: Path) -> None:
    task_code(project, "def broken(:\n")
    (project / "tools.py").write_text("print 'Python 2'\n")
    assert [where for where, _ in places(project, "JC307")] == [
        "admin.sqlite server module of demo",
        "tools.py",
    ]


def test_code_that_is_nested_too_deeply_is_found(project: Path) -> None:
    (project / "tools.py").write_text("task.execute(" + " + ".join(["a"] * 2000) + ")\n")
    ((where, detail),) = places(project, "JC307")
    assert where == "tools.py"
    assert detail in {"it is nested too deeply", ""}  # some Pythons do not even parse it


def test_files_of_the_project_are_read_and_what_is_installed_is_not(project: Path) -> None:
    for name in ("tools.py", "lib/deep/tools.py", "static/t.py", ".hidden/t.py", "env/lib/t.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("import os\nos.system(COMMAND)\n")
    (project / "env" / "pyvenv.cfg").touch()
    (project / "large.py").write_text("eval(a)\n" + "#" * 2**20)
    (project / "nowhere.py").symlink_to("gone")
    assert places(project, "JC305") == [("lib/deep/tools.py:2", ""), ("tools.py:2", "")]
    assert "JC304" not in found(project)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    for name in ("wsgi.py", "templates.html", "start.sh", "gunicorn.conf.py", "shop.log"):
        os.mkfifo(tmp_path / name)
    assert "JC504" in found(tmp_path)


def test_a_folder_that_is_no_project_ends(tmp_path: Path) -> None:
    for number in range(510):
        (tmp_path / f"t{number:03}.py").write_text("eval(a)\n")
    assert len(places(tmp_path, "JC304")) == 500
