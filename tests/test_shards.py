"""A run in shards: merged it is what one process leaves, and nothing else is merged."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg
from faults import SHARE, Kind, faults
from test_cli import check_error
from test_resume import SYSTEM, command, same, whole

from lsgcli.errors import LsgError, UsageError
from lsgcli.evaluation.merging import merge
from lsgcli.evaluation.rundir import RunDirectory
from lsgcli.evaluation.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

__all__ = ["whole"]  # a fixture
COUNT = 2


def run_shard(whole: Path, run: Path, shard: str, *options: str) -> Result:
    return run_lsg(*command(whole.parent), run, "--shard", shard, *options)


@pytest.fixture(scope="module")
def made(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All shards of the run, not merged."""
    run = tmp_path_factory.mktemp("made") / "run"
    for number in range(1, COUNT + 1):
        result = run_shard(whole, run, f"{number}/{COUNT}")
        assert (result.code, result.stdout) == (0, b"")
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return shutil.copytree(made, tmp_path / "run")


def change(directory: Path, *path: str, value: Any) -> None:
    """Change an entry of a directory's record."""
    file = directory / "run.json"
    record = inner = json.loads(file.read_text())
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file.write_text(json.dumps(record))


# ---------------------------------------------------------------- merged


def test_merged_it_is_the_same(whole: Path, run: Path) -> None:
    for _ in range(2):  # a merge can be run again
        result = run_lsg("eval", "merge", run)
        assert (result.code, result.stderr) == (0, "")
        assert same(run, whole)
    assert result.text.startswith(f"{SYSTEM}: 3 sentences")
    scored = run_lsg("eval", "score", run, whole, "--format", "json")
    of_run, of_whole = json.loads(scored.stdout)
    assert of_run["scores"] == of_whole["scores"]


