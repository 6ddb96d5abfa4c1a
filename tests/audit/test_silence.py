from pathlib import Path

import pytest
from support.audited import found, harden

from jamguard.audit import audit, look_at
from jamguard.config import ConfigError, Source, load
from jamguard.guards import GUARDS


def settings(project: Path, text: str) -> Path:
    (project / "pyproject.toml").write_text(f"[tool.jamguard.check]\n{text}\n")
    return project


def test_a_silenced_finding_has_its_reason(project: Path) -> None:
    settings(project, 'silence = { JC107 = "our users move about" }')
    assert [one.silenced for one in found(harden(project))["JC107"]] == ["our users move about"]
    assert [one.silenced for one in found(project)["JC204"]] == [""]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('silence = { JC17 = "why" }', "there is no finding 'JC17'; did you mean 'JC1"),
        ('silence = { X = "why" }', "there is no finding 'X'"),
        ('silence = { JC107 = " " }', "JC107: say why, for whoever comes after you"),
        ("silence = { JC107 = 3 }", "tool.jamguard.check.silence.JC107: 3 must be text"),
        ('silence = ["JC107"]', "must be a table"),
        ("silent = {}", "tool.jamguard.check.silent: is not a setting; did you mean"),
    ],
)
def test_what_cannot_be_silenced_is_told(project: Path, text: str, problem: str) -> None:
    target = look_at(settings(project, text))
    with pytest.raises(ConfigError) as error:
        audit(target)
    assert problem in str(error.value)


def test_a_table_is_wanted(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.jamguard]\ncheck = 3\n")
    with pytest.raises(ConfigError, match="must be a table of settings"):
        audit(look_at(project))


def test_the_site_leaves_the_commands_table_alone() -> None:
    load(Source("a test", {"check": {"silence": {"JC107": "why"}}}), GUARDS)
    with pytest.raises(ConfigError, match="did you mean 'check'"):
        load(Source("a test", {"chek": {}}), GUARDS)
