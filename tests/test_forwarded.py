"""What forwarding headers say, and how far that can be believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamguard.address import IPNetwork
from jamguard.forwarded import FORWARDING, HOPS, Header, client_of, environ_key, sign_of_proxy
from jamguard.values import parse_network

PROXIES: list[IPNetwork] = [parse_network("203.0.113.0/24"), parse_network("2001:db8:f::/48")]
BROWSER = {"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)"}


def read(header: Header, value: str) -> str | None:
    address, _ = client_of(header, value, PROXIES)
    return address.text if address else None


@pytest.mark.parametrize(
    ("value", "client"),
    [
        pytest.param("198.51.100.7", "198.51.100.7", id="one entry"),
        pytest.param("192.0.2.66, 198.51.100.7", "198.51.100.7", id="the client lied"),
        pytest.param("192.0.2.66,198.51.100.7 ", "198.51.100.7", id="two lines joined"),
        pytest.param("198.51.100.7, 203.0.113.1", "198.51.100.7", id="two proxies"),
        pytest.param("192.0.2.66, 198.51.100.7, 203.0.113.1, 203.0.113.2", "198.51.100.7", id="3"),
        pytest.param("198.51.100.7:1234, [2001:db8:f::1]:80", "198.51.100.7", id="ports"),
        pytest.param("::ffff:198.51.100.7, ::ffff:203.0.113.1", "198.51.100.7", id="v4-mapped"),
        pytest.param("fe80::1%eth0", "fe80::1", id="zone id"),
        pytest.param("junk, 198.51.100.7", "198.51.100.7", id="junk of the client's"),
        pytest.param("198.51.100.7, junk, 203.0.113.1", None, id="junk where the client stands"),
        pytest.param("198.51.100.7, unknown", None, id="a proxy that does not know"),
        pytest.param("198.51.100.7, ", None, id="an empty entry at the end"),
        pytest.param("203.0.113.9, 203.0.113.1", "203.0.113.9", id="a proxy asks for itself"),
        pytest.param('"192.0.2.66, 198.51.100.7', "198.51.100.7", id="an open quote"),
        pytest.param("192.0.2.66\\, 198.51.100.7", "198.51.100.7", id="a backslash"),
        pytest.param("1.1.1.12.2.2.2", None, id="two lines joined without a comma (bjoern)"),
        pytest.param("", None, id="empty"),
        pytest.param(",,,", None, id="commas"),
        pytest.param("192.0.2.66, " * 5000 + "198.51.100.7", "198.51.100.7", id="a huge list"),
        pytest.param("192.0.2.66," + "203.0.113.1," * HOPS + "203.0.113.1", None, id="many hops"),
        pytest.param("192.0.2.66\x00, 198.51.100.7", "198.51.100.7", id="a NUL on the left"),
        pytest.param("198.51.100.7\x00", None, id="a NUL"),
        pytest.param("192.0.2.66,\r\n 198.51.100.7", None, id="a folded line (uWSGI, wsgiref)"),
        pytest.param("198.51.100.7' where 1 --", None, id="SQL"),
        pytest.param("\xff\xfe, 198.51.100.\xb9", None, id="8-bit"),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_proxys(
    value: str, client: str | None
) -> None:
    assert read("x-forwarded-for", value) == client


@pytest.mark.parametrize(
    ("value", "client", "scheme"),
    [
        pytest.param("for=198.51.100.7", "198.51.100.7", None, id="one"),
        pytest.param("For=198.51.100.7;Proto=https", "198.51.100.7", "https", id="names any case"),
        pytest.param(
            'for="[2001:db8::7]:1234";proto=http;by=203.0.113.1', "2001:db8::7", "http", id="quoted"
        ),
        pytest.param("for=[2001:db8::7]", "2001:db8::7", None, id="without the quotes due"),
        pytest.param("for=192.0.2.66, for=198.51.100.7", "198.51.100.7", None, id="a lie"),
        pytest.param(
            "for=198.51.100.7;proto=https, for=203.0.113.1;proto=http",
            "198.51.100.7",
            "https",
            id="two proxies: the scheme that the client used",
        ),
        pytest.param(
            'for=192.0.2.66;x=", for=198.51.100.7;proto=https',
            "198.51.100.7",
            "https",
            id="an open quote cannot swallow the proxy's element",
        ),
        pytest.param(
            'for=192.0.2.66;proto=https;x="\\, for=198.51.100.7', "198.51.100.7", None, id="escape"
        ),
        pytest.param('for="192.0.2.66, for=198.51.100.7"', None, None, id="a comma in quotes"),
        pytest.param("for=192.0.2.66;for=198.51.100.7", None, None, id="twice in one element"),
        pytest.param(
            'by=203.0.113.1;host="a;for=192.0.2.66;x="', None, None, id="a name in another's quotes"
        ),
        pytest.param("for=unknown", None, None, id="unknown"),
        pytest.param('for="_hidden"', None, None, id="hidden"),
        pytest.param("by=203.0.113.1;proto=https", None, "https", id="no client"),
        pytest.param("198.51.100.7", None, None, id="not in this form"),
        pytest.param("for=198.51.100.7;;", "198.51.100.7", None, id="empty pairs (RFC 7239, 4)"),
        pytest.param("for = 198.51.100.7", None, None, id="blanks around ="),
        pytest.param("for=198.51.100.7 ;proto=https", "198.51.100.7", "https", id="blanks"),
        pytest.param("", None, None, id="empty"),
    ],
)
def test_rfc_7239_is_read_from_the_right_and_strictly(
    value: str, client: str | None, scheme: str | None
) -> None:
    address, found = client_of("forwarded", value, PROXIES)
    assert (address.text if address else None, found) == (client, scheme)


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.1", "203.0.113.1"),
        ("192.0.2.66, 198.51.100.7", None),
        ("", None),
    ],
)
def test_a_header_of_one_value_is_no_list(value: str, client: str | None) -> None:
    assert read("x-real-ip", value) == client


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_nothing_left_of_the_proxys_entry_chooses_the_client(lies: str) -> None:
    assert read("x-forwarded-for", f"{lies}, 198.51.100.7") == "198.51.100.7"
    assert read("x-forwarded-for", f"{lies}, 198.51.100.7, 203.0.113.1") == "198.51.100.7"
    element = "for=198.51.100.7;proto=https"
    assert read("forwarded", f"{lies}, {element}") == "198.51.100.7"
    assert read("forwarded", f"{lies}, {element}, for=203.0.113.1") == "198.51.100.7"


@pytest.mark.parametrize(
    ("environ", "sign"),
    [
        ({}, ""),
        ({"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "www.example.com"}, ""),
        ({"SERVER_PROTOCOL": "HTTP/2.0"}, ""),
        ({"HTTP_X_FORWARDED_FOR": "junk"}, "it sends X-Forwarded-For"),
        ({"HTTP_X_REAL_IP": "", "HTTP_VIA": "1.1 proxy"}, "it sends X-Real-Ip"),
        ({"HTTP_X_FORWARDED_PROTO": "a", "HTTP_FORWARDED": "b"}, "it sends Forwarded"),
        ({"HTTP_VIA": "1.1 Caddy"}, "it sends Via"),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, "it speaks HTTP/1.0"),
        ({**BROWSER, "HTTP_CONNECTION": "keep-alive"}, ""),
        ({"HTTP_CONNECTION": "upgrade"}, "it sends Connection: upgrade with every request"),
        ({**BROWSER, "HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}, ""),
        (BROWSER, "it takes away a browser's Connection header"),
        ({**BROWSER, "SERVER_PROTOCOL": "HTTP/2"}, ""),
        ({**BROWSER, "HTTP_USER_AGENT": "curl/8.14.1"}, ""),
    ],
)
def test_a_proxy_shows_itself(environ: dict[str, str], sign: str) -> None:
    assert sign_of_proxy(environ) == sign


def test_the_headers_are_named_as_wsgi_names_them() -> None:
    assert environ_key("X-Forwarded-For") in FORWARDING
    assert all(key.startswith("HTTP_") and key == key.upper() for key in FORWARDING)
