"""How networks are written; what bans do is in `tests/guards/test_ban.py`."""

import pytest

from jamguard.bans import around, read_network


@pytest.mark.parametrize(
    ("network", "wider"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8:0:7::/64", "2001:db8::/48"),
        ("2001:db8::/48", "2001:db8::/48"),
    ],
)
def test_around_a_network_is_a_wider_one(network: str, wider: str) -> None:
    assert around(network) == wider


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7/32 ", "192.0.2.7"),
        ("192.0.2.7:443", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:DB8::7/128", "2001:db8::/64"),
        ("[2001:db8::7]", "2001:db8::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("2001:db8::/48", "2001:db8::/48"),
    ],
)
def test_a_network_is_written_as_clients_are_looked_up(text: str, network: str) -> None:
    assert read_network(text) == network


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "/24", "office", "192.0.2", "192.0.2.0/", "192.0.2.0/x", "192.0.2.0/24/24"),
        *("192.0.2.0/25", "192.0.2.0/16", "192.0.2.0/0", "192.0.2.0/064", "192.0.2.0/-24"),
        *(
            "2001:db8::/32",
            "2001:db8::/56",
            "::ffff:192.0.2.7/128",
            "::",
            "0.0.0.0",
        ),
        *("192.0.2.7" * 100, "１９２.0.2.7", "unknown", "unix"),
    ],
    ids=ascii,
)
def test_what_cannot_be_looked_up_cannot_be_banned(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be banned: write an address or a /24"):
        read_network(text)
