"""``lsg eval run`` against SimulEval driving the same model and the same policy.

One command, from the root of the repository, with SimulEval in an environment of its own
(pip install simuleval==1.1.4 sentencepiece ctranslate2 msgspec numpy):

    python -m benchmarks.simuleval_throughput [--simuleval PYTHON] [--output FILE]

Neither loading the model nor scoring is timed. SimulEval's agent is simuleval_throughput_peer.py:
a plain forward pass, of one sequence, for every distribution a step asks for; see there how it
runs the model. By forward passes of the same backend, hypotheses and delays must be identical;
where the arithmetic is another one, what differs is counted. Runs of lsg are before and after
SimulEval's; CPU seconds are compared too, for other work may share the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.embedded import open_decoder_only
from lsgcli.evaluation.corpus import Sentence, load_corpus
from lsgcli.evaluation.logs import Instance, read_log
from lsgcli.evaluation.runner import evaluate
from lsgcli.policy.baselines import WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from lsgcli.backends.decoder_only import DecoderOnlyBackend

ROOT = Path(__file__).parent
DATA = ROOT.parents[1] / "shared" / "data" / "test"
SETS = {"tatoeba.en-de": 300, "newstest2019.en-de": 25}
POLICIES: dict[str, Lsg | WaitK] = {
    "LSG [3,4] delta 1, alpha 0.6": Lsg(1.0, 0.6, 3, 4),
    "LSG [7,6] delta 1, alpha 0.6": Lsg(1.0, 0.6, 7, 6),
    "wait-3": WaitK(3),
}
MODELS = {
    "tuned": "agent on lsg's backend",
    "cached": "the same, cached search at the end",
    "default": "agent on CTranslate2's defaults",
}
ROUNDS = 3
JOINER = "\N{HALFWIDTH BLACK SQUARE}"  # see simuleval_throughput_peer.py


@dataclass(frozen=True)
class Timing:
    """Seconds on the clock and of the processor."""

    wall: float
    cpu: float


def main() -> None:
    """Print and save a table; fail if an output differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simuleval", type=Path, default=Path("/tmp/simuleval-venv/bin/python"))
    parser.add_argument("--output", type=Path, default=ROOT / "results/simuleval_throughput.txt")
    options = parser.parse_args()
    if not options.simuleval.exists():
        sys.exit(f"{options.simuleval}: no such Python; see the first lines of this file")
    backend = open_decoder_only("de", "en")
    lines = [
        f"lsg eval run (batch 32) and simuleval 1.1.4; {len(os.sched_getaffinity(0))} cores; "
        f"sentences/s, median of {ROUNDS} rounds of lsg, one of SimulEval",
        f"{'':36} {'lsg':>8} {'SimulEval':>10} {'ratio':>7} {'CPU ratio':>10}  output",
    ]
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as directory:
        for name, count in SETS.items():
            files = first_lines(name, count, Path(directory))
            sentences = load_corpus(*files)
            for title, policy in POLICIES.items():
                lines.append(f"{name}, {count} sentences, {title}")
                print(lines[-1], flush=True)
                for model, meaning in MODELS.items():
                    row = compare(backend, sentences, files, policy, model, options.simuleval)
                    lines.append(f"  {meaning:<34} {row}")
                    print(lines[-1], flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n")
    sys.stdout.flush()
    os._exit(0)


def first_lines(name: str, count: int, directory: Path) -> tuple[Path, Path]:
    """Write the first lines of a test set; give the files."""
    files = []
    for language in ("en", "de"):
        lines = (DATA / f"{name}.{language}").read_text(encoding="utf-8").splitlines()[:count]
        files.append(directory / f"{name}.{language}")
        files[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files[0], files[1]


def compare(
    backend: DecoderOnlyBackend,
    sentences: list[Sentence],
    files: tuple[Path, Path],
    policy: Lsg | WaitK,
    model: str,
    python: Path,
) -> str:
    """Time both; a row of the table."""
    ours, instances = timed(backend, policy, sentences)
    with tempfile.TemporaryDirectory() as output:
        theirs = simuleval(python, files, policy, model, output)
        logged = sorted(map(joined, read_log(Path(output))), key=lambda instance: instance.index)
    rounds = [ours, *(timed(backend, policy, sentences)[0] for _ in range(ROUNDS - 1))]
    wall = statistics.median(each.wall for each in rounds)
    cpu = statistics.median(each.cpu for each in rounds)
    differing = sum(
        (a.prediction, a.delays) != (b.prediction, b.delays)
        for a, b in zip(instances, logged, strict=True)
    )
    if differing and model == "tuned":
        sys.exit(f"{differing} outputs differ: {policy}")
    n = len(sentences)
    verdict = f"{differing} differ" if differing else "identical"
    return (
        f"{n / wall:8.1f} {n / theirs.wall:10.2f} {theirs.wall / wall:6.1f}x "
        f"{theirs.cpu / cpu:9.1f}x  {verdict}"
    )


def timed(
    backend: DecoderOnlyBackend, policy: Lsg | WaitK, sentences: list[Sentence]
) -> tuple[Timing, list[Instance]]:
    """Run what ``lsg eval run`` runs."""
    found: list[Instance] = []
    start, cpu = time.perf_counter(), cpu_seconds()
    evaluate(backend, policy, sentences, found.append)
    timing = Timing(time.perf_counter() - start, cpu_seconds() - cpu)
    return timing, sorted(found, key=lambda instance: instance.index)


def joined(instance: Instance) -> Instance:
    """Undo the agent's joiners: a word is written when its last part is."""
    words: list[str] = []
    delays: list[float] = []
    for word, delay in zip(instance.prediction.split(), instance.delays, strict=True):
        if word.startswith(JOINER) and words:
            words[-1] += word.removeprefix(JOINER)
            delays[-1] = delay
        else:
            words.append(word)
            delays.append(delay)
    return replace(instance, prediction=" ".join(words), delays=tuple(delays))


def simuleval(
    python: Path, files: tuple[Path, Path], policy: Lsg | WaitK, model: str, output: str
) -> Timing:
    """Run SimulEval with its agent in a process of its own."""
    kind = "wait-k" if isinstance(policy, WaitK) else "lsg"
    settings: dict[str, Any] = {"kind": kind, "lower": 0, **asdict(policy)}
    command = [str(python), str(ROOT / "simuleval_throughput_peer.py")]
    command += ["--source", str(files[0]), "--target", str(files[1]), "--output", output]
    command += ["--policy", json.dumps(settings), "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    result = json.loads(done.stdout.splitlines()[-1])
    return Timing(result["seconds"], result["cpu"])


def cpu_seconds() -> float:
    """Processor time of this process so far, of all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
