"""Train the recogniser of spoken digits and convert it to CTranslate2.

    python -m models.recipes.digits.train --data DIR --work DIR --output DIR

``DIR`` with the data holds ``fsdd_raw_8k.zip`` and ``manifest.tsv`` with its test strings. Started
again after it was stopped, it goes on from the last checkpoint in the work directory.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn

from models.recipes.digits.corpus import ENGLISH, GERMAN, RATE, SPEAKERS, split
from models.recipes.digits.model import LogMel, build_model, build_tokenizer, save
from models.recipes.digits.synth import Row, Synth

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

FRAME = 320  # samples of a position in the encoder
NOTHING = 10  # what the frame classifier calls a frame without a digit
SUPERVISED_HEADS = 1  # of the decoder's last layer; the heads that word times are taken from


class Batch:
    """Windows of one length and all that is wanted of the model on them."""

    def __init__(self, rows: list[Row], rng: np.random.Generator, words: Words, mel: LogMel):
        audio = torch.from_numpy(np.stack([row.audio for row in rows]))
        warps = np.where(rng.random(len(rows)) < 0.6, rng.uniform(0.84, 1.19, len(rows)), 1.0)
        self.features = torch.bmm(torch.from_numpy(warped_bands(warps)), mel(audio))
        self.frames = (self.features.shape[-1] + 1) // 2
        for i, row in enumerate(rows):  # as faster-whisper pads: zeros among the features
            if row.tail > RATE // 5 and rng.random() < 0.15:
                self.features[i, :, -(row.tail // 160 - 3) :] = 0.0
            if rng.random() < 0.5:
                for _ in range(rng.integers(1, 3)):
                    low = int(rng.integers(0, 76))
                    band = self.features[i, low : low + int(rng.integers(2, 12))]
                    band[:] = band.mean()
        most = 70 if rng.random() < 0.04 else 12  # words of text before the window
        sequences = [words.sequence(row, rng, most) for row in rows]
        longest = max(len(ids) for ids, _, _ in sequences)
        self.ids = torch.full((len(rows), longest), words.end)
        self.labels = torch.full((len(rows), longest), -100)
        self.classes = torch.full((len(rows), self.frames), NOTHING)
        self.guide = torch.zeros(len(rows), longest, self.frames)
        for i, (row, (ids, labels, spoken)) in enumerate(zip(rows, sequences, strict=True)):
            self.ids[i, : len(ids)] = torch.tensor(ids)
            self.labels[i, : len(labels)] = torch.tensor(labels)
            if row.unfinished:
                self.classes[i, row.unfinished[0] // FRAME : row.unfinished[1] // FRAME + 1] = -100
            for digit, start, end in zip(row.digits, row.starts, row.ends, strict=True):
                self.classes[i, start // FRAME : end // FRAME] = digit
            self._guide(i, row, spoken)

    def _guide(self, i: int, row: Row, spoken: list[list[int]]) -> None:
        """Where to look for each token: from the last digit's end to this one's, in order."""
        before = 0
        for positions, start, end in zip(spoken[:-1], row.starts, row.ends, strict=True):
            cuts = np.linspace(start, end, len(positions) + 1) / FRAME
            cuts[0] = before / FRAME
            for position, low, high in zip(positions, cuts[:-1], cuts[1:], strict=True):
                first = min(int(low), self.frames - 1)
                self.guide[i, position, first : max(first + 1, round(high))] = 1
            before = end
        self.guide[i, spoken[-1][0], min(before // FRAME, self.frames - 1) :] = 1
        self.guide[i] /= self.guide[i].sum(-1, keepdim=True).clamp(min=1)


def warped_bands(factors: NDArray[np.float64]) -> NDArray[np.float32]:
    """For each factor the matrix that makes a voice of another size: frequencies times it."""
    mels = np.linspace(0, 45.245640471924965, 82)[1:-1]  # Slaney's, as in the extractor
    linear, step = 200 / 3, np.log(6.4) / 27
    hertz = np.where(mels < 15, linear * mels, 1000 * np.exp(step * (mels - 15)))
    wanted = hertz * factors[:, None]
    mels = np.where(
        wanted < 1000, wanted / linear, 15 + np.log(np.maximum(wanted, 1000) / 1000) / step
    )
    place = np.clip(mels * 81 / 45.245640471924965 - 1, 0, 79)
    return np.asarray(np.maximum(0, 1 - np.abs(place[:, :, None] - np.arange(80))), np.float32)


class Words:
    """Token sequences of digits."""

    def __init__(self, tokenizer: Tokenizer):
        self.tasks = {
            "transcribe": [tokenizer.encode(f" {word}").ids for word in ENGLISH],
            "translate": [tokenizer.encode(f" {word}").ids for word in GERMAN],
        }
        vocabulary = tokenizer.get_vocab()
        self.special = {
            name: vocabulary[f"<|{name}|>"]
            for name in (
                "startoftranscript",
                "startofprev",
                "en",
                "notimestamps",
                "nospeech",
                *self.tasks,
            )
        }
        self.end = vocabulary["<|endoftext|>"]

    def sequence(
        self, row: Row, rng: np.random.Generator, most: int
    ) -> tuple[list[int], list[int], list[list[int]]]:
        """Input ids, labels, and for each word and the end the positions that predict it."""
        task = ("transcribe", "translate")[rng.integers(2)]
        words = self.tasks[task]
        ids = []
        if rng.random() < 0.3:  # text before the window
            before = [words[d] for d in rng.integers(0, 10, int(rng.integers(1, most)))]
            ids = [self.special["startofprev"], *(t for word in before for t in word)]
        labels = [-100] * len(ids)
        ids += [self.special[n] for n in ("startoftranscript", "en", task, "notimestamps")]
        spoken = self.special["en" if row.speech else "nospeech"]
        labels += [-100 if row.speech is None else spoken, -100, -100]
        positions = []
        for digit in row.digits:
            positions.append(list(range(len(labels), len(labels) + len(words[digit]))))
            labels += words[digit]
            ids += words[digit]
        positions.append([len(labels)])
        labels.append(self.end)
        return ids, labels, positions


class Trainer:
    """The model in training; everything that a checkpoint keeps."""

    def __init__(self, args: argparse.Namespace, worker: int = 0):
        torch.manual_seed(args.seed)
        self.args = args
        self.worker = worker
        self.tokenizer = build_tokenizer()
        self.words = Words(self.tokenizer)
        self.mel = LogMel()
        self.model = build_model(
            self.tokenizer, args.width, args.encoder_layers, args.decoder_layers, args.heads
        )
        self.frame_head = nn.Linear(args.width, NOTHING + 1)  # only while training
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [*self.parameters, *self.frame_head.parameters()],
            lr=args.rate,
            betas=(0.9, 0.98),
            weight_decay=0.02,
        )
        self.average = [p.detach().clone() for p in self.parameters]
        self.step = 0
        self.seconds = 0.0

    def loss(self, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss and its parts."""
        hidden = self.model.model.encoder(batch.features).last_hidden_state
        decoder = self.model.model.decoder
        attention: list[torch.Tensor] = []
        hook = decoder.layers[-1].encoder_attn.register_forward_hook(
            lambda _module, _args, output: attention.append(output[1])
        )
        state = decoder(batch.ids, encoder_hidden_states=hidden, use_cache=False)
        hook.remove()
        wanted = batch.labels >= 0
        logits = self.model.proj_out(state.last_hidden_state[wanted])
        text = nn.functional.cross_entropy(logits, batch.labels[wanted])
        frames = nn.functional.cross_entropy(
            self.frame_head(hidden).flatten(0, 1), batch.classes.flatten(), ignore_index=-100
        )
        looked = attention[0][:, :SUPERVISED_HEADS].clamp(min=1e-6).log().mean(1)
        guided = -(batch.guide * looked).sum() / batch.guide.sum()
        right = (logits.argmax(-1) == batch.labels[wanted]).float().mean()
        parts = {"text": text, "frames": frames, "guided": guided, "right": right}
        return text + frames + 0.3 * guided, {k: v.item() for k, v in parts.items()}

    def batch(self, synth: Synth) -> Batch:
        """This worker's windows of this step: the same ones whenever it is taken."""
        rng = np.random.default_rng((self.args.seed, self.step))
        done = self.step / self.args.steps
        share = (1.0, 0.0, 0.0, 0.0) if done < 0.16 else (0.47, 0.4, 0.1, 0.03)
        low, high = ((0.3, 3.0), (3.0, 6.0), (6.0, 13.0), (13.0, 30.0))[rng.choice(4, p=share)]
        seconds = rng.uniform(low, high)
        count = int(np.clip(self.args.audio / self.args.workers / seconds, 2, 64))
        plain = max(0.0, 1 - done / 0.2)
        rng = np.random.default_rng((self.args.seed, self.step, self.worker))
        rows = [synth.row(rng, int(seconds * RATE), plain) for _ in range(count)]
        return Batch(rows, rng, self.words, self.mel)

    def share_gradients(self) -> None:
        """Let all workers take the mean of their gradients."""
        if self.args.workers == 1:
            return
        gradients = [p.grad for p in (*self.parameters, *self.frame_head.parameters())]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.args.workers
        at = 0
        for gradient in gradients:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()

    def rate(self) -> float:
        """Learning rate: up, then down a cosine to nearly nothing."""
        warm = min(1.0, (self.step + 1) / self.args.warmup)
        cosine = 0.02 + 0.49 * (1 + math.cos(math.pi * self._done()))
        return float(self.args.rate * warm * cosine)

    def _done(self) -> float:
        return float(min(1.0, self.step / self.args.steps))

    def train(self, synth: Synth) -> None:
        """Train to the end, with a checkpoint now and then."""
        self.model.train()
        started = time.monotonic() - self.seconds
        logged: dict[str, float] = {}
        parent = os.getppid()
        while self.step < self.args.steps:
            if os.getppid() != parent:  # the command was killed, and this is only its worker
                raise SystemExit(1)
            torch.manual_seed((self.args.seed << 24) + self.step * self.args.workers + self.worker)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate()
            loss, parts = self.loss(self.batch(synth))
            self.optimizer.zero_grad()
            loss.backward()
            self.share_gradients()
            nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.step += 1
            keep = min(0.998, self.step / (self.step + 20))
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - keep)
            for name, value in parts.items():
                logged[name] = logged.get(name, 0.0) + value / 100
            self.seconds = time.monotonic() - started
            if self.step % 100 == 0 and self.worker == 0:
                shown = " ".join(f"{name} {value:.3f}" for name, value in logged.items())
                print(f"step {self.step} {self.seconds:.0f} s {shown}", flush=True)
                logged = {}
            if self.worker == 0 and (self.step % 500 == 0 or self.step == self.args.steps):
                self.save_checkpoint()

    @property
    def checkpoint(self) -> Path:
        """Where the state of the training is."""
        return Path(self.args.work) / "checkpoint.pt"

    def save_checkpoint(self) -> None:
        """Everything to go on from here, replaced at once."""
        new = self.checkpoint.with_suffix(".new")
        state = {
            "model": self.model.state_dict(),
            "frame_head": self.frame_head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
            "settings": self.settings(),
        }
        torch.save(state, new)
        new.replace(self.checkpoint)

    def settings(self) -> dict[str, object]:
        """What must not change between a checkpoint and its resumption."""
        leave = {"data", "work", "output", "convert_only"}
        return {k: v for k, v in vars(self.args).items() if k not in leave}

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        if state["settings"] != self.settings():
            raise SystemExit(f"{self.checkpoint} was made with other settings: {state['settings']}")
        self.model.load_state_dict(state["model"])
        self.frame_head.load_state_dict(state["frame_head"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = state["average"]
        self.step, self.seconds = state["step"], state["seconds"]

    def convert(self, output: Path) -> None:
        """Write the averaged weights as a CTranslate2 model with int8 weights."""
        from ctranslate2.converters import TransformersConverter

        for parameter, average in zip(self.parameters, self.average, strict=True):
            parameter.data.copy_(average)
        self.model.eval()
        generation = self.model.generation_config
        generation.suppress_tokens = []
        generation.begin_suppress_tokens = []
        float_model, converted = Path(self.args.work) / "hf", Path(self.args.work) / "ct2"
        save(self.model, self.tokenizer, float_model)
        TransformersConverter(
            str(float_model), copy_files=["tokenizer.json", "preprocessor_config.json"]
        ).convert(str(converted), quantization="int8", force=True)
        last = self.args.decoder_layers - 1
        config = json.loads((converted / "config.json").read_text())
        config["alignment_heads"] = [[last, head] for head in range(SUPERVISED_HEADS)]
        config["lang_ids"] = [self.tokenizer.token_to_id(f"<|{name}|>") for name in ("en", "de")]
        (converted / "config.json").write_text(json.dumps(config) + "\n")
        shutil.copytree(converted, output, dirs_exist_ok=True)  # what else is there stays


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="fsdd_raw_8k.zip, manifest.tsv")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="the int8 model")
    parser.add_argument("--leave-out", choices=SPEAKERS, help="a speaker not to train on")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--audio", type=float, default=40.0, help="seconds of audio a step")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--encoder-layers", type=int, default=4)
    parser.add_argument("--decoder-layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--convert-only", action="store_true", help="the checkpoint as it is")
    return parser.parse_args()


