"""`jamguard bans`: who is banned from a running site."""

from ipaddress import ip_address, ip_network
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Annotated, Final

import typer

from ..address import IPNetwork
from ..bans import around, begin, read_network
from ..bans import lift as end
from ..guard import reports
from ..guards.ban import Ban, ends
from ..guards.proxy import Proxy
from ..site import Site
from ..values import Duration
from .store import Folder, Json, Running, open_running
from .terminal import fail, in_words, show_json, show_table

app = typer.Typer(
    help="See who is banned from a running site, and change it.", no_args_is_help=True
)

#: is_loopback does not know the /64 that it lies in
LOOPBACK: Final = ip_address("::1")

Network = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK", help="An address or a /24, such as 192.0.2.7; of IPv6 a /64 or a /48."
    ),
]


@app.command("list")
def show(folder: Folder = Path(), json: Json = False) -> None:
    """Print who is banned, for how long still, and why."""
    marks = open_running(folder).store.marks.all("banned", monotonic())
    if json:
        show_json(
            [
                {"network": m.key, "seconds": ceil(m.left), "times": m.times, "why": m.why}
                for m in marks
            ]
        )
    elif marks:
        rows = [(m.key, in_words(m.left), str(m.times), m.why) for m in marks]
        show_table(("network", "still for", "times", "why"), rows)
    else:
        typer.echo("Nobody is banned.")


@app.command()
def add(
    network: Network,
    folder: Folder = Path(),
    span: Annotated[
        str | None,
        typer.Option("--for", metavar="SPAN", help='"1 hour"; else as the settings say.'),
    ] = None,
    why: Annotated[str, typer.Option(help="In a word or two.")] = "by hand",
) -> None:
    """Ban a network, at once and on all workers."""
    wanted, seconds = _network(network), _seconds(span)
    site = open_running(folder)
    guard = _guard(site)
    if spared := _spared(site, guard, ip_network(wanted)):
        fail(f"{wanted} is {spared}, which is never banned")
    length = guard.for_ if seconds is None else seconds
    mark = begin(site.store, wanted, monotonic(), length, why, grow=False)
    typer.echo(f"{wanted} is banned for {Duration(mark.left)}.")
    if not guard.enabled or reports(guard):
        setting = 'mode = "report"' if guard.enabled else "enabled = false"
        typer.echo(f"It is answered all the same: [tool.jamguard.ban] {setting}", err=True)


@app.command()
def lift(network: Network, folder: Folder = Path()) -> None:
    """End the ban of a network, and forget that there was one."""
    wanted = _network(network)
    site = open_running(folder)
    lifted = end(site.store, wanted, _guard(site).after)
    wider = around(wanted)
    mark = site.store.marks.get("banned", wider, monotonic())
    if wider != wanted and mark is not None and mark.left:
        fail(f"{wanted} is banned with all of {wider}: lift that")
    if not lifted:
        fail(f"{wanted} is not banned")
    typer.echo(f"{wanted} is not banned any more.")


@app.command()
def clear(folder: Folder = Path()) -> None:
    """End all bans."""
    site = open_running(folder)
    after = _guard(site).after
    marks = site.store.marks.all("banned", monotonic())
    for mark in marks:
        end(site.store, mark.key, after)
    typer.echo(f"{len(marks)} {'ban has' if len(marks) == 1 else 'bans have'} ended.")


def _network(text: str) -> str:
    try:
        return read_network(text)
    except ValueError as error:
        fail(str(error))


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        span = Duration.parse(text)
        ends(None, None, span)
    except ValueError as error:
        fail(f"--for: {text!r} {error}")
    return span


def _guard(site: Running) -> Ban:
    return next(guard for guard in site.guards if isinstance(guard, Ban))


def _spared(site: Running, guard: Ban, network: IPNetwork) -> str:
    """Say what a network is that the guard spares, or `""`."""
    known = Site(site.settings, None)
    for proxy in site.guards:
        if isinstance(proxy, Proxy) and proxy.enabled:
            proxy.start(known)
    if network.is_loopback or LOOPBACK in network:
        return "this computer"
    if _lies_in(network, known.proxies):
        return "a declared proxy"
    return "on the safelist" if _lies_in(network, guard.safelist) else ""


def _lies_in(network: IPNetwork, networks: tuple[IPNetwork, ...]) -> bool:
    return any(
        network.network_address in one and network.broadcast_address in one for one in networks
    )
