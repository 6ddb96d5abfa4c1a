"""The one line."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from support.wsgi import call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.guards import GUARDS


def test_an_application_is_put_behind_all_guards_in_order() -> None:
    shield = harden(hello)
    assert isinstance(shield, Shield)
    assert [type(guard) for guard in shield.guards] == list(GUARDS)
    assert call(shield).body == b"hi"


def test_a_second_call_returns_the_same_shield_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    shield = harden(hello)
    assert harden(shield) is shield
    assert caplog.text.count("id=JG009") == 1


def test_settings_are_given_as_a_mapping_or_a_file(tmp_path: Path) -> None:
    table = {"host": {"allowed": ["www.example.com"]}, "https": {"enabled": False}}
    shield = harden(hello, table)
    assert call(shield, HTTP_HOST="evil.example").code == 421
    assert "https" not in [guard.name for guard in shield.guards]
    file = tmp_path / "settings.toml"
    file.write_text('[tool.jamguard.host]\nallowed = ["www.example.com"]\n')
    assert call(harden(hello, file), HTTP_HOST="evil.example").code == 421


def test_bad_settings_stop_the_start() -> None:
    with pytest.raises(ConfigError):
        harden(hello, {"hots": {}})


def test_a_variable_that_is_no_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAMGUARD_HOTS__ALLOWED", "x")
    with pytest.raises(ConfigError, match=r"\$JAMGUARD_HOTS__ALLOWED: is not a setting"):
        harden(hello)


def test_explain_shows_guards_in_order_with_settings_and_origins() -> None:
    text = harden(hello, {"rate-limit": {"api": "7/minute"}}).explain()
    assert text.index("1. headers") < text.index("2. errors") < text.index("3. proxy")
    assert 'api = "7/minute"  (the argument of harden())' in text
    assert 'upload = "60/minute"  (default)' in text


def test_the_log_says_what_is_protected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    harden(hello)
    assert f"protecting hello with {len(GUARDS)} guards, settings from defaults" in caplog.text


def test_the_log_is_visible_where_nobody_set_up_logging() -> None:
    code = (
        "import jamguard\n"
        "def app(e, s): s('200 OK', []); return []\n"
        "jamguard.harden(app); jamguard.harden(app)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = ran.stderr.splitlines()
    assert sum("id=JG001" in line and "INFO jamguard notice" in line for line in lines) == 2


def test_the_log_on_stderr_is_nothing_but_json_when_that_is_wanted() -> None:
    code = (
        "import jamguard\n"
        "def app(e, s): s('200 OK', []); return []\n"
        "jamguard.harden(app, {'log': 'json'})\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in ran.stderr.splitlines()]
    assert {event["event"] for event in events} == {"notice"}
    assert "JG001" in [event["id"] for event in events]


def test_guards_that_only_report_are_named_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    harden(hello)
    assert "JG016" not in caplog.text
    harden(hello, {"path": {"mode": "report"}, "host": {"mode": "report"}})
    assert 'id=JG016 text="mode = \\"report\\" is on: host, path only log' in caplog.text


def test_two_hardened_applications_do_not_share_anything() -> None:
    one = harden(hello, {"rate-limit": {"page": "1/minute"}})
    two = harden(hello, {"rate-limit": {"page": "1/minute"}})
    assert [call(one).code, call(one).code, call(two).code] == [200, 429, 200]
