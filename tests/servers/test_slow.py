"""Slow clients, guesses and stuck code from one address: an ordinary visitor goes on.

A few connections for a few seconds; `table.py` has all servers, and the numbers of the
documentation.
"""

from pathlib import Path
from typing import Final

import pytest
from support.attacks import (
    ARGS,
    BIG,
    BIG_BYTES,
    CONFIG,
    HUNG_CODE,
    LOGIN_FLOOD,
    SLOW_BODY,
    SLOW_HEADERS,
    SLOW_READ,
    VISITOR,
    Attack,
    Attackers,
    Visits,
    log_in,
)
from support.kinds import Kind
from support.servers import Server, run_server

pytestmark = pytest.mark.long

SERVED: Final = 0.95
THREADS, SECONDS = 16, 3
#: a login takes 0.3 seconds, so sixteen threads keep up with fewer
CONNECTIONS: Final = {LOGIN_FLOOD.name: 150}
HELPED: Final = (SLOW_BODY, SLOW_READ, LOGIN_FLOOD, HUNG_CODE)


@pytest.fixture
def attacked(project: Path) -> Path:
    """A project with a file that is too large for the buffers of a connection."""
    with (project / BIG).open("wb") as big:
        big.truncate(BIG_BYTES)
    return project


def share(server: Server, attack: Attack) -> float:
    """Return the share of visits that are served meanwhile."""
    cookie = log_in(server, VISITOR)
    with Attackers(server, attack, CONNECTIONS.get(attack.name, 40)) as attackers:
        visits = Visits(server, cookie, SECONDS)
    print(f"{visits.share:.0%} served, p95 {visits.p95:.2f} s", visits.failures, attackers.answers)
    return visits.share


@pytest.mark.parametrize("kind", ["gunicorn", "waitress", "nginx-tcp"])
@pytest.mark.parametrize("attack", HELPED, ids=lambda attack: attack.name)
def test_a_visitor_goes_on_under_attack(attacked: Path, kind: Kind, attack: Attack) -> None:
    args = ARGS.get(kind, ())
    with run_server(attacked, kind, threads=THREADS, config=CONFIG, args=args) as server:
        assert share(server, attack) >= SERVED


@pytest.mark.parametrize("attack", HELPED, ids=lambda attack: attack.name)
def test_without_guards_visitors_wait_in_vain(attacked: Path, attack: Attack) -> None:
    """The control."""
    with run_server(attacked, harden=False, threads=THREADS) as server:
        assert share(server, attack) < SERVED


#: what a server needs against headers that come slowly, which no application sees
AGAINST_SLOW_HEADERS: Final[dict[Kind, list[str]]] = {
    "gunicorn": ["--threads=100"],
    "waitress": ["--channel-timeout=3", "--cleanup-interval=1"],
    "nginx-tcp": [],
    "granian": [],
}


@pytest.mark.parametrize("kind", AGAINST_SLOW_HEADERS)
def test_slow_headers_are_the_business_of_the_server(attacked: Path, kind: Kind) -> None:
    args = [*ARGS.get(kind, ()), *AGAINST_SLOW_HEADERS[kind]]
    with run_server(attacked, kind, threads=THREADS, config=CONFIG, args=args) as server:
        assert share(server, SLOW_HEADERS) >= SERVED
