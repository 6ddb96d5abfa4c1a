"""How Jam.py logs somebody in: as whom, and what becomes of it."""

from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from jamguard.guard import Refusal, Refused
from jamguard.jampy.calls import watch
from jamguard.jampy.logins import Attempt, fold, watch_logins

NO = Refusal(status=403, reason="no")  # type: ignore[arg-type] # as good as an HTTPStatus


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("ann", "ann"),
        ("Ann", "ann"),
        (" ann\t\n", "ann"),
        ("a n n", "a n n"),
        ("José", "jose"),
        ("JOSE\u0301", "jose"),
        ("straße", "strasse"),
        ("\uff41nn", "ann"),  # a letter of full width
        ("a\u200bn\u00adn\0", "ann"),  # what cannot be seen
        ("o'brien | x", "o'brien | x"),
        ("王小明", "王小明"),
        ("x" * 100, "x" * 100),
        ("x" * 101, None),
        (" " * 900 + "ann", "ann"),
        (" " * 1000 + "ann", None),
        ("\ufdfa" * 30, None),  # 18 letters each
        ("Łukasz Sørensen, Æther", "lukasz sorensen, aether"),
        ("\ud800", ""),
        (" \u200b ", ""),
        ("", ""),
    ],
)
def test_what_a_database_may_take_for_one_name_is_one(name: str, folded: str | None) -> None:
    assert fold(name) == folded


def app(*, on_login: object = None, **more: Any) -> Any:
    return SimpleNamespace(
        admin=SimpleNamespace(on_login=None), task=SimpleNamespace(on_login=on_login), **more
    )


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ({"login": " Ann "}, "ann"),
        (MultiDict([("login", "ann"), ("login", "bob")]), "ann"),
        (MultiDict([("Login", "ann")]), ""),
        ({"login": {}}, ""),
        ({"login": ["ann"]}, ""),
        ({"login": "x" * 101}, ""),
        ({"login": None}, ""),
        ({}, ""),
        (["ann"], ""),
        ("login", ""),
        (None, ""),
        (7, ""),
    ],
    ids=repr,
)
@pytest.mark.parametrize("on_login", [None, print])
def test_a_name_is_read_as_jam_py_does(form: Any, name: str, on_login: object) -> None:
    jam = app(on_login=on_login)
    text = bool(name)
    absurd = "login" in form and form["login"] is not None if isinstance(form, dict) else False
    for task, builder in ((jam.task, False), (jam.admin, True)):
        attempt = Attempt.of(jam, task, form)
        assert (attempt.name, attempt.builder) == (name, builder)
        # what is no text may be something to a project's own `on_login`, and to nobody else
        own = on_login is not None and not builder and not absurd
        assert attempt.possible == (text or own)


@pytest.mark.parametrize(("number", "name"), [(5, "5"), (1.5, "1.5"), (True, "true")])
def test_a_number_is_a_name_where_the_project_knows_its_users(number: float, name: str) -> None:
    """A database compares it with the text in a call of v5."""
    own, plain = app(on_login=print), app()
    attempt = Attempt.of(own, own.task, {"login": number})
    assert (attempt.name, attempt.possible) == (name, True)
    assert not Attempt.of(own, own.admin, {"login": number}).possible
    assert not Attempt.of(plain, plain.task, {"login": number}).possible


class Watched:
    """A project whose attempts to log in are told."""

    def __init__(self, refusal: Refusal | None = None, **more: Any) -> None:
        self.said: list[object] = []
        self.refusal = refusal
        self.result: object = "a session"
        self.app = app(login=self.login, on_api=self.on_api, **more)
        project: Any = SimpleNamespace(app=self.app)
        for _ in range(2):  # a second shield on the same application
            watch_logins(project, self.tell, self.told)
            watch(project, print)

    def tell(self, _: object, attempt: Attempt) -> None:
        self.said.append(attempt.name)
        if self.refusal:
            raise Refused(self.refusal)

    def told(self, attempt: Attempt, succeeded: bool | None) -> None:
        self.said.append((attempt.name, succeeded))

    def login(self, *given: object) -> object:
        self.said.append(given[2])
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def on_api(self, jams: Any) -> object:
        try:
            return self.app.login(jams, self.app.task, {"login": "ann"})
        except Exception as error:  # noqa: BLE001 - as v5 has it
            return error


def jams() -> Any:
    return SimpleNamespace(environ={})


@pytest.mark.parametrize(("result", "succeeded"), [("a session", True), (None, False)])
def test_jam_py_tells_what_it_makes_of_an_attempt(result: object, *, succeeded: bool) -> None:
    jam, form = Watched(), {"login": "ann"}
    jam.result = result
    assert jam.app.login(request=jams(), task=jam.app.task, form_data=form) == result
    assert jam.said == ["ann", form, ("ann", succeeded)]


def test_an_attempt_that_breaks_jam_py_has_failed() -> None:
    jam = Watched()
    jam.result = KeyError("password")
    with pytest.raises(KeyError):
        jam.app.login(jams(), jam.app.task, {"login": "ann"})
    assert jam.said[-1] == ("ann", False)


def test_jam_py_does_not_see_what_is_refused() -> None:
    jam = Watched(NO)
    with pytest.raises(Refused):
        jam.app.login(jams(), jam.app.task, {"login": "ann"})
    assert jam.said == ["ann", ("ann", None)]


def test_v5_does_not_catch_it() -> None:
    jam = Watched(NO, url_map={})
    one = jams()
    with pytest.raises(Refused) as caught:
        jam.app.on_api(one)
    assert caught.value.refusal is NO
    assert jam.said == ["ann", ("ann", None)]
    assert one.environ == {}


def test_an_application_that_logs_nobody_in_is_left_alone() -> None:
    project: Any = SimpleNamespace(app=SimpleNamespace())
    watch_logins(project, print, print)
    assert not hasattr(project.app, "login")
