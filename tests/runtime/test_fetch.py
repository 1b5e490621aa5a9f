"""Resumable downloads, against a server on this machine that misbehaves."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from srscope.errors import DownloadError, ParameterError
from srscope.runtime import fetch as module
from srscope.runtime.fetch import Patience, RemoteFile, fetch
from support.servers import Behaviour, serving

BODY = bytes(range(256)) * 4000  # about a megabyte
QUICK = Patience(attempts=3, pause=0.0, timeout=5.0)


def remote_file(url: str, body: bytes = BODY, *, algorithm: str = "sha256") -> RemoteFile:
    checksum = hashlib.new(algorithm, body).hexdigest()
    return RemoteFile(
        url=url, name="file.bin", size=len(body), algorithm=algorithm, checksum=checksum
    )


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_download_and_then_no_second_one(tmp_path: Path, algorithm: str) -> None:
    behaviour = Behaviour(BODY)
    with serving(behaviour) as url:
        remote = remote_file(url, algorithm=algorithm)
        path = fetch(remote, tmp_path / "new" / "folder", patience=QUICK)
        assert path == tmp_path / "new" / "folder" / "file.bin"
        assert path.read_bytes() == BODY
        assert fetch(remote, path.parent, patience=QUICK) == path
    assert behaviour.requests == [None]
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("says_length", [True, False])
def test_cut_connection_is_resumed(tmp_path: Path, *, says_length: bool) -> None:
    behaviour = Behaviour(BODY, cut_after=300_000, says_length=says_length)
    with serving(behaviour) as url:
        assert fetch(remote_file(url), tmp_path, patience=QUICK).read_bytes() == BODY
    assert behaviour.requests == [None, *(f"bytes={n * 300_000}-" for n in (1, 2, 3))]


def test_later_run_goes_on_where_an_earlier_one_stopped(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, cut_after=300_000)
    with serving(behaviour) as url:
        remote = remote_file(url)
        behaviour.statuses = []
        (tmp_path / "file.bin.part").write_bytes(BODY[:900_000])
        assert fetch(remote, tmp_path, patience=QUICK).read_bytes() == BODY
    assert behaviour.requests == ["bytes=900000-"]


def test_server_that_ignores_ranges_starts_over(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, ranges=False)
    (tmp_path / "file.bin.part").write_bytes(BODY[:400_000])
    with serving(behaviour) as url:
        assert fetch(remote_file(url), tmp_path, patience=QUICK).read_bytes() == BODY
    assert behaviour.requests == ["bytes=400000-"]


def test_server_that_ignores_ranges_and_always_cuts_is_given_up(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, ranges=False, cut_after=300_000)
    with serving(behaviour) as url, pytest.raises(DownloadError) as caught:
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert len(behaviour.requests) == 1 + QUICK.attempts
    message = str(caught.value)
    assert f"{url} cannot be downloaded: the server closed the connection early" in message
    assert "300,000 of 1,024,000 bytes are kept; run again to go on" in message
    assert f"place the file at {tmp_path / 'file.bin'} (1,024,000 bytes, sha256 " in message


def test_passing_trouble_of_the_server_is_waited_out(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, statuses=[503, 429])
    with serving(behaviour) as url:
        assert fetch(remote_file(url), tmp_path, patience=QUICK).read_bytes() == BODY
    assert len(behaviour.requests) == 3


def test_lasting_trouble_is_an_error(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, statuses=[503] * 9)
    with (
        serving(behaviour) as url,
        pytest.raises(DownloadError, match="cannot be downloaded: it answers 503"),
    ):
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert len(behaviour.requests) == QUICK.attempts


def test_missing_file_is_an_error_at_once(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, statuses=[404])
    with (
        serving(behaviour) as url,
        pytest.raises(DownloadError, match=r"answers 404 Not Found\. Without a network, pl"),
    ):
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert len(behaviour.requests) == 1


def test_no_network_says_where_to_put_the_file(tmp_path: Path) -> None:
    with socket.socket() as listener:  # a port nobody answers on
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/file.bin"
        with pytest.raises(DownloadError) as caught:
            fetch(remote_file(url), tmp_path, patience=QUICK)
    assert "cannot be downloaded: [Errno 111] Connection refused. 0 of" in str(caught.value)
    (tmp_path / "file.bin").write_bytes(BODY)
    assert fetch(remote_file(url), tmp_path).read_bytes() == BODY


def test_silent_server_times_out(tmp_path: Path) -> None:
    with (
        serving(Behaviour(BODY, stall=True)) as url,
        pytest.raises(DownloadError, match="cannot be downloaded: timed out"),
    ):
        fetch(remote_file(url), tmp_path, patience=Patience(attempts=1, timeout=0.2))


def test_wrong_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    forged = bytes([BODY[0] ^ 1]) + BODY[1:]
    behaviour = Behaviour(forged)
    with serving(behaviour) as url, pytest.raises(DownloadError) as caught:
        fetch(remote_file(url), tmp_path, patience=QUICK)
    wrong, right = (hashlib.sha256(data).hexdigest() for data in (forged, BODY))
    assert f"whose sha256 is {wrong}, not the published {right}; it was deleted" in str(
        caught.value
    )
    assert not list(tmp_path.iterdir())
    assert len(behaviour.requests) == 1


@pytest.mark.parametrize("left", [b"x" * 500_000, b"x" * len(BODY), b"x" * (len(BODY) + 7)])
def test_remains_of_another_version_are_replaced(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "file.bin.part").write_bytes(left)
    behaviour = Behaviour(BODY)
    with serving(behaviour) as url:
        assert fetch(remote_file(url), tmp_path, patience=QUICK).read_bytes() == BODY
    assert behaviour.requests[-1] is None


def test_file_of_another_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for body, ranges in ((b"<html>please log in</html>", False), (BODY + b"more", True)):
        (tmp_path / "file.bin.part").write_bytes(BODY[:1000])
        with (
            serving(Behaviour(body, ranges=ranges)) as url,
            pytest.raises(
                DownloadError, match=f"gives a file of {len(body):,} bytes, not the published one"
            ),
        ):
            fetch(remote_file(url), tmp_path, patience=QUICK)
        assert (tmp_path / "file.bin.part").stat().st_size == 1000


def test_endless_answer_is_cut_off_at_the_published_size(tmp_path: Path) -> None:
    with serving(Behaviour(BODY + b"more", says_length=False)) as url:
        assert fetch(remote_file(url), tmp_path, patience=QUICK).read_bytes() == BODY


def test_shorter_file_of_undeclared_size_is_given_up(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY[:1000], says_length=False)
    with (
        serving(behaviour) as url,
        pytest.raises(DownloadError, match="cannot be downloaded: "),
    ):
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert len(behaviour.requests) <= 2 + QUICK.attempts


@pytest.mark.parametrize(
    ("said", "reason"),
    [("bytes 7-9/*", "it answers from byte 7, not 1000"), ("nonsense", "without saying which")],
)
def test_wrong_part_of_the_file_is_not_used(tmp_path: Path, said: str, reason: str) -> None:
    (tmp_path / "file.bin.part").write_bytes(BODY[:1000])
    with (
        serving(Behaviour(BODY, content_range=said)) as url,
        pytest.raises(DownloadError, match=reason),
    ):
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert (tmp_path / "file.bin.part").read_bytes() == BODY[:1000]


def test_wrong_file_in_its_place_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"mine")
    with pytest.raises(DownloadError, match=r"is not the published file: its sha256 is .*; delete"):
        fetch(remote_file("http://127.0.0.1:9/file.bin"), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"mine"


# The disk


def test_full_disk_is_noticed_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500))
    with pytest.raises(DownloadError, match=r"file\.bin needs 1,024,000 bytes more in .* 500 free"):
        fetch(remote_file("http://127.0.0.1:9/"), tmp_path)


def test_full_disk_is_not_taken_for_a_cut_connection(tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").symlink_to("/dev/full")
    behaviour = Behaviour(BODY)
    with (
        serving(behaviour) as url,
        pytest.raises(DownloadError, match=r"part cannot be written: No space left on device"),
    ):
        fetch(remote_file(url), tmp_path, patience=QUICK)
    assert len(behaviour.requests) == 1


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written: Not a directory"):
        fetch(remote_file("http://127.0.0.1:9/"), tmp_path / "file" / "folder")


# The bar and the record


def test_bar_shows_only_when_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Behaviour(BODY)) as url:
        remote = remote_file(url)
        fetch(remote, tmp_path / "quick", patience=QUICK)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(module, "_SECONDS_BEFORE_PROGRESS", 0.0)
        fetch(remote, tmp_path / "suppressed", progress=False, patience=QUICK)
        assert capsys.readouterr().err == ""
        fetch(remote, tmp_path / "shown", patience=QUICK)
        captured = capsys.readouterr()
    assert "file.bin" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("algorithm", "checksum", "match"),
    [
        ("sha1", "0" * 40, "algorithm must be 'sha256' or 'md5', but is 'sha1'"),
        ("md5", "0" * 31, "checksum must be 32 lower-case hex digits"),
        ("sha256", "G" * 64, "checksum must be 64 lower-case hex digits"),
    ],
)
def test_checksum_must_be_one(algorithm: str, checksum: str, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        RemoteFile(url="x", name="x", size=1, algorithm=algorithm, checksum=checksum)
