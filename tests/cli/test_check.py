import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from support.audited import change, harden
from support.projects import empty_project
from typer.testing import CliRunner

from jamguard.audit import RULES, Finding, Place, audit, look_at
from jamguard.audit.text import show_text
from jamguard.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"


def invoke(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command at 80 columns; return its status, and what it says."""
    words = ["check", "--no-advisories", *map(str, arguments)]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "80", "NO_COLOR": "1"})
    return done.exit_code, done.stdout, done.stderr


def test_a_project_without_jamguard_fails(project: Path) -> None:
    code, said, _ = invoke(project)
    assert code == 1
    assert "ERROR    JC501  The application is served without jamguard." in said
    assert "at wsgi.py:4" in said
    assert re.search(r"\n3 errors, \d warnings, \d+ remarks\. docs/how-to/check\.md", said)


def test_a_hardened_project_passes_until_safe_mode_is_off(project: Path) -> None:
    code, said, _ = invoke(harden(project))
    assert code == 0, said
    change(project, "UPDATE SYS_PARAMS SET F_SAFE_MODE = 0")
    code, said, _ = invoke(project)
    assert code == 1
    assert "1 error, " in said
    assert "JC101" in said


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("WARNING", 1), ("info", 1)], ids=str)
def test_the_level_that_fails_can_be_chosen(project: Path, level: str, status: int) -> None:
    assert invoke(harden(project), "--fail-level", level)[0] == status


def test_a_file_elsewhere_may_harden(project: Path) -> None:
    (project / "wsgi.py").unlink()
    (project / "server.py").unlink()
    assert "JC504" in invoke(project)[1]
    code, said, _ = invoke(project, "--hardened")
    assert code == 0
    assert not {"JC504", "JC111"} & set(re.findall(r"JC\d+", said))


def test_what_is_silenced_does_not_fail(project: Path) -> None:
    silence = ", ".join(f'{number} = "a reason"' for number in RULES)
    (project / "pyproject.toml").write_text(f"[tool.jamguard.check]\nsilence = {{ {silence} }}\n")
    code, said, _ = invoke(project, "--fail-level", "info")
    assert code == 0
    assert said.count("ERROR") == 0
    assert "nothing else. docs" in said
    assert "Silenced: JC501 (a reason); " in said


def test_what_cannot_be_done_is_told(project: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert invoke(gone) == (2, "", f"{gone} is not a folder\n")
    (project / "pyproject.toml").write_text("[tool.jamguard.check]\nquiet = 1\n")
    code, said, problem = invoke(project)
    assert (code, said) == (2, "")
    assert "tool.jamguard.check.quiet: is not a setting" in problem


def test_it_fits_into_80_columns_and_needs_no_colour(tmp_path: Path) -> None:
    _, said, _ = invoke(empty_project(tmp_path / "new"))
    assert "\x1b" not in said
    lines = said.splitlines()[1:]  # the first has the project's folder in it
    assert max(len(line.rstrip()) for line in lines) <= 80
    levels = re.findall(r"^(ERROR|WARNING|INFO) +JC\d{3}  ", said, re.MULTILINE)
    assert levels == sorted(levels, key=["ERROR", "WARNING", "INFO"].index)
    assert len(set(levels)) == 3


def test_a_folder_that_holds_nothing_is_audited(tmp_path: Path) -> None:
    code, said, _ = invoke(tmp_path)
    assert code == 1
    assert "Jam.py's database of users, settings and code cannot be read." in said


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_programs_read_the_same(project: Path, form: str) -> None:
    code, said, _ = invoke(project, "--format", form)
    assert code == 1
    found = [one.id for one in audit(look_at(project))]
    log = json.loads(said)
    results = log["findings"] if form == "json" else log["runs"][0]["results"]
    assert [one["id" if form == "json" else "ruleId"] for one in results] == found


def test_markdown_is_written(project: Path) -> None:
    _, said, _ = invoke(project, "--format", "markdown")
    assert said.startswith("# jamguard check: `project`\n")


def test_what_can_be_mended_is_mended_and_looked_at_again(project: Path, tmp_path: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_DEBUGGING = 1")
    (project / "wsgi.py~").touch()
    _, said, _ = invoke(project)
    assert "[--fix does it]" in said
    assert "\n--fix mends 2 of them.\n" in said
    _, said, done = invoke(project, "--fix")
    (aside,) = tmp_path.glob("project-aside-*")
    assert f"moved {project / 'wsgi.py~'} to {aside / 'wsgi.py~'}" in done
    assert "F_DEBUGGING is now 0" in done
    assert not {"JC102", "JC403"} & set(re.findall(r"JC\d+", said))
    assert invoke(project, "--fix")[2] == ""
    assert list(tmp_path.glob("project-aside-*")) == [aside]


def test_a_place_to_move_things_to_can_be_chosen(project: Path, tmp_path: Path) -> None:
    (project / "wsgi.py~").touch()
    taken = tmp_path / "taken"
    taken.mkdir()
    code, _, problem = invoke(project, "--fix", "--aside", taken)
    assert code == 2
    assert problem == f"{taken} cannot be made (File exists): name a new folder with --aside\n"
    invoke(project, "--fix", "--aside", tmp_path / "new")
    assert (tmp_path / "new" / "wsgi.py~").exists()


def shown(target_folder: Path, findings: list[Finding]) -> str:
    console = Console(width=80, highlight=False, markup=False, emoji=False)
    with console.capture() as output:
        show_text(look_at(target_folder), findings, console)
    return output.get()


def test_many_places_are_cut_short_and_obey_nothing(tmp_path: Path) -> None:
    places = [Finding("JC403", Place(f"\x1b[2J[red]{n}.zip"), "\x07 :bomb:") for n in range(9)]
    said = shown(tmp_path, places)
    assert said.count(r"at '\x1b[2J[red]") == 6
    assert "and 3 more, which --format json has" in said
    assert r"'\x07 :bomb:'" in said
    assert "\x1b" not in said
    assert "9 remarks." in said


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path, []).endswith("\n\nNothing was found.\n")


def test_every_finding_is_documented() -> None:
    page = (DOCS / "how-to" / "check.md").read_text("utf-8")
    headings = re.findall(r"^### (JC\d+)\n\n\*\*(.+)\*\* \((\w+)\)$", page, re.MULTILINE)
    assert headings == [(number, rule.title, rule.level) for number, rule in RULES.items()]


def test_every_rule_is_one_sentence_and_says_what_to_do() -> None:
    for number, rule in RULES.items():
        assert rule.title.endswith("."), number
        assert rule.mend, number
        assert len(rule.title) <= 100, number
