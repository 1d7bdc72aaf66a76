"""What a source word costs with a model of Llama 2's shape, against a plain engine and the floor.

    python benchmarks/gpu_llama.py [--reference] > benchmarks/results/gpu_llama.txt

The weights are random: they decide what is said, not how fast. Prompts of 50, 200 and 500 tokens,
one sentence at a time and 16 side by side, int8. ``--reference`` (torch, transformers) adds an
engine as LSG's authors wrote theirs, in bfloat16: at every READ a draft of 10 tokens and a pass on
the wait-1 prefix, no cache kept between them. The floor (torch) is the time a pass takes to stream
the weights, at the measured copy bandwidth, or to multiply them, at the measured rate of a large
product, whichever is longer. ``--shape tiny --device cpu`` tries everything in seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerDecoderModelSpec, common_spec

from lsgcli.backends.decoder_only import DecoderOnlyBackend, DecoderOnlyLexicon
from lsgcli.backends.devices import place
from lsgcli.backends.vocabulary import open_tokenizer
from lsgcli.core.backend import Placement, Usage
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import Query
from lsgcli.models.catalog import Model, embedded
from lsgcli.models.manifest import DecoderOnlyManifest, load
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LENGTHS = (50, 200, 500)  # tokens of the prompt before the target, when the source is complete
BATCHES = (1, 16)
SOURCE = ("the", "house", "is", "small", "and", "we", "are", "in", "it", "now", "at", "last")
FILLER = "<2en>"  # what the prompt is filled with
POLICY = Lsg(lower=3, upper=4, delta=7.5, alpha=0.6)  # the paper's thresholds for Llama 2, medium
DRAFT = 10  # tokens the reference drafts at every READ
TRIES = 5


@dataclass(frozen=True)
class Shape:
    """Sizes of a model."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int

    @property
    def weights(self) -> int:
        """Parameters that a pass multiplies with, that is all but the embeddings."""
        layer = 4 * self.width**2 + 3 * self.width * self.inner
        return self.layers * layer + self.vocabulary * self.width


SHAPES = {
    "llama-2-7b": Shape(4096, 32, 32, 11008, 32_000),
    "tiny": Shape(64, 2, 4, 172, 9_000),
}


def make(shape: Shape, directory: Path, seed: int = 1) -> None:
    """Write a model of random int8 weights, as CTranslate2 stores them; 7B take half a minute."""
    rng = np.random.default_rng(seed)

    def fill(spec: Any, outputs: int, inputs: int, rows: int | None = None) -> None:
        weight = rng.integers(-127, 128, (outputs, inputs), dtype=np.int8)
        weight[rows if rows is not None else outputs :] = 0
        spec.weight = weight
        spread = 0.5 * inputs**-0.5  # of the weights; an int8 of this kind spreads by 73
        spec.weight_scale = np.full(outputs, 73 / spread, np.float32)

    spec = TransformerDecoderModelSpec.from_config(
        shape.layers,
        shape.heads,
        activation=common_spec.Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
    )
    embedded_model = embedded()["en-de"]
    manifest = load(embedded_model)
    assert isinstance(manifest, DecoderOnlyManifest)
    pieces = open_tokenizer(embedded_model, manifest.tokenizer)
    names = [pieces.token(n) for n in range(pieces.size)]
    spec.decoder.scale_embeddings = False
    fill(spec.decoder.embeddings, shape.vocabulary, shape.width)
    fill(spec.decoder.projection, shape.vocabulary, shape.width, len(names))  # others: never said
    spec.decoder.layer_norm.gamma = np.ones(shape.width, np.float32)
    for layer in spec.decoder.layer:
        for norm in (layer.self_attention.layer_norm, layer.ffn.layer_norm):
            norm.gamma = np.ones(shape.width, np.float32)
        fill(layer.self_attention.linear[0], 3 * shape.width, shape.width)
        fill(layer.self_attention.linear[1], shape.width, shape.width)
        fill(layer.ffn.linear_0, shape.inner, shape.width)
        fill(layer.ffn.linear_0_noact, shape.inner, shape.width)
        fill(layer.ffn.linear_1, shape.width, shape.inner)
    unused = [f"<unused {n}>" for n in range(shape.vocabulary - len(names))]
    spec.register_vocabulary(names + unused)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.validate()
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))
    shutil.copy(embedded_model / "spm.model", directory)


