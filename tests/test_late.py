"""Guards that decide once Jam.py has said what it takes a request for."""

from http import HTTPStatus
from typing import Any, ClassVar, Literal

import attrs
import pytest
from support.jam import jam_site
from support.wsgi import call, hello

from jamguard import Guard, Refusal, Request, Shield
from jamguard.guard import Application, Mode, Refused
from jamguard.jampy.calls import Taken
from jamguard.late import WAITING, decide

FORBIDDEN = Refusal(status=HTTPStatus.FORBIDDEN, reason="late")


@attrs.frozen(kw_only=True, eq=False)
class Late(Guard):
    """Refuses all that Jam.py takes for a call."""

    fails: ClassVar[Literal["open", "closed"]] = "closed"
    mode: Mode = "enforce"
    breaks: bool = False
    asked: list[str] = attrs.field(factory=list[str])

    def taken(self, request: Request, taken: Taken) -> Refusal | None:
        self.asked.append(request.path)
        if self.breaks:
            raise RuntimeError
        return FORBIDDEN if taken.place == "api" else None


@attrs.frozen(kw_only=True, eq=False)
class LateCourtesy(Late):
    fails = "open"


def application(place: Any) -> Application:
    """An application that says what it has taken a request for, and then answers."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        decide(environ, Taken(place, None))
        return hello(environ, start_response)

    return app


def code(guards: list[Guard], place: str = "api", nested: bool = False) -> int:
    app: Application = application(place)
    if nested:
        for guard in reversed(guards):
            app = Shield(app, [guard], jam_site())
        return call(app, "/api", "POST", b"").code
    return call(Shield(app, guards, jam_site()), "/api", "POST", b"").code


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("guards", "expected"),
    [
        ([Late()], 403),
        ([Late(mode="report")], 200),
        ([Late(mode="report"), Late()], 403),
        ([Late(breaks=True)], 200),  # the readable answer of a courtesy, with 503 in its words
        ([LateCourtesy(breaks=True)], 200),
        ([LateCourtesy(breaks=True), Late()], 403),
    ],
)
def test_the_answer_is_the_first_refusal(
    guards: list[Guard], expected: int, *, nested: bool
) -> None:
    assert code(guards, nested=nested) == expected


def test_what_reading_the_body_led_to_is_the_answer() -> None:
    """In report mode, too: what could be read on would be another body."""

    @attrs.frozen(kw_only=True, eq=False)
    class Reader(Late):
        def taken(self, request: Request, taken: Taken) -> Refusal | None:
            raise Refused(FORBIDDEN)

    assert code([Reader(mode="report")]) == 403


def test_what_is_taken_for_something_else_passes() -> None:
    assert code([Late()], "upload") == 200


def test_a_guard_that_breaks_is_logged_and_refuses_by_its_policy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = jam_site()
    answer = call(Shield(application("api"), [Late(breaks=True)], site), "/api", "POST", b"")
    assert answer.get("Jamguard-Refused") == "late"
    assert "RuntimeError" in caplog.text
    answer = call(Shield(application("api"), [LateCourtesy(breaks=True)], site), "/api", "POST")
    assert answer.body == b"hi"


def test_the_first_guard_to_refuse_is_the_outermost() -> None:
    inner, outer = Late(), Late()
    assert code([outer, inner]) == 403
    assert (outer.asked, inner.asked) == (["/api"], [])


def test_nobody_waits_where_no_guard_does() -> None:
    environ: dict[str, Any] = {}
    decide(environ, Taken("api", None))
    assert WAITING not in environ
