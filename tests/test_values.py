import ipaddress

import pytest

from jamguard.values import (
    ByteRate,
    ByteSize,
    Duration,
    Rate,
    Rates,
    Threads,
    parse_network,
)


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [
        ("0", 0, "0 B"),
        ("512", 512, "512 B"),
        ("8 KB", 8192, "8 KB"),
        ("8kb", 8192, "8 KB"),
        (" 50 MB ", 50 * 1024**2, "50 MB"),
        ("1 GB", 1024**3, "1 GB"),
        ("1025", 1025, "1025 B"),
    ],
)
def test_a_size_is_read_and_shown(text: str, size: int, shown: str) -> None:
    assert ByteSize.parse(text) == size
    assert str(ByteSize.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "-1", "8 TB", "8 megabytes", "1e3", "８", "1.5 MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size; write a number of bytes"):
        ByteSize.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("30s", 30, "30s"),
        ("1 minute", 60, "1 minute"),
        ("90 seconds", 90, "90s"),
        ("5 minutes", 300, "5 minutes"),
        ("2 Hours", 7200, "2 hours"),
        ("1 year", 31536000, "1 year"),
        ("10min", 600, "10 minutes"),
    ],
)
def test_a_span_is_read_and_shown(text: str, seconds: int, shown: str) -> None:
    assert Duration.parse(text) == seconds
    assert str(Duration.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("30", 'write "30s"'),
        ("soon", 'write "30s"'),
        ("5 minuts", "did you mean '5 minute'?"),
        ("", 'write "30s"'),
        ("-5 minutes", 'write "30s"'),
    ],
)
def test_what_is_no_span_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time; ") as error:
        Duration.parse(text)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("600/minute", Rate(600, 60), "600/minute"),
        ("5/15 minutes", Rate(5, 900), "5/15 minutes"),
        (" 1 / second ", Rate(1, 1), "1/1s"),
        ("1000000/day", Rate(1000000, 86400), "1000000/day"),
    ],
)
def test_a_rate_is_read_and_shown(text: str, rate: Rate, shown: str) -> None:
    assert Rate.parse(text) == rate
    assert Rate.parse(shown) == rate
    assert str(rate) == shown


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("60/minit", "did you mean '60/minute'?"),
        ("60", "write"),
        ("0/minute", "write"),
        ("1000001/minute", "at most 1000000"),
        ("/minute", "write"),
        ("60/", "write"),
        ("ten/minute", "write"),
    ],
)
def test_what_is_no_rate_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is not a rate; ") as error:
        Rate.parse(text)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("text", "rates", "shown"),
    [
        ("600/minute", [Rate(600, 60)], "600/minute"),
        ("600/minute,10000/hour", [Rate(600, 60), Rate(10000, 3600)], "600/minute, 10000/hour"),
    ],
)
def test_rates_are_read_and_shown(text: str, rates: list[Rate], shown: str) -> None:
    assert Rates.parse(text) == Rates(rates)
    assert str(Rates.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("600/minute,", "is not a rate"),
        ("", "is not a rate"),
        ("600/minute, 10/60 seconds", "has two rates for one period"),
    ],
)
def test_what_are_no_rates_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Rates.parse(text)


@pytest.mark.parametrize(("text", "number"), [("auto", 0), ("1", 1), ("128", 128)])
def test_a_number_of_threads_is_read_and_shown(text: str, number: int) -> None:
    assert Threads.parse(text) == number
    assert str(Threads.parse(text)) == text


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5", "1234567"])
def test_what_is_no_number_of_threads_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='is not a number of threads; write 12, or "auto"'):
        Threads.parse(text)


@pytest.mark.parametrize(
    ("text", "number"), [("500 B/s", 500), ("8 KB/s", 8192), ("1MB / s", 1 << 20)]
)
def test_bytes_a_second_are_read(text: str, number: int) -> None:
    assert ByteRate.parse(text) == number


@pytest.mark.parametrize("text", ["", "500", "500 B", "0 B/s", "B/s", "500 B/min", "fast/s"])
def test_what_are_no_bytes_a_second_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes a second"):
        ByteRate.parse(text)


def test_a_network_is_read_with_or_without_its_length() -> None:
    assert parse_network("192.0.2.0/24") == ipaddress.ip_network("192.0.2.0/24")
    assert parse_network("192.0.2.9/24") == ipaddress.ip_network("192.0.2.0/24")
    assert parse_network("2001:db8::1") == ipaddress.ip_network("2001:db8::1/128")
    with pytest.raises(ValueError, match="is not a network; write"):
        parse_network("10/8")
