"""Who is banned, by what, for how long, and who never is."""

import json
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from support.jam import BUILDER_SESSION, jam_site
from support.wsgi import App, call, hello

from jamguard import ConfigError, Guard, Refusal, Request, Shield, harden
from jamguard.bans import begin, lift, read_network
from jamguard.config import Settings, Source, load
from jamguard.guard import Mode
from jamguard.guards import GUARDS, ban
from jamguard.guards.ban import Ban
from jamguard.guards.builder import Builder
from jamguard.guards.proxy import Proxy
from jamguard.jampy.calls import Taken
from jamguard.jampy.session import Session
from jamguard.late import decide
from jamguard.site import Site
from jamguard.values import Duration, Rate, parse_network

PROBE = Refusal(status=HTTPStatus.NOT_FOUND, reason="tried-a-door", probe=True)
MISTAKE = Refusal(status=HTTPStatus.NOT_FOUND, reason="lost")
ADMINISTRATOR = Session("session-1", 1, admin=True)


@attrs.frozen(kw_only=True, eq=False)
class Doors(Guard):
    """Refuses `/door` as a probe, `/lost` as a mistake."""

    mode: Mode = "enforce"

    def check(self, request: Request) -> Refusal | None:
        return {"/door": PROBE, "/lost": MISTAKE}.get(request.path)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands still at a window's beginning until it is set."""
    now = [600_000.0]
    monkeypatch.setattr(ban, "monotonic", lambda: now[0])

    def set_to(seconds: float) -> None:
        now[0] = 600_000.0 + seconds

    return set_to


def shield(*more: Guard, trusted: tuple[str, ...] = (), **settings: Any) -> Shield:
    proxy = Proxy(trusted=trusted)
    return Shield(hello, [proxy, Ban(**settings), Doors(), *more], jam_site())


def probe(app: App, times: int = 20, path: str = "/door", **environ: Any) -> list[int]:
    return [call(app, path, **environ).code for _ in range(times)]


def is_banned(app: App, **environ: Any) -> bool:
    return call(app, "/", **environ).get("Jamguard-Refused") == "ban"


class TestWhenABanBegins:
    def test_nineteen_probes_are_not_twenty(self) -> None:
        app = shield()
        probe(app, 19)
        assert not is_banned(app)
        assert probe(app, 1) == [404]
        assert is_banned(app)

    @pytest.mark.parametrize(
        "path", ["/", "/api", "/upload", "/ext/x", "/static/a.js", "/jam/js/jam.js", "/door"]
    )
    def test_whoever_is_banned_is_refused_everywhere(self, path: str) -> None:
        app = shield()
        probe(app)
        for method in ("GET", "POST", "HEAD"):
            answer = call(app, path, method)
            assert answer.get("Jamguard-Refused") == "ban"
            assert answer.body != b"hi"

    @pytest.mark.parametrize("path", ["/health", "/healthz", "/ping"])
    def test_health_paths_are_answered_all_the_same(self, path: str) -> None:
        app = shield()
        probe(app)
        assert call(app, path).body == b"hi"

    def test_nobody_else_is_refused(self) -> None:
        app = shield()
        probe(app)
        assert not is_banned(app, REMOTE_ADDR="192.0.2.2")

    @pytest.mark.parametrize(
        ("other", "banned"),
        [("2001:db8::ffff:2", True), ("2001:db8:0:1::1", False), ("2001:db8:1::1", False)],
    )
    def test_a_client_of_ipv6_is_its_network(self, other: str, *, banned: bool) -> None:
        app = shield()
        probe(app, REMOTE_ADDR="2001:db8::1")
        assert is_banned(app, REMOTE_ADDR=other) is banned

    def test_probes_that_are_long_ago_do_not_count(self, clock: Callable[[float], None]) -> None:
        app = shield()
        probe(app, 19)
        clock(1200)
        probe(app, 19)
        assert not is_banned(app)

    def test_the_setting_says_how_many(self) -> None:
        app = shield(after=Rate(2, 60))
        probe(app, 1)
        assert not is_banned(app)
        probe(app, 1)
        assert is_banned(app)

    def test_what_happens_to_be_refused_is_no_probe(self) -> None:
        app = shield()
        assert probe(app, 100, "/lost") == [404] * 100
        assert not is_banned(app)

    def test_what_another_guard_only_reports_is_no_probe(self) -> None:
        site = jam_site()
        app = Shield(hello, [Ban(), Doors(mode="report")], site)
        assert probe(app, 100) == [200] * 100

    @pytest.mark.parametrize(
        ("value", "banned"),
        [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)],
    )
    def test_what_a_page_elsewhere_made_a_browser_ask_is_no_probe(
        self, value: str, *, banned: bool
    ) -> None:
        app = shield()
        probe(app, HTTP_SEC_FETCH_SITE=value)
        assert is_banned(app) is banned

    @pytest.mark.parametrize(
        ("header", "value", "banned"),
        [
            ("HTTP_REFERER", "https://elsewhere.example.com/page", False),
            ("HTTP_REFERER", "http://[2001:db8::1]:8000/", False),
            ("HTTP_ORIGIN", "http://elsewhere.example.com:8080", False),
            ("HTTP_REFERER", "http://WWW.example.com:8080/page", True),
            ("HTTP_ORIGIN", "null", True),
            ("HTTP_REFERER", "junk", True),
        ],
    )
    def test_an_old_browser_says_where_it_was_asked_in_other_headers(
        self, header: str, value: str, *, banned: bool
    ) -> None:
        app = shield()
        said: dict[str, Any] = {"HTTP_HOST": "www.example.com", header: value}
        probe(app, **said)
        assert is_banned(app) is banned


