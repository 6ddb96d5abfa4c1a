"""Who is counted, in what, and what the answer says."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.jam import SESSION, jam_site
from support.wsgi import Answer, call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.config import Settings
from jamguard.guards import rate_limit
from jamguard.guards.proxy import Proxy
from jamguard.guards.rate_limit import RateLimit
from jamguard.jampy.calls import Taken
from jamguard.jampy.session import Session
from jamguard.late import decide
from jamguard.site import Site
from jamguard.stores import shared
from jamguard.stores.shared import shared_path
from jamguard.values import Rate, Rates

LIMIT = Rates([Rate(3, 60)])
#: a server with several worker processes
SEVERAL: dict[str, Any] = {"wsgi.multiprocess": True}
ALL: dict[str, Any] = dict.fromkeys(("api", "page", "login", "upload", "ext"), LIMIT)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands still at a window's beginning until it is set."""
    now = [6000.0]
    monkeypatch.setattr(rate_limit, "monotonic", lambda: now[0])

    def set_to(seconds: float) -> None:
        now[0] = 6000.0 + seconds

    return set_to


def shield(storage: str = "process", **settings: Any) -> Shield:
    given: dict[str, Any] = {**ALL, **settings}
    return Shield(hello, [Proxy(), RateLimit(**given)], counting(storage))


def counting(storage: str, folder: Path = Path()) -> Site:
    """Return the site of a project in `folder` that counts in a store."""
    return jam_site(folder, Settings(storage=storage))


def user(number: int) -> dict[str, Any]:
    """An environ of a logged-in user's request."""
    return {SESSION: Session(f"session-{number}", number, admin=False)}


def codes(app: Shield, times: int, path: str = "/", **environ: Any) -> list[int]:
    return [
        call(app, path, "POST", HTTP_ACCEPT="application/problem+json", **environ).code
        for _ in range(times)
    ]


