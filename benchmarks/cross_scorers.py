"""Our scores beside those of SimulEval, OmniSTEval and simulstream, on the same logs.

One command, from the root of the repository; it builds an environment for the peers first:

    python -m benchmarks.cross_scorers [--venv /tmp/simuleval-venv] [--output FILE]

Logs are written by our writers, and by SimulEval itself driving a wait-3 agent. Exits 1 if a
value differs in the third decimal. SimulEval's ATD of a text log is taken before it is reloaded;
what reloading makes of it, and other bugs, are shown at the end.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lsgcli.evaluation.logs import (
    Instance,
    read_log,
    write_omnisteval,
    write_simuleval,
    write_simulstream,
)
from lsgcli.evaluation.resegment import Method
from lsgcli.evaluation.score import ScoreOptions, measure_log, summarise
from lsgcli.evaluation.segments import load_segments
from lsgcli.metrics.clocks import simuleval_clock

ROOT = Path(__file__).parent
PEER = ROOT / "cross_scorers_peer.py"
SPM_MODEL = ROOT.parent / "models" / "en-de" / "spm.model"
PACKAGES = ["simuleval==1.1.4", "OmniSTEval==0.1.10", "mweralign==1.4.1", "sentencepiece"]
WITHOUT_DEPENDENCIES = ["simulstream==1.0.0"]  # they would pull in torch
WORDS = [
    "wir",
    "sehen",
    "heute",
    "ein",
    "kleines",
    "altes",
    "Haus",
    "am",
    "Fluss",
    ",",
    "das",
    "steht",
]
OMNISTEVAL_NAMES = {"BLEU": "bleu", "chrF": "chrf"}
HEADER = f"  {'metric':<16}{'lsg':>12}{'SimulEval':>12}{'OmniSTEval':>12}   verdict"

Scores = Mapping[str, float | None]


@dataclass
class Peer:
    """Calls functions of cross_scorers_peer.py in the peers' environment."""

    python: Path

    def __call__(self, function: str, *arguments: object) -> Any:
        """Give the result; raises RuntimeError with the peer's exception."""
        answer = self.ask(function, *arguments)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def ask(self, function: str, *arguments: object) -> dict[str, Any]:
        """Give the result or the peer's exception."""
        command = [str(self.python), str(PEER), function, json.dumps(arguments, default=str)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


class Report:
    """Collects the lines to print and counts what is not explained."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.differences = 0
        self.agreements = 0

    def say(self, text: str = "") -> None:
        """Print a line and keep it."""
        print(text)
        self.lines.append(text)

    def table(
        self,
        title: str,
        ours: Scores,
        simuleval: Scores | None,
        omnisteval: Scores | None,
    ) -> None:
        """Print our value of each metric beside theirs."""
        self.say(f"\n{title}\n{HEADER}")
        for metric, value in ours.items():
            theirs = [_find(simuleval, metric), _find(omnisteval, _omnisteval_name(metric))]
            if theirs == [None, None]:
                continue
            verdict = self.judge(value, theirs)
            cells = "".join(f"{_cell(number):>12}" for number in (value, *theirs))
            self.say(f"  {metric:<16}{cells}   {verdict}")

    def judge(self, ours: float | None, theirs: Iterable[float | None]) -> str:
        """Compare a value with those of the peers that have it."""
        if all(other is None or _agree(ours, other) for other in theirs):
            self.agreements += 1
            return "agree"
        self.differences += 1
        return "DIFFERENT"


def main() -> int:
    """Run all cases; 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path("/tmp/simuleval-venv"))
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "cross_scorers.txt")
    options = parser.parse_args()
    peer = Peer(peer_environment(options.venv))
    report = Report()
    report.say(f"lsg's scores beside {' and '.join(PACKAGES[:2])}; agreement to 3 decimals.")
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            case(peer, report, Path(directory))
    report.say(
        f"\n{report.agreements} comparisons agree to 3 decimals; {report.differences} differ."
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(report.lines) + "\n")
    return 1 if report.differences else 0


