"""Which body an embedded translator should have: what training and using each costs on one core.

    python -m benchmarks.bodies --models DIR --data DIR [--seconds 60] BODY...

A body is ``recipe-10M`` (the recipe's network with the weights of en-de), ``recipe-30M`` (the same
architecture, from scratch), or a pretrained model that lies in ``--models`` as a GGUF file
(``smollm2-135m``, ``gemma3-270m``); ``/half`` keeps the lower half of its layers. The vocabulary of
a pretrained model is cut to what the sampled text needs. Each is trained for ``--seconds`` of CPU
time on one thread, in bfloat16, on the same pairs in both directions. Printed are tokens a CPU
second, bits for each byte of the target on development sentences before and after (they compare
models of different vocabularies), and after int8 conversion the CPU time of a call as lsg makes it.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "models" / "recipes" / "translation"))

import ctranslate2  # noqa: E402
import torch  # noqa: E402
from convert import Llama  # noqa: E402
from network import Network, Shape  # noqa: E402
from torch import nn  # noqa: E402
from vocabulary import Vocabulary, tag  # noqa: E402
from warm import start  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EN_DE = ROOT / "models" / "en-de"
PAIRS = 10_000  # that the vocabulary is cut to and that are trained on
TOKENS = 1_500  # of a batch
NAMES = {"en": "English", "de": "German"}
CALL = (1, 9)  # hypotheses and tokens of a call of lsg
CALLS = 100

Example = tuple[list[int], int]  # ids, and how many of them come before the target


@dataclass
class Body:
    """A network in training, how text becomes its ids, and how it is converted."""

    network: nn.Module
    logits: Callable[[torch.Tensor], torch.Tensor]  # [B, T] to [B, T, vocabulary]
    example: Callable[[str, str, str, str], Example]  # languages and texts of both sides
    convert: Callable[[Path], None]
    rate: float  # of Adam


def recipe(*, shape: dict[str, int], warm: bool) -> Body:
    """The recipe's network."""
    words = Vocabulary(EN_DE / "spm.model")
    network = Network(Shape(words.size, **shape))
    if warm:
        start(network, words, [EN_DE])

    def example(_: str, to: str, source: str, target: str) -> Example:
        first, second = words.encode([source, target])
        before = [words.start, words.id(tag(to)), *first, words.separator]
        return [*before, *second, words.end], len(before)

    def convert(path: Path) -> None:
        Llama(network, words).convert(str(path), quantization="int8", force=True)

    return Body(network, lambda ids: network.logits(network(ids)), example, convert, 1e-3)


def pretrained(file: Path, texts: list[str], *, half: bool) -> Body:
    """A causal model of Transformers, its vocabulary cut to the texts."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where, name = str(file.parent), file.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    network: Any = AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
    if half:
        kept = network.config.num_hidden_layers // 2
        network.model.layers = network.model.layers[:kept]
        network.config.num_hidden_layers = kept
        if getattr(network.config, "layer_types", None):
            network.config.layer_types = network.config.layer_types[:kept]
    end = tokenizer.eos_token_id
    used = {
        end,
        *(
            i
            for ids in tokenizer(
                [*texts, *_prompt("en", "de", ""), *_prompt("de", "en", "")]
            ).input_ids
            for i in ids
        ),
    }
    place = {old: new for new, old in enumerate(sorted(used))}
    rows = network.get_input_embeddings().weight.data[sorted(used)]
    network.resize_token_embeddings(len(used))
    network.get_input_embeddings().weight.data.copy_(rows)
    network.tie_weights()

    def example(of: str, to: str, source: str, target: str) -> Example:
        first, second = _prompt(of, to, source)
        before = tokenizer(f"{first}{second}").input_ids
        ids = tokenizer(f" {target}", add_special_tokens=False).input_ids
        known = [place[i] for i in (*before, *ids, end) if i in place]
        return known, len(known) - sum(i in place for i in ids) - 1

    def convert(path: Path) -> None:
        _convert_pretrained(network, len(used), path)

    return Body(network, lambda ids: network(ids, use_cache=False).logits, example, convert, 1e-4)


def _prompt(of: str, to: str, source: str) -> tuple[str, str]:
    return f"{NAMES[of]}: {source}\n", f"{NAMES[to]}:"


def _convert_pretrained(network: Any, size: int, path: Path) -> None:
    """Through CTranslate2's converter of Transformers. What tokens are called does not matter."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    names = {name: i for i, name in enumerate(("<unk>", "<s>", "</s>"))}
    names |= {f"t{i}": i for i in range(3, size)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(names, unk_token="<unk>")),
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
    )
    network.hf_quantizer = None  # its weights are no longer those of the GGUF file
    network.config.__dict__.pop("quantization_config", None)
    with tempfile.TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        converter = ctranslate2.converters.TransformersConverter(folder)
        converter.convert(str(path), quantization="int8", force=True)


def read(data: Path) -> list[tuple[str, str]]:
    """Pairs to train on: of Tatoeba and of software."""
    with gzip.open(data / "train.en-de.tsv.gz", "rt", encoding="utf-8") as lines:
        pairs = [tuple(line.rstrip("\n").split("\t")[1:3]) for line in lines]
    chosen = random.Random(1).sample(pairs, PAIRS)
    return [(first, second) for first, second in chosen]


