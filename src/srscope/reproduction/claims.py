"""The paper's 18 claims, and how each is judged by its conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from srscope.reproduction import conditions
from srscope.reproduction.criteria import SEPARATES, STRONG, Decision, combined
from srscope.reproduction.evidence import DEEPEST, DEPTHS, Evidence
from srscope.reproduction.records import Beside, Judgement
from srscope.reproduction.second_claims import SecondClaim


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of the paper.

    Args:
        id: C1 to C18.
        text: The claim in a sentence.
        where: Where the paper makes it.
        criterion: What must be measured for it to hold.
        paper: The paper's own value, or what it shows.
        decide: Returns the conditions with what was measured.
    """

    id: str
    text: str
    where: str
    criterion: str
    paper: str
    decide: Callable[[Evidence], Sequence[Decision]]


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="C1",
        text="CinCGAN restores inputs like its training data and leaves unseen degradations nearly "
        "unchanged; BM3D acts on all",
        where="Fig. 1",
        criterion="CinCGAN's G1 raises PSNR on mild; BM3D's gain on noise20 is positive and more "
        "than twice CinCGAN's; BM3D changes mild by more than one level of 255",
        paper="pictures",
        decide=conditions.c1,
    ),
    Claim(
        id="C2",
        text="CinCGAN's features cluster by data set",
        where="Fig. 2a",
        criterion=f"CHI by data set (mild, noise20, historic) is {SEPARATES:g} or more",
        paper="picture",
        decide=conditions.c2,
    ),
    Claim(
        id="C3",
        text="SRGAN-wGR's features cluster by degradation though contents are identical",
        where="Fig. 2b",
        criterion=f"CHI at {DEEPEST} is {SEPARATES:g} or more",
        paper="CHI 626",
        decide=conditions.c3,
    ),
    Claim(
        id="C4",
        text="A classifier's features cluster by class, more so with depth",
        where="Fig. 4, Tab. S1",
        criterion=f"CHI by class at Conv5_4 is {STRONG:g} or more, and above that at Conv1",
        paper="CHI 28 / 39 / 61 / 309 / 1689",
        decide=conditions.c4,
    ),
    Claim(
        id="C5",
        text="With blur and noise added, the classifier still clusters by class, SR networks by "
        "degradation",
        where="Fig. 5",
        criterion=f"each network's own CHI is {SEPARATES:g} or more and above the other one",
        paper="pictures",
        decide=conditions.c5,
    ),
    Claim(
        id="C6",
        text="L1 networks need the global residual: without it no clusters, with it strong ones",
        where="Fig. 7, Tab. S2",
        criterion=f"CHI at {DEEPEST} is {SEPARATES:g} or more with it, below without",
        paper="CHI 614 with, 3.6 without",
        decide=conditions.c6,
    ),
    Claim(
        id="C7",
        text="GAN networks cluster with or without the global residual",
        where="Fig. 8, Tab. S3",
        criterion=f"CHI at {DEEPEST} is {SEPARATES:g} or more in both",
        paper="CHI 626 with, 234 without",
        decide=conditions.c7,
    ),
    Claim(
        id="C8",
        text="The global residual strengthens GAN networks' clusters",
        where="Tab. S3",
        criterion=f"CHI at {DEEPEST} is higher with it",
        paper="CHI 626 against 234",
        decide=conditions.c8,
    ),
    Claim(
        id="C9",
        text="Separability grows with depth",
        where="Figs. 7, 8",
        criterion=f"in srresnet-wgr and both GAN networks CHI at {DEPTHS[-1]} is above that at "
        f"{DEPTHS[0]}, and no step between the shown layers goes down",
        paper="CHI 0.0 / 0.1 / 38 / 614 (srresnet-wgr)",
        decide=conditions.c9,
    ),
    Claim(
        id="C10",
        text="Degrees of one degradation separate too, and the further apart the better",
        where="Fig. 9, Tab. 1",
        criterion="in srresnet-wgr and srgan-wgr CHI of noise 10 and 30 is above that of noise 10 "
        f"and 20, and in srgan-wgr it is {SEPARATES:g} or more",
        paper="CHI 41.5 against 0.6 (srresnet-wgr), 831 against 79 (srgan-wgr)",
        decide=conditions.c10,
    ),
    Claim(
        id="C11",
        text="Noise separates more easily than blur",
        where="Tab. 1",
        criterion="in both GAN networks CHI of noise 10 and 30 is above that of blur 1 and 4",
        paper="CHI 526 against 1.4 (srgan-wogr), 831 against 35 (srgan-wgr)",
        decide=conditions.c11,
    ),
    Claim(
        id="C12",
        text="Even GAN networks need the global residual to separate degrees of blur",
        where="Tab. 1",
        criterion=f"CHI of blur 1 and 4 is {SEPARATES:g} or more with it, below without",
        paper="CHI 35 with, 1.4 without",
        decide=conditions.c12,
    ),
    Claim(
        id="C13",
        text="Global residual and GAN remove image content from the feature maps",
        where="Fig. 10",
        criterion=f"the share of content in the variance at {DEEPEST} is lower with the residual, "
        "with adversarial training, and with both, than with neither",
        paper="pictures",
        decide=conditions.c13,
    ),
    Claim(
        id="C14",
        text="Training on noisy data makes the separation of noise vanish, and the network then "
        "denoises",
        where="Fig. 11",
        criterion=f"CHI of clean and noise20 is {SEPARATES:g} or more in srgan-wgr and below in "
        "its noise-trained twin, which has the higher PSNR on noise20",
        paper="pictures",
        decide=conditions.c14,
    ),
    Claim(
        id="C15",
        text="One backbone trained for both tasks gives the same contrast: the task decides, not "
        "the structure",
        where="Figs. S5, S7, Tab. S4",
        criterion=f"unified-classifier's CHI by class is {STRONG:g} or more; unified-sr's by "
        f"degradation is {SEPARATES:g} or more, and above that by class",
        paper="CHI by class 1404",
        decide=conditions.c15,
    ),
    Claim(
        id="C16",
        text="t-SNE separates better than PCA, and two dimensions better than three",
        where="Fig. S8, Tab. S5",
        criterion="CHI by class of resnet18's Conv5_4 is higher in 2-D t-SNE than in 3-D t-SNE and "
        "in 2-D PCA",
        paper="CHI 1689 against 979 and 730",
        decide=conditions.c16,
    ),
    Claim(
        id="C17",
        text="The patch size hardly matters",
        where="supplement section 3",
        criterion=f"srgan-wgr's CHI at {DEEPEST} is {SEPARATES:g} or more with patches of "
        f"{', '.join(map(str, conditions.PATCHES))} pixels",
        paper="stated",
        decide=conditions.c17,
    ),
    Claim(
        id="C18",
        text="t-SNE's parameters and seed hardly matter",
        where="supplement section 5",
        criterion=f"srgan-wgr's CHI at {DEEPEST} is {SEPARATES:g} or more with perplexity 10 and "
        "50, learning rate 50 and 800, and other seeds",
        paper="stated",
        decide=conditions.c18,
    ),
)
"""In the paper's order."""


