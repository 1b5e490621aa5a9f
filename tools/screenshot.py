"""Take the README's picture of a real report: its first screen, with the verdict and the maps.

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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(Path(report).resolve().as_uri())
        page.wait_for_timeout(500)
        shot = page.locator("#verdict").screenshot()
        browser.close()
    part = Image.open(io.BytesIO(shot)).convert("RGB")
    picture = Image.new("RGB", (part.width + 48, part.height + 48), "white")
    picture.paste(part, (24, 24))
    picture.quantize(128).save(target, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
