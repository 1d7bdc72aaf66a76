"""What is written beside standard output: never over the input, and never lost without a word."""

from __future__ import annotations

import os
import subprocess
import wave
from typing import TYPE_CHECKING

import pytest
from conftest import DEADLINE, LSG, environment, run_lsg
from faults import Kind, faults
from test_cli import check_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = b"The house is small.\n"
TRANSLATE = ("translate", "--to", "de")
SAME = "that is the input, or another output; name another file"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "text"
    file.write_bytes(TEXT)
    return file


def itself(file: Path) -> Path:
    return file


def symbolic(file: Path) -> Path:
    link = file.with_name("symbolic")
    link.symlink_to(file)
    return link


def hard(file: Path) -> Path:
    link = file.with_name("hard")
    os.link(file, link)
    return link


@pytest.mark.parametrize("option", ["--record", "--stats-json"])
@pytest.mark.parametrize("name", [itself, symbolic, hard])
def test_the_input_is_never_an_output(
    text: Path, option: str, name: Callable[[Path], Path]
) -> None:
    other = name(text)
    check_error(run_lsg(*TRANSLATE, option, other, text), 2, f"{option}.*{SAME}")
    with text.open("rb") as stdin:
        done = subprocess.run(
            [*LSG, *TRANSLATE, option, other],
            stdin=stdin,
            capture_output=True,
            timeout=DEADLINE,
            env=environment(),
        )
    assert done.returncode == 2
    assert text.read_bytes() == TEXT


def test_nor_is_the_memory(text: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.tsv"
    memory.write_text("a\tb\n")
    options = ("--memory", memory, "--stats-json", memory)
    check_error(run_lsg(*TRANSLATE, *options, text), 2, SAME)
    assert memory.read_text() == "a\tb\n"


def test_nor_is_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "silence.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(bytes(32000))
    before = file.read_bytes()
    check_error(run_lsg("asr", "--stats-json", file, file), 2, SAME)
    assert file.read_bytes() == before


def test_standard_output_that_is_the_input(text: Path) -> None:
    with text.open("ab") as out:
        done = subprocess.run(
            [*LSG, *TRANSLATE, text],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=DEADLINE,
            env=environment(),
        )
    assert (done.returncode, text.read_bytes()) == (2, TEXT)
    assert b"standard output is the input too" in done.stderr


def test_two_outputs_are_two_files(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run_lsg(*TRANSLATE, "--record", out, "--stats-json", out, text)
    check_error(result, 2, f"--stats-json.*{SAME}")


@pytest.mark.parametrize("option", ["--record", "--stats-json"])
@pytest.mark.parametrize("place", ["/dev/null", "/dev/stderr"])
def test_devices_take_it(text: Path, option: str, place: str) -> None:
    result = run_lsg(*TRANSLATE, option, place, text)
    assert (result.code, result.text) == (0, "Das Haus ist klein.\n")
    assert bool(result.stderr) == (place == "/dev/stderr")


@pytest.mark.parametrize("option", ["--record", "--stats-json"])
def test_a_full_disk_is_named(text: Path, option: str) -> None:
    result = run_lsg(*TRANSLATE, option, "/dev/full", text)
    assert result.code == 1
    assert result.stderr == (
        "lsg: error: /dev/full: cannot be written: No space left on device; make room, then run it "
        "again\n"
    )


@pytest.mark.parametrize("option", ["--record", "--stats-json"])
@pytest.mark.parametrize("place", ["", "no/such/folder"])
def test_a_place_that_is_none(text: Path, tmp_path: Path, option: str, place: str) -> None:
    check_error(run_lsg(*TRANSLATE, option, tmp_path / place, text), 1, "cannot be written")


@pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "KILL"])
@pytest.mark.parametrize("option", ["--record", "--stats-json"])
def test_every_write(text: Path, tmp_path: Path, option: str, kind: Kind) -> None:
    """What fails is told with its place; the text that came out is right as far as it goes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    out = folder / "out"
    arguments = [*TRANSLATE, option, str(out), str(text)]
    met = 0
    for fault in faults(arguments, folder, kind, fresh=lambda: out.unlink(missing_ok=True)):
        met += 1
        assert b"Das Haus ist klein.\n".startswith(fault.result.stdout)
        if kind == "KILL":
            assert fault.result.code == -9
        else:
            assert fault.result.code == 1
            assert fault.result.stderr.startswith(f"lsg: error: {out}: cannot be written: ")
            assert fault.result.stderr.count("\n") == 1
    assert met >= 3  # it is opened, emptied, written
