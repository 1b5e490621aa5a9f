"""Data sets that are downloaded once and kept: DIV2K and CIFAR-10."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from platformdirs import user_cache_path

from srscope.errors import DownloadError
from srscope.images.cifar10 import (
    ClassImages,
    ClassLevels,
    read_test_images,
    read_training_images,
)
from srscope.images.folder import load_folder
from srscope.images.record import PhotoSet
from srscope.runtime import files
from srscope.runtime.fetch import RemoteFile, fetch

# Checksum as recorded by TensorFlow Datasets for the official file.
DIV2K_VALIDATION = RemoteFile(
    url="https://data.vision.ee.ethz.ch/cvl/DIV2K/DIV2K_valid_HR.zip",
    name="DIV2K_valid_HR.zip",
    size=448_993_893,
    algorithm="sha256",
    checksum="20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
)
DIV2K_TRAINING = RemoteFile(
    url="https://data.vision.ee.ethz.ch/cvl/DIV2K/DIV2K_train_HR.zip",
    name="DIV2K_train_HR.zip",
    size=3_530_603_713,
    algorithm="sha256",
    checksum="9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
)
# Checksum as published on the data set's page.
CIFAR10 = RemoteFile(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    name="cifar-10-python.tar.gz",
    size=170_498_071,
    algorithm="md5",
    checksum="c58f30108f718f92721af3b95e74349a",
)
_DIV2K_COUNT = {DIV2K_VALIDATION.name: 100, DIV2K_TRAINING.name: 800}
_COMPLETE = "srscope-complete.json"
_DAMAGE = (shutil.ReadError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)


def data_folder() -> Path:
    """Return where data sets are kept: ``$SRSCOPE_DATA``, or ``srscope`` in the user's cache."""
    if chosen := os.environ.get("SRSCOPE_DATA"):
        return Path(chosen)
    return user_cache_path("srscope", appauthor=False)


def div2k_validation(
    folder: Path | None = None, *, progress: bool = True, remote: RemoteFile = DIV2K_VALIDATION
) -> PhotoSet:
    """Return DIV2K's 100 validation photographs, downloaded (449 MB) the first time.

    Args:
        folder: Where data sets are kept; :func:`data_folder` unless given.
        progress: Show the download's progress.
        remote: The archive, for mirrors.

    Raises:
        DownloadError: If the archive cannot be had, is not the published one, or cannot be
            unpacked.
        ImageError: If the unpacked folder has no image any more.

    Source: Agustsson and Timofte, NTIRE 2017 challenge on single image super-resolution.
    """
    return _div2k(folder or data_folder(), remote, progress=progress)


def div2k_training(
    folder: Path | None = None, *, progress: bool = True, remote: RemoteFile = DIV2K_TRAINING
) -> PhotoSet:
    """Return DIV2K's 800 training photographs (3.5 GB), as :func:`div2k_validation` does."""
    return _div2k(folder or data_folder(), remote, progress=progress)


def _div2k(folder: Path, remote: RemoteFile, *, progress: bool) -> PhotoSet:
    unpacked = folder / Path(remote.name).stem
    count = _DIV2K_COUNT[remote.name]
    if not (unpacked / _COMPLETE).exists() and _pictures(unpacked) < count:
        if unpacked.exists():
            raise DownloadError(
                f"{unpacked} holds {_pictures(unpacked)} of the {count} images of {remote.name};"
                " delete it, and it will be filled"
            )
        unpack(fetch(remote, folder, progress=progress), unpacked)
        record = {"url": remote.url, remote.algorithm: remote.checksum}
        files.write_text(unpacked / _COMPLETE, json.dumps(record) + "\n")
    inner = unpacked / unpacked.name  # the archive has everything in a folder of its own name
    return load_folder(inner if inner.is_dir() else unpacked)


def _pictures(folder: Path) -> int:
    """Count the images, as a user may have unpacked the archive by hand."""
    return sum(1 for _ in folder.rglob("*.png"))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive whose hash was verified into ``folder``, which appears when it is whole.

    Raises:
        DownloadError: If the archive is damaged, or the system does not let us write.
    """
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        if archive.suffix == ".zip":
            shutil.unpack_archive(archive, scratch)
        else:
            shutil.unpack_archive(archive, scratch, filter="data")
        scratch.chmod(0o755)
        scratch.rename(folder)
    except _DAMAGE as error:
        raise DownloadError(f"{archive} is damaged: {error}; delete it and run again") from error
    except OSError as error:
        raise DownloadError(f"{archive} cannot be unpacked: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def cifar10_test(
    folder: Path | None = None,
    *,
    per_class: int = 100,
    progress: bool = True,
    remote: RemoteFile = CIFAR10,
) -> ClassImages:
    """Return CIFAR-10 test images with their classes, downloaded (170 MB) the first time.

    Args:
        folder: Where data sets are kept; :func:`data_folder` unless given.
        per_class: Images of each class, 1 to 1,000.
        progress: Show the download's progress.
        remote: The archive, for mirrors.

    Raises:
        DownloadError: If the archive cannot be had or is not the published one.
        ParameterError: If ``per_class`` is out of range.

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    unpacked = _cifar10(folder or data_folder(), remote, progress=progress)
    return read_test_images(unpacked, per_class=per_class)


def cifar10_training(
    folder: Path | None = None, *, progress: bool = True, remote: RemoteFile = CIFAR10
) -> ClassLevels:
    """Return CIFAR-10's 50,000 training images, as :func:`cifar10_test` does."""
    return read_training_images(_cifar10(folder or data_folder(), remote, progress=progress))


def _cifar10(folder: Path, remote: RemoteFile, *, progress: bool) -> Path:
    archive = fetch(remote, folder, progress=progress)
    unpacked = folder / "cifar-10-python"
    if not unpacked.is_dir():
        unpack(archive, unpacked)
    return unpacked
