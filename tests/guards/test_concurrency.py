"""How many may be logging in at once, and that each gives back what it took."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from random import Random
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from support.jam import jam_site
from support.logins import PASSWORD, Jam
from support.wsgi import call, environ, hello

from jamguard import ConfigError, Guard, Refusal, Request, Shield, harden, places
from jamguard.guards.concurrency import Concurrency
from jamguard.guards.login import LOCKED
from jamguard.guards.proxy import Proxy
from jamguard.guards.rate_limit import RateLimit
from jamguard.jampy.logins import Attempt
from jamguard.jampy.session import Proved, Session
from jamguard.values import Rates, Threads

HERE, THERE, ELSEWHERE = "192.0.2.1", "198.51.100.1", "203.0.113.1"


@attrs.frozen
class Crowd:
    """People who are in the middle of logging in, each in a thread, until they are let go."""

    jam: Jam
    _go: threading.Event = attrs.field(factory=threading.Event)
    _threads: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(20))
    _inside: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))
    _people: list[Any] = attrs.field(factory=list[Any])

    def enter(self, source: str, **more: Any) -> None:
        """Have somebody log in from an address; return when Jam.py has begun to sleep."""
        self.jam.meanwhile = self._sleep
        self._people.append(self._threads.submit(self.jam.attempt, "ann", source=source, **more))
        assert self._inside.acquire(timeout=10)
        self.jam.meanwhile = str

    def leave(self) -> Counter[str]:
        self._go.set()
        outcomes = Counter(person.result(10) for person in self._people)
        self._people.clear()
        self._go.clear()
        return outcomes

    def _sleep(self) -> None:
        self._inside.release()
        assert self._go.wait(10)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(Jam([Proxy(), Concurrency()]))


def test_three_may_log_in_at_once_and_not_four(crowd: Crowd) -> None:
    for source in (HERE, HERE, THERE):
        crowd.enter(source)
    assert crowd.jam.attempt("ann", source=HERE) == "refused"
    assert crowd.jam.attempt("ann", source=ELSEWHERE) == "refused"
    assert crowd.leave() == {"in": 3}
    assert crowd.jam.attempt("ann", source=ELSEWHERE) == "in"


def test_one_client_leaves_a_place_to_others(crowd: Crowd) -> None:
    for _ in range(2):
        crowd.enter(HERE)
    assert crowd.jam.attempt("ann", source=HERE) == "refused"
    assert crowd.jam.attempt("ann", source=THERE) == "in"
    assert crowd.leave() == {"in": 2}
    for _ in range(2):  # nothing is left of what was
        crowd.enter(HERE)
    assert crowd.leave() == {"in": 2}


def test_an_address_that_stands_for_many_may_have_all_places(crowd: Crowd) -> None:
    for _ in range(3):
        crowd.enter("127.0.0.1")
    assert crowd.jam.attempt("ann", source="127.0.0.1") == "refused"
    assert crowd.leave() == {"in": 3}


@pytest.mark.parametrize("path", ["/builder_login.html", "/own/page", "/ext/log-in"])
def test_it_is_no_matter_which_page_it_is(crowd: Crowd, path: str) -> None:
    for source in (HERE, HERE, THERE):
        crowd.enter(source, path=path)
    assert crowd.jam.attempt("ann", source=HERE) == "refused"
    crowd.leave()


def test_calls_of_v5_are_counted_and_calls_of_v7_are_none() -> None:
    crowd = Crowd(Jam([Concurrency()], v5=True))
    for source in (HERE, HERE, THERE):
        crowd.enter(source)
    assert crowd.jam.attempt("ann", source=HERE) == "refused"
    assert crowd.leave() == {"in": 3}
    jam = Jam([Concurrency()])
    body = json.dumps(["login", 1, 0, [{"login": "ann", "password": "x"}], 0]).encode()
    assert b'"data": false' in call(jam.shield, "/api", "POST", body).body


def test_exactly_as_many_as_are_allowed_of_many_at_once() -> None:
    jam = Jam([Concurrency(login=5, login_per_client=5)])
    inside, most = [0], [0]
    lock = threading.Lock()

    def look() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.001)  # lets the others run
        with lock:
            inside[0] -= 1

    def attempt(number: int) -> str:
        return jam.attempt(f"user{number}", source=HERE)

    jam.meanwhile = look
    with ThreadPoolExecutor(20) as threads:
        outcomes = Counter(threads.map(attempt, range(500)))
    assert most[0] <= 5
    assert outcomes["in"] >= 5
    jam.meanwhile = str
    crowd = Crowd(jam)
    for _ in range(5):  # not one place was lost
        crowd.enter(HERE)
    assert crowd.leave() == {"in": 5}


@attrs.frozen(kw_only=True, eq=False)
class Never(Guard):
    """Refuses every login, or breaks."""

    how: Callable[[], Refusal]

    def attempt(self, request: Request, attempt: Attempt) -> Refusal | None:
        return self.how()


def broken() -> Refusal:
    raise RuntimeError


class TestWhatWasTakenIsGivenBack:
    @pytest.mark.parametrize("how", [lambda: LOCKED, broken], ids=["refusal", "bug"])
    def test_after_a_guard_inside_refuses(self, how: Callable[[], Refusal]) -> None:
        jam = Jam([Concurrency(), Never(how=how)])
        for _ in range(10):
            assert jam.post("ann", "x", HERE).get("Jamguard-Refused") == "never"

    @pytest.mark.parametrize("error", [OSError, SystemExit, KeyboardInterrupt, GeneratorExit])
    def test_after_an_attempt_that_fails(self, error: type[BaseException]) -> None:
        """`SystemExit` is how gunicorn ends a worker that takes too long."""
        jam = Jam([Concurrency()])

        def fail() -> None:
            raise error

        jam.meanwhile = fail
        for _ in range(10):
            with pytest.raises(error):
                jam.attempt("ann")
        jam.meanwhile = str
        assert jam.attempt("ann") == "in"

    def test_after_a_failure_and_a_success(self) -> None:
        jam = Jam([Concurrency()])
        for password in ["wrong", PASSWORD] * 5:
            assert jam.attempt("ann", password) in {"in", "out"}


def test_who_has_to_wait_is_told_so(crowd: Crowd) -> None:
    for source in (HERE, HERE, THERE):
        crowd.enter(source)
    answer = crowd.jam.post("ann", PASSWORD, HERE)
    assert (answer.status, answer.get("Retry-After")) == ("503 Service Unavailable", "1")
    assert b"Too many people are logging in at this moment" in answer.body
    assert b"Please try again in 1 second." in answer.body
    crowd.leave()


def test_report_mode_lets_pass_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd = Crowd(Jam([Concurrency(mode="report")]))
    for _ in range(4):
        crowd.enter(HERE)
    assert crowd.leave() == {"in": 4}
    assert "would-refuse guard=concurrency reason=logins status=503" in caplog.text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"login": 0}, "tool.jamguard.concurrency.login: 0 must be at least 1"),
        ({"login-per-client": 0}, "concurrency.login-per-client: 0 must be at least 1"),
        ({"total": 0}, 'concurrency.total: 0 is not a number of threads; write 12, or "auto"'),
        ({"total": "many"}, 'is not a number of threads; write 12, or "auto"'),
        ({"login": "3"}, 'tool.jamguard.concurrency.login: "3" must be a whole number'),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"concurrency": settings})
    assert problem in str(error.value)


def morning(seed: int, people: int, seconds: float, most: int) -> int:
    """Let people log in behind one address; return how many are told to wait.

    At moments by chance, by either of two workers, each of which Jam.py's sleep and its look
    into the database keep for 0.35 seconds; every fifth has mistyped and tries once more.
    """
    dice, refused = Random(seed), 0
    arrivals = [dice.uniform(0, seconds) for _ in range(people)]
    arrivals += [moment + dice.uniform(3, 20) for moment in arrivals if dice.random() < 0.2]
    under_way: tuple[list[float], list[float]] = ([], [])
    for moment in sorted(arrivals):
        worker = under_way[dice.randrange(2)]
        while worker and worker[0] <= moment:
            heappop(worker)
        if len(worker) >= most:
            refused += 1
        else:
            heappush(worker, moment + 0.35)
    return refused


def test_nine_o_clock_in_an_office_behind_one_address() -> None:
    """Of 50,000 people in five minutes of a morning, hardly one has to click again."""
    most = Concurrency().login_per_client
    assert sum(morning(seed, 50, 300, most) for seed in range(1000)) < 60
    assert sum(morning(seed, 50, 300, most - 1) for seed in range(1000)) > 600


class TestUnderWay:
    """Requests that are begun, each in this thread, and are not over until they are closed."""

    def begin(self, shield: Shield, path: str = "/", **more: Any) -> tuple[str, Any]:
        """Return which guard has refused it, and what ends it."""
        refused: list[str] = []

        def start(_: str, headers: list[tuple[str, str]], __: object = None) -> Callable[..., Any]:
            refused.append(dict(headers).get("Jamguard-Refused", ""))
            return bytes

        body = shield(environ(path, **more), start)
        return refused[0], getattr(body, "close", str)

    def fill(self, shield: Shield, number: int, path: str = "/", **more: Any) -> list[Any]:
        begun = [self.begin(shield, path, **more) for _ in range(number)]
        assert {refused for refused, _ in begun} == {""}
        return [close for _, close in begun]

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All that are under way count as slow, so that nobody waits."""
        monkeypatch.setattr(places, "SLOW", 0)

    def test_eight_of_a_client_and_not_nine(self) -> None:
        shield = Shield(hello, [Concurrency()])
        closes = self.fill(shield, 8)
        assert self.begin(shield)[0] == "concurrency"
        assert self.begin(shield, REMOTE_ADDR=THERE)[0] == ""
        closes[3]()
        assert self.begin(shield)[0] == ""
        assert self.begin(shield)[0] == "concurrency"

    def test_the_refusal_is_a_courtesy(self) -> None:
        shield = Shield(hello, [Concurrency(per_client=1)])
        self.fill(shield, 1)
        answer = call(shield)
        assert (answer.code, answer.get("Retry-After")) == (503, "1")
        assert (
            b"Too many requests are under way. " not in answer.body
        )  # the heading has no full stop
        assert b"Too many requests are under way" in answer.body

    def test_a_session_is_a_client_of_its_own(self) -> None:
        class Sessions(Guard):
            """Says who is logged in."""

            def check(self, request: Request) -> Refusal | None:
                uuid = request.environ.get("HTTP_X_SESSION")
                session = Session(uuid, 1, admin=False) if uuid else None
                request.__dict__["proved"] = Proved(application=session)
                return None

        shield = Shield(hello, [Sessions(), Concurrency(per_client=2)], jam_site())
        self.fill(shield, 2, "/api")
        assert self.begin(shield, "/api")[0] == "concurrency"
        self.fill(shield, 2, "/api", HTTP_X_SESSION="ann")
        assert self.begin(shield, "/api", HTTP_X_SESSION="ann")[0] == "concurrency"
        assert self.begin(shield, "/api", HTTP_X_SESSION="bob")[0] == ""
        # files count by network, and by session only once that is full
        assert self.begin(shield, "/js/a.js")[0] == "concurrency"
        assert self.begin(shield, "/js/a.js", HTTP_X_SESSION="ann")[0] == "concurrency"
        assert self.begin(shield, "/js/a.js", HTTP_X_SESSION="eve")[0] == ""
        assert self.begin(shield, "/js/a.js", REMOTE_ADDR=THERE)[0] == ""

    @pytest.mark.parametrize(
        ("threads", "each", "most"),
        [(1, 1, 1), (2, 2, 2), (4, 3, 4), (8, 6, 7), (16, 8, 14), (64, 8, 56)],
    )
    def test_threads_are_left_to_others(self, threads: int, each: int, most: int) -> None:
        server = Gunicorn(Shield(hello, [Concurrency()], jam_site()), threads=threads)
        begun = 0
        while server.begin(f"192.0.2.{begun}") == "":
            begun += 1
        assert begun == most
        begun = 0
        while server.begin(f"192.0.2.{100 + begun}", "/js/a.js") == "":
            begun += 1
        assert begun == most, "files are counted apart"
        assert server.begin("192.0.2.201", "/health") == ""
        assert server.begin("192.0.2.201", "/health", CONTENT_LENGTH="9") == "concurrency"
        other = Gunicorn(Shield(hello, [Concurrency()]), threads=threads)
        begun = 0
        while other.begin(HERE) == "":
            begun += 1
        assert begun == each

    @pytest.mark.parametrize(("total", "each"), [(1, 1), (3, 2), (100, 8)])
    def test_a_place_of_so_many_as_are_set_is_left_to_others(self, total: int, each: int) -> None:
        server = Gunicorn(Shield(hello, [Concurrency(total=Threads(total))]), threads=16)
        begun = 0
        while server.begin(HERE) == "":
            begun += 1
        assert begun == each

    def test_an_address_that_stands_for_many_has_no_limit_of_its_own(self) -> None:
        shield = Shield(hello, [Concurrency(total=Threads(20))])
        self.fill(shield, 20, REMOTE_ADDR="127.0.0.1")
        assert self.begin(shield, REMOTE_ADDR="127.0.0.1")[0] == "concurrency"

    def test_nothing_is_kept_of_what_a_guard_inside_refuses(self) -> None:
        shield = Shield(hello, [Concurrency(per_client=1), RateLimit(page=Rates.parse("1/hour"))])
        assert call(shield).code == 200
        for _ in range(3):
            assert call(shield).get("Jamguard-Refused") == "rate-limit"

    def test_report_mode_lets_pass(self, caplog: pytest.LogCaptureFixture) -> None:
        shield = Shield(hello, [Concurrency(per_client=1, mode="report")])
        closes = self.fill(shield, 3)
        assert caplog.text.count("would-refuse guard=concurrency reason=in-flight") == 2
        for close in closes:
            close()
        self.fill(shield, 1)

    def test_a_body_is_not_read_before_a_place_is_taken(self) -> None:
        class Untouched:
            def read(self, size: int = -1) -> bytes:
                raise AssertionError(size)

        shield = harden(hello, {"concurrency": {"per-client": 1}, "host": {"allowed": []}})
        assert isinstance(shield, Shield)
        self.fill(shield, 1, HTTP_HOST="www.example.com")
        more: dict[str, Any] = {"wsgi.input": Untouched(), "HTTP_TRANSFER_ENCODING": "chunked"}
        refused, _ = self.begin(shield, "/", REQUEST_METHOD="POST", **more)
        assert refused == "concurrency"


@attrs.frozen
class Gunicorn:
    """As much of gunicorn's worker as says how many threads it has."""

    shield: Shield
    threads: int
    cfg: SimpleNamespace = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        cfg = SimpleNamespace(worker_class_str="gthread", threads=self.threads)
        object.__setattr__(self, "cfg", cfg)

    def begin(self, source: str, path: str = "/", **more: Any) -> str:
        more |= {"gunicorn.socket": None, "REMOTE_ADDR": source}
        return TestUnderWay().begin(self.shield, path, **more)[0]


def test_one_client_gets_all_of_a_burst_and_it_takes_its_turn() -> None:
    """A page that asks for thirty files at once, on a server of sixteen threads."""
    under_way, most = [0], [0]
    lock = threading.Lock()

    def app(env: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.002)
        with lock:
            under_way[0] -= 1
        return hello(env, start)

    shield = Shield(app, [Concurrency()])
    with ThreadPoolExecutor(16) as threads:
        codes = Counter(answer.code for answer in threads.map(call, [shield] * 300))
    assert codes == {200: 300}
    assert most[0] <= 8
