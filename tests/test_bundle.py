"""Headers that go out together."""

import pytest

from jamguard.bundle import Bundle, policy, standard
from jamguard.guard import Response

BUNDLE = Bundle.of([*standard(secure=False, stored=True), policy({"object-src": ["'none'"]})])
CSP = "Content-Security-Policy"


def test_an_answer_without_headers_gets_all() -> None:
    response = Response("200 OK", [("Content-Type", "text/html")])
    BUNDLE.set_defaults(response)
    assert response.headers[1:] == list(BUNDLE.pairs)
    assert response.get("X-Frame-Options") == "SAMEORIGIN"


def test_what_the_application_set_stays() -> None:
    response = Response("200 OK", [("x-frame-options", "DENY"), ("Referrer-policy", "")])
    BUNDLE.set_defaults(response)
    names = [name.lower() for name, _ in response.headers]
    assert len(names) == len(set(names))
    assert (response.get("X-Frame-Options"), response.get("Referrer-Policy")) == ("DENY", "")
    assert response.get("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("name", [CSP, "content-security-policy-report-only"])
def test_a_policy_of_the_application_is_the_only_one(name: str) -> None:
    response = Response("200 OK", [(name, "default-src *")])
    both = [policy({"object-src": ["'none'"]}), policy({"img-src": ["'self'"]}, report_only=True)]
    Bundle.of(both).set_defaults(response)
    assert response.headers == [(name, "default-src *")]


def test_headers_of_https_are_kept_from_http() -> None:
    names = [header.header_name for header in standard(secure=False, stored=True)]
    more = [header.header_name for header in standard(secure=True, stored=False)]
    assert set(more) - set(names) == {"Cross-Origin-Opener-Policy", "Cache-Control"}


def test_the_camera_may_be_used() -> None:
    response = Response("200 OK", [])
    BUNDLE.set_defaults(response)
    assert "camera=(self)" in str(response.get("Permissions-Policy"))


@pytest.mark.parametrize(
    ("directives", "text"),
    [
        ({"img-src": ["'self'", "data:"], "sandbox": []}, "img-src 'self' data:; sandbox"),
        ("default-src 'self'", "default-src 'self'"),
    ],
)
def test_policies_are_written(directives: dict[str, list[str]] | str, text: str) -> None:
    assert (policy(directives).header_name, policy(directives).header_value) == (CSP, text)
