"""One line an event, that nobody can forge."""

import json
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from support.wsgi import environ

from jamguard import Refusal, Request
from jamguard.config import Settings
from jamguard.log import as_json, as_pairs
from jamguard.site import Site

REFUSAL = Refusal(status=HTTPStatus.FORBIDDEN, reason="no", detail='a "b"\nc')


def line(
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    **env: Any,
) -> str:
    site = Site(settings, None)
    request = Request(environ(path, method, body, **env), site)
    request.id = "0123456789abcdef"
    site.log.refusal(request, REFUSAL, "host", enforced=True)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("jamguard", "WARNING")
    return record.getMessage()


def test_a_refusal_is_a_line_of_pairs(caplog: pytest.LogCaptureFixture) -> None:
    assert line(caplog, Settings(), "/a") == (
        "refused guard=host reason=no status=403 id=0123456789abcdef client=192.0.2.1 method=GET "
        'path="/a" detail="a \\"b\\"\\nc"'
    )


def test_a_refusal_is_a_json_object(caplog: pytest.LogCaptureFixture) -> None:
    found = json.loads(line(caplog, Settings(log="json"), "/a"))
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found.pop("time"))).seconds < 60
    assert found == {
        "event": "refused",
        "guard": "host",
        "reason": "no",
        "status": 403,
        "id": "0123456789abcdef",
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/a",
        "detail": 'a "b"\nc',
    }


@pytest.mark.parametrize("form", [as_pairs, as_json], ids=["pairs", "json"])
@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb",
        "a\nrefused guard=x",
        "\x1b[2J",
        'a" guard="x',
        "a\\",
        "\x00",
        "\x85",
        "\u2028",
        "é",
        "",
    ],
    ids=repr,
)
def test_what_a_stranger_wrote_cannot_forge_a_line(form: Any, text: str) -> None:
    written = form("refused", {"path": text})
    assert written.isascii()
    assert written.isprintable()
    value = json.loads(written)["path"] if form is as_json else json.loads(written.split("=", 1)[1])
    assert value == text


def test_values_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    assert len(line(caplog, Settings(), "/" + "a" * 9999, "M" * 9999)) < 700


def test_secrets_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    text = line(
        caplog,
        Settings(),
        "/login.html",
        "POST",
        b"login=a&password=hunter2",
        QUERY_STRING="token=hunter2",
        HTTP_COOKIE="demo_session_80=hunter2",
        HTTP_AUTHORIZATION="Basic hunter2",
    )
    assert "hunter2" not in text


def test_a_redirect_is_no_cause_for_alarm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    site = Site(Settings(), None)
    moved = Refusal(status=HTTPStatus.FOUND, reason="http")
    site.log.refusal(Request(environ(), site), moved, "https", enforced=True)
    assert caplog.records[0].levelname == "INFO"


def test_a_notice_is_given_once_for_each_set_of_details(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(Settings(), None)
    for network in ("0.0.0.0/0", "0.0.0.0/0", "::/0"):
        site.notice("JG005", network=network)
    assert [record.getMessage().split(" text=")[0] for record in caplog.records] == [
        "notice id=JG005"
    ] * 2
