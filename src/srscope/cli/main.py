"""The ``srscope`` command: parses, calls, prints; no science.

Exit codes: 0 done; 2 the user's input is wrong (one line on stderr); 1 our fault; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import jsonargparse

from srscope.cli import adapt as cli_adapt
from srscope.cli import analyze as cli_analysis
from srscope.cli import compare as cli_compare
from srscope.cli import export as cli_export
from srscope.cli import features as cli_features
from srscope.cli import generic
from srscope.cli import help as help_text
from srscope.cli import maps as cli_maps
from srscope.cli import upscale as cli_upscale
from srscope.cli.common import add_plugin, names_in, print_skipped, run_plugins
from srscope.errors import FileProblem, SrscopeError
from srscope.networks.loading.spec import HELP
from srscope.runtime.files import full_disk
from srscope.runtime.interrupts import hear_interrupts_once

if TYPE_CHECKING:
    pass

OWN_COMMANDS = (
    "analyze", "compare", "degrade", "upscale", "maps", "features", "export", "train", "reproduce",
    "networks", "layers", "suites", "completion", "restore", "transfer", "edit-degradation",
)  # fmt: skip
"""Commands that are always there."""


class _Parser(jsonargparse.ArgumentParser):
    """Reports a wrong argument in one line, without the usage block; its help is plain text."""

    def format_help(self, *_: Any, **__: Any) -> str:
        return help_text.of_command(_prog(self), self.description or "", self._actions)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        cause: BaseException | None = ex
        while cause is not None and not isinstance(cause, SrscopeError):
            cause = cause.__cause__ or cause.__context__
        text = " ".join(str(cause or message).split())
        prog = _prog(self)
        if found := re.search(r"required: (\w+)\.", text):  # told by the parser above the command's
            prog, text = f"{prog} {found[1]}", text.replace(f"{found[1]}.", "")
        extra = text.partition("nrecognized arguments: ")[2].split(" ")[0]
        if extra and not extra.startswith("-") and os.path.exists(extra):  # noqa: PTH110
            text += f"; photographs are given as --images {extra}"
        print(f"srscope: {text} (see {prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def _prog(parser: jsonargparse.ArgumentParser) -> str:
    return parser.prog.replace(" [options]", "")


Handlers = dict[str, Callable[[Any], int | None]]


def _parser(words: Sequence[str]) -> tuple[_Parser, Handlers, dict[str, tuple[str, _Parser]]]:
    """Return the parser, what runs each command, and what it does with its own parser."""
    parser = _Parser(prog="srscope")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subcommands(required=True, dest="command")
    handlers: Handlers = {}
    told: dict[str, tuple[str, _Parser]] = {}

    def command(
        name: str, handler: Callable[[Any], int | None], text: str, more: str = ""
    ) -> _Parser:
        sub = _Parser(description=f"{text} {more}")
        handlers[name], told[name] = handler, (text, sub)
        commands.add_subcommand(name, sub, help=text)
        return sub

    sub = command("analyze", cli_analysis.run, cli_analysis.HELP)
    cli_analysis.add_options(sub)
    _quiet(sub)

    sub = command("compare", cli_compare.run, cli_compare.HELP, cli_compare.MORE)
    cli_compare.add_options(sub)
    _quiet(sub)

    for analysis in generic.analyses():
        run = generic.runner_of(analysis)
        sub = command(analysis.name, run, analysis.question, analysis.more)
        if analysis.name in words:  # only the command's own options: they load its module
            generic.add_options(sub, analysis)
            _quiet(sub)

    sub = command("degrade", _degrade, "Write the degraded sets of a suite as image folders.")
    sub.add_argument(
        "source", metavar="IN", type=str, help="folder of photographs, or bundled:test"
    )
    sub.add_argument("out", metavar="OUT", type=str, help="output folder")
    sub.add_argument("--suite", type=str, required=True, help="name or YAML file")
    add_plugin(sub)
    sub.add_argument("--scale", type=int, default=4, help="reduction before degrading [4]")
    sub.add_argument("--seed", type=int, default=0, help="of every random choice [0]")
    _quiet(sub)

    sub = command("upscale", cli_upscale.run, cli_upscale.HELP, cli_upscale.MORE)
    sub.add_argument("network", type=str, help=HELP)
    cli_upscale.add_options(sub)
    _quiet(sub)

    text, more = cli_adapt.RESTORE, cli_adapt.RESTORE_MORE
    sub = command("restore", cli_adapt.run_restore, text, more)
    sub.add_argument("network", type=str, help=cli_adapt.GUIDED)
    cli_upscale.add_options(sub)
    _quiet(sub)
    cli_adapt.add_restore(sub)

    cli_adapt.add_transfer(command("transfer", cli_adapt.run_transfer, cli_adapt.TRANSFER))
    cli_adapt.add_edit(command("edit-degradation", cli_adapt.run_edit, cli_adapt.EDIT))

    sub = command("maps", cli_maps.run, cli_maps.HELP, cli_maps.MORE)
    cli_maps.add_options(sub)
    _quiet(sub)

    sub = command("features", cli_features.run, cli_features.HELP, cli_features.MORE)
    cli_features.add_options(sub)
    _quiet(sub)

    sub = command("export", cli_export.run, cli_export.HELP, cli_export.MORE)
    cli_export.add_options(sub)

    sub = command("train", _train, "Train a network by a recipe; other options override its keys.")
    sub.add_argument("recipe", type=str, help="YAML file, see recipes/")
    sub.add_argument("--out", type=str, help="folder of the run [runs/NAME]")
    sub.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    text = "stop after so long, with a checkpoint to go on from [to the end]"
    sub.add_argument("--minutes", type=float | None, help=text)
    _quiet(sub)

    sub = command("reproduce", _reproduce, "Rerun the paper's experiments and judge its claims.")
    ids = "experiments, such as fig7; second for those of the second edition [all]"
    sub.add_argument("ids", metavar="ID", nargs="*", type=str, default=[], help=ids)
    sub.add_argument("--out", type=str, default="srscope-out/reproduction", help="output folder")
    where = "folder of checkpoints that stand in for bundled networks of the same name"
    sub.add_argument("--networks", type=str, default="", help=where)
    where = "folder of networks of several training seeds, for the claims judged by these"
    sub.add_argument("--population", type=str, default="", help=where)
    where = "folder of photographs, or div2k [bundled ones]"
    sub.add_argument("--images", type=str, default="", help=where)
    sub.add_argument("--contents", type=int, default=100, help="in every set [100]")
    sub.add_argument("--runs", type=int, default=5, help="t-SNE runs a layer [5]")
    sub.add_argument("--seed", type=int, default=0, help="of every random choice [0]")
    sub.add_argument("--jobs", type=int | None, help="experiments at a time [processors]")
    where = "folder of finished stages [in the user's cache]"
    sub.add_argument("--cache", type=str | None, help=where)
    _quiet(sub)

    command("networks", _networks, "List the bundled networks.")
    sub = command("layers", _layers, "List a network's layers, and where it is tapped.")
    sub.add_argument("network", type=str, help=HELP)
    text = "list what is inside every block, not only in the first of each class"
    sub.add_argument("--full", action="store_true", help=text)
    add_plugin(command("suites", _suites, "List the suites of degradations."))
    command("completion", _completion, "Print a script that lets bash or zsh complete commands.")
    return parser, handlers, told


def _quiet(parser: _Parser) -> None:
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def _degrade(args: Any) -> None:
    from srscope.cli.console import stage_progress
    from srscope.degradations.catalogue import load_suite
    from srscope.degradations.write import write_degraded
    from srscope.images.sources import load_photographs

    run_plugins(args.plugin)
    suite, photos = load_suite(args.suite), load_photographs(args.source)
    with stage_progress(quiet=args.quiet) as progress:
        written = write_degraded(
            suite,
            photos,
            args.out,
            scale=args.scale,
            seed=args.seed,
            progress=(lambda n, total: progress("degrading", n, total)) if progress else None,
        )
    print_skipped(written.skipped)
    print(f"{len(written.files)} images in {written.folder}")


def _train(args: Any) -> None:
    from srscope.cli.console import stage_progress
    from srscope.training.export import export
    from srscope.training.loop import train
    from srscope.training.recipes import load_recipe

    recipe = load_recipe(args.recipe, args.overrides)
    out = Path(args.out or f"runs/{recipe.name}")
    with stage_progress(quiet=args.quiet) as progress:
        trained = train(
            recipe,
            out=out,
            resume=args.resume,
            minutes=args.minutes,
            report=(lambda n, _: progress(recipe.name, n, recipe.iterations)) if progress else None,
        )
    if trained.is_main and trained.finished:
        print(export(trained, out))
    elif trained.is_main:
        print(
            f"stopped after {trained.iterations} of {recipe.iterations} iterations; go on with "
            f"srscope train {args.recipe} --out {out} --resume"
        )


def _reproduce(args: Any) -> int:
    from srscope.cli.console import print_reproduction, stage_progress
    from srscope.reproduction.reproduce import reproduce

    options = args.as_dict()
    ids = names_in(options.pop("ids"))
    with stage_progress(quiet=options.pop("quiet")) as progress:
        done = reproduce(ids, progress=progress, **options)
    print_reproduction(done)
    print(done.out / "report.html")
    return done.exit_code


def _networks(args: Any) -> None:
    del args
    from srscope.cli.console import print_networks
    from srscope.networks.zoo import list_networks

    print_networks(list_networks())


def _layers(args: Any) -> None:
    from srscope.cli.console import print_layers
    from srscope.networks.structure.tree import layer_rows
    from srscope.training.snapshots import load_trained

    network = load_trained(args.network)
    print_layers(network, *layer_rows(network, full=args.full))


def _completion(args: Any) -> None:
    from srscope.networks.zoo import list_networks

    del args
    options: dict[str, list[str]] = {}
    for name, (_, parser) in _parser([each.name for each in generic.analyses()])[2].items():
        found = [word for each in parser._actions for word in each.option_strings]
        options[name] = sorted({word.replace("_", "-") for word in found if word[:2] == "--"})
    print(help_text.completion(options, [card.name for card in list_networks()]), end="")


def _suites(args: Any) -> None:
    from srscope.cli.console import print_suites
    from srscope.degradations.catalogue import list_suites

    run_plugins(args.plugin)
    print_suites(list_suites())


def _with_underscores(words: Sequence[str]) -> list[str]:
    """Let ``--batch-size`` stand for ``--batch_size``; values stay as they are."""
    renamed: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("--") and name != "--":
            name = "--" + name[2:].replace("-", "_")
        renamed.append(name + equals + value)
    return renamed


def _recipe_overrides(words: list[str]) -> tuple[list[str], list[str]]:
    """Take the options of ``train`` that belong to the recipe off the command line."""
    own = ("--out", "--resume", "--minutes", "--quiet", "--help")
    kept: list[str] = []
    overrides: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        name, equals, _ = word.partition("=")
        if not name.startswith("--") or name in own:
            kept.append(word)
            if name in ("--out", "--minutes") and not equals and queue:
                kept.append(queue.pop(0))
            continue
        overrides.append(word)
        if not equals and queue and not queue[0].startswith("--"):
            overrides.append(queue.pop(0))
    return kept, overrides


def _print_any_name() -> None:
    """Let file names be printed that the terminal's encoding, or any, cannot hold."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_UNREACHABLE = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR}
