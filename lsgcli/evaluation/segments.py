"""Segments of recordings: what is said from when to when, as evaluation of long recordings has it.

==========  ==========================================================================
YAML, JSON  MuST-C's and IWSLT's, OmniSTEval's and simulstream's: a list of ``wav``, ``offset``,
            ``duration``, in seconds; the references are a file with a line for each
TSV         columns of these names and in any order, ``reference`` and ``source`` if wanted
==========  ==========================================================================
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import msgspec

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs.files import text_lines, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

FILE_NAME = "segments.tsv"
SUFFIXES = (".yaml", ".yml", ".json", ".tsv")
LARGEST = 64 << 20  # bytes of a manifest
COLUMNS = ("wav", "offset", "duration", "reference", "source")


@dataclass(frozen=True)
class Segment:
    """A segment of a recording.

    Attributes:
        wav: the recording, as the manifest names it.
        offset: where it begins, in seconds.
        duration: in seconds.
        reference: what should be written for it; empty if that is not known.
        source: what is said; empty if that is not known.

    """

    wav: str
    offset: float
    duration: float
    reference: str = ""
    source: str = ""

    @property
    def end(self) -> float:
        """Where it ends, in ms."""
        return self.offset * 1000 + self.duration * 1000


Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class _Entry(msgspec.Struct):
    """An entry of a manifest; MuST-C's has more, which is skipped."""

    wav: str
    offset: Seconds
    duration: Annotated[float, msgspec.Meta(gt=0, le=1e9)]
    reference: str = ""
    source: str = ""


def load_segments(path: Path, references: Path | None = None) -> list[Segment]:
    """Read a manifest.

    Args:
        path: YAML, JSON or TSV, by its suffix.
        references: a line for each segment, in place of the manifest's own.

    Raises:
        InputError: if it is broken, or there is not one reference for each segment.
        UsageError: if a file cannot be opened, or there are no references.

    """
    try:
        read = _READERS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path}: segments are in YAML, JSON or TSV; name a file that ends in "
            f"{', '.join(SUFFIXES)}"
        ) from None
    found = [_segment(each) for each in read(path)]
    if not found:
        raise InputError(f"{path}: no segments")
    if references is not None:
        found = _referenced(found, path, references)
    elif not any(each.reference for each in found):
        raise UsageError(f"{path} has no references; give a file of them, one line a segment")
    _check_order(found, path)
    return found


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Write a manifest as TSV, whole or not at all. Raises OutputError."""
    rows = (
        (each.wav, repr(each.offset), repr(each.duration), each.reference, each.source)
        for each in segments
    )
    lines = ("\t".join(cell.replace("\t", " ") for cell in row) for row in rows)
    write_lines(path, ("\t".join(COLUMNS), *lines))


def kept_segments(run: Path) -> list[Segment] | None:
    """The segments that a run's directory has, if it has some. Raises InputError."""
    path = run / FILE_NAME
    return load_segments(path) if path.is_file() else None


def by_recording(segments: Sequence[Segment]) -> dict[str, list[Segment]]:
    """The segments of each recording, in the order of the manifest."""
    found: dict[str, list[Segment]] = {}
    for each in segments:
        found.setdefault(each.wav, []).append(each)
    return found


def _segment(entry: _Entry) -> Segment:
    reference, source = (" ".join(each.splitlines()) for each in (entry.reference, entry.source))
    return Segment(entry.wav, entry.offset, entry.duration, reference, source)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a manifest of segments") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}: a manifest of more than {LARGEST >> 20} MB")
    return content


def _decoded(path: Path, decode: Callable[..., list[_Entry]]) -> list[_Entry]:
    try:
        return decode(_content(path), type=list[_Entry])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}: {error}; give a list of entries with wav, offset and duration"
        ) from error


def _yaml(path: Path) -> list[_Entry]:
    return _decoded(path, msgspec.yaml.decode)


def _json(path: Path) -> list[_Entry]:
    return _decoded(path, msgspec.json.decode)


def _tsv(path: Path) -> list[_Entry]:
    lines = [line for _, line in text_lines(path)]
    header, *rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if lines else [[]]
    missing = [name for name in COLUMNS[:3] if name not in header]
    if missing:
        raise InputError(
            f"{path}:1: no column {missing[0]!r}; the first line names the columns: "
            "wav, offset, duration, and reference and source if there are"
        )
    found = []
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(header):
            raise InputError(f"{path}:{number}: {len(row)} columns, not {len(header)}")
        cells = dict(zip(header, row, strict=True))
        try:
            found.append(msgspec.convert(cells, _Entry, strict=False))
        except msgspec.ValidationError as error:
            raise InputError(f"{path}:{number}: {error}") from error
    return found


_READERS: dict[str, Callable[[Path], list[_Entry]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
    ".tsv": _tsv,
}


def _referenced(segments: Sequence[Segment], path: Path, references: Path) -> list[Segment]:
    lines = [line for _, line in text_lines(references)]
    if len(lines) != len(segments):
        raise InputError(
            f"{references} has {len(lines)} lines but {path} has {len(segments)} segments; give "
            "one reference a segment"
        )
    pairs = zip(segments, lines, strict=True)
    return [replace(segment, reference=line.strip()) for segment, line in pairs]


def _check_order(segments: Sequence[Segment], path: Path) -> None:
    begun: dict[str, float] = {}
    for number, each in enumerate(segments, 1):
        if each.offset < begun.get(each.wav, 0.0):
            raise InputError(
                f"{path}: segment {number} begins at {each.offset:g} s, before the one in front of "
                f"it in {each.wav}; sort the segments of a recording by time"
            )
        begun[each.wav] = each.offset
