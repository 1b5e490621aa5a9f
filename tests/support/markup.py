"""A parser that sees whether a page is well formed and what it refers to."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "wbr", "col"}


class Balanced(HTMLParser):
    """Check that every element is closed, and collect what the file refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id":
                self.ids.append(value or "")
            if key in ("src", "href") and value:
                self.sources.append(value)
            if key.startswith("on") or key == "style":
                self.handlers.append(key)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def policy_of(page: str) -> dict[str, str]:
    """Return the rules of a page's Content-Security-Policy by their names; it has exactly one."""
    (found,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    return dict(rule.strip().split(" ", 1) for rule in found.split(";"))


def assert_admits_only_its_own(page: str) -> None:
    """Fail unless a page's policy admits its own style and script, pictures in it, and no more."""
    rules = policy_of(page)
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        content = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(kind) == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
