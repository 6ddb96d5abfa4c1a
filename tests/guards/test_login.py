"""Who is locked out, for how long, and who never is."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Barrier, BrokenBarrierError
from typing import Any

import attrs
import pytest
from support.logins import PASSWORD, Jam
from support.wsgi import call, hello

from jamguard import ConfigError, Guard, Refusal, Request, harden, lockouts
from jamguard.guards import login
from jamguard.guards.login import Login
from jamguard.guards.proxy import Proxy
from jamguard.jampy.logins import Attempt
from jamguard.lockouts import locked, unlock
from jamguard.values import Rate, parse_network

HERE, THERE = "192.0.2.1", "198.51.100.1"
MINUTE, HOUR, DAY = 60, 3600, 86400


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(login, "monotonic", clock)
    monkeypatch.setattr(lockouts, "monotonic", clock)
    return clock


@pytest.fixture(params=["process", "shared"])
def jam(request: pytest.FixtureRequest, tmp_path: Path) -> Jam:
    """Both stores that need nothing installed."""
    storage = request.param if request.param == "process" else f"shared:{tmp_path}"
    return Jam([Login()], tmp_path / "project", storage)


def guarded(**settings: Any) -> Jam:
    return Jam([Login(**settings)])


def fail(jam: Jam, times: int, name: str = "ann", source: str = HERE) -> Counter[str]:
    return Counter(jam.attempt(name, f"guess {number}", source) for number in range(times))


class TestOneNameFromOneNetwork:
    def test_five_failures_pass_and_the_sixth_is_refused(self, jam: Jam) -> None:
        assert fail(jam, 40) == {"out": 5, "refused": 35}
        assert len(jam.looked_at) == 5

    def test_a_right_password_is_refused_as_a_wrong_one(self, jam: Jam) -> None:
        fail(jam, 5)
        wrong, right = (jam.post("ann", word, HERE) for word in ("x", PASSWORD))
        assert (wrong.status, wrong.get("Retry-After")) == (right.status, right.get("Retry-After"))
        assert wrong.code == 429
        assert len(jam.looked_at) == 5

    def test_after_a_minute_there_is_one_try_then_five_minutes_and_so_on(
        self, jam: Jam, clock: Clock
    ) -> None:
        fail(jam, 5)
        for seconds in (60, 300, 900, 3600, 3600, 3600):
            clock.go_on(seconds - 1)
            assert jam.post("ann", "x", HERE).get("Retry-After") == "1"
            clock.go_on(1)
            assert fail(jam, 3) == {"out": 1, "refused": 2}

    def test_who_gets_in_at_that_try_starts_anew(self, jam: Jam, clock: Clock) -> None:
        fail(jam, 5)
        clock.go_on(MINUTE)
        fail(jam, 1)
        clock.go_on(5 * MINUTE)
        assert jam.attempt("ann") == "in"
        assert fail(jam, 6) == {"out": 5, "refused": 1}
        assert jam.post("ann", "x", HERE).get("Retry-After") == "60"

    def test_it_is_forgiven_after_a_quiet_day(self, jam: Jam, clock: Clock) -> None:
        fail(jam, 5)
        clock.go_on(MINUTE + DAY)
        assert fail(jam, 6) == {"out": 5, "refused": 1}

    def test_typos_that_end_in_a_login_are_forgotten(self, jam: Jam) -> None:
        for _ in range(10):
            assert fail(jam, 4) == {"out": 4}
            assert jam.attempt("ann") == "in"

    def test_failures_grow_old(self, jam: Jam, clock: Clock) -> None:
        for _ in range(20):
            assert fail(jam, 1) == {"out": 1}
            clock.go_on(5 * MINUTE)

    @pytest.mark.parametrize("same", ["ANN", " ann ", "a\u200bnn", "ánn", "\uff41nn"])
    def test_another_spelling_is_no_other_name(self, same: str) -> None:
        jam = guarded()
        fail(jam, 5, same)
        assert jam.attempt("ann") == "refused"

    @pytest.mark.parametrize("other", ["anne", "an n", "ann|", "|ann"])
    def test_another_name_is_free(self, other: str) -> None:
        jam = guarded()
        fail(jam, 5)
        assert jam.attempt(other) == "in"

    @pytest.mark.parametrize(
        ("one", "other", "together"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("2001:db8::1", "2001:db8::ffff:2", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
        ],
    )
    def test_a_network_is_an_address_or_a_64(self, one: str, other: str, *, together: bool) -> None:
        jam = guarded()
        fail(jam, 5, source=one)
        assert jam.attempt("ann", source=other) == ("refused" if together else "in")

    def test_of_many_at_once_no_more_get_through(self, jam: Jam, clock: Clock) -> None:
        def at_once(expected: int) -> int:
            """Try from 20 threads; the passwords are looked at when all have arrived."""
            barrier = Barrier(expected + 1)

            def wait() -> None:
                with suppress(BrokenBarrierError):
                    barrier.wait(0.2)

            def guess(password: str) -> None:
                jam.attempt("ann", password)

            before = len(jam.looked_at)
            jam.meanwhile = wait
            with ThreadPoolExecutor(20) as threads:
                list(threads.map(guess, map(str, range(20))))
            return len(jam.looked_at) - before

        assert at_once(5) == 5
        clock.go_on(MINUTE)
        assert at_once(1) == 1

    def test_of_several_that_fail_at_once_one_locks(
        self, jam: Jam, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        key = f"alone|application|{HERE}|ann"
        jam.site.store.hit(key, 1, lockouts.MOMENT, clock())  # another worker
        fail(jam, 5)
        assert "locked guard" not in caplog.text

    def test_a_call_of_v7_is_no_attempt(self, jam: Jam) -> None:
        body = json.dumps(["login", 1, 0, [{"login": "ann", "password": "x"}], 0]).encode()
        for _ in range(10):
            answer = call(jam.shield, "/api", "POST", body, REMOTE_ADDR=HERE)
            assert answer.get("Jamguard-Refused") is None

    def test_a_failure_of_jam_py_itself_is_one(self) -> None:
        jam = guarded()

        def break_down() -> None:
            raise OSError("the database is away")

        jam.meanwhile = break_down
        for _ in range(5):
            with pytest.raises(OSError, match="is away"):
                jam.attempt("ann")
        jam.meanwhile = str
        assert jam.attempt("ann") == "refused"

    def test_what_jam_py_never_saw_is_none(self, clock: Clock) -> None:
        inner = NobodyNow()
        jam = Jam([Login(), inner])
        fail(jam, 5)
        clock.go_on(MINUTE)
        inner.refuses.append(True)
        assert jam.attempt("ann") == "refused"
        inner.refuses.clear()
        assert jam.attempt("ann") == "in"


@attrs.frozen(kw_only=True, eq=False)
class NobodyNow(Guard):
    """Refuses logins while it is told to."""

    refuses: list[bool] = attrs.field(factory=list[bool])

    def attempt(self, request: Request, attempt: Attempt) -> Refusal | None:
        return login.LOCKED if self.refuses else None


class TestOneNameFromEverywhere:
    def attack(self, jam: Jam, times: int) -> int:
        """Guess from as many networks; return how often Jam.py was asked."""
        before = len(jam.looked_at)
        for number in range(times):
            jam.attempt("ann", "x", f"203.0.{number // 250}.{number % 250}")
        return len(jam.looked_at) - before

    def test_fifty_failures_lock_it(self, jam: Jam) -> None:
        assert self.attack(jam, 500) == 50
        assert jam.attempt("ann", source=THERE) == "refused"
        assert jam.attempt("bob", source=THERE) == "in"

    def test_its_owner_stays_welcome_where_she_has_logged_in(self, jam: Jam) -> None:
        assert jam.attempt("ann") == "in"
        self.attack(jam, 500)
        assert jam.attempt("ann") == "in"
        assert fail(jam, 2) == {"out": 2}
        assert jam.attempt("ann") == "in"

    def test_for_thirty_days(self, jam: Jam, clock: Clock) -> None:
        assert jam.attempt("ann") == "in"
        clock.go_on(30 * DAY - 1)
        self.attack(jam, 60)
        assert jam.attempt("ann") == "in"
        clock.go_on(30 * DAY)
        self.attack(jam, 60)
        assert jam.attempt("ann") == "refused"

    def test_in_the_application_is_not_in_the_builder(self) -> None:
        """Strangers who may not come to the builder lock nobody out of it."""
        jam = guarded()
        self.attack(jam, 60)
        assert jam.attempt("ann", source=THERE) == "refused"
        assert jam.attempt("ann", path="/builder_login.html", source=THERE) == "in"

    def test_who_is_known_in_the_application_is_not_in_the_builder(self) -> None:
        """Where everybody may register, somebody may register as `admin`."""
        jam = guarded()
        assert jam.attempt("ann") == "in"
        for number in range(60):
            jam.attempt("ann", "x", f"203.0.113.{number}", path="/builder_login.html")
        assert jam.attempt("ann", path="/builder_login.html") == "refused"
        assert jam.attempt("ann") == "in"

    def test_becomes_known_in_twenty_networks_a_day(self, clock: Clock) -> None:
        """Or one user with many addresses fills the places of all others."""
        jam = guarded()
        for number in range(30):
            clock.go_on(1)
            assert jam.attempt("ann", source=f"203.0.113.{number}") == "in"
        marks = jam.site.store.marks.all("known", clock())
        assert len(marks) == 20
        clock.go_on(60)
        assert jam.attempt("ann", source="203.0.113.3") == "in"
        assert jam.site.store.marks.all("known", clock())[0].key.endswith("|203.0.113.3|ann")

    @pytest.mark.parametrize("padding", [" " * 120, "\u200b" * 120, "\t \n" * 50])
    def test_is_counted_however_it_is_padded(self, padding: str) -> None:
        """Jam.py takes blanks away, and some databases what cannot be seen."""
        jam = guarded()
        assert fail(jam, 10, padding + "ann" + padding) == {"out": 5, "refused": 5}
        assert jam.attempt("ann") == "refused"

    @pytest.mark.parametrize("name", ["x" * 101, "\ufdfa" * 30, " " * 1001 + "ann"])
    def test_that_nobody_can_have_is_refused(self, name: str) -> None:
        jam = guarded()
        answer = jam.post(name, PASSWORD, HERE)
        assert (answer.code, answer.get("Jamguard-Refused")) == (400, "login")
        assert jam.looked_at == []

    def test_a_login_from_elsewhere_wins_the_one_try_and_changes_nothing_else(
        self, jam: Jam, clock: Clock
    ) -> None:
        self.attack(jam, 50)
        clock.go_on(MINUTE)
        assert jam.attempt("ann", source=THERE) == "in"
        assert self.attack(jam, 10) == 1  # the second lock-out, not the first one again
        assert jam.post("ann", "x", "203.0.113.1").get("Retry-After") == "300"


class TestANetwork:
    def spray(self, jam: Jam, times: int, source: str = HERE, first: int = 0) -> int:
        """Guess one password for many names; return how often Jam.py was asked."""
        before = len(jam.looked_at)
        for number in range(first, first + times):
            jam.attempt(f"name{number}", "Summer2026", source)
        return len(jam.looked_at) - before

    def test_a_hundred_failures_lock_it(self, jam: Jam) -> None:
        assert self.spray(jam, 1000) == 100
        assert jam.attempt("ann") == "refused"
        assert jam.attempt("ann", source=THERE) == "in"

    def test_whoever_has_logged_in_there_stays_welcome(self, jam: Jam) -> None:
        assert jam.attempt("ann") == "in"
        assert self.spray(jam, 1000) == 100
        assert jam.attempt("ann") == "in"

    def test_an_account_of_ones_own_clears_nothing(self, jam: Jam) -> None:
        asked = 0
        for first in range(0, 1000, 10):
            asked += self.spray(jam, 10, first=first)
            assert jam.attempt("mallory") == "in"
        assert asked == 100

    def test_failures_of_those_who_are_known_there_do_not_count(self, jam: Jam) -> None:
        for number in range(60):
            name = f"user{number}"
            assert jam.attempt(name) == "in"
            assert fail(jam, 3, name) == {"out": 3}
        assert jam.attempt("somebody new") == "in"

    @pytest.mark.parametrize("name", ["", " ", "\u200b"])
    def test_what_is_no_name_counts_there_and_nowhere_else(self, name: str, clock: Clock) -> None:
        jam = guarded(network_failures=Rate(10, DAY))
        assert fail(jam, 20, name) == {"out": 10, "refused": 10}
        assert [(one.name, one.network) for one in locked(jam.site.store, clock())] == [("", HERE)]
        assert fail(jam, 1, name, THERE) == {"out": 1}

    def test_the_network_around_a_64_has_four_times_as_much(self, jam: Jam) -> None:
        asked = sum(self.spray(jam, 150, f"2001:db8:0:{n:x}::1") for n in range(10))
        assert asked == 400
        assert self.spray(jam, 1, "2001:db8:1::1") == 1

    def test_one_on_the_safelist_is_not_locked_but_its_names_are(self) -> None:
        jam = guarded(safelist=(parse_network("192.0.2.0/24"),))
        assert self.spray(jam, 300) == 300
        assert fail(jam, 6) == {"out": 5, "refused": 1}


class TestAnAddressThatStandsForMany:
    """One who probes must not lock out an office, nor all the world."""

    @pytest.mark.parametrize(
        "how",
        [
            {"source": "127.0.0.1"},
            {"source": "::1"},
            {"source": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"},
            {"source": ""},
            {"source": "junk"},
        ],
        ids=["loopback", "loopback-6", "undeclared-proxy", "unix-socket", "junk"],
    )
    def test_locks_names_only(
        self, how: Mapping[str, str], caplog: pytest.LogCaptureFixture, clock: Clock
    ) -> None:
        jam = Jam([Proxy(), Login()])
        for number in range(150):
            assert jam.attempt(f"name{number}", "x", **how) == "out"
        assert jam.attempt("ann", **how) == "in"
        assert caplog.text.count("id=JG025") == 1
        tries = Counter(jam.attempt("ann", "x", **how) for _ in range(60))
        assert tries == {"out": 50, "refused": 10}
        assert jam.attempt("ann", **how) == "refused"
        assert [(one.name, one.network) for one in locked(jam.site.store, clock())] == [("ann", "")]

    def test_a_private_address_without_a_proxy_is_one_client(self) -> None:
        jam = Jam([Proxy(), Login()])
        assert fail(jam, 6, source="192.168.1.7") == {"out": 5, "refused": 1}
        assert jam.attempt("ann", source="192.168.1.8") == "in"

    def test_behind_a_declared_proxy_its_clients_are_told_apart(self, clock: Clock) -> None:
        jam = Jam([Proxy(trusted=("10.0.0.1",)), Login()])
        for client, passed in (("198.51.100.1", 5), ("198.51.100.2", 5)):
            how = {"HTTP_X_FORWARDED_FOR": client}
            tries = Counter(jam.attempt("ann", "x", "10.0.0.1", **how) for _ in range(8))
            assert tries == {"out": passed, "refused": 3}
        assert {one.network for one in locked(jam.site.store, clock())} == {
            "198.51.100.1",
            "198.51.100.2",
        }


class TestWhatIsSaid:
    def test_a_page_says_how_long_to_wait_and_leads_back(self) -> None:
        jam = guarded()
        fail(jam, 5)
        page = jam.post("ann", PASSWORD, HERE).body.decode()
        assert "<h1>Too many attempts to log in</h1><p>Please try again in 60 seconds.</p>" in page
        assert '<a href="/">' in page
        assert "ann" not in page

    def test_so_does_a_page_in_v5_whose_client_takes_a_message_for_a_success(self) -> None:
        jam = Jam([Login()], v5=True)
        assert fail(jam, 6) == {"out": 5, "refused": 1}
        answer = jam.post("ann", PASSWORD, HERE)
        assert (answer.status, answer.get("Retry-After")) == ("429 Too Many Requests", "60")
        assert b"<h1>Too many attempts to log in</h1>" in answer.body
        assert jam.attempt("ann", source=THERE) == "in"

    def test_a_notice_does_in_the_builder_of_v5_which_shows_no_page(self) -> None:
        jam = Jam([Login()], v5=True)
        for _ in range(5):
            assert jam.attempt("ann", "x", HERE, task=0) == "out"
        answer = jam.post("ann", PASSWORD, HERE, task=0)
        assert (answer.code, answer.get("Retry-After")) == (200, "60")
        said = json.loads(answer.body)
        assert (said["error"], said["result"]["status"]) == (None, 4)
        assert said["result"]["data"]["error"] == "Too many attempts to log in"
        text = said["result"]["data"]["project_error"]
        assert text.startswith("Please try again in 60 seconds. (Request number ")

    def test_a_program_is_told_in_its_own_way(self) -> None:
        jam = guarded()
        fail(jam, 5)
        answer = jam.post("ann", "x", HERE, HTTP_ACCEPT="application/json")
        assert json.loads(answer.body)["detail"].startswith("Too many attempts to log in. Please")

    def test_one_line_in_the_log_for_each_lock_out(
        self, caplog: pytest.LogCaptureFixture, clock: Clock
    ) -> None:
        jam = guarded()
        fail(jam, 5, 'a"\nb')
        lines = [line for line in caplog.messages if line.startswith("locked ")]
        assert len(lines) == 1
        assert lines[0].startswith(
            "locked guard=login reason=locked-name-here"
            ' at=application name="a\\"b" network=192.0.2.1 seconds=60 id='
        )
        clock.go_on(MINUTE)
        fail(jam, 9, 'a"\nb')
        lines = [line for line in caplog.messages if line.startswith("locked ")]
        assert ["seconds=60 " in lines[0], "seconds=300 " in lines[1], len(lines)] == [1, 1, 2]
        assert "guess" not in caplog.text

    def test_each_attempt_that_is_refused_says_why(self, caplog: pytest.LogCaptureFixture) -> None:
        jam = guarded()
        fail(jam, 6)
        assert "refused guard=login reason=locked-name-here status=429" in caplog.text
        assert 'detail="application|192.0.2.1|ann"' in caplog.text

    def test_report_mode_says_whom_it_would_have_locked(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        jam = guarded(mode="report")
        assert fail(jam, 8) == {"out": 8}
        assert jam.attempt("ann") == "in"
        assert caplog.text.count("would-lock guard=login reason=locked-name-here") == 1
        assert caplog.text.count("would-refuse guard=login reason=locked-name-here") == 4


class TestAnOperator:
    def test_lets_a_name_in_again(self, jam: Jam) -> None:
        for number in range(60):
            jam.attempt("ann", "x", f"203.0.113.{number}")
        fail(jam, 6)
        assert jam.attempt("ann") == "refused"
        assert unlock(jam.site.store, "Ann")
        assert jam.attempt("ann") == "in"
        assert jam.attempt("ann", source=THERE) == "in"

    def test_it_is_a_clean_start(self, jam: Jam) -> None:
        fail(jam, 9)
        assert unlock(jam.site.store, "ann")
        assert fail(jam, 9) == {"out": 5, "refused": 4}

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"failures": "often"}, 'tool.jamguard.login.failures: "often" is not a rate'),
            ({"failure": "1/day"}, "did you mean 'login.failures'?"),
            ({"safelist": ["x"]}, 'tool.jamguard.login.safelist[0]: "x" is not a network'),
        ],
    )
    def test_is_told_of_bad_settings(self, settings: dict[str, Any], problem: str) -> None:
        with pytest.raises(ConfigError) as error:
            harden(hello, {"login": settings})
        assert problem in str(error.value)


class TestWhenSomethingFails:
    def test_half_of_the_limits_hold_while_the_store_is_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jam = guarded()
        monkeypatch.setattr(jam.site.store, "away", True)
        assert fail(jam, 5) == {"out": 2, "refused": 3}
        tries = [jam.attempt("bob", "x", f"203.0.113.{number}") for number in range(60)]
        assert Counter(tries) == {"out": 25, "refused": 35}

    def test_who_cannot_be_judged_is_not_let_in(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        jam = guarded()
        monkeypatch.delattr(jam.site.store, "marks")
        assert jam.attempt("ann") == "refused"
        assert "guard-failed guard=login outcome=refused" in caplog.text
        assert jam.looked_at == []

    def test_who_is_in_stays_in(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        jam = guarded()
        jam.meanwhile = lambda: monkeypatch.delattr(jam.site.store, "marks")
        assert jam.attempt("ann") == "in"
        assert "guard-failed guard=login" in caplog.text


class TestWhatJamPyCannotTakeForAName:
    @pytest.mark.parametrize("name", [5, ["ann"], {"a": 1}, True, None])
    def test_is_refused_before_it_looks_for_the_password(self, name: object) -> None:
        """v5 fails on it only where the password is somebody's."""
        jam = Jam([Login()], v5=True)
        answer = jam.post(name, PASSWORD, HERE)
        assert (answer.code, answer.get("Jamguard-Refused")) == (400, "login")
        assert jam.looked_at == []

    @pytest.mark.parametrize("name", [5, None])
    def test_is_the_projects_business_where_it_knows_its_users_itself(self, name: object) -> None:
        jam = Jam([Login()], v5=True, on_login=lambda form: form["password"] == "token")
        assert jam.attempt(name, "token") == "in"
        assert jam.attempt(name, "x") == "out"


