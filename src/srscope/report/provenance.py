"""What a page says of where its images came from and how they were made."""

from __future__ import annotations

from srscope.report.markup import text_block
from srscope.report.page import filled
from srscope.study.record import Study

BIBTEX = """\
@article{liu2021discovering,
  title   = {Discovering "Semantics" in Super-Resolution Networks},
  author  = {Liu, Yihao and Liu, Anran and Gu, Jinjin and Zhang, Zhipeng and
             Wu, Wenhao and Qiao, Yu and Dong, Chao},
  journal = {arXiv preprint arXiv:2108.00406},
  year    = {2021}
}"""

_BLURRED = {"lr": "the LR image", "hr": "the HR image"}


def of_images(record: Study) -> list[tuple[str, str]]:
    """Return (name, value) of the suite's settings, as they stand in the protocol."""
    suite = record.suite
    return [
        ("suite", suite.name),
        ("blur applied to", _BLURRED.get(suite.blur_applied_to, suite.blur_applied_to)),
        ("clipped and rounded to 8 bits", "yes" if suite.quantized else "no, float"),
        ("every content in every set", "yes" if suite.crossed else "no"),
    ]


def protocol(provenance: str, environment: str) -> str:
    """Return the section that says how the numbers were made, and which paper's method it is.

    Args:
        provenance: What was analysed, and with which parameters, as HTML.
        environment: Versions, machine and times, as HTML.
    """
    return filled(
        "protocol.html",
        provenance=provenance,
        environment=environment,
        bibtex=text_block(BIBTEX),
    )
