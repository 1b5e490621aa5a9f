"""Take the README's picture of a real report: its verdict and its scatter plots.

`python tools/screenshot.py srscope-out/demo/report.html docs/images/report.png`; wants chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 1180
HEIGHT = 5000
"""Of the window: the whole report, so that its sticky header covers nothing."""


def main(report: str, target: str) -> None:
    """Write the picture."""
    parts: list[Image.Image] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(Path(report).resolve().as_uri())
        page.wait_for_timeout(500)
        plot = page.locator("#large").bounding_box()
        assert plot is not None
        page.mouse.move(plot["x"] + plot["width"] * 0.3, plot["y"] + plot["height"] * 0.72)
        page.wait_for_timeout(200)
        for selector in ("#verdict", "#layers"):
            shot = page.locator(selector).screenshot()
            parts.append(Image.open(io.BytesIO(shot)).convert("RGB"))
        browser.close()
    width = max(part.width for part in parts)
    picture = Image.new("RGB", (width + 48, sum(part.height + 24 for part in parts) + 24), "white")
    top = 24
    for part in parts:
        picture.paste(part, (24, top))
        top += part.height + 24
    picture.quantize(128).save(target, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
