"""Networks from the Hugging Face Hub: a server on this machine stands for the Hub."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import re
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from srscope.errors import CheckpointError, DownloadError, ParameterError, SrscopeError
from srscope.networks.loading import hub
from srscope.networks.loading.spec import parse_spec, short_name
from srscope.networks.zoo import WEIGHTS, load_network

pytest.importorskip("huggingface_hub")
constants = importlib.import_module("huggingface_hub.constants")
COMMIT = "c0ffee" * 6 + "c0ff"
NET = (WEIGHTS / "srresnet-wgr.safetensors").read_bytes()
REPOSITORIES = {
    "someone/one-file": {"README.md": b"hello", "model.safetensors": NET},
    "someone/several": {"x2.pth": b"no", "nets/x4.safetensors": NET},
    "someone/none": {"README.md": b"hello"},
    "someone/ncnn": {"net.param": b"7767517", "net.bin": b"\0"},
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub does: a list of files, and files with commit and checksum."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        listed = re.fullmatch(r"/api/models/(\w+/[\w-]+)(?:/(?:tree|revision)/(\w+))?", path)
        wanted = re.fullmatch(r"/(\w+/[\w-]+)/resolve/(\w+)/(.+)", path)
        found = listed or wanted
        files = REPOSITORIES.get(found[1]) if found else None
        if found is None or files is None:
            return self._refuse("RepoNotFound" if "gated" not in path else "GatedRepo")
        if found[2] not in (None, "main", COMMIT):
            return self._refuse("RevisionNotFound")
        if listed:
            tree = [
                {"type": "file", "path": n, "size": len(c), "oid": _sha(c)}
                for n, c in files.items()
            ]
            answer = {"id": found[1], "sha": COMMIT, "siblings": [{"rfilename": n} for n in files]}
            return self._send(json.dumps(tree if "/tree/" in path else answer).encode(), body=body)
        if wanted is None or wanted[3] not in files:
            return self._refuse("EntryNotFound")
        return self._send(files[wanted[3]], body=body)

    def _refuse(self, code: str) -> None:
        self.send_response(403 if code == "GatedRepo" else 404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, content: bytes, *, body: bool) -> None:
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{_sha(content)}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _sha(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextlib.contextmanager
def answering() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the Hub's library keep what it fetches in a folder of the test."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    return tmp_path / "hub"


@pytest.fixture
def hub_server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Let ``HF_ENDPOINT``, which the library reads when it is imported, be the test's server."""
    with answering() as endpoint:
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield


@pytest.mark.usefixtures("hub_server")
def test_the_only_weights_of_a_repository_are_loaded_and_kept() -> None:
    loaded = load_network("hf:someone/one-file")
    assert loaded.name == "one-file"
    assert loaded.source == f"hf:someone/one-file/model.safetensors, commit {COMMIT[:12]}"
    assert loaded.scale == 4
    assert loaded.sha256 == load_network("srresnet-wgr").sha256


@pytest.mark.usefixtures("hub_server")
def test_a_file_and_a_revision_can_be_named() -> None:
    fetched = hub.fetch("someone/several@main/nets/x4.safetensors")
    assert fetched.path.read_bytes() == NET
    assert (fetched.name, fetched.source) == (
        "x4",
        f"hf:someone/several/nets/x4.safetensors, commit {COMMIT[:12]}",
    )


@pytest.mark.usefixtures("hub_server")
def test_both_files_of_an_ncnn_network_are_fetched() -> None:
    fetched = hub.fetch("someone/ncnn/net.param")
    assert fetched.path.with_suffix(".bin").read_bytes() == b"\0"


@pytest.mark.usefixtures("hub_server")
@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("someone/several", "holds 2 files of weights: x2.pth, nets/x4.safetensors; name one, e.g. "
         "hf:someone/several/x2.pth"),
        ("someone/none", "holds no file of weights"),
        ("someone/gone", "no repository on the Hub, or a private one; look at owner and name"),
        ("someone/gone/net.pth", "no repository on the Hub, or a private one"),
        ("someone/gated/net.pth", "accept them on its page, then run: hf auth login"),
        ("someone/several/y.pth", "no file of the repository; leave it out, and the files of "
         "weights are listed: hf:someone/several"),
        ("someone/several@v9/x2.pth", "has no such revision; leave out what follows @"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_the_remedy(target: str, told: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(told)):
        hub.fetch(target)


@pytest.mark.parametrize("target", ["net.pth", "", "a b/c", "owner/name/"])
def test_what_is_no_name_of_a_repository_is_refused(target: str) -> None:
    with pytest.raises(ParameterError, match="hf:owner/name"):
        hub.fetch(target)


def test_without_a_connection_only_what_was_fetched_before_is_there(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="fetched before, or connect; HF_ENDPOINT names"):
        hub.fetch("someone/one-file/model.safetensors")
    kept = cache / "models--someone--one-file"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(COMMIT)
    snapshot = kept / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(NET)
    assert hub.fetch("someone/one-file/model.safetensors").path.read_bytes() == NET


def test_without_the_library_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SrscopeError, match=re.escape("pip install '.[hub]'")):
        hub.fetch("someone/one-file")


def test_a_name_for_folders_is_made_of_it() -> None:
    assert parse_spec("hf:someone/several/x2.pth?scale=2").target == "someone/several/x2.pth"
    assert short_name("hf:someone/one-file") == "hf-someone-one-file"
