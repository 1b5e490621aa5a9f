"""The second edition of the criteria: the paper's 18 claims, written before the numbers that judge.

**What was known when this was written.** The first edition's criteria and outcomes on the bundled
networks and the ten photographs of that time (``docs/reproduction.md``: 14 of 18 hold; all its
tables, among them CHI by depth, degree, patch size and t-SNE parameter, the shares of content, and
what CinCGAN and BM3D change). Pilots on the same networks and photographs, clean, blurred and noisy
images, ResBlock16:

- probe (LDA on flattened features, photograph left out): srresnet-wogr 0.68, srresnet-wgr 0.85,
  srgan-wogr 0.81, srgan-wgr 0.88; on channel means 0.81 and 0.89 (srresnet-wogr and -wgr); raw
  pixels 0.36, five statistics 0.81, absolute Laplacian 0.79; on channel log-standard-deviations of
  some layers 0.91 to 0.94;
- k-NN, photograph left out: 0.45, 0.91, 0.70, 0.95 in that order; absolute Laplacian 0.86;
- CHI on the map and of PCA-50: 0.04 and 1.2, 237 and 31, 21 and 36, 598 and 48 in that order;
- srgan-wogr over 40 t-SNE seeds: mean 30, standard deviation 8, from 6 to 44; srgan-wgr from 444 to
  920 over patch sizes, from 309 to 598 over perplexities, 555 +- 248 at learning rate 800;
- unbiased components of content: srresnet-wogr 85.7 %, two of the other networks 10.9 % and 8.0 %;
- C2's two sets with shared contents: CHI 2.6, while pixels of the three sets reach 12;
- the level of noise at which srgan-wgr reaches AUC 0.75: sigma 2.0 flattened, 1.0 on channel means;
- one network of the population's recipes, with seed 1, which is not judged: CHI 129 +- 15 and k-NN
  0.85 with the residual, 0.05 and 0.46 without.

**What was not known.** Any number of the new test photographs, which judge every claim, and of the
population's networks (seeds 2 to 6), which judge C6, C7, C8, C12 and C13: they were being made.
The other claims meet new photographs, but bundled networks that are old acquaintances.

**Rules.** The photograph is the unit of every interval. Effect sizes that do not grow with the
number of images decide: accuracy of the probe, AUC, d', unbiased components. CHI is shown beside;
C7 and C8 are judged by both. C6, C7, C8, C12 and C13 are judged over the population, at matched
PSNR where networks with and without the residual are compared, and for the bundled ones beside.
Lines and margins come from the paper's own tables (:mod:`srscope.reproduction.second_criteria`).
``docs/reproduction-second.md`` has the criteria in words and says how each number is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from srscope.reproduction.criteria import Decision, combined
from srscope.reproduction.evidence import Evidence
from srscope.reproduction.records import Estimate, Verdict
from srscope.reproduction.second_claims import SECOND_CLAIMS, Decide, SecondClaim

__all__ = [
    "SECOND_CLAIMS", "Ruling", "SecondClaim", "SecondJudgement", "judge_again", "needed", "rule",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the conditions of a claim say.

    Args:
        verdict: ``not run`` where a number is missing.
        conditions: Each with its numbers; empty where the claim was not run.
        missing: The first number that is missing.
    """

    verdict: Verdict
    conditions: tuple[Decision, ...]
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class SecondJudgement:
    """A claim, judged.

    Args:
        claim: The claim.
        ruling: By its criterion.
        beside: By what is shown beside, by name.
    """

    claim: SecondClaim
    ruling: Ruling
    beside: Mapping[str, Ruling]


def rule(decide: Decide, evidence: Evidence) -> Ruling:
    """Return what conditions say; ``not run`` where a number is missing."""
    try:
        decisions = tuple(decide(evidence))
    except KeyError as error:
        return Ruling(verdict="not run", conditions=(), missing=str(error.args[0]))
    return Ruling(verdict=combined(decisions), conditions=decisions)


def judge_again(claim: SecondClaim, evidence: Evidence) -> SecondJudgement:
    """Judge a claim by the second edition's criterion.

    Args:
        claim: The claim.
        evidence: Numbers by the names of :func:`~srscope.reproduction.second_evidence.name_of`.
    """
    beside = {name: rule(decide, evidence) for name, decide in claim.beside.items()}
    return SecondJudgement(claim=claim, ruling=rule(claim.decide, evidence), beside=beside)


class _Recorder(Mapping[str, Estimate]):
    """Evidence that notes what it is asked for; the networks' PSNR rises or falls by name."""

    def __init__(self, rising: bool) -> None:
        self.asked: dict[str, None] = {}
        self.step = 1.0 if rising else -1.0

    def __getitem__(self, key: str) -> Estimate:
        self.asked[key] = None
        value = self.step * len(self.asked)
        return Estimate(value=value, std=0.0, low=0.0, high=0.0, samples=np.zeros(2))

    def __iter__(self) -> Iterator[str]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)


def needed(decide: Decide) -> tuple[str, ...]:
    """Return the names of all numbers that conditions may ask for.

    Of ``A@B`` and ``B@A`` only one is asked for in the end: the network with the higher PSNR is
    taken earlier in its training, and neither where both are trained to the same PSNR.
    """
    asked: dict[str, None] = {}
    for rising in (True, False):
        recorder = _Recorder(rising)
        decide(recorder)
        asked |= recorder.asked
    return tuple(asked)
