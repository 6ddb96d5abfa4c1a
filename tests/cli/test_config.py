from pathlib import Path

import pytest
from typer.testing import CliRunner

from jamguard.cli.app import app


def show(folder: Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["config", "show", str(folder)])
    return done.exit_code, done.stdout, done.stderr


def test_defaults_are_shown_in_the_order_of_the_guards(tmp_path: Path) -> None:
    code, text, _ = show(tmp_path)
    assert code == 0
    assert text.startswith("settings from defaults\n")
    assert text.index("1. headers") < text.index("rate-limit") < text.index("request-size")
    assert 'api = "600/minute"  (default)' in text


def test_each_value_says_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.jamguard.rate-limit]\napi = "300/minute"\n')
    monkeypatch.setenv("JAMGUARD_RATE_LIMIT__PAGE", "60/minute")
    _, text, _ = show(tmp_path)
    assert f'api = "300/minute"  ({file})' in text
    assert 'page = "60/minute"  ($JAMGUARD_RATE_LIMIT__PAGE)' in text


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jamguard.toml").write_text('[tool.jamguard]\nlog = "json"\n')
    monkeypatch.chdir(tmp_path)
    assert 'log = "json"' in CliRunner().invoke(app, ["config", "show"]).stdout


def test_a_guard_that_is_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.jamguard.host]\nenabled = false\n")
    _, text, _ = show(tmp_path)
    assert "left out: host (enabled = false)" in text
    assert "allowed" not in text


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    settings = '[tool.jamguard.rate-limit]\napi = "often"\n[tool.jamguard.hots]\nallowed = []\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    code, text, problems = show(tmp_path)
    assert (code, text) == (2, "")
    assert "tool.jamguard.rate-limit.api" in problems
    assert "did you mean 'host'" in problems


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    code, _, problem = show(tmp_path / "nowhere")
    assert (code, problem) == (2, f"{tmp_path / 'nowhere'} is not a folder\n")


def test_config_alone_says_what_it_can_do() -> None:
    assert "show" in CliRunner().invoke(app, ["config"]).output
