"""The code that the page shows is what a reader would paste: it runs."""

import subprocess
import sys

import pytest

from tests.serving.page.conftest import HOSTILE, TABS, TEXTS, OpenPage, tab_to


@pytest.mark.slow
@pytest.mark.parametrize("panel", TABS)
def test_the_code_of_each_action_runs_as_it_stands(open_page: OpenPage, panel: str) -> None:
    page = open_page()
    page.click(f"#tab-{panel}")
    page.fill(f"#{panel}-input", HOSTILE if panel == "text" else "\n".join(TEXTS))
    codes = [code or "" for code in page.locator(f"#{panel} .code pre").all_text_contents()]
    assert len(codes) == (4 if panel == "ranking" else 3)
    for code in codes:
        is_curl = "curl" in code
        command = ["bash", "-c", f"{code.rstrip()} --fail --silent"] if is_curl else [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert bool(done.stdout) == (is_curl or panel != "text")


def test_the_code_can_be_copied(open_page: OpenPage) -> None:
    page = open_page()
    tab_to(page, "tab-text-curl")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")  # the button beside the tabs
    page.keyboard.press("Enter")
    page.locator("#text .copy-code").filter(has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#text-gtekit").text_content()
    assert "from gtekit import Client" in copied
