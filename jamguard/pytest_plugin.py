"""What pytest loads in every run: little more than `import jamguard`, until a test asks for it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .shield import Shield
    from .testing.client import Clock, HardenedClient


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where the project is."""
    parser.addini("jamguard_wsgi", "the file that makes the application", default="wsgi.py")


@pytest.fixture(scope="session")
def hardened_application(pytestconfig: pytest.Config) -> "Shield":
    """Load the `application` of the project's `wsgi.py`; it counts in this process alone."""
    from .testing import load  # noqa: PLC0415 - only for who asks

    return load(pytestconfig.rootpath / pytestconfig.getini("jamguard_wsgi"))


@pytest.fixture(scope="session")
def jamguard_clock(hardened_application: "Shield") -> "Clock":
    """Make the clock of all tests, which does not step back from one to the next."""
    del hardened_application  # what is not loaded yet reads the real one
    from .testing.client import Clock  # noqa: PLC0415 - only for who asks

    return Clock()


@pytest.fixture
def hardened(hardened_application: "Shield", jamguard_clock: "Clock") -> "HardenedClient":
    """Make a client of the application, with a clock; nothing has been counted yet."""
    from .testing.client import HardenedClient  # noqa: PLC0415 - only for who asks

    return HardenedClient(hardened_application, jamguard_clock)
