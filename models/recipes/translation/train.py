"""Train a translation model of several directions and convert it to CTranslate2.

    python train.py --data DIR/train*.tsv.gz --held-out DIR/dev DIR/test --work WORK --output MODEL
        [--evaluate DIR]

Started again after it was stopped, it goes on from the last checkpoint in ``--work``. With
``--evaluate`` the model gets its levels of latency and its card: tune.py and evaluate.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing
from align import Aligned, align
from batches import CONSTRUCTIONS, Batch, Batches, Mix
from convert import convert
from corpus import Weights
from network import Network, Shape, sizes
from optimiser import Optimiser
from prepare import Encoded, prepare
from torch import nn
from vocabulary import Vocabulary
from warm import start

CHECKPOINT = 300  # seconds between checkpoints
SHOWN = 25  # steps between lines
SPIKE = 1.0  # the longest gradient that is taken as it is
ALIGNED = "aligned.npz"
# For the workers, on CPUs. oneDNN keeps what it has prepared for a thousand shapes, of which there
# are as many here: gigabytes. glibc gives memory back and asks for it again at every step.
SURROUNDINGS = {
    "LRU_CACHE_CAPACITY": "16",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}


@dataclass(frozen=True)
class Preset:
    """What fits a machine."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    tokens: int  # of a worker's batch
    steps: int
    workers: int
    muon: float
    adam: float


PRESETS = {
    "cpu": Preset(320, 6, 5, 896, 12_000, 6_000, 4_000, 2, 0.015, 0.003),
    "gpu": Preset(576, 10, 9, 1_536, 20_000, 65_536, 12_000, 1, 0.02, 0.003),
    "tiny": Preset(32, 1, 2, 64, 400, 512, 30, 1, 0.02, 0.01),  # for tests
}


