"""Where settings come from, and what is said about bad ones."""

import re
from pathlib import Path

import attrs
import pytest

from jamguard import ConfigError
from jamguard.config import Source, find_source, load
from jamguard.guards import GUARDS
from jamguard.guards.host import Host
from jamguard.values import ByteSize, Rate, Rates


def problems(table: dict[str, object], **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        load(Source("a test", table), GUARDS, variables)
    return error.value.problems


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"hosts": {}}, "tool.jamguard.hosts: is not a setting; did you mean 'host'?"),
        (
            {"rate-limits": {"api": "1/second"}},
            "tool.jamguard.rate-limits: is not a setting; did you mean 'rate-limit'?",
        ),
        (
            {"rate-limit": {"apy": "1/second"}},
            "tool.jamguard.rate-limit.apy: is not a setting; did you mean 'rate-limit.api'?",
        ),
        (
            {"host": {"xyzzy": 1}},
            "tool.jamguard.host.xyzzy: is not a setting; there are: enabled, mode, allowed",
        ),
        (
            {"rate-limit": {"api": "60/minit"}},
            "tool.jamguard.rate-limit.api: \"60/minit\" is not a rate; did you mean '60/minute'?",
        ),
        ({"rate-limit": {"api": 60}}, "tool.jamguard.rate-limit.api: 60 is not a rate; write "),
        ({"rate-limit": {"api": True}}, "tool.jamguard.rate-limit.api: true must be text"),
        ({"rate-limit": {"api": ["1/s"]}}, 'tool.jamguard.rate-limit.api: ["1/s"] must be text'),
        ({"host": "x"}, "tool.jamguard.host: must be a table of settings, not 'x'"),
        ({"host": {"allowed": "a"}}, 'tool.jamguard.host.allowed: "a" must be a list'),
        ({"host": {"allowed": ["a", 3]}}, "tool.jamguard.host.allowed[1]: 3 must be text"),
        ({"host": {"enabled": "no"}}, 'tool.jamguard.host.enabled: "no" must be true or false'),
        ({"host": {"enabled": 1}}, "tool.jamguard.host.enabled: 1 must be true or false"),
        (
            {"host": {"mode": "Report"}},
            (
                "tool.jamguard.host.mode: \"Report\" must be one of 'enforce', 'report'; "
                "did you mean 'report'?"
            ),
        ),
        (
            {"log": "xml"},
            "tool.jamguard.log: \"xml\" must be one of 'key-value', 'json'",
        ),
        (
            {"proxy": {"mode": "report"}},
            "tool.jamguard.proxy.mode: proxy only transforms, so it has no mode; it has: enabled, ",
        ),
        ({"sentences": "x"}, 'tool.jamguard.sentences: "x" must be a table'),
        ({"sentences": {"lang": 1}}, "tool.jamguard.sentences.lang: 1 must be text"),
        (
            {"request-size": {"form-parts": 0}},
            "tool.jamguard.request-size.form-parts: 0 must be at least 1",
        ),
        (
            {"request-size": {"form-parts": 1.5}},
            "tool.jamguard.request-size.form-parts: 1.5 must be a whole number",
        ),
        (
            {"rate-limit": {"safelist": ["10/8"]}},
            'tool.jamguard.rate-limit.safelist[0]: "10/8" is not a network; write ',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_problem_says_where_what_was_found_and_what_is_allowed(
    table: dict[str, object], problem: str
) -> None:
    (found,) = problems(table)
    assert found.startswith(problem)


def test_all_problems_are_found_at_once() -> None:
    table: dict[str, object] = {
        "log": "xml",
        "hosts": {},
        "host": {"enabled": 1, "mode": 2},
        "rate-limit": {"api": 1},
    }
    assert len(problems(table)) == 5
    with pytest.raises(ConfigError, match=r"jamguard's settings cannot be used:\ntool\.jamguard"):
        load(Source("a test", {"log": "xml"}), GUARDS)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"JAMGUARD_RATE_LIMIT__APY": "1/s"}, "$JAMGUARD_RATE_LIMIT__APY: is not a setting; did"),
        ({"JAMGUARD_LOGG": "json"}, "$JAMGUARD_LOGG: is not a setting; did you mean 'log'?"),
        ({"JAMGUARD_LOG": "jsn"}, "$JAMGUARD_LOG: \"jsn\" must be one of 'key-value', 'json'"),
        ({"JAMGUARD_HOST__ENABLED": "no"}, '$JAMGUARD_HOST__ENABLED: "no" must be true or false'),
    ],
)
def test_a_bad_variable_is_named(variables: dict[str, str], problem: str) -> None:
    (found,) = problems({}, **variables)
    assert found.startswith(problem)