class TestADayInTheLife:
    """Traces of a day, as they come: who is locked out, and how many guesses get through."""

    def test_an_office_of_fifty_behind_one_address(self, clock: Clock) -> None:
        """A hundred Mondays at nine: typos, caps lock, and passwords that are forgotten.

        Nobody is known yet: jamguard was installed at the week-end.
        """
        locked_out = 0
        for seed in range(100):
            dice, jam = Random(seed), guarded()
            people = sorted((dice.uniform(0, 5 * MINUTE), f"user{n}") for n in range(50))
            begin = clock.now
            for start, name in people:
                clock.now = begin + start
                wrong = dice.choices((0, 1, 2, 3, 4), (70, 20, 6, 3, 1))[0]
                for _ in range(wrong):
                    assert jam.attempt(name, "typo") == "out"
                    clock.go_on(dice.uniform(3, 20))
                if dice.random() < 0.04:  # forgotten: three tries, then the boss sets a new one
                    for _ in range(max(0, 3 - wrong)):
                        assert jam.attempt(name, "was it this?") == "out"
                    clock.go_on(10 * MINUTE)
                locked_out += jam.attempt(name) != "in"
            clock.go_on(DAY * 3)
        assert locked_out == 0

    @pytest.mark.parametrize(
        ("names", "address", "first_day", "second_day"),
        [
            (1, "203.0.113.1", 31, 24),
            (1, "203.0.{}.{}", 76, 24),
            (1000, "2001:db8::{0:x}{1:x}", 126, 24),
            (1000, "2001:db8:0:{0:x}{1:02x}::1", 425, 24),
        ],
        ids=["one-name", "one-name-from-500", "1000-names-from-a-64", "1000-names-from-a-48"],
    )
    def test_guesses_that_reach_jam_py(
        self, clock: Clock, names: int, address: str, first_day: int, second_day: int
    ) -> None:
        """Day and night, every ten seconds: what docs/guards/login.md says of it."""
        jam = guarded()
        reached: list[int] = []
        for number in range(2 * DAY // 10):
            place = number % 500
            jam.attempt(f"ann{number % names}", "x", address.format(place // 250, place % 250))
            clock.go_on(10)
            if number * 10 % DAY == DAY - 10:
                reached.append(len(jam.looked_at) - sum(reached))
        assert reached == [first_day, second_day]

    def test_the_owner_logs_in_every_hour_while_her_name_is_guessed(
        self, jam: Jam, clock: Clock
    ) -> None:
        owner = "192.0.2.77"
        assert jam.attempt("ann", source=owner) == "in"
        for second in range(0, DAY, 10):
            address = second // 10 % 500
            jam.attempt("ann", "x", f"203.0.{113 + address // 250}.{address % 250}")
            clock.go_on(10)
            if second % HOUR == 0:
                assert jam.attempt("ann", source=owner) == "in"

    def test_a_name_guessed_so_slowly_that_nobody_is_locked(self, clock: Clock) -> None:
        jam = guarded()
        for number in range(7 * 49):
            jam.attempt("ann", "x", f"203.0.{113 + number // 250}.{number % 250}")
            clock.go_on(DAY / 49)
        assert len(jam.looked_at) / 7 <= 50
