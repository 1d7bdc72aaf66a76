"""How speech is written: its formats, their options, and the writer they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from lsgcli.cli import options as o
    from lsgcli.output.base import SpeechWriter
    from lsgcli.output.captions import Layout

FORMATS = ("srt", "vtt")


def layout(
    form: str,
    *,
    characters: int | None,
    lines: int | None,
    least: float | None,
    most: float | None,
    speed: float | None,
) -> Layout:
    """Make a layout of what was asked for. Raises UsageError if it cannot be had."""
    from lsgcli.output.captions import Layout

    asked = {
        "characters": characters,
        "lines": lines,
        "least": least,
        "most": most,
        "speed": speed,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if given and form not in FORMATS:
        raise UsageError(
            "--max-chars, --max-lines, --min-seconds, --max-seconds and --max-cps belong to "
            f"--format srt and vtt, not {form}"
        )
    made = Layout(**given)  # type: ignore[arg-type]
    if made.least > made.most:
        raise UsageError(f"--min-seconds {made.least:g} is more than --max-seconds {made.most:g}")
    return made


def check(form: str, *, confidence: bool) -> None:
    """Raise UsageError for a format that has no place for confidences."""
    if confidence and form in FORMATS:
        raise UsageError(f"--confidence belongs to --format text, tsv and jsonl, not {form}")


def writer(
    form: o.SpeechFormat, layout: Layout, *, preview: bool, by_line: bool, confident: bool
) -> SpeechWriter:
    """Make the writer for a format."""
    from lsgcli.output.descriptor import Output

    if form.value == "text":
        from lsgcli.output.text import TextWriter

        return TextWriter(Output(), preview=preview, by_line=by_line, confident=confident)
    if form.value == "jsonl":
        from lsgcli.output.jsonl import JsonWriter

        return JsonWriter(Output())
    from lsgcli.output import subtitles

    if form.value == "tsv":
        return subtitles.TsvWriter(Output(), confident=confident)
    kind = subtitles.SrtWriter if form.value == "srt" else subtitles.VttWriter
    return kind(Output(), layout)
