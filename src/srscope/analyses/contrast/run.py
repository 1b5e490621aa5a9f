"""Measure every network of two recipes, as trained and at equal PSNR, and compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from srscope.analyses.contrast.config import Config
from srscope.analyses.contrast.measure import Found, measured, psnr_of
from srscope.analyses.contrast.record import (
    AS_TRAINED,
    AT_EQUAL_PSNR,
    ContrastRecord,
    Gap,
    Taken,
    model_of,
)
from srscope.errors import CheckpointError, FileProblem, ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.scores.seeds import MATCHED_PSNR, difference, matched
from srscope.study.session import Session
from srscope.training.seeds import Recipe, Trained, checkpoints_of, find_seeds, load_seed
from srscope.training.snapshots import load_snapshot


def take(given: Sequence[str | Recipe]) -> list[Recipe]:
    """Return the recipes of folders or patterns.

    Raises:
        ParameterError: If there are not two.
        FileProblem: If a folder holds no two networks of one recipe.
    """
    if len(given) != 2:
        remedy = "give two folders or patterns of networks of several seeds"
        raise ParameterError("recipes", "two", len(given), remedy)
    recipes = [find_seeds(each) if isinstance(each, str) else each for each in given]
    if recipes[0].name == recipes[1].name:  # of two folders
        recipes = [
            dataclasses.replace(each, name=f"{each.found[0].path.parent.name}/{each.name}")
            for each in recipes
        ]
    return recipes


def run(session: Session, recipes: Sequence[Recipe], config: Config) -> ContrastRecord:
    """Compare two recipes.

    Args:
        session: Says how to compute, and where finished stages are.
        recipes: The two, of one structure up to the weights.
        config: What is compared.

    Raises:
        CheckpointError: If a network has other layers than the first, or takes other images.
        SrscopeError: If a network cannot be measured.
    """
    first, second = recipes
    networks = [{e.seed: load_seed(recipe, e) for e in recipe.found} for recipe in recipes]
    _check_alike(session, recipes, networks, config)
    as_trained = [
        {seed: measured(session, network, config) for seed, network in own.items()}
        for own in networks
    ]
    labels = _labels(networks[0], config)
    gaps = _gaps(AS_TRAINED, as_trained, labels)
    taken: list[Taken] = []
    why = "" if config.matched else "Not asked for."
    if config.matched:
        try:
            matches = _matches(session, recipes, networks)
        except FileProblem as error:
            why = f"Not compared at equal PSNR: {error}"
        else:
            at_equal = [dict(own) for own in as_trained]
            for side, seed, state, network in matches:
                taken.append(state)
                if network is not None:
                    at_equal[side][seed] = measured(session, network, config)
            gaps += _gaps(AT_EQUAL_PSNR, at_equal, labels)
    images = session.fed(next(iter(networks[0].values()))).images
    return ContrastRecord(
        recipes=(first.name, second.name),
        seeds=(tuple(networks[0]), tuple(networks[1])),
        sets=tuple(each.name for each in images.suite.sets),
        contents=len(images.photographs),
        photographs=len(set(images.photographs)),
        source=images.source,
        gaps=tuple(gaps),
        taken=tuple(taken),
        not_matched=why,
        model=model_of(paired=gaps[0].gap.paired),
    )


def _labels(networks: Mapping[int, LoadedNetwork], config: Config) -> dict[str, str]:
    first = next(iter(networks.values()))
    return {tap.name: tap.label for tap in select_layers(first, config.layers)}


def _check_alike(
    session: Session,
    recipes: Sequence[Recipe],
    networks: Sequence[Mapping[int, LoadedNetwork]],
    config: Config,
) -> None:
    """Raise where networks have other layers than the first one, or are fed other images."""
    every = [
        (trained, own[trained.seed])
        for recipe, own in zip(recipes, networks, strict=True)
        for trained in recipe.found
    ]
    session.prepare([every[0][1]])
    wanted = [tap.name for tap in select_layers(every[0][1], config.layers)]
    for trained, network in every:
        layers = [tap.name for tap in select_layers(network, config.layers)]
        if layers != wanted or not session.has_images_for(network):
            problem = f"is of another structure than {every[0][0].path.name}"
            raise CheckpointError(trained.path, problem, "contrast recipes of one structure")


def _gaps(state: str, sides: Sequence[Mapping[int, Found]], labels: Mapping[str, str]) -> list[Gap]:
    first, second = sides
    gaps: list[Gap] = []
    for layer, quantity in next(iter(first.values())):
        one, other = (
            {seed: found[layer, quantity] for seed, found in side.items()} for side in sides
        )
        gaps.append(
            Gap(
                state=state,
                layer=layer,
                label=labels[layer],
                quantity=quantity,
                first_S=tuple(one[seed].value for seed in first),
                second_S=tuple(other[seed].value for seed in second),
                gap=difference(one, other),
            )
        )
    return gaps


def _matches(
    session: Session, recipes: Sequence[Recipe], networks: Sequence[Mapping[int, LoadedNetwork]]
) -> list[tuple[int, int, Taken, LoadedNetwork | None]]:
    """Return for every network its side, its seed, and the state in which it is compared.

    With the same seeds, the better network of each pair is taken earlier in its training; else
    those of the better recipe, until they have the mean PSNR of the other one.
    """
    psnr = [{seed: psnr_of(session, network) for seed, network in own.items()} for own in networks]
    mean = [float(np.mean(list(own.values()))) for own in psnr]
    paired = psnr[0].keys() == psnr[1].keys()
    found: list[tuple[int, int, Taken, LoadedNetwork | None]] = []
    for side, recipe in enumerate(recipes):
        for trained in recipe.found:
            seed = trained.seed
            own = psnr[side][seed]
            wanted = psnr[1 - side][seed] if paired else mean[1 - side]
            better = own > wanted if paired else mean[side] > mean[1 - side]
            state = Taken(
                recipe=recipe.name, seed=seed, psnr=own, wanted=wanted, iteration=None,
                psnr_taken=own,
            )  # fmt: skip
            network = None
            if better and own - wanted > MATCHED_PSNR:
                network, iteration, at = _earlier(session, recipe, trained, wanted)
                state = dataclasses.replace(state, iteration=iteration, psnr_taken=at)
            found.append((side, seed, state, network))
    return found


def _earlier(
    session: Session, recipe: Recipe, trained: Trained, wanted: float
) -> tuple[LoadedNetwork, int, float]:
    """Return a network earlier in its training, with its iteration and PSNR."""
    snapshots = checkpoints_of(recipe, trained)
    psnr_T: list[float] = []
    for number, each in enumerate(snapshots.found):
        psnr_T.append(psnr_of(session, load_snapshot(snapshots, each)))
        if session.progress is not None:
            stage = f"{recipe.name} seed {trained.seed}: PSNR of checkpoints"
            session.progress(stage, number + 1, len(snapshots.found))
    place = matched(psnr_T, wanted)
    network = load_snapshot(snapshots, snapshots.found[place])
    return network, snapshots.found[place].iteration, psnr_T[place]