class TestWhereARefusalIsMade:
    def test_by_an_inner_shield(self) -> None:
        site = jam_site()
        app = Shield(Shield(hello, [Doors()], site), [Ban()], site)
        probe(app)
        assert is_banned(app)

    def test_by_an_inner_shield_that_sees_another_path(self) -> None:
        inner = Shield(hello, [Doors()])

        def mounted(env: dict[str, Any], start: Any) -> Any:
            # another environ, too
            return inner({**env, "PATH_INFO": env["PATH_INFO"].removeprefix("/shop")}, start)

        app = Shield(mounted, [Ban()], jam_site())
        probe(app, path="/shop/door")
        assert is_banned(app)

    def test_late_when_jam_py_has_taken_the_request(self) -> None:
        @attrs.frozen(kw_only=True, eq=False)
        class Late(Guard):
            mode: Mode = "enforce"

            def taken(self, request: Request, taken: Taken) -> Refusal | None:
                return PROBE

        def app(env: dict[str, Any], start: Any) -> Any:
            if env["PATH_INFO"] == "/api":
                decide(env, Taken("api", None))
            return hello(env, start)

        site = jam_site()
        enforcing = Shield(app, [Ban(), Late()], site)
        assert set(probe(Shield(app, [Ban(), Late(mode="report")], site), path="/api")) == {200}
        assert not is_banned(enforcing)
        probe(enforcing, path="/api")
        assert is_banned(enforcing)


