"""The project keeps its own promises: names that agree, notices that are documented, versions."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import jamguard
from jamguard import config
from jamguard.guards import GUARDS
from jamguard.notices import NOTICES, QUIET
from jamguard.refusal import SENTENCES

HERE = Path(__file__).parent
ROOT = HERE.parent
PACKAGE = Path(jamguard.__file__).parent
DOCS = ROOT / "docs"
NAMES = {guard.name for guard in GUARDS}

#: prints what `import jamguard` has loaded
LOADED = """
import json, sys
import jamguard
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print(json.dumps([sorted(sys.modules), files]))
"""


def kebab(name: str) -> str:
    return name.replace("_", "-")


def text_files() -> list[Path]:
    """All that is under version control, or would be, and is text."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    try:
        listed = subprocess.run(
            [*command, "--exclude-standard"], check=True, capture_output=True, text=True
        ).stdout
    except (subprocess.CalledProcessError, FileNotFoundError):
        listed = ""
    if not listed:  # a copy, or a machine without git
        return [*HERE.rglob("*.py"), *PACKAGE.rglob("*.py"), *DOCS.rglob("*.md")]
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def test_every_sentence_that_strangers_read_is_documented() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (.*) \|$", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE
    )
    assert [row for row in rows if row[0] in SENTENCES] == list(SENTENCES.items())


def test_a_setting_a_file_a_class_a_test_and_a_page_agree_for_each_guard() -> None:
    files = {path.stem for path in (PACKAGE / "guards").glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_") for path in (HERE / "guards").glob("test_*.py")}
    pages = {path.stem for path in (DOCS / "guards").glob("*.md")}
    assert {kebab(name) for name in files} == NAMES
    assert {kebab(name) for name in tests} == NAMES
    assert pages == NAMES


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_the_one_of_its_file(guard: type[jamguard.Guard]) -> None:
    module = importlib.import_module(f"jamguard.guards.{guard.name.replace('-', '_')}")
    assert getattr(module, guard.name.title().replace("-", "")) is guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_page_of_a_guard_names_each_setting(guard: type[jamguard.Guard]) -> None:
    page = (DOCS / "guards" / f"{guard.name}.md").read_text("utf-8")
    assert page.startswith(f"# {guard.name}\n")
    # these two are explained once, on the page of all settings
    settings = {config.kebab(field.name) for field in config.setting_fields(guard)}
    own = settings - {"enabled", "mode"}
    assert not own or f"tool.jamguard.{guard.name}" in page
    assert not {name for name in own if f"`{name}`" not in page}


def imports() -> tuple[list[str], list[str]]:
    command = [sys.executable, "-c", LOADED]
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE)
    modules, files = json.loads(result.stdout)
    return modules, files


def test_importing_jamguard_leaves_werkzeug_to_the_application() -> None:
    modules, _ = imports()
    assert "jamguard.shield" in modules
    assert not [name for name in modules if name.partition(".")[0] in {"werkzeug", "jam"}]


def test_importing_jamguard_loads_no_module_that_refuses_a_sub_interpreter() -> None:
    # what PyO3 builds has its name in its error messages, and refuses a second interpreter
    _, files = imports()
    binaries = [Path(name) for name in files if name.endswith((".so", ".pyd"))]
    assert not [path for path in binaries if b"pyo3" in path.read_bytes().lower()]


def test_each_notice_is_documented() -> None:
    page = (DOCS / "notices.md").read_text("utf-8")
    assert re.findall(r"^## (JG\d{3})", page, re.MULTILINE) == sorted(NOTICES)
    assert set(NOTICES) > QUIET


def test_each_notice_is_given_in_one_place() -> None:
    given = [
        node.value
        for path in PACKAGE.rglob("*.py")
        if path.name != "notices.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"JG\d{3}", node.value)
    ]
    assert sorted(given) == sorted(NOTICES)


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(
        r"^## \[(?:Unreleased\]\s+What will be )?(\d+\.\d+\.\d+)",
        (ROOT / "CHANGELOG.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert newest
    assert {project["version"], newest[1]} == {jamguard.__version__}


def test_no_file_names_a_folder_of_one_machine() -> None:
    homes = re.compile(
        rb"/(?:home|Users)/[a-z][\w-]+/|(?<![\w/])/(?:root|work|opt|tmp/venv)/\w", re.ASCII
    )
    own = {str(ROOT).encode(), str(Path.home()).encode()} - {b"/"}
    found = {
        str(path): [match.group() for match in homes.finditer(content)]
        for path in text_files()
        for content in [path.read_bytes()]
        if path != Path(__file__)
        and (homes.search(content) or any(folder + b"/" in content for folder in own))
    }
    assert not found


def test_the_package_that_is_meant_is_the_one_that_is_tested() -> None:
    if "TESTS_EXPECT_WHEEL" in os.environ:
        assert PACKAGE.parent.name == "site-packages"
    else:
        assert PACKAGE == ROOT / "jamguard"
    command = [sys.executable, "-c", "import jamguard; print(jamguard.__file__)"]
    other = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert Path(other.strip()).parent == PACKAGE


def test_the_readme_has_one_command_that_tests() -> None:
    # `.ci/run` runs the one block of the README that has pytest in it
    blocks = re.split(r"^```.*\n", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)[
        1::2
    ]
    assert len([block for block in blocks if "pytest" in block]) == 1