def judge(claim: Claim, evidence: Evidence) -> Judgement:
    """Decide a claim.

    Args:
        claim: The claim.
        evidence: Estimates of all experiments that were run.

    Returns:
        The judgement; ``not run`` where evidence is missing, which is then named.
    """
    try:
        return worded(claim, list(claim.decide(evidence)))
    except KeyError as error:
        return worded(claim, (), missing=str(error.args[0]))


def worded(
    claim: Claim | SecondClaim,
    decisions: Sequence[Decision],
    *,
    missing: str = "",
    networks: str = "",
    beside: tuple[Beside, ...] = (),
) -> Judgement:
    """Put decisions into words.

    Args:
        claim: The claim.
        decisions: Its conditions with what was measured.
        missing: A number that was not measured, so that the claim is not run.
        networks: Which networks judged it.
        beside: What stands beside it.
    """
    plain: dict[str, Any] = {
        "id": claim.id,
        "claim": claim.text,
        "where": claim.where,
        "criterion": claim.criterion,
        "paper": claim.paper,
        "networks": networks,
        "beside": beside,
    }
    if missing:
        return Judgement(
            **plain,
            measured="",
            interval=None,
            verdict="not run",
            why=f"{missing} was not measured: its experiment was not run, or lacked what it needs.",
        )
    verdict = combined(decisions)
    # The condition that stands in the way, or else the one that was closest to it.
    deciding = next((d for d in decisions if d.verdict == verdict), decisions[0])
    if verdict == "holds":
        why = "Every condition holds over its whole interval."
    else:
        low, high = deciding.interval
        said = {"does not hold": "Not so", "inconclusive": "Not certain"}[verdict]
        why = f"{said}: {deciding.text} (95 % interval {low:.3g} to {high:.3g})."
    return Judgement(
        **plain,
        measured="; ".join(f"{d.text}: {_WORD[d.verdict]}" for d in decisions),
        interval=deciding.interval,
        verdict=verdict,
        why=why,
    )


_WORD = {"holds": "yes", "does not hold": "no", "inconclusive": "uncertain"}
