"""A run that goes on: from what it wrote itself, and from nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import run_lsg
from faults import SHARE, Kind, faults
from parallel_corpus import REFERENCES
from sentences import SENTENCES
from test_cli import check_error

from lsgcli.errors import InputError
from lsgcli.evaluation.corpus import Sentence
from lsgcli.evaluation.journal import SystemLog, journal_line
from lsgcli.evaluation.logs import Instance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 3
SYSTEM = "wait-3"
PAIRS = list(zip(SENTENCES, REFERENCES, strict=True))[:COUNT]
CORPUS = [Sentence(index, *pair) for index, pair in enumerate(PAIRS)]


def command(folder: Path) -> list[str]:
    """Write the corpus; give the command that runs it."""
    for name, side in (("source", 0), ("target", 1)):
        (folder / name).write_text("".join(f"{pair[side]}\n" for pair in PAIRS))
    files = ("--source", str(folder / "source"), "--target", str(folder / "target"))
    return ["eval", "run", *files, "--to", "de", "--policy", "wait-k", "--quiet", "-o"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("whole")
    assert run_lsg(*command(folder), folder / "run").code == 0
    return folder / "run"


@pytest.fixture
def begun(whole: Path, tmp_path: Path) -> Path:
    """The same run with a part of two sentences."""
    run = tmp_path / "run"
    (run / SYSTEM).mkdir(parents=True)
    shutil.copy(whole / "run.json", run)
    (run / SYSTEM / "instances.part").write_bytes(b"".join(map(line, (0, 1))))
    return run


def line(index: int, prediction: str = "Ja.", source: Sentence | None = None) -> bytes:
    """A line of the part, with right checksums."""
    sentence = source or CORPUS[index % COUNT]
    words, read = len(prediction.split()), len(sentence.units)
    instance = Instance(
        index=index,
        prediction=prediction,
        delays=(read,) * words,
        source_length=read,
        source_type="text",
        reference=sentence.reference,
        source=sentence.source,
    )
    return journal_line(instance, sentence.checksum)


def resume(whole: Path, run: Path) -> tuple[int, str]:
    result = run_lsg(*command(whole.parent), run, "--resume")
    return result.code, result.stderr


def same(run: Path, whole: Path) -> bool:
    """Whether all that a run leaves is there, byte for byte, and nothing else that can be seen."""
    names = [f"{SYSTEM}/{name}" for name in os.listdir(whole / SYSTEM)]
    names += ["results.json", "results.tsv"]
    visible = {name for name in os.listdir(run / SYSTEM) if not name.startswith(".")}
    return visible == set(os.listdir(whole / SYSTEM)) and all(
        (run / name).read_bytes() == (whole / name).read_bytes() for name in names
    )


def test_it_goes_on(whole: Path, begun: Path) -> None:
    assert resume(whole, begun) == (0, "")
    lines = (begun / SYSTEM / "instances.log").read_text().splitlines()
    assert [json.loads(each)["prediction"] for each in lines[:2]] == ["Ja.", "Ja."]
    assert lines[2] == (whole / SYSTEM / "instances.log").read_text().splitlines()[2]


def test_sha256sum_reads_the_checksums(whole: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum")
    check = ["sha256sum", "--check", "--strict", "--quiet", "instances.sha256"]
    assert subprocess.run(check, cwd=whole / SYSTEM).returncode == 0


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


LINES: dict[str, tuple[bytes, str]] = {
    "beyond": (line(9999), "part:3: sentence 9999 is not one of the test set"),
    "negative": (line(-1), "part:3: sentence -1 is not one of the test set"),
    "twice": (line(1, "Nein."), "part:3: sentence 1 is there twice"),
    "moved": (line(2, source=CORPUS[0]), "part:3: sentence 2 is not one of the test set"),
    "flipped": (flip(line(2), 60), "part:3: damaged, its checksum differs"),
    "no checksum": (line(2).split(b" ", 2)[2], "part:3: damaged"),
    "empty": (b"\n", "part:3: damaged"),
    "zeros": (bytes(64) + b"\n", "part:3: damaged"),
    "not text": (b"\xff\xfe\n", "part:3: damaged"),
    "in the middle": (b"{" + line(2), "part:3: damaged"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_not_believed(begun: Path, name: str) -> None:
    data, said = LINES[name]
    part = begun / SYSTEM / "instances.part"
    with part.open("ab") as file:
        file.write(data)
    before = part.read_bytes()
    with pytest.raises(InputError, match=f"{said}.*then continue with --resume"):
        log(begun).instances()
    assert part.read_bytes() == before


def test_it_is_told_with_file_and_line(whole: Path, begun: Path) -> None:
    part = begun / SYSTEM / "instances.part"
    with part.open("ab") as file:
        file.write(line(9999))
    code, stderr = resume(whole, begun)
    assert code == 1
    assert stderr == (
        f"lsg: error: {part}:3: sentence 9999 is not one of the test set; delete the line, then "
        "continue with --resume\n"
    )


def log(run: Path) -> SystemLog:
    return SystemLog(run / SYSTEM, {each.index: each.checksum for each in CORPUS})


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", "elsewhere", "fifo", "folder"])
@pytest.mark.parametrize("name", ["instances.part", "instances.sha256"])
def test_a_link_or_a_device(begun: Path, target: str, name: str) -> None:
    file = begun / SYSTEM / name
    file.unlink(missing_ok=True)
    if target == "fifo":
        os.mkfifo(file)
    elif target == "folder":
        file.mkdir()
    else:
        (begun / SYSTEM / "elsewhere").write_text("precious\n")
        file.symlink_to(target)
    with pytest.raises(InputError, match=f"{file}: not a regular file of its own; delete it"):
        log(begun).is_finished() or log(begun).instances()


def test_a_system_that_is_a_link(whole: Path, begun: Path, tmp_path: Path) -> None:
    (begun / SYSTEM).rename(tmp_path / "elsewhere")
    (begun / SYSTEM).symlink_to(tmp_path / "elsewhere")
    code, stderr = resume(whole, begun)
    assert (code, f"{begun / SYSTEM}: a link; delete it" in stderr) == (1, True)


def drop(file: Path) -> None:
    file.unlink()


def damage(file: Path) -> None:
    file.write_bytes(flip(file.read_bytes(), 20))


@pytest.mark.parametrize("change", [drop, damage])
@pytest.mark.parametrize("name", ["instances.log", "instances.sha256", "config.yaml"])
def test_a_finished_log_is_checked_too(
    whole: Path, tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    change(run / SYSTEM / name)
    with pytest.raises(InputError, match=f"{run / SYSTEM}.*then continue with --resume"):
        log(run).is_finished() or log(run).instances()


def test_what_the_message_says_helps(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    damage(run / SYSTEM / "instances.log")
    code, stderr = resume(whole, run)
    assert (code, f"delete {run / SYSTEM}, then continue with --resume" in stderr) == (1, True)
    shutil.rmtree(run / SYSTEM)
    assert resume(whole, run)[0] == 0
    assert same(run, whole)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{}", b"\xff", b'{"settings": 3}'])
def test_a_record_that_is_none(whole: Path, begun: Path, content: bytes) -> None:
    (begun / "run.json").write_bytes(content)
    result = run_lsg(*command(whole.parent), begun, "--resume")
    check_error(result, 1, f"{begun}/run.json: .*; delete the directory and run again")


@pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "KILL"])
def test_every_write(whole: Path, tmp_path: Path, kind: Kind) -> None:
    """Whatever fails, and wherever it is killed: going on gives the same bytes."""
    disk = tmp_path / "disk"
    run = disk / "run"
    arguments = [*command(whole.parent), str(run)]

    def fresh() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()

    met = 0
    for fault in faults(arguments, disk, kind, fresh=fresh, share=SHARE):
        met += 1
        if kind == "KILL":
            assert fault.result.code == -9
        else:
            assert fault.result.code == 1
            assert fault.result.stderr.startswith(f"lsg: error: {run}")
            assert fault.result.stderr.count("\n") == 1
        code, stderr = resume(whole, run)
        assert (code, stderr) == (0, ""), fault
        assert same(run, whole), fault
    assert met >= 30 // SHARE
