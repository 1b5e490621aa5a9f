"""What a page says of where its images came from and how they were made."""

from __future__ import annotations

from srscope import study

_BLURRED = {"lr": "the LR image", "hr": "the HR image"}


def of_images(record: study.Study) -> list[tuple[str, str]]:
    """Return (name, value) of the suite's settings, as they stand in the protocol."""
    suite = record.suite
    return [
        ("suite", suite.name),
        ("blur applied to", _BLURRED.get(suite.blur_applied_to, suite.blur_applied_to)),
        ("clipped and rounded to 8 bits", "yes" if suite.quantized else "no, float"),
        ("every content in every set", "yes" if suite.crossed else "no"),
    ]
