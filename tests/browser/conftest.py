"""One Chromium for all visits."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from support.visit import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started
