"""The page in a real Chromium, and how a test uses it without a mouse."""

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.serving.conftest import RunningServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = '<img src=x onerror="window.hit = true"> & <script>window.hit = true</script> it\'s \\ a "text" ${1} 東京 😀'
TEXTS = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", HOSTILE, "Shares fell after the bank's news."]
TABS = ("text", "similarity", "ranking", "map")


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no chromium, chromium-browser or google-chrome on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_page(browser: "Browser", server: RunningServer) -> Iterator[OpenPage]:
    """Opens the page; afterwards nothing may have been said on the console, and no other host asked."""
    complaints: list[str] = []
    asked: list[str] = []
    contexts = []
    allowed: set[int] = set()

    def open_one(
        url: str = server.url, *, width: int = 1280, dark: bool = False, statuses: tuple[int, ...] = ()
    ) -> "Page":
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        allowed.update(statuses)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        page.locator("#model-facts").filter(has_not_text="Asking").wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()
    expected = tuple(f"the server responded with a status of {status} " for status in allowed)
    assert [text for text in complaints if not any(words in text for words in expected)] == []
    assert {url.split("/")[2].split(":")[0] for url in asked} == {"127.0.0.1"}


def tab_to(page: "Page", name: str) -> None:
    """Press the tab key until the element has the focus, which must show."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"The tab key does not come to {name}.")


def open_tab(page: "Page", name: str) -> None:
    """Go to an action with the keyboard."""
    tab_to(page, "tab-text")
    for _ in range(TABS.index(name)):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == f"tab-{name}"


def write(page: "Page", name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def send(page: "Page", panel: str, said: str) -> None:
    page.keyboard.press("Control+Enter")
    page.locator(f"#{panel} .summary").filter(has_text=said).wait_for(timeout=5000)


def attributes(page: "Page", selector: str, name: str) -> list[str]:
    return [str(value) for value in page.eval_on_selector_all(selector, f"all => all.map(one => one.dataset.{name})")]
