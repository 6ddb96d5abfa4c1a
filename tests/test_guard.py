import attrs

from jamguard import Guard, Response


def test_a_guards_name_is_its_class_in_kebab_case() -> None:
    @attrs.frozen(kw_only=True, eq=False)
    class RateOfChange(Guard):
        pass

    assert RateOfChange.name == "rate-of-change"


def test_a_response_knows_its_headers_in_any_case() -> None:
    response = Response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1")])
    assert response.get("content-type") == "text/plain"
    assert response.get("X-Missing") is None
    assert response.names == {"content-type", "set-cookie"}


def test_a_default_does_not_replace_what_is_there() -> None:
    response = Response("200 OK", [("X-Frame-Options", "DENY")])
    response.set_default("x-frame-options", "SAMEORIGIN")
    response.set_default("X-Other", "1")
    response.set_default("X-OTHER", "2")
    assert response.headers == [("X-Frame-Options", "DENY"), ("X-Other", "1")]


def test_headers_are_removed_and_replaced_whatever_their_number() -> None:
    response = Response("200 OK", [("Via", "a"), ("via", "b"), ("Age", "1")])
    response.remove("X-Missing")
    response.replace("VIA", "c")
    assert response.headers == [("Age", "1"), ("VIA", "c")]
    response.remove("Age")
    assert response.get("Age") is None


def test_names_stay_right_when_a_header_is_added() -> None:
    response = Response("200 OK", [])
    response.add("One", "1")
    assert response.names == {"one"}
    response.add("Two", "2")
    assert response.names == {"one", "two"}
