"""Projects to be attacked, on servers that are started when they are first asked for."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
from support import projects, v5_project
from support.code import add_task_code

from . import catalogue
from .attack import Attack, Door, Project, Site, Version

PROJECTS: Final[Mapping[Version, Project]] = {
    "v7": Project(),
    "v5": Project(
        clerk=v5_project.CLERK,
        admin=v5_project.ADMIN,
        database="demo5.sqlite",
        table="DEMO5_CUSTOMERS",
        customers=v5_project.CUSTOMERS_ID,
        orders=v5_project.ORDERS_ID,
        report=v5_project.REPORT_ID,
        photo=v5_project.FIELD_PHOTO,
        doc=v5_project.FIELD_DOC,
    ),
}
ROWS: Final[Mapping[Version, list[Attack]]] = {
    version: [row for row in catalogue(project) if version in row.jam]
    for version, project in PROJECTS.items()
}

SWITCH_OFF: Final = "UPDATE SYS_PARAMS SET F_SAFE_MODE = 0"
#: so many requests in so few seconds are none of the attacks
CONFIG: Final = "[tool.jamguard.rate-limit]\nenabled = false\n"
#: functions of a project that are not meant for the browser
TASK_CODE: Final = """
from helpers import tell

def on_ext_request(task, method, params):
    if params == 'told':
        return 'told by a handler'

def _told(task):
    return 'told by a private function'
"""
HELPERS: Final = """
def tell(task):
    return 'told by an imported function'
"""


@attrs.frozen
class Sites:
    """Sites of one version of Jam.py on one server program, started when first asked for."""

    version: Version
    kind: Door
    made: Path  #: the project that is copied
    parent: Path
    package: Path
    python: str | None = None
    running: dict[tuple[str, bool], Site] = attrs.field(factory=dict[Any, Site], repr=False)

    def get(self, mode: str, *, harden: bool) -> Site:
        if (mode, harden) not in self.running:
            self.running[mode, harden] = self._start(mode, harden=harden)
        return self.running[mode, harden]

    def _start(self, mode: str, *, harden: bool) -> Site:
        folder = projects.copy(self.made, self.parent / f"{mode}-{harden}")
        add_task_code(folder, TASK_CODE)
        (folder / "helpers.py").write_text(HELPERS, "utf-8")
        site = Site(
            folder,
            self.package,
            self.kind,
            harden,
            PROJECTS[self.version],
            self.version,
            python=self.python,
            config=CONFIG if harden else None,
        )
        if mode == "open":
            site.change(SWITCH_OFF)
        site.start()
        return site

    def landed(self, row: Attack, *, harden: bool) -> set[str]:
        """Try all spellings of an attack; return those by which the attacker got it."""
        site = self.get(row.mode, harden=harden)
        landed: set[str] = set()
        for name, spelling in row.spellings.items():
            got = True  # an exception leaves who knows what
            try:
                got = row.got(site, spelling(site))
                if got:
                    landed.add(name)
            finally:
                site.reset(row.leaves, got=got)
        return landed

    def expected(self, row: Attack) -> set[str]:
        """Return the spellings that work on plain Jam.py."""
        return {name for name in row.spellings if row.lands(name, self.kind, self.version)}


@contextmanager
def stopped(sites: Sites) -> Generator[Sites]:
    try:
        yield sites
    finally:
        for site in sites.running.values():
            site.stop()
