"""The peers' side of cross_scorers.py: runs in their environment, speaks JSON on stdout.

Imports nothing of lsg, and a peer only where it is asked for.
"""

import argparse
import contextlib
import json
import logging
import random
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

SIMULEVAL_LATENCY = ["AL", "LAAL", "AP", "DAL", "ATD", "StartOffset", "EndOffset"]


def simuleval_arguments(extra: list[str]) -> argparse.Namespace:
    """Parse arguments as the command `simuleval` does."""
    from simuleval import options

    sys.argv = ["simuleval", "--no-progress-bar", *extra]
    sys.argv += ["--latency-metrics", *SIMULEVAL_LATENCY]
    parser = options.general_parser()
    options.add_evaluator_args(parser)
    options.add_scorer_args(parser)
    options.add_dataloader_args(parser)
    arguments: argparse.Namespace = parser.parse_known_args()[0]
    return arguments


def simuleval_score(directory: str, options: list[str]) -> dict[str, float]:
    """Score a log; `_CA` columns are computed on their own, for they overwrite the others."""
    from simuleval.evaluator import SentenceLevelEvaluator

    aware = "--computation-aware" in options
    plain = [option for option in options if option != "--computation-aware"]
    base = ["--score-only", "--output", directory, *plain]
    evaluator = SentenceLevelEvaluator.from_args(simuleval_arguments(base))
    scores = {**evaluator.quality, **evaluator.latency}
    if evaluator.source_type == "text":
        scores["ATD"] = text_atd(evaluator.instances)
    if aware:
        arguments = simuleval_arguments([*base, "--computation-aware"])
        latency = SentenceLevelEvaluator.from_args(arguments).latency
        scores.update({name: latency[name] for name in latency if name.endswith("_CA")})
    return scores


def text_atd(logged: dict[int, Any]) -> float:
    """Score ATD of a text log as SimulEval does before a log is reloaded."""
    from simuleval.evaluator.instance import TextToTextInstance
    from simuleval.evaluator.scorers.latency_scorer import ATDScorer

    instances = {}
    for index, entry in logged.items():
        instances[index] = TextToTextInstance(index, None, None)
        instances[index].delays = entry.delays
    return float(ATDScorer()(instances))


def simuleval_reloaded_atd(directory: str) -> float:
    """Score ATD of a log as `simuleval --score-only` does."""
    from simuleval.evaluator import SentenceLevelEvaluator

    arguments = simuleval_arguments(["--score-only", "--output", directory])
    return float(SentenceLevelEvaluator.from_args(arguments).latency["ATD"])


def simuleval_run(kind: str, source: str, target: str, output: str | None) -> dict[str, float]:
    """Drive a wait-3 agent that copies its source; return SimulEval's own scores."""
    from simuleval.evaluator import SentenceLevelEvaluator

    extra = ["--source", source, "--target", target]
    extra += ["--source-type", kind, "--target-type", "text"]
    extra += ["--dataloader", f"{kind}-to-text", "--source-segment-size"]
    extra += ["320" if kind == "speech" else "1"]
    extra += ["--output", output] if output else []
    evaluator = SentenceLevelEvaluator.from_args(simuleval_arguments(extra))
    with contextlib.redirect_stdout(sys.stderr):
        evaluator(wait_3_agent(kind))
    return {**evaluator.quality, **evaluator.latency}


