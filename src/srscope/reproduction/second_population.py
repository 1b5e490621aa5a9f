"""Conditions of the second edition that are about recipes: with and without GR, L1 and adversarial.

Each is asked of the population, where the seed is a random effect, and of the bundled networks.
"""

from __future__ import annotations

import math

from srscope.reproduction.criteria import Decision, at_least, below
from srscope.reproduction.evidence import Evidence
from srscope.reproduction.records import Estimate
from srscope.reproduction.second_criteria import (
    SEPARATES_D,
    STRONG_D,
    accuracy_of,
    auc_of,
    log_chi,
    positive,
)
from srscope.reproduction.second_evidence import Measure, Networks, contrast, mean, name_of

_KIND_SETS = 3
_CLUSTERS = math.log(20)
"""ln of the CHI from which the paper's bands speak of clusters."""


def probe_of_kinds(e: Evidence, network: str, layer: str) -> Estimate:
    """Return the probe's accuracy on clean, blurred and noisy images."""
    return e[name_of("probe", network, layer=layer)]


def log_chi_of_kinds(e: Evidence, network: str, layer: str) -> Estimate:
    """Return ln CHI of clean, blurred and noisy images."""
    return log_chi(e[name_of("chi", network, layer=layer)])


def auc_of_blur(e: Evidence, network: str, layer: str) -> Estimate:
    """Return the AUC of blur 1 against blur 4."""
    return e[name_of("auc", network, "blur-1-4", layer)]


def log_chi_of_blur(e: Evidence, network: str, layer: str) -> Estimate:
    """Return ln CHI of blur 1 and blur 4."""
    return log_chi(e[name_of("chi", network, "blur-1-4", layer)])


def content_component(e: Evidence, network: str, layer: str) -> Estimate:
    """Return the unbiased component of content, as a share of all components."""
    return e[name_of("content", network, "clean-blur4-noise20", layer, by="")]


def _residual(e: Evidence, networks: Networks, kind: str, measure: Measure, what: str) -> Decision:
    """With the residual there is more than without."""
    gap = contrast(e, networks, f"{kind}-wgr", f"{kind}-wogr", measure, matched=True)
    return positive(f"{what} of {kind}-wgr less that of {kind}-wogr", gap)


def _needs_residual(
    e: Evidence,
    networks: Networks,
    kind: str,
    measure: Measure,
    what: str,
    lines: tuple[float, float],
) -> list[Decision]:
    """With the residual a number is at the first line or above, without it below the second."""
    with_it, without_it = f"{kind}-wgr", f"{kind}-wogr"
    decisions = [
        at_least(f"{what} of {with_it}", mean(e, networks, with_it, measure), lines[0]),
        below(f"{what} of {without_it}", mean(e, networks, without_it, measure), lines[1]),
    ]
    if networks.matched:  # as trained, the two lines say already which is higher
        decisions.append(_residual(e, networks, kind, measure, what))
    return decisions


def c6_by_probe(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C6 by the probe."""
    lines = accuracy_of(STRONG_D, _KIND_SETS), accuracy_of(SEPARATES_D, _KIND_SETS)
    return _needs_residual(e, networks, "l1", probe_of_kinds, "accuracy", lines)


def c6_by_chi(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C6 by CHI, as the first edition did."""
    lines = _CLUSTERS, _CLUSTERS
    return _needs_residual(e, networks, "l1", log_chi_of_kinds, "ln CHI", lines)


def _adversarial(
    e: Evidence, networks: Networks, measure: Measure, what: str, line: float
) -> list[Decision]:
    gap = contrast(e, networks, "gan-wogr", "l1-wogr", measure, matched=False)
    return [
        at_least(f"{what} of gan-wgr", mean(e, networks, "gan-wgr", measure), line),
        at_least(f"{what} of gan-wogr", mean(e, networks, "gan-wogr", measure), line),
        positive(f"{what} of gan-wogr less that of l1-wogr", gap),
    ]


def c7_by_probe(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C7 by the probe."""
    line = accuracy_of(SEPARATES_D, _KIND_SETS)
    return _adversarial(e, networks, probe_of_kinds, "accuracy", line)


def c7_by_chi(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C7 by CHI."""
    return _adversarial(e, networks, log_chi_of_kinds, "ln CHI", _CLUSTERS)


def c8_by_probe(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C8 by the probe."""
    return [_residual(e, networks, "gan", probe_of_kinds, "accuracy")]


def c8_by_chi(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C8 by CHI."""
    return [_residual(e, networks, "gan", log_chi_of_kinds, "ln CHI")]


def c12_by_auc(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C12 by the AUC."""
    lines = auc_of(SEPARATES_D), auc_of(SEPARATES_D)
    return _needs_residual(e, networks, "gan", auc_of_blur, "AUC", lines)


def c12_by_chi(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C12 by CHI."""
    return _needs_residual(e, networks, "gan", log_chi_of_blur, "ln CHI", (_CLUSTERS, _CLUSTERS))


def c13_in(e: Evidence, networks: Networks) -> list[Decision]:
    """Decide C13: the three comparisons of the paper's section 5.3."""
    pairs = (("l1-wogr", "l1-wgr", True), ("l1-wogr", "gan-wogr", False),
             ("gan-wogr", "gan-wgr", True))  # fmt: skip
    return [
        positive(
            f"content of {more} less that of {less}",
            contrast(e, networks, more, less, content_component, matched=matched),
        )
        for more, less, matched in pairs
    ]
