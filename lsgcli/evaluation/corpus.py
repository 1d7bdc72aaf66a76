"""A test set: source sentences and their references, one a line; or recordings of segments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs.files import line_sum, text_lines
from lsgcli.evaluation.segments import SUFFIXES, Segment, by_recording, load_segments
from lsgcli.models.pull.limits import TEST_SET, deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Divide = Callable[[str], tuple[str, ...]]

NOT_TEXT = {*SUFFIXES, ".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a"}


@dataclass(frozen=True)
class Sentence:
    """A source sentence, or the path of a recording, and its reference; ``index`` counts from 0."""

    index: int
    source: str
    reference: str
    divide: Divide | None = None  # into source units, where those are not words between spaces
    recorded: bool = False  # source is the path of a recording
    segments: tuple[Segment, ...] = ()  # of the recording, if it is scored by them

    @cached_property
    def checksum(self) -> str:
        """A checksum of what its translation and its score depend on. Raises OSError."""
        content = checksum(Path(self.source)) if self.recorded else self.source
        return line_sum(content.encode(), self.reference.encode())

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The source units: words between spaces, as in SimulEval, or what ``divide`` says."""
        return tuple(self.source.split()) if self.divide is None else self.divide(self.source)

    def read(self, units: int) -> int:
        """How much of the source so many units are: words, or characters without whitespace."""
        if self.divide is None:
            return units
        return sum(len(unit.strip()) for unit in self.units[:units])

    @property
    def logged(self) -> str | tuple[str, ...]:
        """The source as logs have it: a text of words, or a list of characters."""
        return self.source if self.divide is None else characters(self.source)


def characters(text: str) -> tuple[str, ...]:
    """Divide a text into its characters, without whitespace."""
    return tuple("".join(text.split()))


def load_corpus(
    source: Path, target: Path | None, *, divide: Divide | None = None
) -> list[Sentence]:
    """Read a test set. Its source units are words, or what ``divide`` makes of a text.

    Raises:
        InputError: if the files have not as many lines, no lines, or a blank line.
        UsageError: if a file cannot be opened or is not text.

    """
    if source.suffix.lower() in NOT_TEXT:
        raise UsageError(
            f"{source}: not text; give a file with one sentence per line, or for a speech model "
            "one with the path of a recording per line, or a manifest of segments"
        )
    if target is None:
        raise UsageError(f"{source}: references are missing; give a file of them, one a line")
    sources, references = _lines(source), _lines(target)
    if len(sources) != len(references):
        raise InputError(
            f"{source} has {len(sources)} lines but {target} has {len(references)}; "
            "give one reference per sentence"
        )
    return [
        Sentence(index, text, reference, divide)
        for index, (text, reference) in enumerate(zip(sources, references, strict=True))
    ]


def load_recordings(source: Path, target: Path | None) -> list[Sentence]:
    """Read a test set of speech: ``source`` has the path of a recording on each line.

    Paths are relative to the list, or to the current directory. Or ``source`` is a manifest of
    segments, which may have the references itself. Raises InputError, UsageError.
    """
    if source.suffix.lower() in SUFFIXES:
        return _load_segmented(source, target)
    found = []
    for number, each in enumerate(load_corpus(source, target), 1):
        path = Path(each.source.strip())
        beside = source.parent / path
        if not beside.is_file() and not path.is_file():
            raise InputError(f"{source}:{number}: there is no recording {each.source}")
        path = beside if beside.is_file() else path
        found.append(replace(each, source=str(path), recorded=True))
    return found


def _load_segmented(manifest: Path, references: Path | None) -> list[Sentence]:
    """Recordings are beside the manifest, or in the directory ``wav`` beside its own as MuST-C's.

    A recording's reference is all those of its segments.
    """
    found = []
    segments = by_recording(load_segments(manifest, references))
    for index, (wav, parts) in enumerate(segments.items()):
        places = [manifest.parent / wav, manifest.parent.parent / "wav" / wav, Path(wav)]
        path = next((each for each in places if each.is_file()), None)
        if path is None:
            raise InputError(
                f"{manifest}: there is no recording {wav}; looked for "
                f"{', '.join(str(each) for each in places)}"
            )
        own = tuple(replace(each, wav=str(path)) for each in parts)
        reference = " ".join(each.reference for each in parts)
        found.append(Sentence(index, str(path), reference, recorded=True, segments=own))
    return found


def checksum(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sacrebleu_files(test_set: str, direction: str) -> tuple[Path, Path]:
    """Get a test set of sacreBLEU's, from its cache or from the network.

    Args:
        test_set: its name, e.g. ``wmt15``.
        direction: source and target language, e.g. ``de-en``.

    Raises:
        UsageError: if there is no such test set, or it cannot be downloaded.

    """
    from sacrebleu.dataset import DATASETS
    from sacrebleu.utils import get_reference_files, get_source_file

    if test_set not in DATASETS:
        raise UsageError(f"--test-set: sacreBLEU has no {test_set!r}; see `sacrebleu --list`")
    if direction not in DATASETS[test_set].langpairs:
        raise UsageError(
            f"--test-set: {test_set} has no {direction}; "
            f"it has {', '.join(DATASETS[test_set].langpairs)}"
        )
    late = UsageError(
        f"--test-set: {test_set} is not downloaded within {TEST_SET:.0f} s; try again later, or "
        "give --source and --target"
    )
    try:
        with deadline(TEST_SET, late):
            return Path(get_source_file(test_set, direction)), Path(
                get_reference_files(test_set, direction)[0]
            )
    except (OSError, SystemExit) as error:  # the library exits on an error
        raise UsageError(
            f"--test-set: {test_set} is not in sacreBLEU's cache and cannot be downloaded "
            f"({error}); go online once, or give --source and --target"
        ) from error


def _lines(file: Path) -> Sequence[str]:
    lines = []
    for number, line in text_lines(file):
        text = line.removeprefix("\N{BYTE ORDER MARK}") if number == 1 else line
        if not text.strip():
            raise InputError(
                f"{file}:{number}: blank line; remove it from the source and from the references"
            )
        lines.append(text)
    if not lines:
        raise InputError(f"{file}: no sentences; give one per line")
    return lines