def work(worker: int, args: argparse.Namespace) -> None:
    """Train in one of the processes."""
    torch.set_num_threads(1)
    if args.workers > 1:
        meeting = f"file://{(args.work / 'meeting').resolve()}"
        dist.init_process_group("gloo", init_method=meeting, rank=worker, world_size=args.workers)
    trainer = Trainer(args, worker)
    trainer.resume()
    recordings, _ = split(args.data / "fsdd_raw_8k.zip", args.data / "manifest.tsv")
    recordings = [r for r in recordings if r.speaker != args.leave_out]
    if worker == 0:
        print(f"{len(recordings)} recordings, from step {trainer.step}", flush=True)
    trainer.train(Synth(recordings, args.seed))
    if args.workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def main() -> None:
    """Train, or go on training, and convert."""
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(args)
    trainer.resume()
    if not args.convert_only and trainer.step < args.steps:
        (args.work / "meeting").unlink(missing_ok=True)
        torch.multiprocessing.spawn(work, (args,), nprocs=args.workers)
        trainer.resume()
    trainer.convert(args.output)
    size = sum(p.numel() for p in trainer.model.parameters())
    print(json.dumps({"parameters": size, "steps": trainer.step, "seconds": trainer.seconds}))


if __name__ == "__main__":
    main()
