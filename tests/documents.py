"""The commands of README.md and docs/: found in the fences, run as they are printed.

A fence of ``sh`` holds commands. A fence of ``console`` holds commands behind ``$``, each with
what it prints. A fence of ``python`` is a program; ``print(…)  # TEXT`` in it says what it prints.
What a comment behind a command says counts:

``# needs …``       is not run: a network, a microphone, a GPU, a model that is not in the box
``# until Ctrl-C``  is interrupted when its first line has come

The commands of a document run one after the other in a directory of their own, which has the
repository's examples and what a reader would have: a talk, a film, a book, a test set.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = ("examples", "benchmarks", "models", "tests", "lsgcli")  # of the repository
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT = 120
# What the programs in a document may use: the frames of a microphone.
FRAMES = """import wave, numpy
with wave.open("talk.wav") as _talk:
    _samples = numpy.frombuffer(_talk.readframes(_talk.getnframes()), "<i2")
frames = numpy.array_split(_samples.astype("float32") / 32768, 20)
"""


@dataclass(frozen=True)
class Command:
    """A command of a document."""

    document: Path
    text: str  # without the comment
    comment: str
    output: str | None  # what it prints, if that is shown

    @property
    def needs(self) -> str:
        """What it needs that a test does not have; empty if it is run."""
        if "pip install" in self.text:
            return "the package index"
        found = re.search(r"needs (.*)", self.comment)
        return found[1] if found else ""

    @property
    def endless(self) -> bool:
        """Whether only Ctrl-C ends it."""
        return "until Ctrl-C" in self.comment

    def __str__(self) -> str:
        return f"{self.document.stem}: {self.text.split(FRAMES)[-1]}"


@dataclass(frozen=True)
class Outcome:
    """What has become of a command."""

    code: int
    output: str  # standard error, then standard output


def fences(document: Path) -> list[tuple[str, str]]:
    """Language and text of each fence."""
    return FENCE.findall(document.read_text(encoding="utf-8"))


@cache
def commands(document: Path) -> list[Command]:
    """The commands of a document, in its order."""
    return [each for language, text in fences(document) for each in _of(document, language, text)]


def _of(document: Path, language: str, text: str) -> Iterator[Command]:
    if language == "console":
        for _, line, output in re.findall(r"^(\$) (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            yield _command(document, line, output)
    elif language == "sh":
        for line in text.replace("\\\n", "").splitlines():
            if line and not line.startswith("#"):
                yield _command(document, line, None)
    elif language == "python":
        output = "\n".join(re.findall(r"print\(.*\)  # (.*)", text))
        yield Command(document, f"python3 -c {shlex.quote(FRAMES + text)}", "", output or None)


def _command(document: Path, line: str, output: str | None) -> Command:
    text, _, comment = line.partition("  # ")
    return Command(document, text.rstrip(), comment.strip(), output)


def outcome(command: Command) -> Outcome:
    """What the command prints when the document's commands are run in order."""
    return _running()[command.document].result()[command]


@cache
def _running() -> dict[Path, Future[dict[Command, Outcome]]]:
    """All documents, several at once: most commands wait for their modules to be imported."""
    pool = ThreadPoolExecutor(os.cpu_count())
    order = sorted(DOCUMENTS, key=lambda document: -len(commands(document)))
    return {document: pool.submit(_run_all, document) for document in order}


def _run_all(document: Path) -> dict[Command, Outcome]:
    with tempfile.TemporaryDirectory(prefix="lsg-docs-") as name:
        home = Path(name)
        folder = reader_folder(home / "work")
        (home / "bin").mkdir()
        program = home / "bin" / "lsg"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lsgcli "$@"\n')
        program.chmod(0o755)
        path = f"{home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        dropped = {"PYTHONUNBUFFERED", "LSG_STATS", "NO_COLOR", "FORCE_COLOR"}
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        # The kernels of one instruction set round alike on every machine that has it.
        changes = {"PATH": path, "PYTHONPATH": str(ROOT), "CT2_FORCE_CPU_ISA": "AVX2"}
        changes |= {
            "LSG_HOME": str(home / "lsg"),
            "HOME": name,
            "XDG_CONFIG_HOME": f"{name}/.config",
        }
        environment = kept | changes | {"COLUMNS": "80", "HF_HUB_OFFLINE": "1"}
        return {
            each: _run(each, folder, environment) for each in commands(document) if not each.needs
        }


def _run(command: Command, folder: Path, environment: dict[str, str]) -> Outcome:
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    first = ""
    if command.endless:
        assert process.stdout
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Outcome(process.returncode, errors + first + output)


def reader_folder(folder: Path) -> Path:
    """A directory with what the documents' commands name."""
    folder.mkdir()
    for name in SHOWN:
        (folder / name).symlink_to(ROOT / name)
    for name in ("app.log", "app.jsonl", "test.en", "test.de"):
        shutil.copy(ROOT / "examples" / name, folder)
    for name in ("book.txt", "notes.txt", "dev.en"):
        shutil.copy(ROOT / "examples" / "test.en", folder / name)
    shutil.copy(ROOT / "examples" / "test.de", folder / "dev.de")
    (folder / "report.json").write_text('{"items": [{"title": "The house is small."}]}\n')
    (folder / "terms.tsv").write_text("Norland\tNorland\n")
    (folder / "names.txt").write_text("Norland\nDashwood\n")
    write_speech(folder / "talk.wav", ROOT / "tests/data/speech/en_jfk.flac", seconds=2.0)
    (folder / "talks").mkdir()
    for name in ("film.mkv", "talks/one.mp3", "talks/two.mp3"):
        shutil.copy(folder / "talk.wav", folder / name)
    entries = (
        f"- {{wav: talks/{name}.mp3, offset: {offset}, duration: 1.0}}\n"
        for name in ("one", "two")
        for offset in (0.0, 1.0)
    )
    (folder / "talks.yaml").write_text("".join(entries))
    (folder / "talks.en").write_text("And so\nmy fellow Americans\n" * 2)
    return folder


def write_speech(target: Path, source: Path, seconds: float) -> None:
    """The beginning of a recording, as WAV: 16 kHz, mono, 16 bits."""
    import wave

    with av.open(str(source)) as recording:
        frames = [frame.to_ndarray().reshape(-1) for frame in recording.decode(audio=0)]
    samples = np.concatenate(frames)[: int(seconds * 16_000)]
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.astype("<i2").tobytes())
