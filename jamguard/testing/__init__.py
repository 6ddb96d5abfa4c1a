"""For the tests of a Jam.py project: whether it is hardened, and what it does behind that.

The fixture `hardened` of pytest comes with the package; see `docs/how-to/testing.md`.
"""

import os
import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final
from unittest.mock import patch

from ..probing.rows import questions
from ..probing.scorecard import ProbeError, ask_all, begin
from ..probing.wsgi import Application, WsgiSite
from ..shield import Shield

#: so that the tests count apart from a site that runs on this machine
APART: Final = {"JAMGUARD_STORAGE": "process"}


def assert_hardened(
    app: Application, *, url: str = "https://localhost", accepted: Iterable[str] = ()
) -> None:
    """Ask `app` all that `jamguard probe` asks a site, and fail with what was had.

    It is asked under `url`, by clients from elsewhere, and nothing of it changes anything.
    `accepted` are the ids of rows that may fail.

    Raises `AssertionError`, and `ValueError` where a row of `accepted` does not exist.
    """
    __tracebackhide__ = True
    rest = set(accepted) - {question.id for question in questions()}
    if rest:
        raise ValueError(f"there is no row {', '.join(sorted(rest))}")
    site = WsgiSite(app, url)
    try:
        card = ask_all(site, begin(site).status)
    except ProbeError as error:
        raise AssertionError(str(error)) from None
    found = [
        f"{row.question.id} ({row.question.severity}): {row.said}\n  {row.question.advice}"
        for row in card.failed
        if row.question.id not in set(accepted)
    ]
    if card.stopped:
        found.append(f"not all was asked: {card.stopped}")
    if found:
        raise AssertionError("\n".join([f"{url} gives to a stranger:", *found]))


def load(path: Path) -> Shield:
    """Load the application from the `wsgi.py` of a project, as a server does.

    Raises `LookupError` where there is none that is hardened.
    """
    spec = spec_from_file_location("wsgi", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise LookupError(
            f"there is no {path}: name the file in the settings of pytest: jamguard_wsgi"
        )
    module = sys.modules["wsgi"] = module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))  # for modules that lie beside it
    with patch.dict(os.environ, APART):
        spec.loader.exec_module(module)
    application = getattr(module, "application", None)
    if not isinstance(application, Shield):
        raise LookupError(  # noqa: TRY004 - what is missing is a line
            f"application in {path} is not what jamguard.harden() returns; the last line has "
            "to be: application = jamguard.harden(application)"
        )
    return application