def test_a_guard_that_refuses_its_settings_is_named() -> None:
    @attrs.frozen(kw_only=True, eq=False)
    class Picky(Host):
        def __attrs_post_init__(self) -> None:
            if self.allowed:
                raise ValueError("two settings that do not go together")

    with pytest.raises(ConfigError) as error:
        load(Source("a test", {"picky": {"allowed": ["a"]}}), [Picky])
    assert error.value.problems == ("tool.jamguard.picky: two settings that do not go together",)


def test_values_become_real_types() -> None:
    table = {"rate-limit": {"api": "5/15 minutes"}, "request-size": {"api": "1 KB", "upload": 7}}
    settings, guards = load(Source("a test", table), GUARDS)
    named = {guard.name: guard for guard in guards}
    assert [guard.name for guard in guards] == [kind.name for kind in GUARDS]
    assert attrs.asdict(named["rate-limit"], recurse=False)["api"] == Rates([Rate(5, 900)])
    assert attrs.asdict(named["request-size"], recurse=False)["api"] == ByteSize(1024)
    assert settings.mode == "enforce"


def test_a_variable_wins_over_the_file() -> None:
    variables = {
        "JAMGUARD_RATE_LIMIT__API": "7/minute",
        "JAMGUARD_HOST__ALLOWED": "a.example.com, b.example.com",
        "JAMGUARD_HTTPS__REDIRECT": "true",
        "JAMGUARD_RATE_LIMIT__SAFELIST": '["192.0.2.0/24"]',
        "JAMGUARD_PROXY__TRUSTED": "",
        "JAMGUARD_LOG": "json",
        "JAMGUARD_CONFIG": "/etc/jamguard.toml",
        "HOME": "/",
    }
    settings, guards = load(Source("the file", {"rate-limit": {"api": "1/s"}}), GUARDS, variables)
    lines = list(settings.lines(guards))
    assert lines[0] == "settings from the file"
    assert 'log = "json"  ($JAMGUARD_LOG)' in lines
    assert '   api = "7/minute"  ($JAMGUARD_RATE_LIMIT__API)' in lines
    assert '   allowed = ["a.example.com", "b.example.com"]  ($JAMGUARD_HOST__ALLOWED)' in lines
    assert "   redirect = true  ($JAMGUARD_HTTPS__REDIRECT)" in lines
    assert '   safelist = ["192.0.2.0/24"]  ($JAMGUARD_RATE_LIMIT__SAFELIST)' in lines
    assert "   trusted = []  ($JAMGUARD_PROXY__TRUSTED)" in lines
    assert '   upload = "50 MB"  (default)' in lines


def test_the_mode_for_all_is_taken_by_guards_that_have_one_and_say_nothing_else() -> None:
    table = {"mode": "report", "host": {"mode": "enforce"}}
    settings, guards = load(Source("the file", table), GUARDS)
    modes = {guard.name: getattr(guard, "mode", None) for guard in guards}
    assert modes["rate-limit"] == "report"
    assert modes["host"] == "enforce"
    assert modes["proxy"] is None
    assert '   mode = "report"  (the file, for all guards)' in list(settings.lines(guards))


def test_sentences_are_shown_as_a_table() -> None:
    settings, _ = load(Source("the file", {"sentences": {"lang": "de"}}), [])
    assert 'sentences = {"lang" = "de"}  (the file)' in list(settings.lines([]))


# --- where they are looked for ----------------------------------------------------------

TABLE = '[tool.jamguard]\nlog = "json"\n'