def development(data: Path) -> list[tuple[str, str]]:
    """Sentences of Tatoeba's development set."""
    sides = [
        (data / "dev" / f"tatoeba.en-de.{of}").read_text(encoding="utf-8").splitlines()
        for of in ("en", "de")
    ]
    return list(zip(*sides, strict=True))[:40]


def batches(body: Body, pairs: list[tuple[str, str]]) -> Iterator[list[Example]]:
    """Examples of about the same length, in both directions."""
    rng = random.Random(2)
    while True:
        sides = [(pair, rng.random() < 0.5) for pair in rng.sample(pairs, 2_000)]
        pool = sorted((_example(body, *each) for each in sides), key=lambda each: len(each[0]))
        groups: list[list[Example]] = [[]]
        for each in pool:
            if len(each[0]) * (len(groups[-1]) + 1) > TOKENS:
                groups.append([])
            groups[-1].append(each)
        rng.shuffle(groups)
        yield from groups


def _example(body: Body, pair: tuple[str, str], forward: bool) -> Example:
    languages, texts = ("en", "de"), pair
    if not forward:
        languages, texts = ("de", "en"), (pair[1], pair[0])
    return body.example(*languages, *texts)


def loss(body: Body, batch: list[Example]) -> tuple[torch.Tensor, int, int]:
    """Nats of all targets, how many tokens they have, how many the batch has with padding."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    labels = torch.full((len(batch), longest), -100)
    for row, (example, before) in enumerate(batch):
        ids[row, : len(example)] = torch.tensor(example)
        labels[row, before - 1 : len(example) - 1] = torch.tensor(example[before:])
    with torch.autocast("cpu", torch.bfloat16):
        logits = body.logits(ids)
    nats = nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), reduction="sum"
    )
    return nats, int((labels >= 0).sum()), ids.numel()


def bits(body: Body, pairs: list[tuple[str, str]], direction: bool) -> float:
    """For each byte of the targets."""
    examples = [_example(body, pair, direction) for pair in pairs]
    size = sum(len(pair[direction].encode()) for pair in pairs)
    with torch.no_grad():
        nats = sum(float(loss(body, examples[i : i + 20])[0]) for i in range(0, len(examples), 20))
    return nats / size / float(np.log(2))


def trained(body: Body, pairs: list[tuple[str, str]], seconds: float) -> float:
    """Train for so many CPU seconds, and give the tokens of one of them."""
    optimiser = torch.optim.AdamW(
        body.network.parameters(), lr=body.rate, betas=(0.9, 0.98), weight_decay=0
    )
    began, tokens = time.process_time(), 0
    for step, batch in enumerate(batches(body, pairs)):
        nats, predicted, size = loss(body, batch)
        optimiser.zero_grad()
        (nats / predicted).backward()
        nn.utils.clip_grad_norm_(body.network.parameters(), 1.0)
        spent = (time.process_time() - began) / seconds
        for group in optimiser.param_groups:
            group["lr"] = body.rate * min(1.0, (step + 1) / 5) * max(0.0, 1 - spent)
        optimiser.step()
        tokens += size
        if time.process_time() - began > seconds:
            return tokens / (time.process_time() - began)
    raise AssertionError


def called(body: Body) -> tuple[float, float]:
    """Megabytes of the int8 model, and CPU milliseconds of a call."""
    with tempfile.TemporaryDirectory() as folder:
        body.convert(Path(folder))
        size = Path(folder, "model.bin").stat().st_size / 1e6
        generator = ctranslate2.Generator(folder, intra_threads=1, compute_type="int8")
        ids = np.random.default_rng(1).integers(3, 2_000, CALL).tolist()
        generator.forward_batch(ids)
        began = time.process_time()
        for _ in range(CALLS):
            generator.forward_batch(ids)
        return size, 1_000 * (time.process_time() - began) / CALLS


def opened(name: str, models: Path, pairs: list[tuple[str, str]]) -> Body:
    """A body by its name."""
    if name == "recipe-10M":
        return recipe(shape={}, warm=True)
    if name == "recipe-30M":
        shape = {"width": 512, "layers": 8, "heads": 8, "inner": 1_408}
        return recipe(shape=shape, warm=False)
    base, _, half = name.partition("/")
    (file,) = (models / base).glob("*.gguf")
    return pretrained(file, [text for pair in pairs for text in pair], half=bool(half))


def row(
    body: Body, pairs: list[tuple[str, str]], held: list[tuple[str, str]], seconds: float
) -> Iterator[str]:
    """Measure a body: the columns of the table but for its name."""
    yield f"{sum(p.numel() for p in body.network.parameters()) / 1e6:.1f}M"
    before = [bits(body, held, direction) for direction in (True, False)]
    yield f"{trained(body, pairs, seconds):.0f}"
    after = [bits(body, held, direction) for direction in (True, False)]
    yield from (f"{each:.3f}" for each in (*before, *after))
    size, call = called(body)
    yield from (f"{size:.0f}", f"{call:.1f}")


def main() -> None:
    """Print a row for each body."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bodies", nargs="+", metavar="BODY")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    pairs, held = read(args.data), development(args.data)
    columns = "parameters tokens/s en-de,before de-en,before en-de,after de-en,after MB call,ms"
    print("body", *columns.split(), sep="\t", flush=True)
    for name in args.bodies:
        torch.manual_seed(1)
        print(name, *row(opened(name, args.models, pairs), pairs, held, args.seconds), sep="\t")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
