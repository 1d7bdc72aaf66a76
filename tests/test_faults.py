"""Full disks, broken disks and kills at every change that `pull`, `tune` and `convert` make.

Whatever happens: the message names the place and what to do, and the same command, run again,
leaves what it leaves when nothing happens. Of the changes of a slow command some are tried, all of
them with LSG_FAULTS=1; see `faults`. `eval run` is in `test_resume`, files beside the output in
`test_outputs`, the one writer in `test_atomic`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg
from faults import SHARE, Fault, Kind, faults
from hub_server import Hub, Repository
from test_convert import needs_torch, quietly
from test_resume import command, same, whole

from lsgcli.models import catalog
from lsgcli.models.manifest import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["whole"]  # a fixture

NAME = "acme/seed"
EMBEDDED = catalog.embedded()["en-de"]
MANIFEST = (EMBEDDED / "manifest.toml").read_text()
KINDS = pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "KILL"])


def check(fault: Fault, kind: Kind, *places: Path | str) -> None:
    """A process that was not killed says in a line where it failed."""
    if kind == "KILL":
        assert fault.result.code == -9
        return
    assert fault.result.code == 1, fault
    assert fault.result.stderr.startswith("lsg: error: "), fault
    assert fault.result.stderr.count("\n") == 1, fault
    assert any(str(place) in fault.result.stderr for place in places), fault


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, but for those that begin with a dot."""
    files = (file for file in folder.rglob("*") if file.is_file())
    named = {str(file.relative_to(folder)): file for file in files}
    return {name: f.read_bytes() for name, f in named.items() if not f.name.startswith(".")}


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


# ---------------------------------------------------------------- pull


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    manifest = MANIFEST[: MANIFEST.index("[files]")] + "[files]\n"
    server.repositories[NAME] = Repository(
        {"model.bin": b"weights", "config.json": b"{}", "manifest.toml": manifest.encode()}
    )
    yield server
    server.close()


@KINDS
@pytest.mark.parametrize("again", [False, True])
def test_pull(hub: Hub, disk: Path, tmp_path: Path, kind: Kind, again: bool) -> None:
    """``again``: where the model is there already, at another commit."""
    environment: dict[str, Any] = {
        "LSG_HOME": str(disk), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.url,
        "NO_PROXY": "127.0.0.1,localhost", "HF_HUB_OFFLINE": "", "HF_TOKEN": "",
    }  # fmt: skip
    repository = hub.repositories[NAME]
    pull = ["models", "pull", NAME]
    final = disk / "models" / "acme--seed"

    def run() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "lsgcli", *pull],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    def fresh() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        if again:
            repository.commit, repository.files["config.json"] = "e" * 40, b"{ }"
            assert run() == (0, "")
            repository.commit, repository.files["config.json"] = "f" * 40, b"{}"

    fresh()
    assert run() == (0, "")
    expected = contents(disk / "models")
    assert set(expected) >= {f"acme--seed/{name}" for name in (*repository.files, "pulled.toml")}
    met = 0
    share = SHARE if SHARE == 1 else SHARE * (1 + again)
    for fault in faults(pull, disk, kind, fresh=fresh, share=share, **environment):
        met += 1
        if not (again and fault.result.code == 0):  # a file that cannot be linked is fetched
            check(fault, kind, disk, NAME)
        if final.exists():  # never a half: it can be loaded
            load(final)
        assert run() == (0, "")
        assert contents(disk / "models") == expected, fault
        assert not list((disk / "models" / ".removed").glob("*")), fault
        assert not list((disk / "models" / ".partial").glob("*")), fault
    assert met >= 20 // share


# ---------------------------------------------------------------- tune


@KINDS
@pytest.mark.parametrize("option", ["--save", "--save-default"])
def test_tune(disk: Path, tmp_path: Path, kind: Kind, option: str) -> None:
    for name, text in {"en": "The house is small.", "de": "Das Haus ist klein."}.items():
        (tmp_path / name).write_text(text + "\n")
    model = tmp_path / "disk" / "model"
    profile = disk / "mine.toml"
    tune = [
        *("tune", "--source", str(tmp_path / "en"), "--target", str(tmp_path / "de"), "--to", "de"),
        *("--model", str(model), "--grid", "delta=1 alpha=0.5 L=1 U=1", "--budget", "99", "-q"),
        *((option, str(profile)) if option == "--save" else (option, "low")),
    ]

    def fresh() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        model.mkdir(parents=True)
        for file in EMBEDDED.iterdir():
            os.link(file, model / file.name)

    fresh()
    assert run_lsg(*tune).code == 0
    expected = contents(disk)
    met = 0
    share = min(SHARE, 2)
    for fault in faults(tune, disk, kind, fresh=fresh, share=share):
        met += 1
        check(fault, kind, profile if option == "--save" else model / "manifest.toml")
        assert load(model).directions == ["en-de", "de-en"]
        assert run_lsg(*tune).code == 0
        assert contents(disk) == expected, fault
    assert met >= 5 // share  # it is opened, written, synced, renamed, its directory synced
    assert (EMBEDDED / "manifest.toml").read_text() == MANIFEST


# ---------------------------------------------------------------- convert


@quietly
@needs_torch
@KINDS
def test_convert(disk: Path, tmp_path: Path, kind: Kind) -> None:
    """The converted model is there whole, or not at all; what is looked for afterwards may miss."""
    pytest.importorskip("gguf")
    from gguf_files import make, pack

    original = pack(make(tmp_path / "original", "llama"), tmp_path / "original.gguf")
    out = disk / "model"
    convert = ["models", "convert", str(original), "--output", str(out), "-q"]
    convert += ["--from", "en", "--to", "de"]

    def fresh() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()

    fresh()
    assert run_lsg(*convert).code == 0
    expected = contents(disk)
    for fault in faults(convert, disk, kind, fresh=fresh, share=3 * SHARE):
        check(fault, kind, disk)
        if out.exists():  # whole, but perhaps its name was not synced, or it was not tried yet
            load(out)
            for name, content in contents(out).items():
                assert name == "manifest.toml" or content == expected[f"model/{name}"]
            assert set(contents(out)) == {name.removeprefix("model/") for name in expected}
            shutil.rmtree(out)
        assert kind == "KILL" or not list(disk.iterdir())
        assert run_lsg(*convert).code == 0
        assert [file.name for file in disk.iterdir()] == ["model"]
        assert contents(out) == {name.removeprefix("model/"): expected[name] for name in expected}


# ---------------------------------------------------------------- a real disk that is full


def test_a_run_on_a_disk_that_fills(whole: Path, disk: Path) -> None:
    """Made larger, the run goes on, and leaves the same bytes."""
    disk.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("needs the right to mount")
    try:
        run = disk / "run"
        arguments = command(whole.parent)
        result = run_lsg(*arguments, run)
        assert result.code == 1
        assert result.stderr.startswith(f"lsg: error: {run}")
        assert "No space left on device; make room" in result.stderr
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        assert run_lsg(*arguments, run, "--resume").code == 0
        assert same(run, whole)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
