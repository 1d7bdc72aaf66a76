"""Files that are written whole or not at all, whatever fails while they are."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from faults import Kind, faults

from lsgcli.atomic import replacing, write_text
from lsgcli.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITE = """
import sys
from pathlib import Path
from lsgcli.atomic import replacing
from lsgcli.errors import OutputError
try:
    with replacing(Path(sys.argv[1])) as file:
        for n in range(4):
            file.write(bytes([65 + n]) * 60_000)
except OutputError as error:
    sys.exit(str(error))
"""
NEW = b"".join(bytes([65 + n]) * 60_000 for n in range(4))
OLD = b"old\n"


@pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "KILL"])
def test_there_is_the_old_file_or_the_new_one(tmp_path: Path, kind: Kind) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    file = folder / "file"

    def fresh() -> None:
        for each in folder.iterdir():
            each.unlink()
        file.write_bytes(OLD)

    met = 0
    program = (sys.executable, "-c", WRITE)
    for fault in faults([str(file)], folder, kind, fresh=fresh, program=program):
        met += 1
        others = [each for each in folder.iterdir() if each != file]
        assert file.read_bytes() in (OLD, NEW)
        assert all(each.name.startswith(".") for each in others)
        if kind == "KILL":
            assert fault.result.code == -9
            continue
        assert not others
        said = "No space left on device; make room" if kind == "ENOSPC" else "Input/output error"
        assert fault.result.code == 1
        assert fault.result.stderr.startswith(f"{file}: cannot be written: {said}")
    assert met >= 6  # it is made, written in pieces, synced, renamed, its directory synced


def test_what_fails_in_between_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(OLD)

    def lines() -> Iterator[bytes]:
        yield b"new"
        raise InputError("line 2 is broken")

    with pytest.raises(InputError), replacing(file) as out:
        out.writelines(lines())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", OLD)]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(OLD)
    link = tmp_path / "link"
    link.symlink_to("precious")
    write_text(link, "new")
    assert not link.is_symlink()
    assert (tmp_path / "precious").read_bytes() == OLD


def test_permissions(tmp_path: Path) -> None:
    """Those of the file that was there; else what the umask leaves."""
    file = tmp_path / "folder" / "file"
    mask = os.umask(0o027)
    try:
        write_text(file, "x")
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        file.chmod(0o604)
        write_text(file, "y")
        assert stat.S_IMODE(file.stat().st_mode) == 0o604
    finally:
        os.umask(mask)


def test_the_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(OutputError, match=r"file/x: cannot be written: .*choose another place"):
        write_text(tmp_path / "file" / "x", "y")