def prompt(directory: Path, length: int, source: Sequence[str]) -> Model[Any]:
    """Write a manifest whose prompt has ``length`` tokens with this source; give the model."""
    text = (
        'version = 1\nkind = "decoder-only"\ndirections = ["en-de"]\nlicence = "none"\n'
        'tokenizer = {type = "sentencepiece", file = "spm.model"}\n'
        "max_source_tokens = 400\nprompt = {parts = [%s], end = ['</s>']}\n"
        "policy = {delta = 7.5, alpha = 0.6}\n[files]\n"
    )
    filler = length  # too many; the second time exactly as many as are missing
    for _ in range(2):
        fixed = ["<s>", "<2de>", FILLER * filler, "{source}", "<sep>", "{target}"]
        parts = ", ".join(f"'{part}'" for part in fixed)
        (directory / "manifest.toml").write_text(text % parts)
        model = _model(directory)
        lexicon = DecoderOnlyLexicon(open_tokenizer(directory, model.manifest.tokenizer), model)
        filler += length - len(lexicon.prompt(Query(tuple(source), ())))
    return model


def _model(directory: Path) -> Model[Any]:
    return Model(directory, load(directory), "en", "de")


@dataclass
class Cost:
    """What some sentences took."""

    calls: int
    tokens: int
    seconds: float

    def row(self, words: int) -> str:
        """A row of the table: for each source word."""
        return (
            f"{self.calls / words:7.2f} calls {1000 * self.seconds / words:9.2f} ms"
            f" {self.tokens / self.seconds:10.0f} tokens/s"
        )


def ours(backend: DecoderOnlyBackend, sources: Sequence[tuple[str, ...]], batch: int) -> Cost:
    """The loop of lsg."""
    backend.usage = Usage()
    began = time.perf_counter()
    segments = [(source, translate(POLICY, backend.lexicon)) for source in sources]
    run(backend, segments, lambda *_: None, batch_size=batch)
    seconds = time.perf_counter() - began
    return Cost(backend.usage.calls, backend.usage.tokens, seconds)