def test_shards_may_outnumber_the_sentences(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for number in range(1, 5):
        assert run_shard(whole, run, f"{number}/4").code == 0
    assert (run / "shards" / "4-of-4" / SYSTEM / "instances.log").read_bytes() == b""
    assert run_lsg("eval", "merge", run).code == 0
    assert same(run, whole)


def test_every_item_is_in_one_shard() -> None:
    for count in (1, 2, 7, 20):
        parts = [Shard(number, count).indices(12) for number in range(1, count + 1)]
        assert sorted(index for part in parts for index in part) == list(range(12))


def test_what_is_complete_is_skipped(whole: Path, run: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    assert run_shard(whole, run, "1/2", "--resume").code == 0
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before


def test_also_after_the_merge(whole: Path, run: Path) -> None:
    assert run_lsg("eval", "merge", run).code == 0
    assert run_shard(whole, run, "2/2", "--resume").code == 0
    assert same(run, whole)


def test_a_shard_is_a_run_of_its_own_to_score(run: Path) -> None:
    result = run_lsg("eval", "score", run / "shards" / "1-of-2")
    assert (result.code, ": 2 sentences" in result.text) == (0, True)
    result = run_lsg("eval", "score", run)
    check_error(result, 2, f"{SYSTEM} is not finished; merge its shards: lsg eval merge")


# ---------------------------------------------------------------- refused


def refused(run: Path, **options: bool) -> str:
    """What merging says; nothing of the whole is there then."""
    with pytest.raises(LsgError) as error:
        merge(RunDirectory(run), **options)
    assert not (run / SYSTEM).exists()
    return str(error.value).removeprefix(f"{run}")


def test_what_is_missing_is_said(run: Path) -> None:
    (run / "shards" / "1-of-2" / SYSTEM / "instances.sha256").unlink()
    shutil.rmtree(run / "shards" / "2-of-2")
    check_error(
        run_lsg("eval", "merge", run),
        1,
        "run: of 2 shards 2 missing, 1 not finished; run them with --resume "
        r"\(Slurm: --array=1-2\), then merge again",
    )


OTHERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "version": (
        lambda run: change(run / "shards/2-of-2", "settings", "versions", "lsg", value="0.0.9"),
        "/shards/2-of-2: of another run: versions.lsg was 0.1.0, is 0.0.9; delete it and run that "
        "shard again, then merge again",
    ),
    "model": (
        lambda run: change(run / "shards/1-of-2", "settings", "model", "sha256", value={"a": "b"}),
        "/shards/1-of-2: of another run: model.sha256.manifest.toml was ",
    ),
    "system": (
        lambda run: change(run / "shards/2-of-2", "systems", value={"wait-5": {}}),
        "/shards/2-of-2: of another run: system wait-3 is not asked for",
    ),
    "number": (
        lambda run: (run / "shards/2-of-2").rename(run / "shards/2-of-4"),
        "/shards/2-of-4: of another run: it is one of 4 shards, not of 2",
    ),
    "place": (
        lambda run: shutil.copytree(
            run / "shards/1-of-2", run / "shards/2-of-2", dirs_exist_ok=True
        ),
        "/shards/2-of-2/wait-3: it has not the sentences of its shard; delete its directory",
    ),
    "name": (
        lambda run: (run / "shards/notes").mkdir(),
        "/shards/notes: not the directory of a shard; move it away",
    ),
    "log": (
        lambda run: (run / "shards/1-of-2/wait-3/instances.log").write_bytes(b"{}\n"),
        "/shards/1-of-2/wait-3/instances.sha256: instances.log or config.yaml is not what",
    ),
    "record": (
        lambda run: (run / "shards/1-of-2/run.json").write_bytes(b"{"),
        "/shards/1-of-2/run.json: ",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_foreign_shard(run: Path, name: str) -> None:
    spoil, said = OTHERS[name]
    spoil(run)
    assert refused(run).startswith(said)


def test_shards_that_were_brought_together(run: Path) -> None:
    """Their directories are enough; they must be of one run."""
    (run / "run.json").unlink()
    assert merge(RunDirectory(run)).systems == [SYSTEM]
    shutil.rmtree(run / SYSTEM)
    (run / "run.json").unlink()
    change(run / "shards/2-of-2", "settings", "target_sha256", value="ab")
    assert refused(run).startswith("/shards/2-of-2: of another run: target_sha256 was ")


def test_what_is_no_run_in_shards(whole: Path, tmp_path: Path) -> None:
    check_error(run_lsg("eval", "merge", tmp_path / "none"), 2, "none' does not exist")
    check_error(run_lsg("eval", "merge", whole), 2, "no run in shards.*lsg eval run --shard 1/N")
    assert os.listdir(tmp_path) == []


def test_a_record_that_does_not_say_how_many(run: Path) -> None:
    for directory in (run, *(run / "shards").iterdir()):
        change(directory, "settings", "shards", value="2")
    assert "is not that of a run in shards: Expected `int`" in refused(run)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "1/0", "-1/2", "a/b", "1/2/3"])
def test_what_is_no_shard(shard: str) -> None:
    with pytest.raises(UsageError, match=f"--shard {shard}: "):
        Shard.parse(shard)


def test_two_runs_in_one_directory(whole: Path, run: Path) -> None:
    of_shard = run_shard(whole, run, "1/3")
    check_error(of_shard, 2, "run: holds another run: shards was 2, is 3; ")
    with_k = run_shard(whole, run, "1/2", "--resume", "-k", "5")
    check_error(with_k, 2, "run: holds another run: system wait-3 is not asked for")
    as_whole = run_lsg(*command(whole.parent), run, "--resume")
    check_error(as_whole, 2, "run: cannot be resumed: shards was 2, is not there")
    again = run_shard(whole, run, "1/2")
    check_error(again, 2, "1-of-2 is already there; continue it with --resume")
    beside = run_shard(whole, whole, "1/2")
    check_error(beside, 2, "run: holds another run: shards was not there, is 2")
    assert not (whole / "shards" / "1-of-2").exists()


def test_two_at_once(whole: Path, run: Path) -> None:
    """Shards run side by side; a shard has one writer, and a run that is written is not merged."""
    directory = RunDirectory(run)
    with directory.locked(shared=True), directory.shard(Shard(1, 2)).locked():
        assert run_shard(whole, run, "2/2", "--resume").code == 0
        result = run_shard(whole, run, "1/2", "--resume")
        check_error(result, 2, "1-of-2: another lsg is writing to it; wait for it")
        check_error(run_lsg("eval", "merge", run), 2, "run: another lsg is writing to it")


# ---------------------------------------------------------------- unlike machines


def test_unlike_machines_are_refused_or_marked(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for shard in ("1/2", "2/2"):
        assert run_shard(whole, run, shard, "--computation-aware").code == 0
    change(run / "shards/2-of-2", "here", "machine", "cpu", value="Z80")
    result = run_lsg("eval", "merge", run)
    check_error(result, 2, "measured on 2 unlike machines: cpu .*; cpu Z80, .*merge with --unlike")
    for command_line in (("merge", run, "--unlike"), ("score", run)):
        result = run_lsg("eval", *command_line)
        assert (result.code, result.stderr) == (0, "")
        assert f"{SYSTEM}: the computation was measured on 2 unlike machines" in result.text
    scores = json.loads((run / "results.json").read_text())["systems"][0]["scores"]
    assert "|clock:elapsed|machines:2|" in scores["AL_CA"]["signature"]
    assert "machines" not in scores["AL"]["signature"]


def test_what_was_not_timed_is_merged_from_unlike_machines(run: Path) -> None:
    change(run / "shards/2-of-2", "here", "machine", "cpu", value="Z80")
    assert len(merge(RunDirectory(run)).machines) == 2
    assert "Z80" in (run / "run.json").read_text()


# ---------------------------------------------------------------- full disks, kills


@pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "KILL"])
@pytest.mark.parametrize("step", ["first shard", "merge"])
def test_every_write(whole: Path, made: Path, tmp_path: Path, kind: Kind, step: str) -> None:
    """Whatever fails, and wherever it is killed: run again, it ends with the same bytes."""
    disk = tmp_path / "disk"
    run = disk / "run"
    arguments = ["eval", "merge", str(run)]
    if step == "first shard":
        arguments = [*command(whole.parent), str(run), "--shard", "1/2", "--resume"]

    def fresh() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        if step == "merge":
            shutil.copytree(made, run)

    def right() -> bool:
        if step == "merge":
            return same(run, whole)
        first, log = run / "shards" / "1-of-2", made / "shards" / "1-of-2" / SYSTEM
        assert RunDirectory(run).record().settings == RunDirectory(first).record().settings
        return all(
            (first / SYSTEM / name).read_bytes() == (log / name).read_bytes()
            for name in os.listdir(log)
        )

    met = 0
    for fault in faults(arguments, disk, kind, fresh=fresh, share=SHARE):
        met += 1
        if kind == "KILL":
            assert fault.result.code == -9
        else:
            assert fault.result.code == 1
            assert fault.result.stderr.startswith(f"lsg: error: {run}")
            assert fault.result.stderr.count("\n") == 1
        result = run_lsg(*arguments)
        assert (result.code, result.stderr) == (0, ""), fault
        assert right(), fault
    assert met >= 20 // SHARE
    print(met, "faults")
