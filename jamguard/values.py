"""The kinds of values that settings have: sizes, spans of time, rates, networks, hosts.

Each is read from what a person writes (`"10 MB"`, `"30s"`, `"600/minute"`) and says
what it would have understood.
"""

import ipaddress
import re
from difflib import get_close_matches
from typing import Final

import attrs

from .address import IPNetwork

#: the largest count a store has to hold
MOST: Final = 1_000_000
SIZES: Final = {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
SPANS: Final = {
    "s": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "month": 2592000,
    "year": 31536000,
}


class ByteSize(int):
    """A number of bytes: `"8 MB"` (1 MB = 1024 x 1024 bytes)."""

    @classmethod
    def parse(cls, text: str) -> "ByteSize":
        """Read a size such as `512`, `"8 KB"` or `"50 MB"`."""
        match = re.fullmatch(r"\s*(\d{1,15})\s*([A-Za-z]*)\s*", text, re.ASCII)
        if not match or match[2].lower() not in SIZES:
            raise ValueError('is not a size; write a number of bytes, or "8 KB", "8 MB", "1 GB"')
        return cls(int(match[1]) * SIZES[match[2].lower()])

    def __str__(self) -> str:
        for unit in ("gb", "mb", "kb"):
            if self and self % SIZES[unit] == 0:
                return f"{self // SIZES[unit]} {unit.upper()}"
        return f"{int(self)} B"


class ByteRate(int):
    """A number of bytes a second: `"500 B/s"`, `"8 KB/s"`."""

    @classmethod
    def parse(cls, text: str) -> "ByteRate":
        """Read a rate such as `"500 B/s"`."""
        size, slash, second = text.partition("/")
        try:
            if slash and second.strip() == "s" and (found := ByteSize.parse(size)):
                return cls(found)
        except ValueError:
            pass  # the message below says what a whole rate looks like
        raise ValueError('is not a number of bytes a second; write "500 B/s" or "8 KB/s"')

    def __str__(self) -> str:
        return f"{ByteSize(self)}/s"


class Threads(int):
    """A number of threads; 0 is `"auto"`, by what the server has."""

    @classmethod
    def parse(cls, text: str) -> "Threads":
        """Read a number, or `"auto"`."""
        if text == "auto":
            return cls(0)
        if not re.fullmatch("[0-9]{1,6}", text, re.ASCII) or not int(text):
            raise ValueError('is not a number of threads; write 12, or "auto"')
        return cls(int(text))

    def __str__(self) -> str:
        return str(int(self)) if self else "auto"


class Duration(int):
    """A span of time in whole seconds: `"30s"`, `"1 hour"`, `"1 year"`."""

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read a span such as `"30s"` or `"5 minutes"`."""
        match = re.fullmatch(r"\s*(\d{1,9})\s*([A-Za-z]+)\s*", text, re.ASCII)
        unit = match[2].lower() if match else ""
        seconds = SPANS.get(unit) or SPANS.get(unit.removesuffix("s"))
        if not match or not seconds:
            hint = _meant(text) or 'write "30s", "5 minutes", "1 hour" or "1 year"'
            raise ValueError(f"is not a span of time; {hint}")
        return cls(int(match[1]) * seconds)

    def __str__(self) -> str:
        for unit in ("year", "day", "hour", "minute"):
            count, rest = divmod(self, SPANS[unit])
            if count and not rest:
                return f"{count} {unit}{'s' if count > 1 else ''}"
        return f"{int(self)}s"


@attrs.frozen
class Rate:
    """At most `limit` requests in `period` seconds: `"600/minute"`, `"5/15 minutes"`."""

    limit: int
    period: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read a rate such as `"600/minute"` or `"5/15 minutes"`."""
        count, slash, span = text.partition("/")
        if slash and re.fullmatch(r"\s*\d{1,7}\s*", count, re.ASCII) and 0 < int(count) <= MOST:
            span = span.strip()
            try:
                return cls(int(count), Duration.parse(span if span[:1].isdigit() else f"1 {span}"))
            except ValueError:
                pass  # the message below says what a whole rate looks like
        hint = _meant(text) or f'write "600/minute" or "5/15 minutes" (at most {MOST} requests)'
        raise ValueError(f"is not a rate; {hint}")

    def __str__(self) -> str:
        span = str(Duration(self.period))
        return f"{self.limit}/{span.removeprefix('1 ')}"


class Rates(tuple[Rate, ...]):
    """Rates that hold side by side, each over its own period: `"600/minute, 10000/hour"`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Rates":
        """Read one rate, or several with commas between."""
        rates = cls(map(Rate.parse, text.split(",")))
        if len({rate.period for rate in rates}) < len(rates):
            raise ValueError("has two rates for one period")
        return rates

    def __str__(self) -> str:
        return ", ".join(map(str, self))


def _meant(text: str) -> str:
    """Guess the unit of time that was mistyped."""
    units = [unit for unit in SPANS if len(unit) > 3]  # noqa: PLR2004 - whole words
    words: list[str] = re.findall(r"[A-Za-z]{3,}", text)
    for word in words:
        near = get_close_matches(word.lower(), units, 1, 0.7)
        if near and near[0] != word.lower().removesuffix("s"):
            return f"did you mean {text.replace(word, near[0])!r}?"
    return ""


def parse_network(text: str) -> IPNetwork:
    """Read an address or a CIDR network."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            'is not a network; write "192.0.2.0/24", "2001:db8::/32" or one address'
        ) from None


def positive(_: object, __: object, number: int) -> None:
    """Validate that a setting is at least one."""
    if number < 1:
        raise ValueError("must be at least 1")
