"""Weights from a repository on the Hugging Face Hub: ``hf:owner/name[@revision][/file]``.

The Hub's own library fetches them and keeps them in its cache, so that a file is fetched once. It
is loaded only when such a network is asked for.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srscope.errors import CheckpointError, DownloadError, ParameterError, SrscopeError, first_line

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pt2", ".onnx", ".param")
_REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?")
_OFFLINE = "name a file that was fetched before, or connect; HF_ENDPOINT names a mirror"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A file of a repository, on this machine.

    Args:
        path: The file.
        name: What the network is called: the file, or the repository where none was named.
        source: Repository, file and commit, for reports.
    """

    path: Path
    name: str
    source: str


def fetch(target: str) -> Fetched:
    """Return the weights of a repository, fetched where they are not in the Hub's cache.

    Args:
        target: ``owner/name``, with a file where the repository has several of weights, and a
            revision where it is not the main one: ``owner/name@v2/models/net.pth``.

    Raises:
        ParameterError: If it is no such name.
        CheckpointError: If there is no such repository, revision or file, or no single file of
            weights; or if the repository is not for everyone.
        DownloadError: If the Hub cannot be reached.
        SrscopeError: If huggingface_hub is not installed.
    """
    found = _REPOSITORY.fullmatch(target)
    if found is None:
        raise ParameterError("network", "hf:owner/name or hf:owner/name/file", f"hf:{target}")
    repository, revision, name = found[1], found[2], found[3]
    called = Path(name).stem if name else repository.partition("/")[2]
    hub = _hub()
    client = hub.HfApi()
    try:
        if name is None:
            names = client.list_repo_files(repository, revision=revision)
            name = _only(repository, [each for each in names if each.endswith(SUFFIXES)])
        path = Path(client.hf_hub_download(repository, name, revision=revision))
        if path.suffix == ".param":  # ncnn's weights lie beside their graph
            client.hf_hub_download(repository, f"{name[:-6]}.bin", revision=revision)
    except Exception as error:
        raise _told(hub.errors, error, f"hf:{target}") from error
    depth = len(Path(name).parts)  # .../snapshots/COMMIT/NAME
    commit = path.parts[-depth - 1][:12]
    return Fetched(path=path, name=called, source=f"hf:{repository}/{name}, commit {commit}")


def _hub() -> Any:
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.errors")
    except ImportError:
        raise SrscopeError(
            "hf: needs huggingface_hub, which is not installed; install it: pip install '.[hub]'"
        ) from None
    return hub


def _only(repository: str, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        problem = f"holds no file of weights ({', '.join(SUFFIXES)})"
        raise CheckpointError(f"hf:{repository}", problem, "give a repository that does")
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    problem = f"holds {len(names)} files of weights: {listed}"
    raise CheckpointError(f"hf:{repository}", problem, f"name one, e.g. hf:{repository}/{names[0]}")


def _told(errors: Any, error: Exception, target: str) -> SrscopeError:
    """Return what the Hub's library says as an error of ours, with the remedy for its cause."""
    if isinstance(error, SrscopeError):
        return error
    for kind, problem, remedy in (
        ("LocalEntryNotFoundError", "", ""),  # of no connection, told below
        ("GatedRepoError", "is only for those who accepted its terms",
         "accept them on its page, then run: hf auth login"),
        ("RepositoryNotFoundError", "is no repository on the Hub, or a private one",
         "look at owner and name; for a private one run: hf auth login"),
        ("RevisionNotFoundError", "has no such revision", "leave out what follows @"),
        ("EntryNotFoundError", "is no file of the repository",
         f"leave it out, and the files of weights are listed: {'/'.join(target.split('/')[:2])}"),
    ):  # fmt: skip
        if isinstance(error, getattr(errors, kind)):
            if problem:
                return CheckpointError(target, problem, remedy)
            break
    return DownloadError(f"{target} cannot be fetched ({first_line(error)}); {_OFFLINE}")
