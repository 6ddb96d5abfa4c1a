"""The page of `jamguard probe` can be read on a phone and on a screen, by day and by night."""

from typing import Literal

import pytest
from playwright.sync_api import Browser
from support.fake import site

from jamguard import harden
from jamguard.probing.page import page
from jamguard.probing.scorecard import probe
from jamguard.probing.wsgi import WsgiSite

pytestmark = pytest.mark.browser

#: WCAG 2.1, success criterion 1.4.3
ENOUGH = 4.5
#: the least contrast of a text with what is behind it
CONTRAST = """() => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(
      c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const own = getComputedStyle(element).backgroundColor;
    return own === "rgba(0, 0, 0, 0)" ? ground(element.parentElement) : own;
  };
  const texts = [...document.querySelectorAll("main *")].filter(
    element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map(element => {
    const [a, b] = [getComputedStyle(element).color, ground(element)].map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
}"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page that compares two sites."""
    hardened = harden(site(), {"storage": "process", "host": {"allowed": ["localhost"]}})
    cards = [probe(WsgiSite(app)) for app in (site(), hardened)]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(cards), "utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scorecard_is_readable(
    browser: Browser,
    written: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    shown = context.new_page()
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(written)
    assert asked == [written]  # nothing from elsewhere
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(CONTRAST) >= ENOUGH
    assert shown.locator("tbody tr").count() > 20
    context.close()
