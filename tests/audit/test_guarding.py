from errno import EACCES
from pathlib import Path
from typing import Any

import pytest
from support.audited import change, found, harden, places

from jamguard.audit import audit, look_at


@pytest.fixture
def site(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hardened project, on a machine that says nothing of itself."""
    for name in ("WEB_CONCURRENCY", "PYTHONANYWHERE_SITE"):
        monkeypatch.delenv(name, raising=False)
    return harden(project)


def settings(project: Path, text: str) -> Path:
    (project / "jamguard.toml").write_text(f"[tool.jamguard]\n{text}\n")
    return project


def about_settings(project: Path) -> dict[str, list[Any]]:
    return {number: ones for number, ones in found(project).items() if number.startswith("JC6")}


def test_a_bare_project_without_settings_is_not_asked_for_any(project: Path) -> None:
    assert about_settings(project) == {}
    assert list(about_settings(harden(project))) == ["JC602"]


def test_settings_that_cannot_be_used_are_found(site: Path) -> None:
    settings(site, "[tool.jamguard.rate-limit]\napi = '60/minit'\n[tool.jamguard.hots]\n")
    name = "jamguard.toml"
    found_there = places(site, "JC601")
    assert [where for where, _ in found_there] == [name, name]
    assert "did you mean '60/minute'?" in found_there[0][1] + found_there[1][1]
    assert list(about_settings(site)) == ["JC601"]
    (site / "jamguard.toml").write_text("this is no TOML")
    ((where, detail),) = places(site, "JC601")
    assert where == "the project's folder"
    assert "jamguard.toml: is not TOML" in detail


def test_settings_that_may_not_be_looked_for_are_told(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path) -> None:
        raise PermissionError(EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", forbidden)  # root may look everywhere
    assert places(site, "JC601") == [
        ("the project's folder", f"{site / 'jamguard.toml'}: cannot be read: Permission denied")
    ]


@pytest.mark.parametrize(
    ("text", "number", "setting"),
    [
        ("", "JC602", "[tool.jamguard.host] allowed"),
        ('host.allowed = ["www.example.com"]', "JC612", "[tool.jamguard.https] redirect"),
        ('builder.allow = ["0.0.0.0/0"]', "JC609", "[tool.jamguard.builder] allow"),
        ('proxy.trusted = ["::/0"]', "JC605", "[tool.jamguard.proxy] trusted"),
        ("debugger.insecure-allow = true", "JC606", "[tool.jamguard.debugger] insecure-allow"),
        ('origin.insecure-bypass = ["/x"]', "JC606", "[tool.jamguard.origin] insecure-bypass"),
        ('api.mode = "report"', "JC607", "[tool.jamguard.api] mode"),
        ("api.enabled = false", "JC608", "[tool.jamguard.api] enabled"),
        ('https.redirect = true\nheaders.hsts = "0s"', "JC615", "[tool.jamguard.headers] hsts"),
        ('headers.csp = "off"', "JC614", "[tool.jamguard.headers] csp"),
        ('api.exposed = ["customers.gone"]', "JC611", "[tool.jamguard.api] exposed"),
    ],
)
def test_a_setting_that_weakens_is_found(site: Path, text: str, number: str, setting: str) -> None:
    findings = about_settings(settings(site, text))
    (finding,) = findings[number]
    assert finding.where.part == setting
    assert finding.where.file == "jamguard.toml"


@pytest.mark.parametrize(
    "text",
    [
        'host.allowed = ["www.example.com"]\nhttps.redirect = true',
        'host.allowed = ["shop.lan", "192.0.2.7", "shop"]',
        'host.allowed = ["shop.lan"]\nrequest-id.enabled = false',
        'host.allowed = ["shop.lan"]\nbuilder.allow = ["10.0.0.0/8"]',
        'host.allowed = ["shop.lan"]\nproxy.trusted = ["unix", "127.0.0.1"]',
        'host.allowed = ["shop.lan"]\napi.exposed = ["customers.hello"]',
    ],
)
def test_other_settings_are_fine(site: Path, text: str) -> None:
    assert about_settings(settings(site, text)) == {}


def test_the_environment_is_a_place_too(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAMGUARD_API__MODE", "report")
    assert places(site, "JC607") == [("$JAMGUARD_API__MODE [tool.jamguard.api] mode", "")]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("gunicorn.conf.py", "workers = 4\n", "gunicorn.conf.py:1"),
        ("gunicorn.conf.py", "from os import cpu_count\nworkers = cpu_count()\n", ":2"),
        ("start.sh", "gunicorn --workers 3 wsgi\n", "start.sh:1"),
        ("Procfile", "web: gunicorn -w 12 wsgi\n", "Procfile:1"),
        ("start.sh", "gunicorn --workers 1 wsgi\n", None),
        ("gunicorn.conf.py", "workers = 1\n", None),
        ("gunicorn.conf.py", "workers =\n", None),
    ],
)
def test_workers_that_count_alone_are_found(
    site: Path, name: str, text: str, where: str | None
) -> None:
    (site / name).write_text(text)
    assert "JC603" not in about_settings(site)
    settings(site, 'storage = "process"')
    found_there = [place for place, _ in places(site, "JC603")]
    assert len(found_there) == (where is not None)
    assert all(place.endswith(str(where)) for place in found_there)


def test_the_environment_may_ask_for_workers(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert places(settings(site, 'storage = "process"'), "JC603") == [("$WEB_CONCURRENCY", "4")]


@pytest.mark.parametrize(
    ("name", "text", "sign"),
    [
        ("nginx.conf", "location / {\n  proxy_pass http://127.0.0.1:8000;\n", "proxy_pass"),
        ("shop.service", "ExecStart=gunicorn --bind unix:/run/s wsgi\n", "unix:"),
        ("gunicorn.conf.py", 'bind = "unix:/run/shop.sock"\n', "UNIX socket"),
        ("logs/shop.log", 'notice id=JG003 text="192.0.2.7 looks like a reverse', "192.0.2.7"),
        ("shop.log", "a line\n", None),
        ("gunicorn.conf.py", 'bind = "127.0.0.1:8000"\n', None),
    ],
)
def test_a_proxy_that_is_not_declared_is_found(
    site: Path, name: str, text: str, sign: str | None
) -> None:
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_text(text)
    signs = [detail for _, detail in places(site, "JC604")]
    assert len(signs) == (sign is not None)
    assert all(str(sign) in one for one in signs)
    settings(site, 'proxy.trusted = ["127.0.0.1"]')
    assert "JC604" not in about_settings(site)


def test_pythonanywhere_is_a_proxy(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONANYWHERE_SITE", "www.example.com")
    assert places(site, "JC604")[0][0] == "$PYTHONANYWHERE_SITE"


def test_a_log_that_is_gone_says_nothing(site: Path) -> None:
    from jamguard.audit.guarding import _seen  # noqa: PLC0415

    assert _seen(site / "gone.log") == ""


def test_a_password_that_others_may_read_is_found(site: Path) -> None:
    settings(site, 'storage = "redis://user:secret@192.0.2.7"')
    (site / "jamguard.toml").chmod(0o644)
    assert places(site, "JC610") == [("jamguard.toml", "mode 644")]
    (site / "jamguard.toml").chmod(0o640)
    assert "JC610" not in about_settings(site)
    settings(site, 'storage = "redis://192.0.2.7"')
    (site / "jamguard.toml").chmod(0o644)
    assert "JC610" not in about_settings(site)


def test_settings_in_code_are_read_where_they_stand_in_full(site: Path) -> None:
    wsgi = site / "wsgi.py"
    code = wsgi.read_text()
    given = code.replace("(application)", '(application, {"host": {"allowed": ["shop.lan"]}})')
    wsgi.write_text(given)
    assert about_settings(site) == {}
    wsgi.write_text(code.replace("(application)", '(application, {"api": {"mode": "report"}})'))
    assert places(site, "JC607") == [("the argument of harden() [tool.jamguard.api] mode", "")]
    (site / "own.toml").write_text('[tool.jamguard.api]\nmode = "report"\n')
    wsgi.write_text(code.replace("(application)", '(application, config="own.toml")'))
    assert set(about_settings(site)) == {"JC602", "JC607"}
    wsgi.write_text(code.replace("(application)", "(application, SETTINGS)"))
    assert places(site, "JC613") == [("wsgi.py:6", "")]
    wsgi.write_text(code.replace("(application)", "(application, {[]: 1})"))
    assert "JC613" in about_settings(site)
    wsgi.write_text(code.replace("(application)", "(application, None)"))
    assert "JC613" not in about_settings(site)


def test_exposed_functions_are_looked_for(site: Path) -> None:
    settings(site, 'api.exposed = ["customers.any", "orders.all", "nobody.f"]')
    change(site, "UPDATE SYS_ITEMS SET F_SERVER_MODULE = 'from os.path import *' WHERE ID = 6")
    change(site, "UPDATE SYS_ITEMS SET F_SERVER_MODULE = 'def (' WHERE ID = 7")
    assert [detail for _, detail in places(site, "JC611")] == ["orders.all", "nobody.f"]
    (site / "admin.sqlite").unlink()
    assert "JC611" not in {one.id for one in audit(look_at(site))}
