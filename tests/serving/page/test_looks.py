"""The page on a phone and a wide screen, by day and in the dark."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving.page.conftest import TABS, OpenPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = (1280, 390, 320)
LEAST_CONTRAST = 4.5  # WCAG AA, of letters of any size


def show_all(page: "Page") -> None:
    """Press the button of each action."""
    for name in TABS:
        page.click(f"#tab-{name}")
        page.click(f"#{name} .primary")
        page.locator(f"#{name} .result").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window_and_all_letters_can_be_read(open_page: OpenPage, dark: bool) -> None:
    for width in WIDTHS:
        page = open_page(width=width, dark=dark, statuses=(400,))
        show_all(page)
        page.click("#tab-ranking")
        page.fill("#ranking-query", "")
        page.click("#ranking .primary")
        page.locator("#ranking [role=alert]").wait_for()
        for name in TABS:
            page.click(f"#tab-{name}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate(CONTRASTS, LEAST_CONTRAST) == [], name


# Gives the elements with text of their own whose letters stand out too little from what is behind them.
CONTRASTS = """least => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = color => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = color;
    pixel.fillRect(0, 0, 1, 1);
    return pixel.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b]
    .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = paint(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const own = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter(one => own(one) && one.checkVisibility()).map(one => {
    const style = getComputedStyle(one);
    const letters = light(paint(one instanceof SVGElement ? style.fill : style.color));
    const ground = light(behind(one));
    const contrast = (Math.max(letters, ground) + 0.05) / (Math.min(letters, ground) + 0.05);
    return [one.tagName, one.className?.toString(), one.textContent.slice(0, 30), contrast];
  }).filter(([, , , contrast]) => contrast < least);
}"""


@pytest.mark.slow
def test_screenshots_can_be_taken(open_page: OpenPage, tmp_path: Path) -> None:
    folder = Path(os.environ.get("GTEKIT_SCREENSHOTS", tmp_path))  # to look at
    for width, dark in ((1280, False), (390, True)):
        page = open_page(width=width, dark=dark)
        show_all(page)
        for name in TABS:
            page.click(f"#tab-{name}")
            path = folder / f"page-{width}-{'dark' if dark else 'light'}-{name}.png"
            page.screenshot(path=path, full_page=True)
            assert path.stat().st_size > 10_000
