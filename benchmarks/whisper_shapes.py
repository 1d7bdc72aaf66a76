"""Whispers of the real shapes with random weights: cost does not depend on what they say.

    python -m benchmarks.whisper_shapes tiny DIRECTORY

What they say is about as much as people do, or more: a bias leaves 64 words of one token, and the
end token. It makes no sense, so a window's cut is never confirmed; what that costs is in the
figures.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from lsgcli.backends.vocabulary import byte_of

SHAPES = {"tiny": (384, 4, 6), "base": (512, 6, 8), "small": (768, 12, 12)}  # width, layers, heads
LANGUAGES = (  # noqa: SIM905
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su"
).split()
TEXT = 50257  # tokens of text, as in Whisper
SPOKEN = range(300, 364)  # those that are said
END_BIAS = 2.5


def vocabulary() -> tuple[list[str], list[str]]:
    """Text tokens, of which two in three begin a word, and Whisper's special tokens in order."""
    space = next(chr(character) for character, byte in byte_of().items() if byte == 32)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = itertools.product(letters, repeat=4)
    text = list(map(chr, byte_of()))
    while len(text) < TEXT:
        begins = len(text) in SPOKEN or len(text) % 3
        text.append((space if begins else "") + "".join(next(words)))
    text[-1] = ""  # by which CTranslate2 tells the models that know many languages
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    names = ["endoftext", "startoftranscript", *LANGUAGES, *tasks]
    names += [f"{n * 0.02:.2f}" for n in range(1501)]
    return text, [f"<|{name}|>" for name in names]


def make(shape: str, directory: Path, seed: int = 1) -> Path:
    """Write a model of that shape, int8, with tokenizer; give its directory."""
    width, layers, heads = SHAPES[shape]
    rng = np.random.default_rng(seed)
    text, special = vocabulary()
    size = len(text) + len(special)

    def matrix(*dimensions: int, scale: float = 0.02) -> np.ndarray:
        return (rng.standard_normal(dimensions) * scale).astype(np.float32)

    def linear(spec, inputs: int, outputs: int) -> None:
        spec.weight, spec.bias = matrix(outputs, inputs), np.zeros(outputs, np.float32)

    def norm(spec) -> None:
        spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    spec = WhisperSpec(layers, heads, layers, heads)
    for conv, inputs in ((spec.encoder.conv1, 80), (spec.encoder.conv2, width)):
        conv.weight, conv.bias = matrix(width, inputs, 3), np.zeros(width, np.float32)
    spec.encoder.position_encodings.encodings = matrix(1500, width)
    spec.decoder.position_encodings.encodings = matrix(448, width, scale=0.1)
    for layer in (*spec.encoder.layer, *spec.decoder.layer):
        attentions = [layer.self_attention]
        if hasattr(layer, "attention"):
            attentions.append(layer.attention)
            linear(layer.attention.linear[0], width, width)
            linear(layer.attention.linear[1], width, 2 * width)
            linear(layer.attention.linear[2], width, width)
        linear(layer.self_attention.linear[0], width, 3 * width)
        linear(layer.self_attention.linear[1], width, width)
        for part in (*attentions, layer.ffn):
            norm(part.layer_norm)
        linear(layer.ffn.linear_0, width, 4 * width)
        linear(layer.ffn.linear_1, 4 * width, width)
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    spec.decoder.embeddings.weight = matrix(size, width)
    spec.decoder.projection.weight = matrix(size, width, scale=2.0 / width**0.5)
    bias = np.full(size, -30, np.float32)
    bias[SPOKEN] = 0
    bias[TEXT] = END_BIAS
    spec.decoder.projection.bias = bias

    spec.register_vocabulary(text + special)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [220, TEXT]
    spec.config.lang_ids = list(range(TEXT + 2, TEXT + 2 + len(LANGUAGES)))
    spec.config.alignment_heads = list(itertools.product(range(layers // 2, layers), range(heads)))
    spec.validate()
    spec.optimize(quantization="int8")
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))
    tokenizer = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(text)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "preprocessor_config.json").write_text('{"feature_size": 80}\n')
    return directory


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
