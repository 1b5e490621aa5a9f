"""The second edition's rulings as judgements, each with the networks that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srscope.reproduction.claims import worded
from srscope.reproduction.evidence import Evidence
from srscope.reproduction.experiments.second import NO_NETWORK, networks_of
from srscope.reproduction.population import is_of_population
from srscope.reproduction.records import Beside, Estimate, Judgement
from srscope.reproduction.second_edition import SECOND_CLAIMS, SecondClaim, rule


class _Asked(Mapping[str, Estimate]):
    """Evidence that notes what is asked of it."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.keys_asked: dict[str, None] = {}

    def __getitem__(self, key: str) -> Estimate:
        self.keys_asked[key] = None
        return self.evidence[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.evidence)

    def __len__(self) -> int:
        return len(self.evidence)


def second_judgements(evidence: Evidence) -> tuple[Judgement, ...]:
    """Judge every claim by the second edition's criterion.

    Args:
        evidence: The numbers of all experiments that were run.
    """
    return tuple(_judged(claim, evidence) for claim in SECOND_CLAIMS)


def _judged(claim: SecondClaim, evidence: Evidence) -> Judgement:
    asked = _Asked(evidence)
    ruling = rule(claim.decide, asked)
    beside = {name: rule(decide, evidence) for name, decide in claim.beside.items()}
    return worded(
        claim,
        ruling.conditions,
        missing=ruling.missing,
        networks="" if ruling.missing else told(networks_of(list(asked.keys_asked))),
        beside=tuple(
            Beside(
                name=name,
                verdict=each.verdict,
                measured="; ".join(condition.text for condition in each.conditions),
            )
            for name, each in beside.items()
        ),
    )


def told(networks: list[str]) -> str:
    """Say which networks a verdict is about.

    Example:
        >>> told(["l1-wgr-seed2", "l1-wgr-seed3", "l1-wgr-seed2@l1-wogr-seed2"])
        'population: l1-wgr (seeds 2, 3); at matched PSNR l1-wgr-seed2@l1-wogr-seed2'
        >>> told(["srgan-wgr"])
        'srgan-wgr'
    """
    single = [name for name in networks if not is_of_population(name)]
    matched = [name for name in networks if "@" in name]
    recipes: dict[str, list[str]] = {}
    for name in networks:
        if is_of_population(name) and name not in matched:
            recipe, _, seed = name.rpartition("-seed")
            recipes.setdefault(recipe, []).append(seed)
    parts = [", ".join(single)] if single else []
    if recipes:
        own = ", ".join(f"{name} (seeds {', '.join(seeds)})" for name, seeds in recipes.items())
        parts.append(f"population: {own}")
    if matched:
        parts.append(f"at matched PSNR {', '.join(matched)}")
    return "; ".join(parts) or f"none: {', '.join(NO_NETWORK)}"
