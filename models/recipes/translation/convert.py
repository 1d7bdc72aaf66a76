"""A trained network as a directory that lsg uses: int8 weights, vocabulary, manifest."""

from __future__ import annotations

import shutil
from hashlib import sha256
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import tomlkit
from corpus import PLACEHOLDERS
from ctranslate2.converters.converter import Converter
from ctranslate2.converters.utils import fuse_linear
from ctranslate2.specs import TransformerDecoderModelSpec, common_spec
from network import BASE, EPSILON
from vocabulary import END, SEPARATOR, START, tag

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from network import Layer, Network
    from numpy.typing import NDArray
    from torch import Tensor
    from vocabulary import Vocabulary

FILES = ("model.bin", "spm.model", "vocabulary.json", "config.json")
LICENCE = "CC-BY-2.0-FR and others, attribution only: see README.md"
SOURCE_TOKENS = 96  # longer texts than it has learnt from are cut


class Llama(Converter):
    """CTranslate2's converter, fed from the network: the parts as its Llama loader names them."""

    def __init__(self, network: Network, words: Vocabulary) -> None:
        self._network, self._words = network, words

    def _load(self) -> TransformerDecoderModelSpec:
        shape = self._network.shape
        spec = TransformerDecoderModelSpec.from_config(
            shape.layers,
            shape.heads,
            activation=common_spec.Activation.SWISH,
            pre_norm=True,
            ffn_glu=True,
            rms_norm=True,
            rotary_dim=0,
            rotary_interleave=False,
            rotary_base=BASE,
        )
        spec.decoder.scale_embeddings = False
        embedding = _array(self._network.embedding.weight)
        spec.decoder.embeddings.weight = spec.decoder.projection.weight = embedding
        spec.decoder.layer_norm.gamma = _array(self._network.norm.weight)
        for to, layer in zip(spec.decoder.layer, self._network.layers, strict=True):
            _fill(to, layer)
        spec.register_vocabulary(self._words.names)
        spec.config.bos_token, spec.config.eos_token = START, END
        spec.config.unk_token = "<unk>"
        spec.config.layer_norm_epsilon = EPSILON
        return spec


def _fill(to: Any, layer: Layer) -> None:
    to.self_attention.layer_norm.gamma = _array(layer.attention_norm.weight)
    parts = [common_spec.LinearSpec() for _ in range(3)]
    for part, weight in zip(parts, layer.attention_in.weight.chunk(3), strict=True):
        part.weight = _array(weight)
    fuse_linear(to.self_attention.linear[0], parts)
    to.self_attention.linear[1].weight = _array(layer.attention_out.weight)
    to.ffn.layer_norm.gamma = _array(layer.inner_norm.weight)
    gate, up = layer.inner_in.weight.chunk(2)
    to.ffn.linear_0.weight, to.ffn.linear_0_noact.weight = _array(gate), _array(up)
    to.ffn.linear_1.weight = _array(layer.inner_out.weight)


def _array(weight: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(weight.detach().float().cpu().numpy())


def convert(
    network: Network, words: Vocabulary, languages: list[str], work: Path, output: Path
) -> float:
    """Write the model; what else is in ``output`` stays, thresholds in its manifest too.

    Gives the largest difference between the network's logits and those of CTranslate2 in float32
    on a prompt, which must be small: both must be the same model.
    """
    difference = _difference(network, words, work / "float32")
    made = work / "int8"
    Llama(network, words).convert(str(made), quantization="int8", force=True)
    shutil.copy(work / "spm.model", made / "spm.model")
    output.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(made / name, output / name)
    _write_manifest(output, languages)
    return difference


def _difference(network: Network, words: Vocabulary, made: Path) -> float:
    import torch
    from ctranslate2 import Generator

    Llama(network, words).convert(str(made), force=True)
    shutil.copy(words.path, made / "spm.model")
    ids = [words.start, *words.encode(["This is a test."])[0], words.separator]
    device = next(network.parameters()).device
    with torch.no_grad():
        states = network(torch.tensor([ids], device=device))
        expected = network.logits(states[0]).float().cpu().numpy()
    tokens = [[words.names[i] for i in ids]]
    got = np.array(Generator(str(made)).forward_batch(tokens))
    return float(np.abs(got[0] - expected).max())


def _write_manifest(output: Path, languages: list[str]) -> None:
    """Write what the recipe knows; keep thresholds that were tuned for a model made before."""
    file = output / "manifest.toml"
    old = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else None
    manifest = tomlkit.document()
    manifest.add(tomlkit.comment("What lsg needs to use this model."))
    pairs = sorted(permutations(languages, 2), key=lambda pair: pair[0] != "en")
    english = [pair for pair in pairs if "en" in pair]
    manifest |= {
        "version": 1,
        "kind": "decoder-only",
        "directions": [f"{a}-{b}" for a, b in english or pairs],
        "licence": LICENCE,
        "max_source_tokens": SOURCE_TOKENS,
        "placeholders": list(PLACEHOLDERS),
        "capitals": False,
        "tokenizer": {"type": "sentencepiece", "file": "spm.model"},
        "prompt": {
            "parts": [START, tag("{to}"), "{source}", SEPARATOR, "{target}"],
            "end": [END],
        },
        "policy": old["policy"] if old else {"delta": 8.0, "alpha": 0.6},
    }
    if old and "policies" in old:
        manifest["policies"] = old["policies"]
    files = tomlkit.table()
    for name in FILES:
        content = (output / name).read_bytes()
        entry = tomlkit.inline_table()
        entry |= {"size": len(content), "sha256": sha256(content).hexdigest()}
        files[name] = entry
    manifest["files"] = files
    file.write_text(tomlkit.dumps(manifest), encoding="utf-8")
