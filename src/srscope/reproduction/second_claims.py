"""The paper's 18 claims with the criteria of the second edition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from srscope.reproduction import second_beside as beside
from srscope.reproduction import second_conditions as conditions
from srscope.reproduction import second_population as recipes
from srscope.reproduction.criteria import Decision
from srscope.reproduction.evidence import DEEPEST, Evidence
from srscope.reproduction.second_evidence import POPULATION, THIS_NETWORK, Networks

Decide = Callable[[Evidence], Sequence[Decision]]


@dataclass(frozen=True, kw_only=True)
class SecondClaim:
    """A claim of the paper with its criterion of the second edition.

    Args:
        id: C1 to C18.
        text: The claim in a sentence.
        where: Where the paper makes it.
        criterion: What must be measured for it to hold.
        changed: What is other than in the first edition, and why.
        paper: The paper's own value, or what it shows.
        decide: Returns the conditions that decide, with what was measured.
        beside: Further conditions that are shown with a verdict of their own, and do not decide.
    """

    id: str
    text: str
    where: str
    criterion: str
    changed: str
    paper: str
    decide: Decide
    beside: Mapping[str, Decide] = field(default_factory=dict)


def _of(decide: Callable[[Evidence, Networks], Sequence[Decision]], networks: Networks) -> Decide:
    return lambda e: decide(e, networks)


def _all(*parts: Decide) -> Decide:
    return lambda e: [decision for part in parts for decision in part(e)]


SECOND_CLAIMS: tuple[SecondClaim, ...] = (
    SecondClaim(
        id="C1",
        text="CinCGAN restores inputs like its training data and leaves unseen degradations nearly "
        "unchanged; BM3D acts on all",
        where="Fig. 1",
        criterion="CinCGAN's G1 raises PSNR on mild; it changes noise20 and historic by less than "
        "half of what BM3D changes; BM3D changes mild, noise20 and historic by one level of 255 or "
        "more, and raises PSNR on mild and noise20",
        changed="'Nearly unchanged' is now measured as change, on both unseen sets; it was a gain "
        "of less than half of BM3D's on one. BM3D is asked for all sets.",
        paper="pictures",
        decide=conditions.c1,
    ),
    SecondClaim(
        id="C2",
        text="CinCGAN's features cluster by data set though contents are identical",
        where="Fig. 2a",
        criterion="on mild and noise20, which share their contents, the accuracy of the probe at "
        "the deepest layer is 0.67 or more (d' 0.9) and above that of the pixels",
        changed="Only sets with shared contents count: historic photographs show other things, and "
        "their pixels alone reach CHI 12. The pixels' own separation must be beaten.",
        paper="picture",
        decide=conditions.c2,
        beside={
            "by CHI": beside.c2_by_chi,
            "beyond simple statistics": beside.beyond_simple("cincgan", "deepest", "mild-noise20"),
        },
    ),
    SecondClaim(
        id="C3",
        text="SRGAN-wGR's features cluster by degradation though contents are identical",
        where="Fig. 2b",
        criterion=f"at {DEEPEST} the accuracy of the probe on clean, blur and noise is 0.75 or "
        "more (d' 2) and above that of the pixels",
        changed="The probe decides, not CHI, and the pixels must be beaten.",
        paper="CHI 626",
        decide=conditions.c3,
        beside={
            "by CHI": beside.c3_by_chi,
            "beyond simple statistics": beside.beyond_simple("srgan-wgr", DEEPEST),
        },
    ),
    SecondClaim(
        id="C4",
        text="A classifier's features cluster by class, more so with depth",
        where="Fig. 4, Tab. S1",
        criterion="the accuracy of the probe by class at Conv5_4 is 0.48 or more (10 classes, d' "
        "2) and above that at Conv1, and no step between the five layers goes down by 0.05 or more",
        changed="The probe decides; every step of the depth counts, not only its ends.",
        paper="CHI 28 / 39 / 61 / 309 / 1689",
        decide=conditions.c4,
        beside={"by CHI": beside.c4_by_chi},
    ),
    SecondClaim(
        id="C5",
        text="With blur and noise added, the classifier still clusters by class, SR networks by "
        "degradation",
        where="Fig. 5",
        criterion="on labelled images, clean, blur 1 and noise 20: the probe tells each network's "
        "own labels apart (class 0.48, degradation 0.75: d' 2), and their share of the variance is "
        "above that of the other labels; in resnet18, srresnet-wgr and srgan-wgr",
        changed="Blur 1 instead of 2 to 4, which leaves nothing of a digit on 32 pixels, so that "
        "no network could keep its class. Shares are unbiased; CHI decided before.",
        paper="pictures",
        decide=conditions.c5,
        beside={
            "by CHI": beside.c5_by_chi,
            "with the paper's blur": lambda e: conditions.c5_on(e, "clean-blur-noise@digits"),
        },
    ),
    SecondClaim(
        id="C6",
        text="L1 networks need the global residual: without it the last block does not tell "
        "degradations apart, with it strongly",
        where="Fig. 7, Tab. S2",
        criterion="over 5 seeds the mean accuracy of the probe at the last block is 0.75 or more "
        "(d' 2) with the residual, below 0.52 (d' 0.9) without, and higher with it at matched PSNR",
        changed="A population instead of two networks, and the probe instead of CHI. The paper "
        "says that features without it 'are not discriminative': that is what the probe tests.",
        paper="CHI 614 with, 3.6 without",
        decide=_of(recipes.c6_by_probe, POPULATION),
        beside={
            "by CHI": _of(recipes.c6_by_chi, POPULATION),
            "this network": _of(recipes.c6_by_probe, THIS_NETWORK),
            "this network, by CHI": _of(recipes.c6_by_chi, THIS_NETWORK),
        },
    ),
    SecondClaim(
        id="C7",
        text="GAN networks cluster with or without the global residual",
        where="Fig. 8, Tab. S3",
        criterion="over 5 seeds and at the last block the mean accuracy of the probe is 0.52 or "
        "more (d' 0.9) and the mean of ln CHI is ln 20 or more, with and without the residual; "
        "without it both are above those of the L1 network that training started from",
        changed="A population instead of two networks; by the probe and by CHI; adversarial "
        "training must add something, as the paper says that both kinds of training differ.",
        paper="CHI 626 with, 234 without",
        decide=_all(_of(recipes.c7_by_probe, POPULATION), _of(recipes.c7_by_chi, POPULATION)),
        beside={
            "by the probe": _of(recipes.c7_by_probe, POPULATION),
            "by CHI": _of(recipes.c7_by_chi, POPULATION),
            "this network, by the probe": _of(recipes.c7_by_probe, THIS_NETWORK),
            "this network, by CHI": _of(recipes.c7_by_chi, THIS_NETWORK),
        },
    ),
    SecondClaim(
        id="C8",
        text="The global residual strengthens GAN networks' clusters",
        where="Tab. S3",
        criterion="over 5 seeds and at matched PSNR the accuracy of the probe and ln CHI at the "
        "last block are higher with it",
        changed="A population at matched PSNR instead of two networks; by the probe and by CHI.",
        paper="CHI 626 against 234",
        decide=_all(_of(recipes.c8_by_probe, POPULATION), _of(recipes.c8_by_chi, POPULATION)),
        beside={
            "by the probe": _of(recipes.c8_by_probe, POPULATION),
            "by CHI": _of(recipes.c8_by_chi, POPULATION),
            "this network, by the probe": _of(recipes.c8_by_probe, THIS_NETWORK),
            "this network, by CHI": _of(recipes.c8_by_chi, THIS_NETWORK),
        },
    ),
    SecondClaim(
        id="C9",
        text="Separability grows with depth",
        where="Figs. 7, 8",
        criterion="in srresnet-wgr and both GAN networks the accuracy of the probe is higher at "
        f"{DEEPEST} than at Conv1, and no step between the shown layers goes down by 0.05 or more",
        changed="The probe decides. A step of which it is not certain that it goes down no longer "
        "passes: it must be certain that it does not, up to the margin.",
        paper="CHI 0.0 / 0.1 / 38 / 614 (srresnet-wgr)",
        decide=conditions.c9,
        beside={"by CHI": beside.c9_by_chi},
    ),
    SecondClaim(
        id="C10",
        text="Degrees of one degradation separate too, and the further apart the better",
        where="Fig. 9, Tab. 1",
        criterion=f"at {DEEPEST} of all four networks, for noise (5 against 10, 15, 20, 25, 30) "
        "and blur (1 against 2, 3, 4): d' of the furthest pair is 0.9 or more and above that of "
        "the nearest, and no step further apart leaves less than 0.85 of d'; d' of noise 10 and 30 "
        "is above that of noise 10 and 20",
        changed="All four networks, blur too, and the whole curve; it was one comparison in two.",
        paper="CHI 41.5 against 0.6 (srresnet-wgr), 831 against 79 (srgan-wgr)",
        decide=conditions.c10,
        beside={"by CHI": beside.c10_by_chi},
    ),
    SecondClaim(
        id="C11",
        text="Noise separates more easily than blur",
        where="Tab. 1",
        criterion="in both GAN networks d' of noise is above that of blur which costs the input as "
        "much PSNR: against clean at the doses of blur 1 and blur 4, and between these two doses",
        changed="Doses matched in PSNR of the input: noise 10 and 30 against blur 1 and 4 compared "
        "unlike doses. L1 networks are shown beside, as the paper's table has one that says "
        "otherwise (53 for blur, 42 for noise in SRResNet-wGR).",
        paper="CHI 526 against 1.4 (srgan-wogr), 831 against 35 (srgan-wgr)",
        decide=conditions.c11,
        beside={
            "by CHI": beside.c11_by_chi,
            "L1 networks": lambda e: conditions.c11_in(e, ("srresnet-wogr", "srresnet-wgr")),
        },
    ),
    SecondClaim(
        id="C12",
        text="Even GAN networks need the global residual to separate degrees of blur",
        where="Tab. 1",
        criterion="over 5 seeds the mean AUC of blur 1 and 4 at the last block is 0.74 or more "
        "(d' 0.9) with it, below without, and higher with it at matched PSNR",
        changed="A population instead of two networks, and AUC instead of CHI.",
        paper="CHI 35 with, 1.4 without",
        decide=_of(recipes.c12_by_auc, POPULATION),
        beside={
            "by CHI": _of(recipes.c12_by_chi, POPULATION),
            "this network": _of(recipes.c12_by_auc, THIS_NETWORK),
            "this network, by CHI": _of(recipes.c12_by_chi, THIS_NETWORK),
        },
    ),
    SecondClaim(
        id="C13",
        text="Global residual and GAN remove image content from the feature maps",
        where="Fig. 10",
        criterion="over 5 seeds the unbiased component of content at the last block (clean, blur "
        "4, noise 20) is lower with the residual than without, in L1 and in GAN networks at "
        "matched PSNR, and lower in GAN than in L1 networks without it",
        changed="A population, and unbiased components: the share of pure noise was 33 %. The "
        "comparisons are the three of the paper's section 5.3.",
        paper="pictures",
        decide=_of(recipes.c13_in, POPULATION),
        beside={"this network": _of(recipes.c13_in, THIS_NETWORK)},
    ),
    SecondClaim(
        id="C14",
        text="Training on noisy data makes the separation of noise vanish, and the network then "
        "denoises",
        where="Fig. 11",
        criterion=f"at {DEEPEST}, clean against noise20: in srgan-wgr the accuracy of the probe is "
        "0.84 or more and the AUC on channel statistics 0.92 or more (d' 2), in its noise-trained "
        "twin below 0.67 and 0.74 (d' 0.9); the twin has the higher PSNR on noise20, and more than "
        "bicubic interpolation",
        changed="Probe and AUC on channel statistics, which see more than CHI, must both fail; "
        "'denoises' is also tested against doing nothing.",
        paper="pictures",
        decide=conditions.c14,
        beside={"by CHI": beside.c14_by_chi},
    ),
    SecondClaim(
        id="C15",
        text="One backbone trained for both tasks gives the same contrast: the task decides, not "
        "the structure",
        where="Figs. S5, S7, Tab. S4",
        criterion="on labelled images, clean, blur 1 and noise 20: unified-classifier's probe by "
        "class is 0.48 or more, unified-sr's by degradation 0.75 or more (d' 2); class has the "
        "larger share of the variance in the classifier and degradation in the SR network; the "
        "share of class is larger in the classifier, that of degradation in the SR network",
        changed="Both networks see the same images and are compared with one another; the "
        "classifier was never asked about degradation.",
        paper="CHI by class 1404",
        decide=conditions.c15,
        beside={"by CHI": beside.c15_by_chi},
    ),
    SecondClaim(
        id="C16",
        text="t-SNE separates better than PCA, and two dimensions better than three or more",
        where="Fig. S8, Tab. S5",
        criterion="k-NN accuracy by class of resnet18's Conv5_4 is higher in 2-D t-SNE than in 2-D "
        "PCA and 3-D t-SNE, and higher in 2-D PCA than in 3, 4 and 5 dimensions",
        changed="All dimensions of the paper's table. k-NN accuracy says what can be told apart in "
        "a space; CHI of spaces of unlike dimensions is shown beside.",
        paper="CHI 1689 against 979 (t-SNE) and 730 / 563 / 555 / 527 (PCA)",
        decide=conditions.c16,
        beside={"by CHI": beside.c16_by_chi},
    ),
    SecondClaim(
        id="C17",
        text="The patch size hardly matters",
        where="supplement section 3",
        criterion=f"at {DEEPEST} of srresnet-wgr and both GAN networks the accuracy of the probe "
        "with patches of 16, 24, 48 and 64 pixels is within 0.05 of that with 32",
        changed="Equivalence with a margin, in three networks; it was 'still 20 or more' in one.",
        paper="stated",
        decide=conditions.c17,
        beside={"by CHI": beside.c17_by_chi},
    ),
    SecondClaim(
        id="C18",
        text="t-SNE's parameters and seed hardly matter",
        where="supplement section 5",
        criterion=f"at {DEEPEST} of srresnet-wgr and both GAN networks CHI with perplexity 10 and "
        "50, learning rate 50 and 800, and other seeds is within a factor of 1.4 of the usual, and "
        "95 % of pairs of runs are within that factor of one another",
        changed="Equivalence with a margin, in three networks, and of single runs too; it was "
        "'still 20 or more' in one. Ratios of CHI at one N do not grow with N.",
        paper="stated",
        decide=conditions.c18,
    ),
)
"""In the paper's order."""