class Trainer:
    """The network in training; everything that a checkpoint keeps."""

    def __init__(self, args: argparse.Namespace, worker: int = 0) -> None:
        torch.manual_seed(args.seed)
        self.args, self.worker = args, worker
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.words = Vocabulary(args.work / "spm.model")
        self.network = Network(
            Shape(self.words.size, args.width, args.layers, args.heads, args.inner)
        )
        if args.start and not self.checkpoint.exists():
            start(self.network, self.words, args.start)
        self.network.to(self.device)
        self.optimiser = Optimiser(
            self.network, muon=args.muon, adam=args.adam, worker=worker, workers=args.workers
        )
        self.step, self.seconds, self.tokens = 0, 0.0, 0

    def train(self, batches: Batches) -> None:
        """Train to the end, with a checkpoint now and then."""
        began = time.monotonic() - self.seconds
        kept, parent, losses, lengths = self.seconds, os.getppid(), 0.0, 0.0
        for batch in batches.steps(self.worker, self.step):
            if os.getppid() != parent:
                raise SystemExit(1)  # the command was killed, and this is only its worker
            loss = self._loss(batch)
            self.network.zero_grad()
            loss.backward()
            self.optimiser.share()
            lengths += float(nn.utils.clip_grad_norm_(self.optimiser.parameters, SPIKE)) / SHOWN
            self.optimiser.step(self._scale())
            losses += loss.item() / SHOWN
            self.step += 1
            self.tokens += batch.ids.numel() * self.args.workers
            self.seconds = self._agreed(time.monotonic() - began)
            if self.step % SHOWN == 0 and self.worker == 0:
                line = f"step {self.step} loss {losses:.3f} gradient {lengths:.2f}"
                print(f"{line} {self.seconds:.0f} s {self.tokens / 1e6:.2f} M tokens", flush=True)
            if self.step % SHOWN == 0:
                losses = lengths = 0.0
            if self.seconds - kept > CHECKPOINT or self._done() >= 1:
                kept = self.seconds
                self.save()
            if self._done() >= 1:
                return

    def _loss(self, batch: Batch) -> torch.Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            states = self.network(batch.ids.to(self.device))
            chosen = states.flatten(0, 1)[batch.places.to(self.device)]
            logits = self.network.logits(chosen)
        return nn.functional.cross_entropy(logits.float(), batch.labels.to(self.device))

    def _done(self) -> float:
        """The share of the training that is behind: of the steps, or of the time if it is less."""
        clock = self.seconds / 60 / self.args.minutes if self.args.minutes else 0.0
        return float(max(self.step / self.args.steps, clock))

    def _scale(self) -> float:
        """Up over the first steps, level, then down in a line over the last share, to nothing."""
        risen = min(1.0, float((self.step + 1) / self.args.warmup))
        left = max(0.0, 1 - self._done()) / float(self.args.fall)
        return risen * min(1.0, left)

    def _agreed(self, seconds: float) -> float:
        """The first worker's time, so that all stop at the same step."""
        if self.args.workers == 1:
            return seconds
        value = torch.tensor(seconds, dtype=torch.float64)
        dist.broadcast(value, 0)
        return float(value)

    @property
    def checkpoint(self) -> Path:
        """Where the state of the training is."""
        return Path(self.args.work) / f"checkpoint.{self.worker}.pt"

    def save(self) -> None:
        """Everything to go on from here, replaced at once. Each worker keeps its own momentum."""
        new = self.checkpoint.with_suffix(".new")
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state(),
            "step": self.step,
            "seconds": self.seconds,
            "tokens": self.tokens,
            "settings": self.settings(),
        }
        torch.save(state, new)
        if self.args.workers > 1:
            dist.barrier()  # all of them or none
        new.replace(self.checkpoint)

    def settings(self) -> dict[str, object]:
        """What must not change between a checkpoint and its resumption."""
        free = {
            "data",
            "held_out",
            "pieces",
            "phrases",
            "written",
            "work",
            "output",
            "convert_only",
            "start",
        }
        free |= {"evaluate"}  # what comes after
        free |= {"minutes", "steps", "fall"}  # longer or shorter than was thought
        return {k: v for k, v in vars(self.args).items() if k not in free}

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one; tell whether there was."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        if state["settings"] != self.settings():
            raise SystemExit(f"{self.checkpoint} was made with other settings: {state['settings']}")
        self.network.load_state_dict(state["network"])
        self.optimiser.load(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.tokens = state["tokens"]
        return True


def arguments() -> argparse.Namespace:
    """The command line; a preset gives what is not said."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="NAME.en-de.tsv[.gz]")
    parser.add_argument(
        "--held-out", type=Path, nargs="*", default=[], help="directories of lines not to train on"
    )
    parser.add_argument("--phrases", type=Path, help="a table of short phrases; see phrases.tsv")
    parser.add_argument("--written", type=Path, help="a folder of sentences and templates")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="the int8 model")
    parser.add_argument("--evaluate", type=Path, help="the data's directory, with dev and test")
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        help="a model, or a checkpoint of one, of this shape to start from; others' pieces",
    )
    parser.add_argument("--pieces", type=Path, help="a vocabulary to use instead of a new one")
    parser.add_argument("--minutes", type=float, help="end after this time, if not before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=100, help="steps")
    parser.add_argument(
        "--fall",
        type=float,
        default=1.0,
        help="the last share of the training, in which the rates fall (1: all of it)",
    )
    parser.add_argument("--convert-only", action="store_true", help="the checkpoint as it is")
    parser.add_argument("--prefixes", type=float, default=Mix.prefixes, help="share of examples")
    parser.add_argument("--construction", choices=CONSTRUCTIONS, default=Mix.construction)
    parser.add_argument("--ended", type=float, default=Mix.ended, help="share of prefixes that end")
    parser.add_argument("--bare", type=float, default=Mix.bare, help="share without their end mark")
    for name, value in vars(Weights()).items():
        parser.add_argument(f"--weigh-{name}", type=float, default=value, metavar="TIMES")
    for name, kind in Preset.__annotations__.items():
        parser.add_argument(f"--{name}", type=float if kind == "float" else int)
    args = parser.parse_args()
    for name, value in vars(PRESETS[args.preset]).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def work(worker: int, args: argparse.Namespace) -> None:
    """Train in one of the processes."""
    torch.set_num_threads(1)
    if args.workers > 1:
        meeting = f"file://{(args.work / 'meeting').resolve()}"
        dist.init_process_group("gloo", init_method=meeting, rank=worker, world_size=args.workers)
    trainer = Trainer(args, worker)
    trainer.resume()
    encoded = Encoded.load(args.work / "pairs.npz")
    if worker == 0:
        sums = {"pairs": len(encoded.kinds), "from step": trainer.step}
        print(json.dumps({**sizes(trainer.network), **sums}), flush=True)
    batches = Batches(
        encoded,
        trainer.words,
        Weights(**{name: getattr(args, f"weigh_{name}") for name in vars(Weights())}),
        Mix(args.prefixes, args.construction, ended=args.ended, bare=args.bare),
        tokens=args.tokens,
        workers=args.workers,
        seed=args.seed,
        aligned=Aligned.load(args.work / ALIGNED) if args.construction == "alignment" else None,
    )
    trainer.train(batches)
    if args.workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def main() -> None:
    """Prepare, train or go on training, and convert."""
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    prepare(
        args.data,
        args.held_out,
        args.work,
        size=args.vocabulary,
        seed=args.seed,
        pieces=args.pieces,
        table=args.phrases,
        own=args.written,
    )
    if args.construction == "alignment" and not (args.work / ALIGNED).exists():
        pairs = Encoded.load(args.work / "pairs.npz")
        align(pairs, Vocabulary(args.work / "spm.model"), args.work / ALIGNED)
    if not args.convert_only:
        (args.work / "meeting").unlink(missing_ok=True)
        os.environ.update(SURROUNDINGS)  # which a process reads when it begins
        torch.multiprocessing.spawn(work, (args,), nprocs=args.workers)
    trainer = Trainer(args)
    if not trainer.resume():
        raise SystemExit(f"{args.work}: there is no checkpoint to convert")
    languages = Encoded.load(args.work / "pairs.npz").languages
    difference = convert(trainer.network, trainer.words, languages, args.work, args.output)
    made = {"steps": trainer.step, "tokens": trainer.tokens, "seconds": trainer.seconds}
    print(json.dumps({**made, "float32 logits differ by": difference}), flush=True)
    if args.evaluate:
        model = ("--model", args.output, "--data", args.evaluate)
        for script, *options in (("tune.py",), ("evaluate.py", "--levels", "tatoeba", "--card")):
            command = [sys.executable, Path(__file__).with_name(script), *model, *options]
            if code := subprocess.run(command, check=False).returncode:
                raise SystemExit(code)


if __name__ == "__main__":
    main()