class Reference:
    """An engine as LSG's authors wrote theirs, with Transformers; sentences one after the other."""

    def __init__(self, shape: Shape, device: str) -> None:
        import torch
        import transformers

        config = transformers.LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=1024,
        )
        self.torch, self.device = torch, device
        torch.set_default_dtype(torch.bfloat16)
        with torch.device(device):
            self.model = transformers.LlamaForCausalLM(config).eval()
        torch.set_default_dtype(torch.float32)

    def cost(self, backend: DecoderOnlyBackend, sources: Sequence[tuple[str, ...]]) -> Cost:
        """Drafts and baselines of every READ, and the rest at the end; words as lsg's range has."""
        cost = Cost(0, 0, 0.0)
        began = time.perf_counter()
        with self.torch.inference_mode():
            for source in sources:
                self._sentence(backend, source, cost)
        cost.seconds = time.perf_counter() - began
        return cost

    def _sentence(self, backend: DecoderOnlyBackend, source: tuple[str, ...], cost: Cost) -> None:
        target: tuple[int, ...] = ()
        for read in range(1, len(source)):
            p, draft = self._draft(backend.lexicon.prompt(Query(source[:read], target)), cost)
            q = self._pass(backend.lexicon.prompt(Query(source[:1], target)) + draft, cost)
            gap = (p.exp() * (p - q[-len(draft) - 1 : -1].log_softmax(-1))).sum(-1)
            written = int(((gap > POLICY.delta) | (p.exp().amax(-1) > POLICY.alpha)).sum())
            if read >= POLICY.lower + POLICY.upper or (written and read >= POLICY.lower):
                target += draft[: max(written, 1)]
        self._draft(backend.lexicon.prompt(Query(source, target)), cost)

    def _draft(self, ids: tuple[int, ...], cost: Cost) -> tuple[Any, tuple[int, ...]]:
        """Ten tokens, with a cache among themselves, and their log-probabilities."""
        inputs, cache, rows, draft = ids, None, [], []
        for _ in range(DRAFT):
            at = self.torch.tensor([inputs], device=self.device)
            out = self.model(input_ids=at, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            rows.append(out.logits[0, -1].float().log_softmax(-1))
            draft.append(int(rows[-1].argmax()))
            cost.calls, cost.tokens = cost.calls + 1, cost.tokens + len(inputs)
            inputs = (draft[-1],)
        return self.torch.stack(rows), tuple(draft)

    def _pass(self, ids: tuple[int, ...], cost: Cost) -> Any:
        cost.calls, cost.tokens = cost.calls + 1, cost.tokens + len(ids)
        logits = self.model(input_ids=self.torch.tensor([ids], device=self.device)).logits
        return logits[0].float()


@dataclass(frozen=True)
class Floor:
    """What the device does at best."""

    bandwidth: float  # bytes a second
    rate: float  # floating-point operations a second, bfloat16

    def seconds(self, shape: Shape, cost: Cost) -> float:
        """The least time for the passes and tokens of ``cost``, with a byte a weight."""
        return max(cost.calls * shape.weights / self.bandwidth, self.arithmetic(shape, cost))

    def arithmetic(self, shape: Shape, cost: Cost) -> float:
        """The least time for its multiplications."""
        return 2 * shape.weights * cost.tokens / self.rate


def floor(device: str) -> Floor:
    """Measure copying and multiplying with torch."""
    import torch

    large = device != "cpu"
    finish: Callable[[], object] = torch.cuda.synchronize if large else lambda: None
    data = torch.zeros(1 << 30 if large else 1 << 26, dtype=torch.uint8, device=device)
    to = torch.empty_like(data)
    side = 8192 if large else 1024
    a = torch.randn(side, side, dtype=torch.bfloat16, device=device)

    def best(call: Callable[[], object]) -> float:
        times = []
        for _ in range(TRIES):
            finish()
            began = time.perf_counter()
            call()
            finish()
            times.append(time.perf_counter() - began)
        return min(times)

    copied = 2 * data.numel() / best(lambda: to.copy_(data))
    return Floor(copied, 2 * side**3 / best(lambda: a @ a))


def named(device: str) -> str:
    """The card's name, if torch can tell it."""
    if device == "cpu":
        return "CPU"
    try:
        import torch
    except ImportError:
        return device
    return str(torch.cuda.get_device_name(0))


def cublas_of_13(folder: Path) -> None:
    """Start again with CUDA 13's cuBLAS under the names of CUDA 12's (untried)."""
    links = Path(tempfile.mkdtemp())
    for name in ("libcublas", "libcublasLt"):
        (links / f"{name}.so.12").symlink_to(folder / f"{name}.so.13")
    os.environ["LD_LIBRARY_PATH"] = f"{links}:{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    left = [a for a in sys.argv[1:] if not a.startswith("--cublas-13")]
    os.execv(sys.executable, [sys.executable, sys.argv[0], *left])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=SHAPES, default="llama-2-7b")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lsg-llama")
    parser.add_argument("--reference", action="store_true", help="needs torch and transformers")
    parser.add_argument("--no-floor", action="store_true", help="without torch")
    parser.add_argument("--cublas-13", type=Path, metavar="DIR", help="with =: try its cuBLAS")
    args = parser.parse_args()
    if args.cublas_13:
        cublas_of_13(args.cublas_13)
    shape, directory = SHAPES[args.shape], args.work / args.shape
    where = place(args.device, "auto")
    print(f"$ python {' '.join(sys.argv)}")
    print(f"{named(where.device)}, CTranslate2 {ctranslate2.__version__}, {where.compute_type}")
    if not (directory / "model.bin").exists():
        began = time.perf_counter()
        make(shape, directory)
        print(f"{args.shape} written in {time.perf_counter() - began:.0f} s")
    best = None if args.no_floor else floor(where.device)
    if best:
        print(f"copies {best.bandwidth / 1e9:.0f} GB/s, multiplies {best.rate / 1e12:.1f} TFLOP/s")
    reference = Reference(shape, where.device) if args.reference else None
    source = SOURCE
    loaded: DecoderOnlyBackend | None = None
    for length in LENGTHS:
        model = prompt(directory, length, source)
        loaded = loaded.toward(model) if loaded else DecoderOnlyBackend(
            model, Placement(where.name, where.compute_type, 0, max(BATCHES))
        )  # fmt: skip
        ours(loaded, [source], 1)  # what the first pass sets up is not measured
        for batch in BATCHES:
            sources = [source] * batch
            words = batch * len(source)
            cost = ours(loaded, sources, batch)
            print(f"prompt {length:3} batch {batch:2} lsg       {cost.row(words)}", flush=True)
            if best:
                passes = Cost(-(-cost.calls // batch), cost.tokens, 0)  # or more: at least these
                least = best.seconds(shape, passes)
                ratio = f"{cost.seconds / least:.1f}x" if least else ""
                print(f"{'':20}floor     {1000 * least / words:23.2f} ms {ratio}")
        if reference:
            cost = reference.cost(loaded, [source])
            print(f"prompt {length:3} batch  1 reference {cost.row(len(source))}", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