class TestHowLongABanIs:
    def test_an_hour_and_then_it_is_over(self, clock: Callable[[float], None]) -> None:
        app = shield()
        probe(app)
        clock(3599.5)
        assert is_banned(app)
        clock(3600)
        assert not is_banned(app)

    def test_the_setting_says_how_long(self, clock: Callable[[float], None]) -> None:
        app = shield(for_=Duration(60))
        probe(app)
        clock(60)
        assert not is_banned(app)

    def test_each_one_is_twice_as_long_up_to_a_day(self, clock: Callable[[float], None]) -> None:
        app = shield()
        at, spans = 0.0, list[int]()
        for _ in range(7):
            probe(app)
            answer = call(app, "/")
            spans.append(int(answer.get("Retry-After") or 0) // 3600)
            at += spans[-1] * 3600
            clock(at)
        assert spans == [1, 2, 4, 8, 16, 24, 24]

    def test_one_that_is_set_longer_than_a_day_does_not_grow(
        self, clock: Callable[[float], None]
    ) -> None:
        app = shield(for_=Duration(2 * 86400))
        for moment in (0, 2 * 86400):
            clock(moment)
            probe(app)
            assert call(app, "/").get("Retry-After") == str(2 * 86400)

    def test_a_day_after_the_last_one_it_is_forgotten(self, clock: Callable[[float], None]) -> None:
        app = shield()
        probe(app)
        clock(3600 + 86400)
        probe(app)
        assert call(app, "/").get("Retry-After") == "3600"

    def test_after_a_ban_twenty_more_are_needed(self, clock: Callable[[float], None]) -> None:
        app = shield(for_=Duration(60))
        probe(app)
        clock(60)
        probe(app, 19)
        assert not is_banned(app)

    def test_requests_that_were_on_their_way_do_not_make_it_longer(self) -> None:
        app = shield()
        guard = next(guard for guard in app.guards if isinstance(guard, Ban))
        probe(app, 19)
        begin(app.site.store, "192.0.2.1", 600_000.0, 3600, "another worker", grow=True)
        app.site.store.hit("ban|192.0.2.1", 20, 600, 600_000.0, 19)
        request = Request({"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1"}, app.site)
        request.note_refusal(PROBE)
        guard.finish(request, Any)  # type: ignore[arg-type] # it does not look at it
        (mark,) = app.site.store.marks.all("banned", 600_000.0)
        assert (mark.times, mark.left) == (1, 3600)


class TestWhoIsNeverBanned:
    @pytest.mark.parametrize(
        ("environ", "settings"),
        [
            pytest.param({"REMOTE_ADDR": "127.0.0.1"}, {}, id="this computer"),
            pytest.param({"REMOTE_ADDR": "::1"}, {}, id="this computer, IPv6"),
            pytest.param(
                {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1"},
                {},
                id="an undeclared proxy",
            ),
            pytest.param(
                {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1"},
                {},
                id="an undeclared proxy on this computer",
            ),
            pytest.param(
                {"REMOTE_ADDR": "10.0.0.1"},
                {"trusted": ("10.0.0.1",)},
                id="a declared proxy that does not say for whom it asks",
            ),
            pytest.param(
                {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.2"},
                {"trusted": ("10.0.0.0/24",)},
                id="a declared proxy that asks for itself",
            ),
            pytest.param({"REMOTE_ADDR": ""}, {}, id="a UNIX socket"),
            pytest.param({"REMOTE_ADDR": "junk"}, {}, id="nobody knows who"),
            pytest.param(
                {"REMOTE_ADDR": "192.0.2.7"},
                {"safelist": (parse_network("192.0.2.0/24"),)},
                id="the safelist",
            ),
        ],
    )
    def test_one_prober_does_not_lock_others_out(
        self, environ: dict[str, Any], settings: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        app = shield(**settings)
        assert probe(app, 40, **environ) == [404] * 40
        assert call(app, "/", **environ).code == 200
        assert app.site.store.marks.all("banned", 600_000.0) == []
        assert caplog.text.count("would-ban") == 2  # and no line for each request

    def test_a_ban_by_hand_does_not_reach_them_either(self) -> None:
        app = shield(trusted=("10.0.0.1",))
        for network in ("127.0.0.1", "unknown", "10.0.0.0/24"):
            begin(app.site.store, network, 600_000.0, 60, "by hand", grow=False)
        assert not is_banned(app, REMOTE_ADDR="127.0.0.1")
        assert not is_banned(app, REMOTE_ADDR="junk")
        assert not is_banned(app, REMOTE_ADDR="10.0.0.1")
        assert is_banned(app, REMOTE_ADDR="10.0.0.2")

    def test_behind_a_declared_proxy_it_is_the_client_who_is_banned(self) -> None:
        app = shield(trusted=("10.0.0.1",))
        prober: dict[str, Any] = {
            "REMOTE_ADDR": "10.0.0.1",
            "HTTP_X_FORWARDED_FOR": "198.51.100.1",
        }
        probe(app, **prober)
        assert is_banned(app, **prober)
        assert not is_banned(app, **{**prober, "HTTP_X_FORWARDED_FOR": "198.51.100.2"})

    def test_a_forged_header_buys_a_public_peer_nothing(self) -> None:
        app = shield()
        for number in range(20):
            probe(app, 1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
        assert is_banned(app)
        assert is_banned(app, HTTP_X_FORWARDED_FOR="198.51.100.1")
        assert not is_banned(app, REMOTE_ADDR="198.51.100.1")


def banned_by_hand(network: str) -> Shield:
    app = shield()
    begin(app.site.store, read_network(network), 600_000.0, 60, "by hand", grow=False)
    return app


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("2001:db8:7::/48", "2001:db8:7:ffff::1", "2001:db8:8::1"),
        ("2001:db8::/64", "2001:db8::1", "2001:db8:0:1::1"),
    ],
)
def test_a_wider_network_can_be_banned(network: str, inside: str, outside: str) -> None:
    app = banned_by_hand(network)
    assert is_banned(app, REMOTE_ADDR=inside)
    assert not is_banned(app, REMOTE_ADDR=outside)


class TestWhatIsSaid:
    def test_a_person_reads_why_and_until_when(self, clock: Callable[[float], None]) -> None:
        app = shield()
        probe(app)
        clock(1800.5)
        answer = call(app, "/", HTTP_ACCEPT="text/html")
        assert (answer.code, answer.get("Retry-After")) == (403, "1800")
        assert answer.get("Cache-Control") == "no-store"
        assert b"Requests from your network are not answered at the moment" in answer.body
        assert b"Please try again in 30 minutes." in answer.body

    def test_a_user_keeps_the_form_on_the_screen(self) -> None:
        app = shield()
        probe(app)
        answer = call(app, "/api", "POST")
        assert answer.code == 200
        assert "Some of them looked like attacks" in json.loads(answer.body)["error"]

    def test_the_log_has_a_line_when_a_ban_begins(self, caplog: pytest.LogCaptureFixture) -> None:
        app = shield()
        probe(app)
        lines = [line for line in caplog.messages if line.startswith("banned")]
        (line,) = lines
        assert line.startswith(
            'banned network=192.0.2.1 for="1 hour" times=1 reason=tried-a-door id='
        )

    def test_the_log_has_a_line_a_minute_for_each_who_is_banned(
        self, caplog: pytest.LogCaptureFixture, clock: Callable[[float], None]
    ) -> None:
        app = shield()
        for remote in ("192.0.2.1", "192.0.2.2"):
            probe(app, REMOTE_ADDR=remote)
        caplog.clear()
        for second in range(0, 120, 2):
            clock(second)
            for remote in ("192.0.2.1", "192.0.2.2"):
                call(app, "/", REMOTE_ADDR=remote)
        assert len(caplog.messages) == 4
        assert caplog.messages[0].startswith("refused guard=ban reason=banned status=403")
        assert caplog.messages[0].endswith("detail=tried-a-door")

    def test_report_mode_says_whom_it_would_have_banned_and_bans_nobody(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = shield(mode="report")
        assert probe(app, 40) == [404] * 40
        assert not is_banned(app)
        assert app.site.store.marks.all("banned", 600_000.0) == []
        lines = [line for line in caplog.messages if "ban" in line]
        assert len(lines) == 2
        assert lines[0].startswith('would-ban network=192.0.2.1 for="1 hour" times=1')
        assert lines[0].endswith(r'spared="mode = \"report\""')

    def test_report_mode_lets_those_pass_who_are_banned_by_hand(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = shield(mode="report")
        begin(app.site.store, "192.0.2.1", 600_000.0, 60, "by hand", grow=False)
        assert probe(app, 5, "/") == [200] * 5
        assert caplog.text.count("would-refuse guard=ban") == 1


# --- what counts, by the guards that refuse ---------------------------------------------------

BY_AN_ADMINISTRATOR: dict[str, Any] = {BUILDER_SESSION: ADMINISTRATOR}


@pytest.fixture
def site() -> Iterator[Shield]:
    """All guards, in front of a project that is in safe mode, as far as it is asked."""
    settings, guards = load(Source("test", {"storage": "process"}), GUARDS)
    logging.disable(logging.CRITICAL)
    yield Shield(hello, guards, jam_site(settings=settings))
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("path", "method", "environ"),
    [
        pytest.param("/jam/../admin.sqlite", "GET", {}, id="a path that leads out"),
        pytest.param("/static/%2e%2e/x".replace("%2e", "."), "GET", {}, id="below static, too"),
        pytest.param("/static/..\\x", "GET", {}, id="a path that leads out of Windows"),
        pytest.param("/index.html\0.png", "GET", {}, id="NUL"),
        pytest.param("/jam/wsgi.py", "GET", {}, id="the source of Jam.py"),
        pytest.param("/jam/langs.sqlite", "HEAD", {}, id="a database of Jam.py"),
        pytest.param("/", "GET", {"QUERY_STRING": "__debugger__=yes&cmd=x"}, id="the debugger"),
        pytest.param("/builder_login.html", "POST", {}, id="a guess at the builder"),
    ],
)
def test_what_counts(site: Shield, path: str, method: str, environ: dict[str, Any]) -> None:
    refused = [call(site, path, method, b"", **environ).get("Jamguard-Refused") for _ in range(21)]
    assert "ban" not in refused[:20]
    assert None not in refused
    assert refused[20] == "ban"


@pytest.mark.parametrize(
    ("path", "method", "environ"),
    [
        pytest.param("/favicon.ico/", "GET", {}, id="a missing icon"),
        pytest.param("/jam", "GET", {}, id="somebody who types a name"),
        pytest.param("/jam/", "GET", {}, id="a monitor"),
        pytest.param("/jam/favicon.ico", "GET", {}, id="an icon in a folder"),
        pytest.param("/no/such/page", "GET", {}, id="a page that there is not"),
        pytest.param("/.env", "GET", {}, id="not Jam.py's business"),
        pytest.param("/static/backup.sql", "GET", {}, id="a link of the project's own"),
        pytest.param("/static/.thumbs/1.png", "GET", {}, id="pictures of the project's own"),
        pytest.param("/js/templates/a.html", "GET", {}, id="scripts of the project's own"),
        pytest.param("/index.html/css/a.css", "GET", {}, id="a relative link gone wrong"),
        pytest.param("/static/images\\logo.png", "GET", {}, id="a link made on Windows"),
        pytest.param("/page\n", "GET", {}, id="a link with a line end"),
        pytest.param("/builder.html", "GET", {}, id="a person who opens the builder"),
        pytest.param("/builder_login.html", "GET", {}, id="a person who opens its login"),
        pytest.param(
            "/builder_login.html", "POST", BY_AN_ADMINISTRATOR, id="an administrator elsewhere"
        ),
        pytest.param("/static/./a.css", "GET", {}, id="a careless robot"),
        pytest.param("/api", "GET", {}, id="a call opened in a browser"),
        pytest.param("/api", "OPTIONS", {}, id="a page elsewhere that asks whether it may"),
        pytest.param("/", "PROPFIND", {}, id="an office program that opens a link"),
        pytest.param("/", "get", {}, id="a careless monitor"),
        pytest.param("*", "OPTIONS", {}, id="a load balancer"),
        pytest.param("/", "TRACE", {}, id="TRACE"),
        pytest.param("/", "GET", {"RAW_URI": "http://www.example.com/"}, id="an old proxy"),
        pytest.param("/", "GET", {"HTTP_SCRIPT_NAME": "/x"}, id="a proxy that says the mount"),
        pytest.param("/", "GET", {"HTTP_HOST": "a b"}, id="a malformed Host"),
        pytest.param(
            "/api", "POST", {"HTTP_SEC_FETCH_SITE": "cross-site"}, id="a form of a page elsewhere"
        ),
        pytest.param(
            "/jam/wsgi.py",
            "GET",
            {"HTTP_SEC_FETCH_SITE": "cross-site"},
            id="a picture of a page elsewhere",
        ),
        pytest.param("/" + "x" * 9000, "GET", {}, id="a long address"),
        pytest.param("/api", "POST", {"CONTENT_LENGTH": "99999999"}, id="a large call"),
        pytest.param("/api", "POST", {"CONTENT_LENGTH": "many"}, id="a length that is none"),
        pytest.param("/", "GET", {"SERVER_SOFTWARE": "Werkzeug/3.1"}, id="the development server"),
    ],
)
def test_what_the_innocent_come_to_does_not(
    site: Shield, path: str, method: str, environ: dict[str, Any]
) -> None:
    for _ in range(30):
        call(site, path, method, b"", **environ)
    assert not is_banned(site)


@pytest.mark.parametrize(
    ("environ", "banned"),
    [
        pytest.param({}, True, id="a script"),
        pytest.param({"HTTP_REFERER": "http://www.example.com/"}, True, id="of the application"),
        pytest.param({"HTTP_REFERER": "http://["}, True, id="of nothing"),
        pytest.param(
            {"HTTP_REFERER": "http://www.example.com/builder.html"}, False, id="an open builder"
        ),
        pytest.param(
            {
                "SCRIPT_NAME": "/shop",
                "HTTP_REFERER": "http://www.example.com/shop/builder.html?x#y",
            },
            False,
            id="an open builder of a mounted site",
        ),
        pytest.param(BY_AN_ADMINISTRATOR, False, id="an administrator elsewhere"),
    ],
)
def test_calls_of_the_builder_count_unless_an_open_page_makes_them(
    environ: dict[str, Any], *, banned: bool
) -> None:
    jams = SimpleNamespace(method="POST", get_data=lambda: b'["load",0,0,null,0]')

    def app(env: dict[str, Any], start: Any) -> Any:
        if env["PATH_INFO"] == "/api":
            decide(env, Taken("api", jams))
        return hello(env, start)

    behind = Shield(app, [Ban(), Builder()], jam_site())
    refused = [call(behind, "/api", "POST", b"", **environ) for _ in range(25)]
    assert refused[0].get("Jamguard-Refused") == "builder"
    assert is_banned(behind) is banned


def test_exports_count_and_reports_do_not(site: Shield, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report after one's session is over is no probe; an export of the project is."""
    monkeypatch.setattr(type(site.site.project), "safe_mode", property(lambda _: True))
    assert probe(site, 30, "/static/reports/invoice.pdf") == [404] * 30
    assert not is_banned(site)
    assert probe(site, 20, "/static/internal/shop.zip") == [404] * 20
    assert is_banned(site)


# --- settings ---------------------------------------------------------------------------------


def test_settings_are_called_as_they_are_written() -> None:
    app = harden(hello, {"storage": "process", "ban": {"for": "30 minutes", "after": "2/minute"}})
    assert 'for = "30 minutes"' in app.explain()
    guard = next(guard for guard in app.guards if isinstance(guard, Ban))
    assert (guard.for_, guard.after) == (1800, Rate(2, 60))


def test_a_variable_of_the_environment_is_called_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAMGUARD_BAN__FOR", "2 hours")
    assert 'for = "2 hours"  ($JAMGUARD_BAN__FOR)' in harden(hello).explain()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"for": "for ever"}, 'tool.jamguard.ban.for: "for ever" is not a span of time'),
        ({"for": "0s"}, 'tool.jamguard.ban.for: "0s" must be between one second and one year'),
        ({"for": "2 years"}, "must be between one second and one year"),
        ({"after": "20"}, 'tool.jamguard.ban.after: "20" is not a rate'),
        ({"safelist": ["office"]}, "tool.jamguard.ban.safelist[0]"),
        ({"for_": "1 hour"}, "tool.jamguard.ban.for_: is not a setting; did you mean 'ban.for'?"),
        ({"fro": "1 hour"}, "did you mean 'ban.for'?"),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"ban": settings})
    assert problem in str(error.value)


def test_workers_of_a_project_ban_together(tmp_path: Path) -> None:
    def worker() -> Shield:
        settings = Settings(storage=f"shared:{tmp_path}")
        return Shield(hello, [Ban(), Doors()], jam_site(tmp_path / "project", settings))

    one, other = worker(), worker()
    probe(one, 10)
    probe(other, 10)
    assert is_banned(one)
    assert is_banned(other)


def test_a_ban_that_is_lifted_is_forgotten() -> None:
    app = shield()
    probe(app)
    assert lift(app.site.store, "192.0.2.1", Ban().after)
    assert not lift(app.site.store, "192.0.2.1", Ban().after)
    assert not is_banned(app)
    probe(app)
    assert call(app, "/").get("Retry-After") == "3600"


def test_a_store_that_breaks_bans_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def get(self, *_: object) -> None:
            raise OSError

    site = Site(Settings(storage="process"), None)
    site.store.marks = Broken()  # type: ignore[misc,assignment] # a store's own bug
    assert call(Shield(hello, [Ban()], site)).body == b"hi"
    assert "guard-failed guard=ban outcome=passed" in caplog.text
