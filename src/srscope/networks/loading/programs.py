"""Networks saved with their program: TorchScript files and ``torch.export`` archives.

Their program runs when the network runs, so open only what you trust. Python code pickled into
them is refused, and so are sizes in an archive that are more than arithmetic.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
import zipfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from srscope.errors import CheckpointError, NetworkError, reason_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.limits import check_archive, records
from srscope.networks.loading.spec import Value, file_options
from srscope.networks.structure.describe import Known, Treatment, describe
from srscope.networks.structure.replay import Replayed
from srscope.networks.structure.trace import example, undisturbed

Kind = Literal["TorchScript", "torch.export"]
_FORCED = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""PyTorch's variable that keeps ``torch.load`` to tensors, whatever it is asked for."""
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(?:, \w+=(?:True|False))*\)")
"""A size that varies, as PyTorch writes it."""
_NOT_ARITHMETIC = re.compile(
    r"__|[^\w\s+\-*/%(),.<>=!&|~]|\.\s*[A-Za-z_]|\b[a-z_]\w*\s*\("  # calls of lower-case names
)


def program_kind(path: str | Path) -> Kind | None:
    """Tell what program a file holds; ``None`` for weights alone, or no such file.

    Goes by the names inside the archive, not by the suffix: ``.pt`` may be either.
    """
    names = [record.filename for record in records(Path(path)) or ()]
    if any(
        re.search(r"(^|/)models/[^/]+\.json$|serialized_exported_program\.json$", n) for n in names
    ):
        return "torch.export"
    if any(n.endswith("constants.pkl") for n in names) and any("/code/" in n for n in names):
        return "TorchScript"
    return None


def load_program(path: str | Path, kind: Kind, options: Mapping[str, Value]) -> LoadedNetwork:
    """Load a TorchScript file or a ``torch.export`` archive.

    Args:
        path: The file.
        kind: As :func:`program_kind` returned it.
        options: What follows the path: :data:`~srscope.networks.loading.spec.WORDS` but
            ``checkpoint``.

    Raises:
        CheckpointError: If it cannot be read, or carries code besides its program.
        NetworkError: If it takes no image, or its layers cannot be told apart.
    """
    own = file_options(options)
    check_archive(Path(path))
    inner = _script(path) if kind == "TorchScript" else _exported(path)
    return describe(
        inner,
        name=Path(path).stem,
        source=f"{kind} file {Path(path).name}",
        known=Known(by="its file"),
        treatment=Treatment.of(own),
        no_untrained=f"a {kind} file holds no code that makes fresh weights",
        batch="make it with more than one, for torch.export with dynamic dimensions "
        "(torch.export.Dim.AUTO)",
    )


def _script(path: str | Path) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        try:
            script = torch.jit.load(path, map_location="cpu")
        except Exception as error:
            raise _unreadable(path, "TorchScript", error) from error
        _refuse_merged(path, script)
        replayed = Replayed(script.eval())
    _check_same(path, script, replayed)
    return replayed


def _refuse_merged(path: str | Path, script: Any) -> None:
    """Refuse a program that has no modules inside, and so no layers."""
    if next(script.named_children(), None) is not None:
        return
    problem, remedy = "has no modules inside", "make its layers modules, and trace it again"
    if not hasattr(script, "training"):  # as torch.jit.freeze and optimize_for_inference leave it
        problem = "is frozen (torch.jit.freeze): its layers are merged into one program"
        remedy = "save it before it is frozen: torch.jit.script(network.eval()).save(FILE)"
    raise CheckpointError(path, problem, remedy)


def _check_same(path: str | Path, script: nn.Module, replayed: nn.Module) -> None:
    """Compare the replayed network with the script on whatever image the script takes."""
    for channels, side in ((3, 64), (1, 64), (3, 224), (1, 224)):
        image_1CHW = example((side, side), count=1, channels=channels)
        with undisturbed(replayed):
            try:
                expected: Any = script(image_1CHW.clone())
            except Exception:  # of another size or number of channels
                continue
            found: Any = replayed(image_1CHW)
        if isinstance(expected, torch.Tensor) and not torch.equal(expected, found):
            raise NetworkError(
                f"{Path(path).name}: its graph could not be carried out as TorchScript does; give "
                "the module it was made from, as package.module:factory"
            )
        return


def _exported(path: str | Path) -> nn.Module:
    try:
        _refuse_code(path)
        with _weights_only(), _unlogged():
            program = torch.export.load(path)
        return torch.export.unflatten(program)
    except CheckpointError:
        raise
    except Exception as error:
        if "GLOBAL" in str(error):
            raise _refused(path, "carries Python objects besides tensors") from error
        raise _unreadable(path, "torch.export", error) from error


@contextlib.contextmanager
def _weights_only() -> Generator[None]:
    """Let no ``torch.load`` unpickle more than tensors; PyTorch's archives are read by some."""
    before = os.environ.get(_FORCED)
    os.environ[_FORCED] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FORCED]
        else:
            os.environ[_FORCED] = before


@contextlib.contextmanager
def _unlogged() -> Generator[None]:
    """Keep PyTorch's own words on a damaged file off the screen: it logs what it then raises."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _refuse_code(path: str | Path) -> None:
    """Refuse an archive in which PyTorch's loader would run more than the program.

    That loader unpickles some objects without restriction, and evaluates sizes that are text.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if "opaque_obj" in name or "custom_obj" in name:
                raise _refused(path, f"carries Python objects in {name}")
            if name.endswith(".json"):
                text = archive.read(name).decode("utf-8", "replace")
                for size in re.findall(r'"expr_str"\s*:\s*("(?:[^"\\]|\\.)*")', text):
                    if _NOT_ARITHMETIC.search(_SYMBOL.sub("s0", size[1:-1])):
                        raise _refused(path, f"has a size that is no arithmetic ({size[:60]})")


def _refused(path: str | Path, what: str) -> CheckpointError:
    return CheckpointError(
        path, f"{what}, which could run code: refused", "export the network without them"
    )


def _unreadable(path: str | Path, kind: Kind, error: Exception) -> CheckpointError:
    reason = reason_of(error)
    return CheckpointError(path, f"is no {kind} file that PyTorch can read: {reason}")
