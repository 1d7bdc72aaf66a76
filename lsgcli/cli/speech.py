"""``lsg asr`` and ``lsg st``: speech in, its transcript or translation out, while it arrives."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lsgcli import signals, terminal
from lsgcli.cli import options as o
from lsgcli.cli.audio_source import AudioOptions, Recording, list_devices
from lsgcli.cli.complete import speech_models
from lsgcli.cli.running import Run
from lsgcli.cli.speech_output import SpeechOutput
from lsgcli.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lsgcli.output.base import SpeechWriter
    from lsgcli.speech.pipeline import SpeechPipeline


@dataclass(frozen=True)
class Recogniser:
    """Which model listens, and what it is told before."""

    language: Annotated[
        str | None,
        o.INPUT(
            "--language",
            metavar="LANG|auto",
            callback=o.language,
            autocompletion=o.languages,
            help="Language that is spoken; auto: told by ear. (default: English for lsg asr "
            "without --model, else auto)",
        ),
    ] = None
    model: Annotated[
        str | None,
        o.MODEL(
            "--model",
            "-m",
            metavar="NAME|DIR",
            autocompletion=speech_models,
            help="tiny, base, small, … large-v3, distil-…, OWNER/NAME on the Hugging Face Hub, or "
            "a directory. (default: for English tiny.en, which is embedded, else what was pulled)",
        ),
    ] = None
    offline: Annotated[
        bool,
        o.MODEL("--offline", help="Never use the network."),
    ] = False
    silence: Annotated[
        float | None,
        o.MODEL(
            "--silence",
            min=0,
            max=30,
            callback=o.number,
            metavar="SECONDS",
            help="Silence put behind the audio that is encoded. (default: the model's)",
        ),
    ] = None
    window: Annotated[
        float | None,
        o.MODEL(
            "--window",
            min=0,
            max=30,
            callback=o.number,
            metavar="SECONDS",
            help="Encode at least so much, silence included; 30 is what Whisper was trained with. "
            "(default: the model's)",
        ),
    ] = None
    prompt: Annotated[
        str,
        o.MODEL(
            "--prompt",
            metavar="TEXT",
            help="Text that the model takes to stand before what is said: its subject, its "
            "spelling.",
            show_default=False,
        ),
    ] = ""
    hotwords: Annotated[
        str,
        o.MODEL(
            "--hotwords",
            metavar="FILE|WORDS",
            help="Names and terms to expect: a file with one a line, or words with commas between.",
            show_default=False,
        ),
    ] = ""
    stall: Annotated[
        float,
        o.INPUT(
            "--stall",
            min=0,
            callback=o.number,
            metavar="SECONDS",
            help="Time without any audio that ends an utterance; 0: none does.",
        ),
    ] = 2.0


def asr(
    audio: AudioOptions,
    recogniser: Recogniser,
    hearing: o.Hearing,
    device: o.Device,
    policy: o.SpeechPolicy,
    output: SpeechOutput,
    reports: o.Reports,
    color: o.Color = "auto",
) -> None:
    """Transcribe speech while it arrives.

    A sentence is a line, and so is what was said up to a pause. What has been written is never
    changed.

    Examples:
      lsg asr talk.mp3
      lsg asr --mic | lsg translate --to de
      lsg asr film.mkv --format srt > film.srt

    """
    _listen(None, audio, recogniser, hearing, device, policy, output, reports, color)


def st(
    audio: AudioOptions,
    recogniser: Recogniser,
    hearing: o.Hearing,
    device: o.Device,
    policy: o.SpeechPolicy,
    output: SpeechOutput,
    reports: o.Reports,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="LANG",
            callback=o.language,
            autocompletion=o.languages,
            help="Language to translate to; Whisper knows English.",
        ),
    ] = "en",
    color: o.Color = "auto",
) -> None:
    """Translate speech while it arrives.

    A sentence is a line, and so is what was said up to a pause. What has been written is never
    changed.

    Examples:
      lsg st --to en rede.wav
      lsg st --language de --mic

    """
    _listen(to, audio, recogniser, hearing, device, policy, output, reports, color)


def _listen(
    to: str | None,
    audio: AudioOptions,
    recogniser: Recogniser,
    hearing: o.Hearing,
    device: o.Device,
    policy: o.SpeechPolicy,
    output: SpeechOutput,
    reports: o.Reports,
    color: str,
) -> None:
    """Recognise, or translate to a language."""
    if audio.list_devices:
        list_devices()
        return
    from lsgcli.cli import hotwords

    prompt = hotwords.prompt(recogniser.prompt, recogniser.hotwords)
    settings = policy.settings()
    source = audio.source()
    output.check(several=source.several)
    source.check()
    # What takes long to import is imported once the command line is known to be right.
    from lsgcli.models.recogniser import choose

    chosen = choose(recogniser.model, recogniser.language, to, offline=recogniser.offline)
    from lsgcli.backends import open_speech

    with ExitStack() as stack:
        run = Run(stack, reports, color, source.inputs)
        run.open_report()
        backend = open_speech(
            chosen, device.placement(), recogniser.silence, recogniser.window, prompt
        )
        recordings = source.open()
        backend.ready()
        from lsgcli.output.statistics import SpeechStatistics
        from lsgcli.speech import build
        from lsgcli.speech.watch import Watch

        statistics = SpeechStatistics(backend.usage, live=source.live)
        preview = run.preview and output.output_format == "text"
        writer = output.writer(preview=preview, by_line=run.together)
        watch = (Watch(build.spoken(chosen)),) if settings.name != "offline" else ()
        observers = run.observers(statistics, *watch)

        def pipeline(recording: Recording, first: int) -> SpeechPipeline:
            samples = recording.open()
            if recording.microphone:
                statistics.lost = partial(getattr, recording.microphone, "lost")
                stack.enter_context(signals.first(recording.microphone.stop))
            feed = build.feed(
                chosen,
                samples,
                segment=hearing.segment,
                pause=hearing.pause,
                vad=hearing.vad,
                stall=recogniser.stall or None,
                live=source.live,
                pace=audio.realtime,
            )
            statistics.feeds.append(feed)
            return build.pipeline(
                chosen, backend, feed, settings, writer, observers, preview=preview, first=first
            )

        turns = _InTurn(recordings, pipeline, writer, several=source.several)
        run.to_end(turns, writer, statistics)
    if turns.failed:
        raise typer.Exit(ExitCode.FAILURE)


class _InTurn:
    """Recordings, one after the other; of several, one that cannot be heard does not end it."""

    def __init__(
        self,
        recordings: Iterable[Recording],
        pipeline: Callable[[Recording, int], SpeechPipeline],
        writer: SpeechWriter,
        *,
        several: bool,
    ) -> None:
        self.failed = 0  # how many could not be heard
        self._recordings = recordings
        self._pipeline = pipeline
        self._writer = writer
        self._several = several

    def run(self) -> None:
        """Run until the last one ends. Raises InputError if there is but one."""
        lines = 1
        for recording in self._recordings:
            try:
                pipeline = self._pipeline(recording, lines)
                self._writer.recording(recording.name)
                try:
                    pipeline.run()
                finally:
                    lines = pipeline.lines
            except InputError as error:
                if not self._several:
                    raise
                terminal.error(str(error))
                self.failed += 1
