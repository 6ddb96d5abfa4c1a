"""What pytest loads of jamguard in every run: nothing else, until a test asks for it.

It lies beside the package, because whatever lies in it costs a tenth of a second to import.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from jamguard import Shield
    from jamguard.testing.client import Clock, HardenedClient


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where the project is."""
    parser.addini("jamguard_wsgi", "the file that makes the application", default="wsgi.py")


@pytest.fixture(scope="session")
def hardened_application(pytestconfig: pytest.Config) -> "Shield":
    """Load the `application` of the project's `wsgi.py`; it counts in this process alone."""
    from jamguard.testing import load  # noqa: PLC0415 - see above

    return load(pytestconfig.rootpath / pytestconfig.getini("jamguard_wsgi"))


@pytest.fixture(scope="session")
def jamguard_clock(hardened_application: "Shield") -> "Clock":
    """Make the clock of all tests, which does not step back from one to the next."""
    del hardened_application  # what is not loaded yet reads the real one
    from jamguard.testing.client import Clock  # noqa: PLC0415 - see above

    return Clock()


@pytest.fixture
def hardened(hardened_application: "Shield", jamguard_clock: "Clock") -> "HardenedClient":
    """Make a client of the application, with a clock; nothing has been counted yet."""
    from jamguard.testing.client import HardenedClient  # noqa: PLC0415 - see above

    return HardenedClient(hardened_application, jamguard_clock)
