"""How speech is written: its formats, their options, and the writer they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from lsgcli.cli.groups import section
from lsgcli.cli.options import OUTPUT, number
from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from lsgcli.output.base import SpeechWriter
    from lsgcli.output.captions import Layout

CAPTIONS = section("Captions: --format srt or vtt")
SpeechFormat: TypeAlias = Literal["text", "jsonl", "srt", "vtt", "tsv"]
OF_CAPTIONS = ("srt", "vtt")
OF_ONE = ("srt", "vtt", "tsv")  # formats of one recording


@dataclass(frozen=True)
class SpeechOutput:
    """What is written to standard output."""

    output_format: Annotated[
        SpeechFormat,
        OUTPUT(
            "--format",
            "-f",
            help="Words; an object for every event; subtitles; a row for every word.",
        ),
    ] = "text"
    confidence: Annotated[
        bool,
        OUTPUT(
            "--confidence",
            help="The probability of each word: after a tab in text, a column in tsv, always in "
            "jsonl.",
        ),
    ] = False
    max_chars: Annotated[
        int | None,
        CAPTIONS(
            "--max-chars",
            min=8,
            max=200,
            metavar="N",
            help="Characters of a line; wide ones count twice. (default: 42)",
        ),
    ] = None
    max_lines: Annotated[
        int | None,
        CAPTIONS(
            "--max-lines", min=1, max=4, metavar="N", help="Lines shown at a time. (default: 2)"
        ),
    ] = None
    min_seconds: Annotated[
        float | None,
        CAPTIONS(
            "--min-seconds",
            min=0,
            max=10,
            callback=number,
            metavar="SECONDS",
            help="Shortest time that a cue is shown. (default: 1)",
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        CAPTIONS(
            "--max-seconds",
            min=1,
            max=60,
            callback=number,
            metavar="SECONDS",
            help="Longest time that a cue is shown. (default: 7)",
        ),
    ] = None
    max_cps: Annotated[
        float | None,
        CAPTIONS(
            "--max-cps",
            min=1,
            max=100,
            callback=number,
            metavar="N",
            help="Characters to be read in a second, if the speech leaves the time. (default: 20)",
        ),
    ] = None

    def check(self, *, several: bool) -> None:
        """Raise UsageError for what a format does not have; ``several`` recordings are heard."""
        form = self.output_format
        if several and form in OF_ONE:
            raise UsageError(f"--format {form} is of one recording; give one at a time")
        if self.confidence and form in OF_CAPTIONS:
            raise UsageError(f"--confidence belongs to --format text, tsv and jsonl, not {form}")
        self.layout()

    def layout(self) -> Layout:
        """The layout of captions. Raises UsageError if it cannot be had."""
        from lsgcli.output.captions import Layout

        asked = {
            "characters": self.max_chars,
            "lines": self.max_lines,
            "least": self.min_seconds,
            "most": self.max_seconds,
            "speed": self.max_cps,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        if given and self.output_format not in OF_CAPTIONS:
            raise UsageError(
                "--max-chars, --max-lines, --min-seconds, --max-seconds and --max-cps belong to "
                f"--format srt and vtt, not {self.output_format}"
            )
        made = Layout(**given)  # type: ignore[arg-type]
        if made.least > made.most:
            raise UsageError(
                f"--min-seconds {made.least:g} is more than --max-seconds {made.most:g}"
            )
        return made

    def writer(self, *, preview: bool, by_line: bool) -> SpeechWriter:
        """Make the writer."""
        from lsgcli.output.descriptor import Output

        form = self.output_format
        if form == "text":
            from lsgcli.output.text import TextWriter

            return TextWriter(Output(), preview=preview, by_line=by_line, confident=self.confidence)
        if form == "jsonl":
            from lsgcli.output.jsonl import JsonWriter

            return JsonWriter(Output())
        from lsgcli.output import subtitles

        if form == "tsv":
            return subtitles.TsvWriter(Output(), confident=self.confidence)
        kind = subtitles.SrtWriter if form == "srt" else subtitles.VttWriter
        return kind(Output(), self.layout())
