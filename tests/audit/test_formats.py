import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.audited import harden

from jamguard import __version__
from jamguard.audit import RULES, Finding, Place, Target, audit, look_at
from jamguard.audit.formats import as_json, as_markdown, as_sarif


@pytest.fixture
def audited(project: Path) -> tuple[Target, list[Finding]]:
    """A project with findings of all kinds: in lines, in rows, silenced."""
    target = look_at(project)
    found = audit(target)
    silenced = Finding("JC107", Place("$HOME"), "a | b", silenced="we have <no> choice")
    return target, [*found, silenced]


def sarif(target: Target, findings: Sequence[Finding]) -> dict[str, Any]:
    log = json.loads(as_sarif(target, findings))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    return dict(run)


def test_sarif_has_what_its_schema_requires(audited: tuple[Target, list[Finding]]) -> None:
    target, findings = audited
    run = sarif(target, findings)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("jamguard", __version__)
    assert len(run["results"]) == len(findings)
    for result, finding in zip(run["results"], findings, strict=True):
        rule = driver["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"] == finding.id
        assert rule["shortDescription"]["text"] == RULES[finding.id].title
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"].startswith(RULES[finding.id].title)
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert artifact["uriBaseId"] in run["originalUriBaseIds"]
        assert not artifact["uri"].startswith("/")
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    assert run["originalUriBaseIds"]["PROJECT"]["uri"] == f"{target.folder.as_uri()}/"


def test_sarif_tells_lines_of_files_and_names_of_rows(
    audited: tuple[Target, list[Finding]],
) -> None:
    results = sarif(*audited)["results"]
    bare = next(one for one in results if one["ruleId"] == "JC501")["locations"][0]
    assert bare["physicalLocation"]["region"] == {"startLine": 4}
    assert "logicalLocations" not in bare
    called = next(one for one in results if one["ruleId"] == "JC301")["locations"][0]
    assert "region" not in called["physicalLocation"]
    (name,) = called["logicalLocations"]
    assert name["fullyQualifiedName"] == "server module of customers:3"


def test_sarif_suppresses_what_is_silenced(audited: tuple[Target, list[Finding]]) -> None:
    *others, silenced = sarif(*audited)["results"]
    assert silenced["suppressions"] == [
        {"kind": "external", "justification": "we have <no> choice"}
    ]
    assert not any("suppressions" in one for one in others)


def test_a_file_that_lies_elsewhere_has_its_full_name(project: Path) -> None:
    (result,) = sarif(look_at(project), [Finding("JC511", Place("/usr/bin/py thon"))])["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///usr/bin/py%20thon"}


def test_what_is_no_file_is_told_by_its_name(project: Path) -> None:
    found = [Finding("JC603", Place("$WEB_CONCURRENCY")), Finding("JC504", Place("."))]
    variable, folder = sarif(look_at(project), found)["results"]
    (place,) = variable["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "."
    assert place["logicalLocations"] == [{"fullyQualifiedName": "$WEB_CONCURRENCY"}]
    assert "logicalLocations" not in folder["locations"][0]


def test_a_finding_stays_the_same_one_when_lines_are_added(project: Path) -> None:
    def prints(line: int) -> list[Any]:
        wheres = [Place("tools.py", line), Place("tools.py", line + 1), Place("x.py", 1)]
        findings = [Finding("JC303", where) for where in wheres]
        return [one["partialFingerprints"] for one in sarif(look_at(project), findings)["results"]]

    assert prints(3) == prints(4)
    assert len({one["place/v1"] for one in prints(3)}) == 3


def test_json_has_all_of_each_finding(audited: tuple[Target, list[Finding]]) -> None:
    target, findings = audited
    said = json.loads(as_json(target, findings))
    assert said["project"] == str(target.folder)
    assert (said["jam.py"], said["hardened"]) == (target.version, False)
    assert [one["id"] for one in said["findings"]] == [one.id for one in findings]
    bare = next(one for one in said["findings"] if one["id"] == "JC501")
    assert bare == {
        "id": "JC501",
        "level": "ERROR",
        "title": RULES["JC501"].title,
        "where": {"file": "wsgi.py", "line": 4, "part": None},
        "detail": "",
        "mend": RULES["JC501"].mend,
        "fix": False,
        "silenced": None,
        "documentation": "docs/how-to/check.md#jc501",
    }
    assert said["findings"][-1]["silenced"] == "we have <no> choice"


def test_markdown_is_a_page_with_nothing_of_a_stranger_in_it(
    audited: tuple[Target, list[Finding]],
) -> None:
    target, findings = audited
    nasty = Finding("JC403", Place("`<b>`\n# x.bak"), "# <script>\n- | [a](b)")
    page = as_markdown(target, [*findings[:-1], nasty, findings[-1]])
    assert page.startswith("# jamguard check: `project`\n\n## ERROR JC501\n")
    assert "- `'<b>' # x.bak`: \\# \\<script\\> - \\| \\[a\\](b)" in page
    assert "## Silenced\n\n- JC107: we have \\<no\\> choice" in page
    assert page.count("JC107") == 2  # it is found in this project, too


def test_markdown_of_nothing_says_so(project: Path) -> None:
    page = as_markdown(look_at(harden(project)), [])
    assert page.endswith("Nothing was found.")
    assert "Silenced" not in page
