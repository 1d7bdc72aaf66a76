"""The input as the translation loop reads it: pieces, as they arrive."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lsgcli.errors import InputError
from lsgcli.log import logger
from lsgcli.text.encoding import UTF_8, wide
from lsgcli.text.segmenter import EndLine, EndSegment, Line, Piece, Segmenter, Unit
from lsgcli.text.words import Item, Language, Utf8, WordSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lsgcli.text.chunks import Chunk
    from lsgcli.text.language import Router
    from lsgcli.text.recording import Chunks
    from lsgcli.text.words import Splitter

BURST = 4096  # bytes; a chunk of this size was cut by a buffer, not by a pause
WAITING = 4096  # pieces that may wait for the rest of a batch
SETTLE = 0.05  # seconds to wait for the rest of a line that a buffer has cut
GRACE = 0.01  # seconds to wait for the rest of a line that has begun, or for the end of the input
LONGEST_LINE = 1 << 16  # characters; a longer line is read word by word, so memory is bounded


class Feed:
    """Pulls chunks, decodes, splits and segments them; hands out the pieces.

    ``bulk``: what is complete is handed out in one go; otherwise the clock is simulated, and units
    are handed out one by one, as if each came alone.

    ``lines``: a line that is complete before any of it has been handed out is one piece. ``hold``:
    there are no others; the end of a line that has begun is waited for.
    """

    def __init__(
        self,
        chunks: Chunks,
        segmenter: Segmenter,
        *,
        bulk: bool = True,
        lines: bool = False,
        hold: bool = False,
        split: Callable[[], Splitter] = WordSplitter,
        idle: float | None = None,
        strict: bool = False,
        encoding: str = UTF_8,
        router: Router | None = None,
    ) -> None:
        """Take ``idle`` seconds without input as the end of a word.

        ``split`` makes what divides text into units. ``router`` detects the languages.
        ``encoding`` is that of the input before its conversion to UTF-8, for messages.
        """
        self.started: float | None = None  # when the first chunk arrived
        self.arrived = 0.0  # when the newest chunk arrived
        self._chunks = chunks
        self._segmenter = segmenter
        self._bulk = bulk
        self._lines = lines
        self._hold = hold
        self._idle = idle
        self._strict = strict
        self._encoding = encoding
        self._utf8 = Utf8()
        self._split = split
        self._splitter = split()
        self._router = router
        self._pieces: deque[Piece] = deque()
        self._begun: list[str] = []  # a line that may still become a piece
        self._length = 0  # characters in it
        self._inside = False  # a line of which words have been handed out
        self._whole = 0  # complete segments and lines among the pieces
        self._burst = False
        self._ended = False

    def complete(self, most: int, *, wait: bool = True) -> list[Piece]:
        """Hand out what is complete: ``most`` whole segments, to the end of a line.

        What is between them comes with them. Waits only for the rest of a line that was cut
        by a buffer, and without ``wait`` not even for that: such a line stays.
        """
        more = True
        while more and self._whole < most and len(self._pieces) < WAITING:
            more = self._pull(self._patience() if wait else 0)
        if wait and not more and not self._pieces:
            self._spill()
        end = self._line_ends() if more else len(self._pieces)
        least = self._whole - most  # whole segments that remain
        taken: list[Piece] = []
        while len(taken) < end and ((self._bulk and self._whole) or self.beginning() is None):
            taken.append(self._take())
            if self._whole <= least and isinstance(taken[-1], EndLine | Line):
                break
        return taken

    def waiting(self) -> bool:
        """Wait until there is a piece; false at the end of the input."""
        while not self._pieces:
            if self._ended:
                return False
            if not self._begun or self._hold:
                self._pull(None)
            elif not self._pull(self._patience()):
                self._spill()
        return True

    def beginning(self) -> Unit | None:
        """Return the first unit of a segment that has begun, without taking it."""
        head = self._pieces[0] if self._pieces else None
        return head if isinstance(head, Unit) else None

    def units(self, *, wait: bool) -> tuple[list[Unit], bool]:
        """Hand out the next units of the segment that has begun, and whether it ends with them."""
        if not self._bulk and not wait:
            return [], False
        while self._bulk and not self._whole and self._pull(0):
            pass
        while wait and len(self._pieces) < (1 if self._bulk else 2) and not self._ended:
            self._pull(None)
        taken: list[Unit] = []
        while self._pieces and isinstance(piece := self._pieces[0], Unit):
            if taken and not self._bulk:
                return taken, False
            self._take()
            taken.append(piece)
        if self._pieces:
            self._take()
            return taken, True
        return taken, False

    def _patience(self) -> float:
        """Return how many seconds to wait for what may follow at once."""
        if self._burst:
            return SETTLE
        return GRACE if self._begun and not self._pieces else 0

    def _line_ends(self) -> int:
        """Return the number of pieces up to the last line end; of all, if there is none."""
        behind = enumerate(reversed(self._pieces))
        last = next((n for n, piece in behind if isinstance(piece, EndLine | Line)), 0)
        return len(self._pieces) - last

    def _take(self) -> Piece:
        piece = self._pieces.popleft()
        self._whole -= isinstance(piece, EndSegment | Line)
        return piece

    def _pull(self, timeout: float | None) -> bool:
        """Get a chunk and read it; false if none arrived."""
        if self._ended:
            return False
        idle = self._idle if timeout is None and self._holds() else timeout
        chunk = self._chunks.get(idle)
        if chunk is not None:
            self._decode(chunk)
        elif self._chunks.ended:
            self._end()
        elif timeout is None:
            self._flush()
        if chunk is not None or timeout != 0:
            self._burst = chunk is not None and len(chunk.data) >= BURST
        return chunk is not None or self._ended

    def _decode(self, chunk: Chunk) -> None:
        if self.started is None:
            self.started = chunk.time
            if name := wide(chunk.data):
                raise InputError(f"the input is {name.upper()}, not UTF-8; add --encoding {name}")
        self.arrived = chunk.time
        self._read(self._text(chunk.data))

    def _end(self) -> None:
        self._ended = True
        self._read(self._text(b"", final=True))
        self._spill(force=True)
        self._flush()
        self._extend(self._segmenter.end())

    def _read(self, text: str) -> None:
        """Take decoded input: as lines, if they may be pieces."""
        if not self._lines:
            self._add(self._splitter.feed(text))
            return
        *ended, rest = text.split("\n")
        for end in ended:
            self._begin(end)
            if self._inside:
                self._add(self._splitter.feed("\n"))
                self._inside = False
            else:
                self._whole_line(self._take_begun())
        self._begin(rest)

    def _begin(self, text: str) -> None:
        """Take a part of a line."""
        if self._inside:
            self._add(self._splitter.feed(text))
        elif text:
            self._begun.append(text)
            self._length += len(text)
            if self._length > LONGEST_LINE:
                self._spill(force=True)

    def _take_begun(self) -> str:
        text, self._begun, self._length = "".join(self._begun), [], 0
        return text

    def _spill(self, *, force: bool = False) -> None:
        """Hand out the words of a line that has begun."""
        if self._begun and (force or not self._hold):
            self._inside = True
            self._add(self._splitter.feed(self._take_begun()))

    def _whole_line(self, text: str) -> None:
        language = ""
        if self._router:
            items = list(self._router.feed(self._split().feed(text + "\n")))
            language = next((each.code for each in items if isinstance(each, Language)), "")
        self._extend([Line(text, language)])

    def _text(self, data: bytes, final: bool = False) -> str:
        before = self._utf8.invalid
        text = self._utf8.feed(data, final)
        if self._utf8.invalid and not before:
            what = f"the input is not valid {self._encoding.upper()}"
            if self._strict:
                raise InputError(f"{what} (--strict)")
            logger.warning(f"{what}; what is not becomes U+FFFD (--encoding reads others)")
        return text

    def _holds(self) -> bool:
        """Return whether something waits for more input."""
        return self._splitter.pending() or (self._router is not None and self._router.pending())

    def _flush(self) -> None:
        """Take what waits as complete: no input arrives for now."""
        self._add(self._splitter.flush())
        if self._router:
            self._segment(self._router.flush())

    def _add(self, items: Iterable[Item]) -> None:
        self._segment(self._router.feed(items) if self._router else items)

    def _segment(self, items: Iterable[Item]) -> None:
        for item in items:
            self._extend(self._segmenter.feed(item))

    def _extend(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._pieces.append(piece)
            self._whole += isinstance(piece, EndSegment | Line)
