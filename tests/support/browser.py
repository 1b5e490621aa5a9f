"""Debian's Chromium for the tests of the report, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

Open = Callable[..., Page]
"""Opens a file, with options of a browser context such as its viewport."""


@contextmanager
def chromium() -> Generator[Browser]:
    """Start Chromium, or skip the test with the reason where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the PATH (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opener(browser: Browser, until: str) -> Generator[Open]:
    """Yield a function that opens a file and waits for the selector ``until``.

    At the end no error, no word on the console and no request but for the file may have been seen.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_one(path: Path, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(f"console {m.type}: {m.text}"))
        page.on("pageerror", lambda e: complaints.append(f"error: {e}"))
        page.on(
            "request",
            lambda r: (
                None
                if r.url.startswith(("data:", path.as_uri()))
                else complaints.append(f"request: {r.url}")
            ),
        )
        page.goto(path.as_uri())
        page.wait_for_selector(until)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def running_off(page: Page) -> list[str]:
    """Return what stands wider than the window; what has a box of its own that scrolls may."""
    return page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')].filter(e => {
            if (e.closest('.scroll, .multiples, pre, .skip') || e.closest('svg')) return false;
            const box = e.getBoundingClientRect();
            return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        }).map(e => e.outerHTML.slice(0, 120))"""
    )


@contextmanager
def without_script(browser: Browser, path: Path) -> Generator[Page]:
    """Open a file in a browser whose JavaScript is switched off."""
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        yield page
    finally:
        context.close()


def points_drawn(plot: Locator) -> int:
    """Return how many points of a scatter plot are drawn and not dimmed."""
    return plot.evaluate(
        "svg => [...svg.querySelectorAll('g path:not(.dim)')]"
        ".reduce((n, e) => n + e.getAttribute('d').split('M').length - 1, 0)"
    )
