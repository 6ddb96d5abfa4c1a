"""The catalogue of attacks behind jamguard without a server: fast, so on every Python."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from catalogue.attack import Attack, call, post
from catalogue.sites import ROWS, Sites, stopped


@pytest.fixture(scope="module")
def sites(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    jam = find_spec("jam")
    assert jam
    assert jam.origin
    parent = tmp_path_factory.mktemp("direct")
    with stopped(Sites("v7", "none", demo_project, parent, Path(jam.origin).parent)) as sites:
        yield sites


@pytest.mark.parametrize("row", ROWS["v7"], ids=lambda row: row.id)
def test_it_does_not_work_on_the_callable(sites: Sites, row: Attack) -> None:
    assert sites.landed(row, harden=True) == set()


@pytest.fixture(scope="module")
def sites_of_v5(
    v5_python: Path, v5_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    (package,) = v5_python.parents[1].glob("lib/python*/site-packages/jam")
    parent = tmp_path_factory.mktemp("direct-v5")
    with stopped(Sites("v5", "none", v5_project, parent, package, str(v5_python))) as sites:
        yield sites


@pytest.mark.parametrize("row", ROWS["v5"], ids=lambda row: row.id)
def test_it_does_not_work_on_the_callable_of_v5(sites_of_v5: Sites, row: Attack) -> None:
    assert sites_of_v5.landed(row, harden=True) == set()


def test_who_attacks_may_do_what_he_always_could(sites: Sites) -> None:
    site = sites.get("safe", harden=True)
    body = call("server", site.project.customers, ["hello", ["you"]])
    assert post(body, "{clerk}")(site).json["result"]["data"][0] == "hello you"


def test_an_attack_would_be_seen(sites: Sites) -> None:
    """The control of this way of asking: plain Jam.py hands its database out."""
    row = next(row for row in ROWS["v7"] if "database" in row.wants)
    assert sites.landed(row, harden=False)