def peer_environment(venv: Path) -> Path:
    """Build the peers' environment unless it is there; return its Python."""
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    check = [
        str(python),
        "-c",
        "import simuleval, omnisteval, mweralign, sentencepiece, simulstream",
    ]
    if subprocess.run(check, stderr=subprocess.DEVNULL).returncode:
        install = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *PACKAGES], check=True)
        subprocess.run([*install, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)
    return python


# Corpora


def sentence(rng: random.Random, length: int) -> str:
    """Make up a sentence."""
    return " ".join(rng.choices(WORDS, k=length))


def distorted(rng: random.Random, text: str) -> str:
    """Drop, double and replace words, so that hypotheses are shorter and longer."""
    words: list[str] = []
    for word in text.split():
        words += rng.choice([[word]] * 6 + [[], [word, word], ["etwas"]])
    return " ".join(words)


def text_corpus(count: int = 80) -> list[Instance]:
    """Wait-k translations with k from 1 to 9, and the edge cases."""
    rng = random.Random(1)
    corpus = []
    for index in range(count):
        source = sentence(rng, rng.randint(1, 25))
        reference = distorted(rng, source) or "ja"
        prediction = distorted(rng, reference)
        length, lag = len(source.split()), rng.randint(1, 9)
        delays = tuple(min(length, lag + i) for i in range(len(prediction.split())))
        corpus.append(Instance(index, prediction, delays, length, "text", reference, source))
    return [*corpus, *text_edges(count)]


def text_edges(start: int) -> list[Instance]:
    """Make the edge cases of a text log, one sentence each."""
    rows = [
        ("ja", (1,), "ja", "yes"),
        ("ja", (3,), "ja doch", "yes of course"),
        ("", (), "ja doch", "yes of course"),
        ("a b c d e f", (1, 1, 1, 2, 2, 2), "a b", "one two"),
        ("a", (2,), "a b c d e f", "one two three"),
        ("a b c", (3, 3, 3), "a b c", "one two three"),
        ("a b c", (1, 1, 2), "a b c", "one two three"),
        ("a b", (0, 2), "a b", "one two three"),
        ("a b", (1, 2), "a  b c", "one two three"),
    ]
    return [
        Instance(start + i, prediction, delays, len(source.split()), "text", reference, source)
        for i, (prediction, delays, reference, source) in enumerate(rows)
    ]


def speech_corpus(count: int = 80) -> list[Instance]:
    """Chunked speech translation with SimulEval's clock, and the edge cases."""
    rng = random.Random(2)
    corpus = []
    for index in range(count):
        reference = sentence(rng, rng.randint(1, 30))
        prediction = distorted(rng, reference) or "ja"
        length = rng.randint(800, 20_000) / 1.6
        words = len(prediction.split())
        delays = sorted(min(length, 320.0 * rng.randint(1, 60)) for _ in range(words))
        computes = [rng.uniform(1, 300) for _ in range(words)]
        corpus.append(speech_instance(index, prediction, delays, length, reference, computes))
    edges = [
        ("ja", [900.0], 900.0, "ja"),
        ("ja doch", [950.0, 950.0], 900.0, "ja doch"),
        ("", [], 900.0, "ja doch"),
        ("a b c d e f", [300.0, 300.0, 301.5, 900.0, 900.0, 900.0], 900.0, "a b"),
        ("a", [600.0], 900.0, "a b c d e f"),
        ("a b", [300.0, 880.0], 900.0, "a  b c"),
    ]
    for index, (prediction, delays, length, reference) in enumerate(edges, count):
        computes = [50.0] * len(delays)
        corpus.append(speech_instance(index, prediction, delays, length, reference, computes))
    return corpus


def speech_instance(
    index: int,
    prediction: str,
    delays: Sequence[float],
    length: float,
    reference: str,
    computes: Sequence[float],
) -> Instance:
    """Put a speech sentence together."""
    source = (f"/data/{index}.wav", "samplerate: 16000 Hz")
    elapsed = tuple(simuleval_clock(delays, computes)) or None
    times = tuple(delays)
    return Instance(index, prediction, times, length, "speech", reference, source, elapsed=elapsed)


# Cases


def text_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score a text log of our writer, by word."""
    corpus = text_corpus()
    ours, simuleval, omnisteval = by_all(peer, directory / "text", corpus)
    title = f"1. Text log written by lsg, {len(corpus)} sentences, unit word"
    report.table(title, ours, simuleval, omnisteval)


def hypothesis_length_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score the same without reference lengths."""
    ours = our_scores(directory / "text", ScoreOptions(use_reference_length=False))
    simuleval = peer("simuleval_score", directory / "text", ["--no-use-ref-len"])
    report.table(
        "2. The same log, --no-use-ref-len",
        {metric: ours[metric] for metric in ("AL", "LAAL", "AP", "DAL")},
        simuleval,
        None,
    )


def other_units_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score delays per character and per piece."""
    characters = [
        by_unit(instance, list(instance.prediction.replace(" ", "")), "")
        for instance in text_corpus()
    ]
    found = by_all(peer, directory / "char", characters, ScoreOptions(unit="char"))
    report.table("3a. Text log written by lsg, unit char", *found)

    import sentencepiece

    encode = sentencepiece.SentencePieceProcessor(model_file=str(SPM_MODEL)).encode_as_pieces
    pieces = [by_unit(instance, encode(instance.prediction)) for instance in text_corpus()]
    options = ScoreOptions(unit="spm", spm_encode=encode)
    write_simuleval(directory / "spm", pieces, source_type="text", unit="spm")
    flags = ["--eval-latency-unit", "spm", "--eval-latency-spm-model", str(SPM_MODEL)]
    simuleval = peer("simuleval_score", directory / "spm", flags)
    ours = our_scores(directory / "spm", options)
    report.table("3b. Text log written by lsg, unit spm", ours, simuleval, None)


def by_unit(instance: Instance, units: Sequence[str], joint: str | None = None) -> Instance:
    """Give the sentence one delay per unit, evenly over the source."""
    count = len(units)
    delays = tuple(1 + i * (int(instance.source_length) - 1) // count for i in range(count))
    if joint is None:
        return replace(instance, prediction_spm=tuple(units), delays=delays)
    return replace(instance, prediction=joint.join(units), delays=delays)


def simuleval_text_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score a text log that SimulEval wrote, and take its scores before reloading it."""
    rng = random.Random(5)
    sources = [sentence(rng, rng.randint(1, 20)) for _ in range(60)]
    sources += ["ja", "silence is golden", "zwei Worte"]
    source, target = directory / "source.txt", directory / "target.txt"
    source.write_text("\n".join(sources) + "\n")
    target.write_text("\n".join(distorted(rng, line) or "ja" for line in sources) + "\n")
    log = directory / "own-text"
    peer("simuleval_run", "text", source, target, log)
    simuleval = peer("simuleval_score", log, [])
    omnisteval = peer("omnisteval_score", log / "instances.log", target, "word")
    ours = our_scores(log)
    title = "4a. Text log written by SimulEval (wait-3 agent), reloaded"
    report.table(title, ours, simuleval, omnisteval)
    in_memory = peer("simuleval_run", "text", source, target, None)
    report.table("4b. The same run scored by SimulEval without reloading", ours, in_memory, None)


def speech_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score a speech log of our writer, with computation."""
    corpus = speech_corpus()
    found = by_all(peer, directory / "speech", corpus)
    report.table(f"5. Speech log written by lsg, {len(corpus)} sentences", *found)


def simuleval_speech_case(peer: Peer, report: Report, directory: Path) -> None:
    """Score a speech log that SimulEval wrote."""
    audio = directory / "audio"
    audio.mkdir()
    listing = peer("make_audio", audio, 40)
    target = directory / "speech-target.txt"
    target.write_text("".join(f"w0 w1 w2 x w{i}\n" for i in range(40)))
    log = directory / "own-speech"
    peer("simuleval_run", "speech", listing, target, log)
    simuleval = peer("simuleval_score", log, ["--computation-aware"])
    omnisteval = peer("omnisteval_score", log / "instances.log", target, "word")
    ours = our_scores(log, source_type="speech")
    empty = sum(not instance.delays for instance in read_log(log, source_type="speech"))
    title = f"6. Speech log written by SimulEval (wait-3 agent), 40 sentences, {empty} empty"
    report.table(title, ours, simuleval, omnisteval)


def edge_cases(peer: Peer, report: Report, directory: Path) -> None:
    """Score one sentence per log: what each scorer makes of it."""
    names = [
        "single word",
        "written at the end (d_1 = X)",
        "empty hypothesis",
        "hypothesis 3x the reference",
        "hypothesis 1/6 of the reference",
        "offline",
        "source not read to its end",
        "written before reading",
        "double space in the reference",
    ]
    late = speech_instance(0, "ja doch", [950.0, 950.0], 900.0, "ja doch", [50.0, 50.0])
    edges = [*zip(names, text_edges(0), strict=True), ("d_1 beyond the source (speech)", late)]
    report.say("\n7. Edge cases, one sentence each: lsg | SimulEval | OmniSTEval")
    for name, instance in edges:
        log = directory / "edges" / name.split("(")[0].strip().replace("/", "-")
        row = edge_row(peer, report, log, replace(instance, index=0))
        report.say(f"  {name}{row}")


def edge_row(peer: Peer, report: Report, log: Path, instance: Instance) -> str:
    """Score one sentence by all; the cells of AL, LAAL, AP, DAL and YAAL."""
    write_simuleval(log, [instance], source_type=instance.source_type)
    references = log / "reference.txt"
    references.write_text(f"{instance.reference}\n")
    ours = our_scores(log)
    simuleval = peer.ask("simuleval_score", log, [])
    omnisteval = peer("omnisteval_score", log / "instances.log", references, "word")
    if "error" in simuleval:
        return f"\n    all   n 0, skipped 1 | {simuleval['error'].split(':')[0]} | nan"
    cells = []
    for metric in ("AL", "LAAL", "AP", "DAL", "YAAL"):
        theirs = [simuleval["result"].get(metric), _find(omnisteval, metric.lower())]
        verdict = report.judge(ours[metric], theirs)
        values = " | ".join(_cell(value) for value in (ours[metric], *theirs))
        cells.append(f"\n    {metric:<6}{values:<36}{verdict}")
    return "".join(cells)


def long_form_case(peer: Peer, report: Report, directory: Path) -> None:
    """Let OmniSTEval cut recordings into segments, and read its resegmented log."""
    rng = random.Random(7)
    segments, references, recordings = [], [], []
    for number in range(4):
        offset, words, delays = 0.0, [], []
        for _ in range(6):
            reference = sentence(rng, rng.randint(4, 12))
            duration = rng.randint(2000, 6000) / 1000
            segments.append(f"- {{wav: r{number}.wav, offset: {offset}, duration: {duration}}}")
            references.append(reference)
            count = len(reference.split())
            words.append(reference)
            delays += [1000 * (offset + duration * (i + 1.5) / count) for i in range(count)]
            offset += duration
        times = tuple(sorted(min(delay, offset * 1000) for delay in delays))
        elapsed = tuple(time + 80.0 for time in times)
        text = " ".join(words)
        recordings.append(
            Instance(
                number,
                text,
                times,
                offset * 1000,
                "speech",
                source=f"r{number}.wav",
                elapsed=elapsed,
            )
        )
    yaml, target = directory / "segments.yaml", directory / "long-references.txt"
    yaml.write_text("\n".join(segments) + "\n")
    target.write_text("\n".join(references) + "\n")
    log = directory / "recordings.jsonl"
    write_omnisteval(log, recordings)
    output = directory / "resegmented"
    scores = peer("omnisteval_longform", log, yaml, target, output)
    ours = our_scores(output / "instances.resegmented.jsonl")
    ours = {name: value for name, value in ours.items() if "queue" not in name}
    title = "8. OmniSTEval longform on a log written by lsg; its resegmented log (LongYAAL)"
    report.table(title, ours, None, _without_long(scores))


@dataclass
class Talks:
    """Recordings of many segments, and a system that says them late and with errors.

    ``yaml`` is the manifest as of MuST-C, ``references`` has a line a segment.
    """

    directory: Path
    characters: bool = False

    @property
    def yaml(self) -> Path:
        """The manifest."""
        return self.directory / "talks.yaml"

    @property
    def references(self) -> Path:
        """A line for each segment."""
        return self.directory / "talks.txt"

    def write(self, count: int = 12) -> list[Instance]:
        """Write manifest and references; give the log of the system."""
        rng = random.Random(11)
        self.directory.mkdir()
        entries, lines, recordings = [], [], []
        for number in range(count):
            offset, words, delays = 0.0, [], []
            for _ in range(rng.randint(3, 15)):
                offset += rng.choice([0.0, 0.0, 0.35, 2.0])
                reference, duration = self._sentence(rng), rng.randint(1500, 9000) / 1000
                said = list(reference) if self.characters else distorted(rng, reference).split()
                said = [word for word in said if rng.random() > 0.1]
                entries.append(
                    f"- {{duration: {duration}, offset: {offset:.2f}, rW: 9, uW: 0, "
                    f"speaker_id: s.{number}, wav: ted_{number}.wav}}"
                )
                lines.append(reference)
                words += said
                delays += [
                    1000 * (offset + duration * (i + 2) / len(said)) for i in range(len(said))
                ]
                offset += duration
            # Never the end of a segment to the bit: in seconds it is rounded otherwise than in ms.
            times = [640 * (delay // 640 + 1) + 0.5 for delay in delays]
            length = offset * 1000 + 137
            delays = sorted(min(time, length) for time in times)
            elapsed = tuple(simuleval_clock(delays, [rng.uniform(1, 60) for _ in delays]))
            text = ("" if self.characters else " ").join(words)
            recordings.append(
                Instance(number, text, tuple(delays), length, "speech", elapsed=elapsed)
            )
        self.yaml.write_text("\n".join(entries) + "\n")
        self.references.write_text("\n".join(lines) + "\n")
        return [replace(each, source=f"/corpus/wav/ted_{each.index}.wav") for each in recordings]

    def _sentence(self, rng: random.Random) -> str:
        if self.characters:
            return "".join(
                rng.choices("我们今天看到河边有一座小的老房子，。", k=rng.randint(5, 40))
            )
        return sentence(rng, rng.randint(3, 25))

    def ours(self, log: Path, method: Method) -> Scores:
        """Score a log with lsg."""
        options = ScoreOptions(unit="char" if self.characters else "word")
        segments = load_segments(self.yaml, self.references)
        found = summarise(measure_log(log, options, segments=segments, resegment=method))
        return {
            metric: each.value for metric, each in found.scores.items() if "queue" not in metric
        }


def resegmented_case(peer: Peer, report: Report, directory: Path) -> None:
    """Cut recordings into segments by both alignments, in logs of ours and of simulstream."""
    talks = Talks(directory / "talks")
    recordings = talks.write()
    log = talks.directory / "instances.jsonl"
    write_omnisteval(log, recordings)
    scores = peer("omnisteval_longform", log, talks.yaml, talks.references, directory / "cut")
    title = "10a. Whole recordings, cut by SoftSegmenter: a log written by lsg (LongYAAL)"
    report.table(title, talks.ours(log, "soft"), None, _without_long(scores))

    written = talks.directory / "simulstream"
    write_simulstream(written, recordings)
    _simulstream_long(
        peer, report, talks, written, "10b", "written by lsg, in simulstream's format"
    )
    (talks.directory / "retranslated").mkdir()
    written = talks.directory / "retranslated"
    (written / "eval.yaml").write_text("detokenizer_type: simuleval\nlatency_unit: spm\n")
    lines = [line.replace('"wav_name": "', '"wav_name": "ted_') for line in retranslation(12)]
    (written / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    _simulstream_long(
        peer, report, talks, written, "10c", "of a system that retranslates, in pieces"
    )

    talks = Talks(directory / "characters", characters=True)
    log = talks.directory / "instances.jsonl"
    write_omnisteval(log, talks.write(), unit="char")
    options = {"char_level": True}
    cut = directory / "cut-characters"
    scores = peer("omnisteval_longform", log, talks.yaml, talks.references, cut, options)
    title = "10d. The same in characters"
    report.table(title, talks.ours(log, "soft"), None, _without_long(scores))


def _simulstream_long(
    peer: Peer, report: Report, talks: Talks, log: Path, number: str, what: str
) -> None:
    files = (log / "metrics.jsonl", log / "eval.yaml", talks.yaml, talks.references)
    theirs = peer("simulstream_score", *files)
    report.say(f"\n{number}. Whole recordings, cut by mweralign: a log {what} (StreamLAAL)")
    report.say(f"  {'metric':<16}{'lsg':>12}{'simulstream':>13}   verdict")
    ours = talks.ours(log, "mwer")
    for metric, value in theirs.items():
        verdict = report.judge(ours[metric], [value])
        report.say(f"  {metric:<16}{_cell(ours[metric]):>12}{_cell(value):>13}   {verdict}")
    options = {"config": str(files[1])}
    cut = log / "cut"
    scores = peer("omnisteval_longform", files[0], talks.yaml, talks.references, cut, options)
    title = f"{number}'. The same log, cut by SoftSegmenter (LongYAAL)"
    report.table(title, talks.ours(log, "soft"), None, _without_long(scores))


def _without_long(scores: Scores) -> Scores:
    return {name.replace("long_", ""): value for name, value in scores.items()}


def simulstream_case(peer: Peer, report: Report, directory: Path) -> None:
    """Read logs of simulstream with its own reader and ours."""
    log = directory / "simulstream"
    write_simulstream(log, [replace(i, source=f"{i.index}.wav") for i in speech_corpus()])
    report.say("\n9. simulstream's LogReader and ours: words, delays and CA delays of")
    _same_reading(peer, report, log, "our own log")
    retranslated = directory / "retranslated"
    retranslated.mkdir()
    (retranslated / "eval.yaml").write_text("detokenizer_type: simuleval\nlatency_unit: spm\n")
    (retranslated / "metrics.jsonl").write_text("\n".join(retranslation()) + "\n")
    _same_reading(peer, report, retranslated, "a retranslating system, in pieces")


def retranslation(recordings: int = 20) -> Iterable[str]:
    """Log a system that takes back and rewrites the end of its output."""
    rng = random.Random(9)
    yield json.dumps({"model_loading_time": 1.5})
    for recording in range(recordings):
        yield json.dumps({"id": recording, "metadata": {"wav_name": f"{recording}.wav"}})
        tokens: list[str] = []
        for step in range(1, 15):
            kept = max(0, len(tokens) - rng.choice([0, 0, 0, 1, 2, 4]))
            pieces = ["▁Haus", "▁ein", "tür", ".", "▁da", ","]
            new = ["▁Wir", *rng.choices(pieces, k=2)] if not kept else rng.choices(pieces, k=3)
            chunk = {
                "id": recording,
                "total_audio_processed": step * 0.96,
                "computation_time": round(rng.uniform(0.05, 2), 3),
                "generated_tokens": new,
                "deleted_tokens": tokens[kept:],
            }
            tokens = tokens[:kept] + new
            yield json.dumps(chunk)


def _same_reading(peer: Peer, report: Report, log: Path, name: str) -> None:
    theirs = peer("simulstream_read", log / "metrics.jsonl", log / "eval.yaml")
    same = True
    ours = list(read_log(log))
    for instance, (text, delays, aware) in zip(ours, theirs, strict=True):
        same &= instance.prediction == " ".join(text.split())
        same &= _same_times(instance.delays, delays)
        same &= _same_times(instance.elapsed or (), aware)
    report.agreements += same
    report.differences += not same
    words = sum(len(instance.delays) for instance in ours)
    report.say(f"  {name:<34}{words} words: {'agree' if same else 'DIFFERENT'}")


def traps_case(peer: Peer, report: Report, directory: Path) -> None:
    """Show where the peers go wrong, and what we do."""
    report.say("\n11. Confirmed bugs of the peers, run here, and what lsg does instead")
    text = peer("simuleval_score", directory / "text", ["--computation-aware"])
    reloaded = peer("simuleval_reloaded_atd", directory / "text")
    report.say(
        f"  SimulEval, text log 1 reloaded: ATD {reloaded:.3f}, for it takes any log for speech.\n"
        f"    lsg: ATD {our_scores(directory / 'text')['ATD']:.3f}, as SimulEval before reloading."
    )
    report.say(
        f"  SimulEval, text log, --computation-aware: AL_CA {text['AL_CA']:.3f}, from `elapsed` "
        "all 0.\n    lsg: a log without clock has no _CA scores."
    )
    silent = directory / "silent"
    write_simuleval(silent, [text_edges(0)[2]], source_type="text")
    answer = peer.ask("simuleval_score", silent, [])
    report.say(
        f"  SimulEval, every hypothesis empty: {answer['error']}\n"
        "    lsg: value None, n 0, skipped 1."
    )
    part = directory / "part"
    write_simuleval(part, speech_corpus()[5:10], source_type="speech")
    answer = peer.ask("simuleval_score", part, [])
    report.say(
        f"  SimulEval, a log whose first index is 5: {answer['error']} (ATD asks for index 0).\n"
        f"    lsg: ATD {our_scores(part)['ATD']:.3f}."
    )
    ours = our_scores(directory / "speech")
    report.say(
        "  SimulEval's clock adds up all computation, also what is done while audio arrives.\n"
        f"    lsg, log 5: LAAL_CA {ours['LAAL_CA']:.3f} (as SimulEval), "
        f"LAAL_CA_queue {ours['LAAL_CA_queue']:.3f}, LAAL {ours['LAAL']:.3f}."
    )


CASES: tuple[Callable[[Peer, Report, Path], None], ...] = (
    text_case,
    hypothesis_length_case,
    other_units_case,
    simuleval_text_case,
    speech_case,
    simuleval_speech_case,
    edge_cases,
    long_form_case,
    simulstream_case,
    resegmented_case,
    traps_case,
)


def by_all(
    peer: Peer, log: Path, corpus: Sequence[Instance], options: ScoreOptions | None = None
) -> tuple[Scores, Scores, Scores]:
    """Write a log with our writer and score it with all three."""
    options = options or ScoreOptions()
    kind = corpus[0].source_type
    write_simuleval(log, corpus, source_type=kind, unit=options.unit)
    references = log / "references.txt"
    references.write_text("".join(f"{instance.reference}\n" for instance in corpus))
    flags = ["--eval-latency-unit", options.unit]
    flags += ["--computation-aware"] if kind == "speech" else []
    simuleval = peer("simuleval_score", log, flags)
    omnisteval = peer("omnisteval_score", log / "instances.log", references, options.unit)
    if kind == "text":
        omnisteval = {name: value for name, value in omnisteval.items() if name[:3] != "ca_"}
    return our_scores(log, options), simuleval, omnisteval


def our_scores(
    path: Path, options: ScoreOptions | None = None, source_type: Any = None
) -> dict[str, float | None]:
    """Score a log with lsg."""
    found = summarise(measure_log(path, options, source_type=source_type))
    return {metric: score.value for metric, score in found.scores.items()}


def _omnisteval_name(metric: str) -> str:
    if metric in OMNISTEVAL_NAMES:
        return OMNISTEVAL_NAMES[metric]
    if metric.endswith("_CA"):
        return f"ca_{metric[:-3].lower()}"
    return metric.lower()


def _find(scores: Scores | None, metric: str) -> float | None:
    return None if scores is None else scores.get(metric)


def _agree(ours: float | None, theirs: float) -> bool:
    if ours is None:
        return theirs != theirs
    return abs(ours - theirs) < 0.0005


def _same_times(ours: Sequence[float], seconds: Sequence[float]) -> bool:
    pairs = zip(ours, seconds, strict=True)
    return len(ours) == len(seconds) and all(abs(a - b * 1000) < 0.0005 for a, b in pairs)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