def test_the_argument_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "named.toml"
    named.write_text(TABLE)
    monkeypatch.setenv("JAMGUARD_CONFIG", "elsewhere.toml")
    assert find_source(named, tmp_path) == Source(str(named), {"log": "json"})
    assert find_source({"log": "json"}, tmp_path).table == {"log": "json"}


def test_the_variable_comes_before_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named.toml").write_text(TABLE)
    (tmp_path / "jamguard.toml").write_text("[tool.jamguard]\n")
    monkeypatch.setenv("JAMGUARD_CONFIG", str(tmp_path / "named.toml"))
    assert find_source(None, tmp_path).table == {"log": "json"}


def test_jamguard_toml_comes_before_pyproject_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.jamguard]\n")
    assert find_source(None, tmp_path).name == str(tmp_path / "pyproject.toml")
    (tmp_path / "jamguard.toml").write_text(TABLE)
    assert find_source(None, tmp_path) == Source(str(tmp_path / "jamguard.toml"), {"log": "json"})


def test_no_file_and_no_table_mean_defaults(tmp_path: Path) -> None:
    assert find_source(None, None) == Source("defaults", {})
    assert find_source(None, tmp_path) == Source("defaults", {})
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert find_source(None, tmp_path) == Source("defaults", {})


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("jamguard.toml", "[rate-limit]\n", "there is no [tool.jamguard] table in it"),
        ("jamguard.toml", "tool = 3\n", "there is no [tool.jamguard] table in it"),
        ("jamguard.toml", "tool.jamguard = 3\n", "[tool.jamguard] must be a table"),
        ("pyproject.toml", "[tool.jamguard\n", "is not TOML: "),
        ("pyproject.toml", "a = '\xff'", "is not TOML: "),
    ],
    ids=["no table", "no tool table", "not a table", "syntax", "encoding"],
)
def test_a_file_that_cannot_be_used_stops_the_start(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as error:
        find_source(None, tmp_path)
    assert str(tmp_path / name) in error.value.problems[0]
    assert problem in error.value.problems[0]


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        find_source(tmp_path / "missing.toml", None)
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ConfigError, match="there is no"):
        find_source(str(tmp_path / "empty.toml"), None)


@pytest.mark.parametrize(
    ("storage", "problem"),
    [
        ("nowhere://", "tool.jamguard.storage: "),
        ("shared:/no/where", "tool.jamguard.storage: \"shared:/no/where\" names '/no/where'"),
    ],
)
def test_a_store_that_is_none_stops_the_start(storage: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(Source("a test", {"storage": storage}), GUARDS)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "storage",
    [
        "redis://user:swordfish@192.0.2.9:6379/0",
        "rediss://:swordfish@192.0.2.9?ssl_password=swordfish",
        "redis+unix:///run/redis.sock?password=swordfish",
    ],
)
def test_a_password_of_the_store_is_not_shown(storage: str) -> None:
    settings, guards = load(Source("a test", {"storage": storage}), GUARDS)
    lines = "\n".join(settings.lines(guards))
    assert re.search(r'^storage = "redi\S+"', lines, re.MULTILINE)
    assert "swordfish" not in lines + repr(settings)


@pytest.mark.parametrize(
    "storage",
    [
        "redis://user:swordfish@192.0.2.9:port",
        "redis://user:swordfish#1@192.0.2.9",
        "rediss://192.0.2.9?pasword=swordfish",
        "nowhere://user:swordfish@192.0.2.9",
        "user:swordfish@192.0.2.9",
        ["redis://user:swordfish@192.0.2.9"],
    ],
)
def test_nor_is_it_where_the_setting_is_wrong(storage: object) -> None:
    for source, variables in (
        (Source("a test", {"storage": storage}), {}),
        (Source("a test", {}), {"JAMGUARD_STORAGE": str(storage)}),
    ):
        with pytest.raises(ConfigError, match=r"storage|JAMGUARD_STORAGE") as error:
            load(source, GUARDS, variables)
        assert "swordfish" not in str(error.value)


def test_guards_made_by_hand_check_their_settings_too() -> None:
    with pytest.raises(ValueError, match="write a name without scheme"):
        Host(allowed=("https://www.example.com",))
