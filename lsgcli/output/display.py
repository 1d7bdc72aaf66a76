"""What a person sees on standard error: the statistics table, and why each word was written."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from lsgcli.core.steps import Action, Commit, Decision, Event

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lsgcli.output.statistics import Statistics


def table(statistics: Statistics) -> RenderableType:
    """Lay the statistics out."""
    from rich.table import Table

    figures = statistics.summary()
    grid = Table(title="lsg", title_justify="left", show_header=False, box=None, pad_edge=False)
    grid.add_column(style="dim")
    grid.add_column()
    for name, value in _rows(figures):
        grid.add_row(name, value)
    return grid


def _rows(f: dict[str, Any]) -> list[tuple[str, str]]:
    spoken = "audio_s" in f
    rows = _of_speech(f) if spoken else _of_text(f)
    if f["first_word_ms"]:
        rows.append(("first word", _milliseconds(f["first_word_ms"])))
        rows.append(("each word", _milliseconds(f["commit_ms"])))
    rows += [
        (action, ", ".join(f"{count} {reason}" for reason, count in _reasons(f, action)))
        for action in ("READ", "WRITE")
        if any(_reasons(f, action))
    ]
    if spoken and f["audio_s"]:
        cost = f"{f['model_calls_per_second']:.1f} passes, {f['encoded_per_second']:.2f} s encoded"
        rows.append(("model", f"{cost} a second of audio"))
    elif f.get("words_read"):
        per_word = f"{f['model_calls_per_word']:.2f} calls, {f['tokens_per_word']:.1f} tokens"
        rows.append(("model", f"{per_word} a source word, {f['tokens_per_second']:.0f} tokens/s"))
    behind = ", falling behind" if f["falling_behind"] else ", keeping up" if f["behind_s"] else ""
    if spoken:
        speed = f"real-time factor {f['real_time_factor'] or 0:.3f}"
    else:
        speed = f"{f['words_per_second']:.0f} words/s while busy"
    rows.append(("speed", f"{speed}, busy {f['busy_s']:.2f} of {f['elapsed_s']:.2f} s{behind}"))
    return rows


def _of_text(f: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("words", f"{f['words_read']} read, {f['words_written']} written")]
    if f["words_protected"]:
        rows.append(("", f"{f['words_protected']} copied unchanged"))
    rows.append(("segments", f"{f['segments']}, {f['segments_streamed']} of them while arriving"))
    if f["segments_known"]:
        rows.append(("", f"{f['segments_known']} known without the model (--memory, --phrases)"))
    if f["segments_left"]:
        rows.append(("", f"{f['segments_left']} left as they are: below the floor (--floor)"))
    if f["segments_doubted"]:
        rows.append(("", f"{f['segments_doubted']} written, though below the floor"))
    if f["al"] is not None:
        rows.append(("AL / LAAL", f"{f['al']:.2f} / {f['laal']:.2f} words"))
    return rows


def _of_speech(f: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("audio", f"{f['audio_s']:.1f} s, {f['speech_s']:.1f} s of it speech")]
    if f["lost_s"]:
        rows.append(("", f"{f['lost_s']:.1f} s lost: they came faster than they were taken"))
    rows.append(("words", f"{f['words_written']} in {f['utterances']} utterances"))
    if f["al_ms"] is not None:
        rows.append(("AL / LAAL", f"{f['al_ms']:.0f} / {f['laal_ms']:.0f} ms"))
    return rows


def _reasons(figures: dict[str, Any], action: str) -> list[tuple[str, int]]:
    pairs = [(name.partition(" "), count) for name, count in figures["decisions"].items()]
    return [(reason, count) for (of, _, reason), count in pairs if of == action.lower()]


def _milliseconds(spread: dict[str, float] | None) -> str:
    if spread is None:
        return "-"
    return f"{spread['p50']:.1f} ms median, {spread['p95']:.1f} p95, {spread['max']:.1f} max"


class Explainer:
    """Prints every decision: i, j, max p, KL, the rule, and the word that was written."""

    def __init__(self, stream: IO[str]) -> None:
        """Print to ``stream``."""
        self._stream = stream
        self._segment = 0

    def begin(self, streamed: bool, now: float, read: float) -> None:
        """Print the heading of a segment."""
        self._segment += 1
        how = "" if streamed else ", complete when it was read"
        self._print(f"segment {self._segment}{how}")
        self._print(f"{'i':>4} {'j':>4} {'max p':>6} {'KL':>7}  decision")

    def event(self, event: Event, now: float, read: float) -> None:
        """Print a READ, or a committed word with the decision that wrote it."""
        if isinstance(event, Decision) and event.action is Action.READ:
            self._decision(event, "")
        elif isinstance(event, Commit):
            self._decision(event.decision, f"  {event.text}")

    def end(self, now: float, read: float) -> None:
        """Print nothing."""

    def verbatim(self, text: str, now: float) -> None:
        """Print what was copied."""
        self._print(f"{'':24}  COPY {text.strip()}")

    def waited(self, seconds: float, behind: float, now: float) -> None:
        """Print nothing."""

    def _decision(self, d: Decision, text: str) -> None:
        top = "" if d.top is None else f"{d.top:.3f}"
        kl = "" if d.kl is None else f"{d.kl:.3f}"
        rule = f"{d.action.value.upper():<5} {d.reason.value}"
        self._print(f"{d.i:>4} {d.j:>4} {top:>6} {kl:>7}  {rule:<16}{text}")

    def _print(self, line: str) -> None:
        print(line.rstrip(), file=self._stream, flush=True)