@pytest.mark.usefixtures("clock")
class TestWhoIsCounted:
    def test_the_limit_passes_and_one_more_does_not(self) -> None:
        assert codes(shield(), 5) == [200, 200, 200, 429, 429]

    @pytest.mark.parametrize("path", ["/api", "/upload", "/ext/x", "/login.html", "/", "/own/page"])
    def test_each_class_of_routes_is_counted_apart(self, path: str) -> None:
        app = shield()
        codes(app, 4, "/logout" if path not in {"/", "/own/page"} else "/api")
        assert codes(app, 4, path) == [200, 200, 200, 429]

    @pytest.mark.parametrize(
        "path",
        [
            "/static/a.js",
            "/jam/js/jam.js",
            "/css/project.css",
            "/js/x.js",
            "/favicon.ico",
            "/health",
        ],
    )
    def test_static_files_and_health_are_never_counted(self, path: str) -> None:
        app = shield()
        assert set(codes(app, 20, path)) == {200}
        assert call(app, path).get("RateLimit") is None

    @pytest.mark.parametrize(
        ("one", "other", "together"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("2001:db8::1", "2001:db8::ffff:2", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
        ],
    )
    def test_a_client_is_its_network(self, one: str, other: str, together: bool) -> None:
        app = shield()
        codes(app, 3, REMOTE_ADDR=one)
        assert codes(app, 1, REMOTE_ADDR=other) == [429 if together else 200]

    def test_to_look_at_a_login_page_is_no_attempt(self) -> None:
        app = shield()
        assert [call(app, "/login.html").code for _ in range(4)] == [200, 200, 200, 429]
        assert call(app, "/").code == 429
        assert codes(app, 4, "/login.html") == [200, 200, 200, 429]

    def test_a_session_is_a_client_of_its_own(self) -> None:
        app = shield()
        codes(app, 4)
        assert codes(app, 4, **user(1)) == [200, 200, 200, 429]
        assert codes(app, 4, **user(2)) == [200, 200, 200, 429]

    def test_an_attempt_to_log_in_is_the_networks_whatever_session_comes_with_it(self) -> None:
        app = shield()
        sent = [codes(app, 1, "/login.html", **user(number))[0] for number in range(5)]
        assert sent == [200, 200, 200, 429, 429]

    def test_a_network_may_do_ten_times_as_much_in_many_sessions(self) -> None:
        app = shield()
        assert sum(codes(app, 3, **user(number)).count(200) for number in range(20)) == 30

    def test_an_undeclared_proxy_stands_for_many_but_not_for_all(self) -> None:
        app = shield()
        sent = codes(app, 40, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1")
        assert sent.count(200) == 30

    def test_a_forged_header_buys_a_public_peer_nothing(self) -> None:
        app = shield()
        sent = [
            codes(app, 1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")[0] for number in range(9)
        ]
        assert sent.count(200) == 3

    @pytest.mark.parametrize("remote", ["", "localhost", "<local>", "0.0.0.0", "junk", "1.2.3"])
    def test_clients_without_an_address_share_one_bucket_and_a_notice(
        self, remote: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = shield()
        assert codes(app, 40, REMOTE_ADDR=remote).count(200) == 30
        assert caplog.text.count("id=JG004") == 1

    def test_what_a_declared_proxy_does_not_say_is_not_the_servers_fault(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = Shield(hello, [Proxy(trusted=("10.0.0.1",)), RateLimit()], jam_site())
        assert call(app, REMOTE_ADDR="10.0.0.1").code == 200
        assert "JG013" in caplog.text
        assert "JG004" not in caplog.text

    def test_a_safelisted_network_is_not_counted(self) -> None:
        app = harden(hello, {"rate-limit": {"page": "1/minute", "safelist": ["192.0.2.0/24"]}})
        assert codes(app, 3) == [200, 200, 200]
        assert codes(app, 2, REMOTE_ADDR="198.51.100.1") == [200, 429]


class TestWhatTheAnswerSays:
    def test_what_is_left_and_until_when(self, clock: Callable[[float], None]) -> None:
        app = shield()
        clock(18)
        answer = call(app, "/api", "POST")
        assert answer.get("RateLimit-Policy") == '"api";q=3;w=60'
        assert answer.get("RateLimit") == '"api";r=2;t=42'

    def test_retry_after_is_right_to_the_second(self, clock: Callable[[float], None]) -> None:
        app = shield()
        codes(app, 3)
        answer: Answer = call(app, "/")
        assert (answer.code, answer.get("Retry-After")) == (429, "80")
        assert answer.get("RateLimit") == '"page";r=0;t=80'
        clock(79)
        assert codes(app, 1) == [429]
        clock(80)
        assert codes(app, 1) == [200]

    def test_the_tightest_of_several_rates_is_told(self, clock: Callable[[float], None]) -> None:
        app = shield(page=Rates.parse("5/minute, 7/hour"))
        told = [call(app, "/").get("RateLimit") for _ in range(5)]
        assert told[0] == '"page";r=4;t=60'
        assert codes(app, 1) == [429]
        clock(180)
        answer = call(app, "/")
        assert answer.get("RateLimit-Policy") == '"page-3600s";q=7;w=3600'
        assert answer.get("RateLimit") == '"page-3600s";r=1;t=1020'
        assert codes(app, 3) == [200, 429, 429]

    def test_a_sessions_rate_or_that_of_its_network_is_told(
        self, clock: Callable[[float], None]
    ) -> None:
        clock(0)
        app = shield()
        assert call(app, "/", **user(1)).get("RateLimit") == '"page";r=2;t=60'
        for number in range(2, 16):
            codes(app, 2, **user(number))
        assert call(app, "/", **user(99)).get("RateLimit") == '"page-network";r=0;t=60'

    @pytest.mark.usefixtures("clock")
    def test_a_refusal_on_api_is_a_message_in_jam_pys_client(self) -> None:
        app = shield()
        codes(app, 3, "/api")
        answer = call(app, "/api", "POST")
        assert answer.code == 200
        assert "Please try again in 80 seconds" in json.loads(answer.body)["error"]
        assert answer.get("Jamguard-Refused") == "rate-limit"

    @pytest.mark.usefixtures("clock")
    def test_headers_that_the_application_sets_stay_alone(self) -> None:
        def app(env: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
            start("200 OK", [("RateLimit", '"own";r=1;t=1')])
            return []

        assert call(Shield(app, [RateLimit()])).all("RateLimit") == ['"own";r=1;t=1']

    @pytest.mark.usefixtures("clock")
    def test_report_mode_lets_pass_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        assert codes(shield(mode="report"), 5) == [200] * 5
        assert caplog.text.count("would-refuse guard=rate-limit reason=rate status=429") == 2


def taking(app: Shield, message: str) -> int:
    """Send a call that Jam.py takes; return the status that it is refused with, or 200."""
    site = app.site

    def jams(environ: dict[str, Any], start_response: Any) -> Any:
        taken = Taken("api", SimpleNamespace(method="POST", get_data=message.encode))
        decide(environ, taken)
        return hello(environ, start_response)

    answer = call(Shield(jams, app.guards, site), "/api", "POST")
    return 429 if answer.get("Jamguard-Refused") == "rate-limit" else answer.code


OPEN = '["open",1,6,{"__filters":[]},0]'


@pytest.mark.usefixtures("clock")
class TestWhatACallWeighs:
    @pytest.mark.parametrize(
        ("message", "weight"),
        [
            ('["print",1,8,[[],"http://host/","ods"],0]', 10),
            (OPEN, 2),
            ('["open",1,6,{"__limit":20},0]', 1),
            ('["open",1,6,{"__limit":null},0]', 2),
            ('["open",1,6,{"__limit":0},0]', 2),
            ('["open",1,6,null,0]', 2),
            ('["server",1,6,["hello",[]],0]', 1),
            ('["apply",1,6,[{},{}],0]', 1),
            ('[["open"],1,6,{},0]', 1),
            ("no call", 1),
        ],
    )
    def test_by_its_method(self, message: str, weight: int) -> None:
        app = shield(api=Rates.parse("30/minute"))
        passed = [taking(app, message) for _ in range(40)].count(200)
        assert passed == 30 // weight

    def test_the_weight_is_a_setting(self) -> None:
        app = shield(api=Rates.parse("30/minute"), weights={"server": 15})
        assert [taking(app, '["server",1,6,["hello",[]],0]') for _ in range(3)] == [200, 200, 429]
        assert taking(shield(api=Rates.parse("1/minute"), weights={}), OPEN) == 200

    def test_more_than_the_whole_rate_is_the_whole_rate(self) -> None:
        """Else such a call could never pass."""
        app = shield(api=Rates.parse("11/minute"), weights={"open": 500})
        assert [taking(app, OPEN) for _ in range(2)] == [200, 429]
        app = shield(api=Rates.parse("1/minute"), weights={"open": 2})
        assert [taking(app, OPEN) for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "site",
    [counting("process"), Site(Settings(storage="shared"), None)],
    ids=["as-the-settings-say", "no-project-to-name-the-file-after"],
)
def test_several_worker_processes_that_count_alone_are_warned_about(
    caplog: pytest.LogCaptureFixture, site: Site
) -> None:
    app = Shield(hello, [RateLimit()], site)
    call(app, **SEVERAL)
    call(app, **SEVERAL)
    assert caplog.text.count("id=JG012") == 1


def test_a_limits_uri_counts_for_all(caplog: pytest.LogCaptureFixture) -> None:
    app = shield(storage="memory://")
    assert codes(app, 4, **SEVERAL) == [200, 200, 200, 429]
    assert "JG012" not in caplog.text


def test_workers_of_a_project_count_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def worker(project: str) -> Shield:
        site = counting(f"shared:{tmp_path}", tmp_path / project)
        return Shield(hello, [RateLimit(page=Rates([Rate(30, 60)]))], site)

    one, other = worker("project"), worker("project")
    assert codes(one, 20, **SEVERAL) == [200] * 20
    assert codes(other, 12, **SEVERAL) == [200] * 10 + [429] * 2
    assert codes(worker("elsewhere"), 1, **SEVERAL) == [200]
    assert caplog.text.count("JG0") == 0


def test_a_shared_file_that_cannot_be_used_is_a_notice_and_not_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared_path(tmp_path / "project", str(tmp_path)).mkdir()
    site = counting(f"shared:{tmp_path}", tmp_path / "project")
    app = Shield(hello, [RateLimit()], site)
    assert codes(app, 2) == [200, 200]
    assert caplog.text.count("id=JG020") == 1
    assert "Is a directory" in caplog.text


def test_a_shared_file_that_stays_locked_is_a_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = counting(f"shared:{tmp_path}", tmp_path / "project")
    app = Shield(hello, [RateLimit()], site)

    def never(*_: object) -> bool:
        return False

    monkeypatch.setattr("jamguard.stores.mapped.lock", never)
    assert codes(app, 2) == [200, 200]
    assert caplog.text.count("id=JG014") == 1


def test_a_store_that_is_away_is_a_notice_and_not_an_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shared, "MEMORY", tmp_path)  # where the machine counts instead
    app = shield(storage="redis://127.0.0.1:1")
    assert codes(app, 4) == [200, 200, 200, 429]
    assert caplog.text.count("id=JG014") == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"api": "fast"}, 'tool.jamguard.rate-limit.api: "fast" is not a rate'),
        (
            {"weights": {"opne": 2}},
            "tool.jamguard.rate-limit.weights: {\"opne\" = 2} has 'opne', which is no call",
        ),
        ({"weights": {"open": 0}}, "has 0 for 'open': write a number from 1 on"),
        ({"safelist": "10.0.0.0/8"}, 'tool.jamguard.rate-limit.safelist: "10.0.0.0/8" must be a'),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"rate-limit": settings})
    assert problem in str(error.value)
