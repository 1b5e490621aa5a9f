"""Credits stated in the table, and their check against the packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.tools import TOOLS, load_tool

photo_credits = load_tool("photo_credits")
photo_packages = load_tool("photo_packages")
BuildError: type[Exception] = photo_packages.BuildError
SOURCES = photo_packages.read_sources(TOOLS / "photo-sources.tsv")

COPYRIGHT = """\
Files: *
Copyright: 2002, The Developers
License: BSD-2-clause

License: BSD-2-clause
 Redistribution and use are permitted.
 .
 THIS SOFTWARE IS PROVIDED AS IS.

License: BSD-2-clause
 Same as above.
"""


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    row = {
        "name": "rock",
        "title": "A rock",
        "author": "Ann Onym",
        "copyright": "2002, Ann Onym",
        "licence": "CC0-1.0",
        "web": "https://example.org",
        "read_in": "doc/AUTHORS",
        "well_known": "yes",
    }
    monkeypatch.setattr(photo_credits, "table", lambda: {"rock": row})
    return row


def source(path: str = "pictures/rock.jpg") -> Any:
    return photo_packages.Source(
        registry="debian/trixie", package="p", path_in_package=path, split="test", sha256="0"
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_table_is_of_pictures_in_the_list_and_complete() -> None:
    listed = {entry.stem for entry in SOURCES}
    for name, entry in photo_credits.table().items():
        assert name in listed
        assert all(entry.values()), f"{name}: an empty cell"
        assert entry["licence"] in photo_packages.LICENCES
        assert entry["well_known"] in ("yes", "no")
    cropped = {entry.stem for entry in SOURCES if entry.split == "test-crops"}
    assert cropped == set(photo_credits.table())


def test_credit_is_the_tables_where_the_package_names_the_author(
    tmp_path: Path, row: dict[str, str]
) -> None:
    write(tmp_path / "doc/AUTHORS", "rock.jpg: Ann Onym, CC0")
    credit = photo_credits.credit_of(source(), tmp_path)
    assert (credit.title, credit.author, credit.notice) == ("A rock", "Ann Onym", "2002, Ann Onym")
    assert (credit.licence, credit.web) == ("CC0-1.0", "https://example.org")
    assert (credit.well_known, credit.text) == (True, "")


def test_author_whom_the_package_does_not_name_is_refused(
    tmp_path: Path, row: dict[str, str]
) -> None:
    with pytest.raises(BuildError, match="rock: doc/AUTHORS does not name Ann Onym"):
        photo_credits.credit_of(source(), tmp_path)
    write(tmp_path / "doc/AUTHORS", "rock.jpg: Bob")
    with pytest.raises(BuildError, match="rock: doc/AUTHORS does not name Ann Onym"):
        photo_credits.credit_of(source(), tmp_path)
    row["read_in"] = "https://example.org/pull/1"
    assert photo_credits.credit_of(source(), tmp_path).author == "Ann Onym"


def test_licence_that_wants_its_notice_kept_comes_with_its_text(
    tmp_path: Path, row: dict[str, str]
) -> None:
    row["licence"] = "BSD-2-Clause"
    write(tmp_path / "doc/AUTHORS", "Ann Onym")
    write(tmp_path / "usr/share/doc/p/copyright", COPYRIGHT)
    assert photo_credits.credit_of(source(), tmp_path).text == (
        "Copyright 2002, Ann Onym\n\nRedistribution and use are permitted.\n\n"
        "THIS SOFTWARE IS PROVIDED AS IS.\n"
    )
    row["licence"] = "BSD-3-Clause"
    with pytest.raises(BuildError, match="p: no text of BSD-3-Clause in its copyright file"):
        photo_credits.credit_of(source(), tmp_path)
    row["licence"] = "WTFPL"
    with pytest.raises(BuildError, match="rock: unknown licence 'WTFPL'"):
        photo_credits.credit_of(source(), tmp_path)


def test_picture_outside_the_table_is_credited_by_its_package(
    tmp_path: Path, row: dict[str, str]
) -> None:
    write(tmp_path / "usr/share/doc/p/copyright", "Source: https://example.org\n\n" + COPYRIGHT)
    with pytest.raises(BuildError, match="unknown licence 'BSD-2-clause'"):
        photo_credits.credit_of(source("pictures/tree.jpg"), tmp_path)