def wait_3_agent(kind: str) -> Any:
    """Make an agent that reads three segments, then writes one word for each it reads."""
    from simuleval.agents import SpeechToTextAgent, TextToTextAgent
    from simuleval.agents.actions import ReadAction, WriteAction

    base: Any = TextToTextAgent if kind == "text" else SpeechToTextAgent

    class Wait3(base):
        def words(self) -> list[str]:
            if kind == "text":
                return [str(word) for word in self.states.source]
            return [f"w{number}" for number in range(len(self.states.source) // 5120)]

        def policy(self) -> Any:
            time.sleep(0.001)
            words, written = self.words(), len(self.states.target)
            if self.states.source_finished:
                silent = words[:1] == ["silence"] or (kind == "speech" and len(words) == 1)
                return WriteAction("" if silent else " ".join(words[written:]), finished=True)
            if len(words) < written + 3 or words[0] == "silence":
                return ReadAction()
            return WriteAction(words[written], finished=False)

    return Wait3()


def make_audio(directory: str, count: int) -> str:
    """Write wav files of random lengths and a list of them."""
    import numpy as np
    import soundfile

    rng = random.Random(3)
    paths = []
    for index in range(count):
        samples = np.zeros(rng.randint(3000, 60_000), dtype="float32")
        path = Path(directory) / f"{index}.wav"
        soundfile.write(path, samples, 16000)
        paths.append(str(path))
    listing = Path(directory) / "wavs.txt"
    listing.write_text("\n".join(paths) + "\n")
    return str(listing)


def omnisteval_score(log: str, references: str, unit: str) -> dict[str, float]:
    """Score a log as `omnisteval shortform`."""
    from omnisteval.io import load_shortform_instances
    from omnisteval.scoring import evaluate_instances

    instances = load_shortform_instances(log, references, "delays", "elapsed", unit == "char")
    scores: dict[str, float] = evaluate_instances(instances, is_longform=False)[0]
    return scores


def omnisteval_longform(
    log: str, segments: str, references: str, output: str, options: dict[str, Any] | None = None
) -> dict[str, float]:
    """Score a log of whole recordings as `omnisteval longform`, keeping the resegmented log.

    ``options``: ``config`` of simulstream, if the log is its; ``char_level``.
    """
    from omnisteval.io import dump_instances_jsonl, load_resegmentation_inputs
    from omnisteval.resegment import resegment
    from omnisteval.scoring import evaluate_instances

    asked = options or {}
    config, characters = asked.get("config"), asked.get("char_level", False)
    ref_words, hyp_words, segmentation, sentences = load_resegmentation_inputs(
        segments,
        None,
        references,
        log,
        hypothesis_format="simulstream" if config else "jsonl",
        char_level=characters,
        simulstream_config_file=config,
    )
    instances, records = resegment(
        ref_words=ref_words,
        hyp_words=hyp_words,
        segmentation=segmentation,
        ref_sentences=sentences,
        char_level=characters,
    )
    dump_instances_jsonl(records, output)
    scores: dict[str, float] = evaluate_instances(instances, is_longform=True)[0]
    return scores


def simulstream_read(log: str, config: str) -> list[list[Any]]:
    """Read a log as simulstream does: text, delays and its computation-aware delays."""
    from simulstream.config import yaml_config
    from simulstream.metrics.readers import LogReader

    outputs = LogReader(yaml_config(config), log).final_outputs_and_latencies()
    return [[o.final_text, o.ideal_delays, o.computational_aware_delays] for o in outputs.values()]


def simulstream_score(log: str, config: str, segments: str, references: str) -> dict[str, float]:
    """Score a log as simulstream: StreamLAAL in ms, and BLEU of the segments."""
    sys.modules["comet"] = MagicMock()  # of its scorers one needs it, and all are imported
    from simulstream.config import yaml_config
    from simulstream.metrics.readers import LogReader, YamlReferenceReader
    from simulstream.metrics.scorers.latency import LATENCY_SCORER_REGISTRY, LatencyScoringSample
    from simulstream.metrics.scorers.quality import QUALITY_SCORER_REGISTRY, QualityScoringSample

    outputs = LogReader(yaml_config(config), log).final_outputs_and_latencies()
    reader = YamlReferenceReader(segments, references)
    arguments = argparse.Namespace(latency_unit="word", tokenizer="13a")
    lagging = LATENCY_SCORER_REGISTRY["stream_laal"](arguments).score(
        [
            LatencyScoringSample(name, outputs[name], said)
            for name, said in reader.references.items()
        ]
    )
    texts = reader.get_reference_texts()
    bleu = QUALITY_SCORER_REGISTRY["sacrebleu"](arguments).score(
        [QualityScoringSample(name, outputs[name].final_text, texts[name], None) for name in texts]
    )
    ideal, aware = lagging.ideal_latency, lagging.computational_aware_latency
    return {"LAAL": ideal * 1000, "LAAL_CA": aware * 1000, "BLEU": bleu}


COMMANDS = {
    function.__name__: function
    for function in (
        simuleval_score,
        simuleval_reloaded_atd,
        simuleval_run,
        make_audio,
        omnisteval_score,
        omnisteval_longform,
        simulstream_read,
        simulstream_score,
    )
}


def main() -> None:
    """Call the named function with JSON arguments; answer its result or its exception."""
    logging.disable(logging.CRITICAL)
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    try:
        answer = {"result": COMMANDS[name](*arguments)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
