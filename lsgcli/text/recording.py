"""Recordings of the input with its timing, to run a live stream again.

The file is JSON lines. The first has the settings (``Header``), each other one is a ``Piece``:
bytes in base64, the seconds since the first of them, and a checksum of all so far. A recording may
come from anyone. It holds numbers, names of choices and switches, each with its limits: no file, no
model, no pattern, nothing that is looked up or run.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lsgcli import __version__
from lsgcli.core.steps import KlDirection
from lsgcli.errors import InputError, UsageError
from lsgcli.policy.levels import LevelName, Probability
from lsgcli.policy.spec import PolicyName
from lsgcli.text.chunks import Chunk
from lsgcli.text.structure.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

T = TypeVar("T")

LONGEST = 1 << 20  # bytes of a line
LONGEST_STREAM = 1e9  # seconds
LONGEST_REASON = 300  # characters

Language = Annotated[str, Meta(pattern="^[a-z]{2,3}$")]
Field = Annotated[str, Meta(min_length=1, max_length=200)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_STREAM)]
NotKept = Literal["--model", "--memory", "--protect-regex"]
NOT_KEPT: dict[str, NotKept] = {
    "model": "--model", "memory": "--memory", "protect_regex": "--protect-regex"
}  # fmt: skip


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options that were given, by their names; others are unset."""

    to: Language
    from_: Language | Literal["auto"] | UnsetType = msgspec.field(name="from", default=UNSET)
    policy: PolicyName | UnsetType = UNSET
    latency: LevelName | UnsetType = UNSET
    lower: Positive | UnsetType = UNSET
    upper: Count | UnsetType = UNSET
    delta: Annotated[float, Meta(ge=0, le=1e6)] | UnsetType = UNSET
    alpha: Probability | UnsetType = UNSET
    direction: KlDirection | UnsetType = UNSET
    k: Positive | UnsetType = UNSET
    n: Positive | UnsetType = UNSET
    segment: Literal["line", "sentence"] | UnsetType = UNSET
    protect: bool | UnsetType = UNSET
    as_: Kind | UnsetType = msgspec.field(name="as", default=UNSET)
    json_field: Annotated[list[Field], Meta(max_length=64)] | UnsetType = UNSET
    floor: Annotated[str, Meta(pattern=r"^(auto|none|-?\d{1,6}(\.\d{1,6})?)$")] | UnsetType = UNSET
    phrases: bool | UnsetType = UNSET
    idle: Seconds | UnsetType = UNSET
    pace: Literal[0] | UnsetType = UNSET  # each word when the one before is dealt with
    strict: bool | UnsetType = UNSET
    output_format: Literal["text", "jsonl"] | UnsetType = UNSET

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Make settings of values by field. Raises UsageError for invalid ones."""
        names = dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
        try:
            return msgspec.convert({names[name]: value for name, value in values.items()}, cls)
        except msgspec.ValidationError as error:
            raise UsageError(f"a recording cannot hold these options: {error}") from error

    def given(self) -> dict[str, Any]:
        """Return what is set, by the names of the fields, as numbers, names and switches."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: msgspec.to_builtins(value) for name, value in values if value is not UNSET}


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of a recording."""

    recording: Literal[2] = 2  # version of the format
    lsg: Annotated[str, Meta(max_length=40)] = __version__
    settings: Settings
    without: Annotated[list[NotKept], Meta(max_length=8)] = []  # options that are not kept


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chunk of input."""

    at: Seconds  # since the first chunk
    data: bytes
    sum: int  # CRC-32 of all times and bytes up to here


class Sink(Protocol):
    """Where a recording is written."""

    def write(self, data: bytes, /) -> object:
        """Write all of it, at once."""
        ...


class Chunks(Protocol):
    """The source of a feed's chunks; see ``ChunkReader``."""

    @property
    def ended(self) -> bool:
        """Whether the input has ended."""
        ...

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Return the next chunk; None at the end, or when ``timeout`` seconds have passed."""
        ...


class Recorder:
    """Passes chunks on and records each at once."""

    def __init__(self, chunks: Chunks, file: Sink, header: Header) -> None:
        """Write the header."""
        self._chunks = chunks
        self._file = file
        self._first: float | None = None
        self._sum = 0
        self._write(header)

    @property
    def ended(self) -> bool:
        """Whether the input has ended."""
        return self._chunks.ended

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Return the next chunk after recording it."""
        chunk = self._chunks.get(timeout)
        if chunk is not None:
            self._first = chunk.time if self._first is None else self._first
            at = round(chunk.time - self._first, 6)
            self._sum = _sum(self._sum, at, chunk.data)
            self._write(Piece(at, chunk.data, self._sum))
        return chunk

    def _write(self, record: Header | Piece) -> None:
        self._file.write(msgspec.json.encode(record) + b"\n")


class Replay:
    """A recording as input, in virtual time: the result is always the same.

    Every chunk is processed before the next one arrives. A pause longer than the time-out asked for
    is a time-out again.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Read the header. Raises InputError, naming the line, if the file is no recording."""
        self.ended = False
        self._name = name
        self._now = 0.0
        lines = iter(lambda: file.readline(LONGEST + 1), b"")
        self.header = self._decode(1, next(lines, b""), Header)
        self._pieces = self._read(lines)
        self._next = next(self._pieces, None)

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Return the next chunk if its time comes before the time-out, or else None.

        Raises InputError, naming the line, if the next line is damaged.
        """
        piece = self._next
        if piece is None:
            self.ended = timeout != 0
            return None
        until = self._now if timeout == 0 else self._now + (timeout or float("inf"))
        if piece.at > until:
            self._now = until
            return None
        self._now = piece.at
        self._next = next(self._pieces, None)
        return Chunk(piece.data, time.monotonic())

    def _read(self, lines: Iterator[bytes]) -> Iterator[Piece]:
        expected, before = 0, 0.0
        for number, line in enumerate(lines, 2):
            piece = self._decode(number, line, Piece)
            expected = _sum(expected, piece.at, piece.data)
            if piece.sum != expected:
                raise self._damaged(number, "its checksum differs, or a line before it is missing")
            if piece.at < before:
                raise self._damaged(number, "it is earlier than the line before")
            before = piece.at
            yield piece

    def _decode(self, number: int, line: bytes, kind: type[T]) -> T:
        if len(line) > LONGEST:
            raise self._damaged(number, f"a line of more than {LONGEST} bytes")
        if not line.endswith(b"\n"):
            reason = (
                "it is cut short: delete the line" if number > 1 else "it is empty or cut short"
            )
            raise self._damaged(number, reason)
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged(number, str(error)) from error

    def _damaged(self, number: int, reason: str) -> InputError:
        return InputError(
            f"{self._name}:{number}: not a recording of this lsg's: {reason[:LONGEST_REASON]}"
        )


def _sum(before: int, at: float, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(repr(at).encode(), before))
