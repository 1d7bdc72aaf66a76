"""``lsg asr`` and ``lsg st``: speech in, its transcript or translation out, while it arrives."""

from __future__ import annotations

import gc
import inspect
import os
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from lsgcli import signals, terminal
from lsgcli.cli import audio_source as s
from lsgcli.cli import options as o
from lsgcli.cli.running import ignore, policy_settings, run_to_end, shown
from lsgcli.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lsgcli.core.session import Observer
    from lsgcli.output.base import SpeechWriter
    from lsgcli.speech.pipeline import SpeechPipeline


def st(
    files: o.Recordings = None,
    to: o.SpeechTo = "en",
    language: o.Language = None,
    files_from: o.FilesFrom = None,
    mic: o.Mic = False,
    device_name: o.DeviceName = None,
    device_index: o.DeviceIndex = None,
    list_devices: o.ListDevices = False,
    raw: o.Raw = None,
    rate: o.Rate = None,
    channels: o.Channels = None,
    realtime: o.Realtime = False,
    segment_ms: o.SegmentMs = 640,
    pause: o.Pause = None,
    vad: o.Vad = True,
    idle: o.Stall = 2.0,
    model: o.SpeechModel = None,
    offline: o.Offline = False,
    silence: o.Silence = None,
    window: o.Window = None,
    prompt: o.Prompt = "",
    hotwords: o.Hotwords = "",
    device: o.DeviceOption = "auto",
    compute_type: o.ComputeType = "auto",
    threads: o.Threads = 0,
    policy: o.PolicyOption = o.PolicyName.LSG,
    latency: o.LatencyOption = None,
    profile: o.Profile = None,
    lower: o.Lower = None,
    upper: o.Upper = None,
    delta: o.Delta = None,
    alpha: o.Alpha = None,
    margin: o.Margin = None,
    kl_direction: o.Direction = None,
    k: o.K = None,
    n: o.N = None,
    output_format: o.FormatOfSpeech = o.SpeechFormat.TEXT,
    confidence: o.Confidence = False,
    max_chars: o.MaxChars = None,
    max_lines: o.MaxLines = None,
    min_seconds: o.MinSeconds = None,
    max_seconds: o.MaxSeconds = None,
    max_cps: o.MaxSpeed = None,
    explain: o.Explain = False,
    stats: o.Stats = False,
    stats_json: o.StatsJson = None,
    color: o.ColourOption = o.Colour.AUTO,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Translate speech while it arrives.

    A sentence is a line, and so is what was said up to a pause. What has been written is never
    changed.

    Examples: lsg st --to en rede.wav;  lsg st --language de --mic
    """
    if list_devices:
        s.list_devices()
        return
    # What takes long to import is imported once the command line is known to be right.
    from lsgcli.cli import hotwords as h
    from lsgcli.cli import speech_output
    from lsgcli.errors import UsageError

    expected = h.prompt(prompt, hotwords)
    layout = speech_output.layout(
        output_format.value,
        characters=max_chars,
        lines=max_lines,
        least=min_seconds,
        most=max_seconds,
        speed=max_cps,
    )
    speech_output.check(output_format.value, confidence=confidence)
    settings = policy_settings(
        policy, latency, profile, lower, upper, delta, alpha, margin, kl_direction, k, n
    )
    sound = s.sound(
        files,
        listed=files_from,
        mic=mic,
        device_name=device_name,
        device_index=device_index,
        raw=raw,
        rate=rate,
        channels=channels,
        realtime=realtime,
    )
    if sound.several and output_format.value in ("srt", "vtt", "tsv"):
        raise UsageError(f"--format {output_format.value} is of one recording; give one at a time")
    sound.check()
    from lsgcli.languages import NAMES
    from lsgcli.models import recogniser
    from lsgcli.models.catalog import AUTO

    note = ignore if quiet else terminal.note
    chosen = recogniser.choose(model, language, to or None, offline=offline, note=note)

    from lsgcli.backends import open_speech
    from lsgcli.core.backend import Placement
    from lsgcli.output.beside import SideFile, check_output
    from lsgcli.output.display import Explainer
    from lsgcli.output.statistics import SpeechStatistics
    from lsgcli.speech.watch import Watch

    warn = ignore if quiet else terminal.warning
    with ExitStack() as stack:
        check_output(sound.inputs)
        report = (
            stack.enter_context(SideFile(stats_json, "--stats-json", sound.inputs))
            if stats_json
            else None
        )
        placement = Placement(device, compute_type, threads)
        backend = open_speech(chosen, placement, silence, window, expected)
        recordings = sound.open(warn)
        backend.ready()

        together = explain and os.isatty(1) and os.isatty(2)
        preview = output_format is o.SpeechFormat.TEXT and not together and os.isatty(1)
        preview = preview and terminal.coloured(color.value, sys.stdout)
        writer = speech_output.writer(
            output_format, layout, preview=preview, by_line=together, confident=confidence
        )
        statistics = SpeechStatistics(backend.usage, warn=warn, live=sound.live)
        spoken = None if chosen.source == AUTO else NAMES.get(chosen.source, chosen.source)
        observers: tuple[Observer, ...] = (statistics,)
        observers += (Explainer(sys.stderr),) if explain else ()
        observers += (Watch(warn, spoken),) if settings.name != "offline" else ()

        def pipeline(recording: s.Recording, first: int) -> SpeechPipeline:
            from lsgcli.speech.chunks import AudioReader
            from lsgcli.speech.detector import Silero, everything
            from lsgcli.speech.feed import SpeechFeed
            from lsgcli.speech.pipeline import SpeechPipeline

            source = recording.open()
            if recording.microphone:
                statistics.lost = partial(getattr, recording.microphone, "lost")
                stack.enter_context(signals.first(recording.microphone.stop))
            feed = SpeechFeed(
                AudioReader(source, pace=realtime),
                Silero() if vad else everything,
                segment=segment_ms / 1000,
                pause=chosen.manifest.pause if pause is None else pause,
                idle=(idle or None) if sound.live else None,
                live=sound.live,
            )
            statistics.feeds.append(feed)
            return SpeechPipeline(
                feed,
                settings.policy(chosen.policy, speech=True),
                backend,
                writer,
                observers,
                language=None if chosen.target == AUTO else chosen.target,
                preview=preview,
                first=first,
                scroll=chosen.manifest.scroll,
                context=chosen.manifest.context,
            )

        alone = not os.isatty(1) and not explain  # nothing else writes to that terminal
        gc.freeze()  # what is loaded stays
        gc.enable()
        with shown(statistics, report, show=stats, live=alone, colour=color.value):
            turns = _InTurn(recordings, pipeline, writer, several=sound.several)
            run_to_end(turns, writer)
    if turns.failed:
        raise typer.Exit(ExitCode.FAILURE)


def asr(**options: Any) -> None:
    """Write down speech while it arrives.

    A sentence is a line, and so is what was said up to a pause. What has been written is never
    changed.

    Examples: lsg asr --mic;  lsg asr talk.mp3;  lsg asr --mic | lsg translate --to de
    """
    st(**options, to="")


# The options of lsg asr are those of lsg st, without --to.
asr.__annotations__ = {name: kind for name, kind in st.__annotations__.items() if name != "to"}
asr.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [each for name, each in inspect.signature(st, eval_str=True).parameters.items() if name != "to"]
)


class _InTurn:
    """Recordings, one after the other; of several, one that cannot be heard does not end it."""

    def __init__(
        self,
        recordings: Iterable[s.Recording],
        pipeline: Callable[[s.Recording, int], SpeechPipeline],
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