"""Errors of looking a path up, which Python raises wherever it is first looked at."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after ``srscope``; those of the process if absent.

    Returns:
        The exit code.
    """
    if arguments is None:  # this process is the command
        hear_interrupts_once()
    words = _with_underscores(sys.argv[1:] if arguments is None else arguments)
    overrides: list[str] = []
    if words[:1] == ["train"]:
        kept, overrides = _recipe_overrides(words[1:])
        words = ["train", *kept]
    _print_any_name()
    try:
        done = _run(words, overrides)
        sys.stdout.flush()
        return done
    except BrokenPipeError:  # nobody reads on; nor would what Python writes at its end be
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except SrscopeError as error:
        print(f"srscope: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        told = full_disk(error)
        if told is None and error.errno in _UNREACHABLE and error.filename is not None:
            told = FileProblem(error.filename, f"cannot be reached ({error.strerror})")
        if told is None:
            raise
        print(f"srscope: {told}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "can't allocate memory" not in str(error):
            raise
        print("srscope: there is not enough memory; ask for less at once", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("srscope: interrupted", file=sys.stderr)
        return 130


def _run_plugins_early(words: Sequence[str]) -> None:
    """Run plugins before the parser is made, where one may bring the command itself."""
    if words and words[0].isidentifier() and "--plugin" in words:
        given = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--plugin"]
        if words[0] not in OWN_COMMANDS:
            run_plugins(given)


def _run(words: list[str], overrides: list[str]) -> int:
    if words[:1] == ["--version"]:
        import srscope

        print(f"srscope {srscope.__version__}")
        return 0
    if not words or words[0] in ("--help", "-h", "help"):
        about = {name: text for name, (text, _) in _parser(())[2].items()}
        print(help_text.overview(about), end="")
        return 0
    _run_plugins_early(words)
    parser, handlers, _ = _parser(words)
    parsed = parser.parse_args(words)
    args = parsed[parsed.command]
    if parsed.command == "train":
        args.overrides = overrides
    return handlers[parsed.command](args) or 0


if __name__ == "__main__":
    raise SystemExit(main())
