"""A disk that is full: files are not kept, and nothing of them is left."""

from io import BytesIO
from pathlib import Path

import pytest

from lifecycle.services.files import RosterFiles
from lifecycle.services.room import NoRoom
from tests.full_disk import no_file_beyond, small_disk


def test_a_file_without_room_is_not_kept_and_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        files = RosterFiles(disk / "rosters", 2**20)
        with pytest.raises(NoRoom, match="no room on the disk for this file; nothing was kept"):
            files.keep("large", BytesIO(b"x" * 200_000))
        assert list(files.folder.iterdir()) == []
        files.keep("small", BytesIO(b"x" * 10_000))
        assert [path.name for path in files.folder.iterdir()] == ["small"]


def test_a_file_larger_than_the_file_system_takes_is_not_kept(tmp_path: Path) -> None:
    files = RosterFiles(tmp_path, 2**20)
    with no_file_beyond(4096), pytest.raises(NoRoom):
        files.keep("large", BytesIO(b"x" * 200_000))
    assert list(tmp_path.iterdir()) == []


def test_what_else_goes_wrong_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "rosters").write_bytes(b"a file where the folder belongs")
    with pytest.raises(FileExistsError):
        RosterFiles(tmp_path / "rosters", 2**20).keep("x", BytesIO(b"x"))
